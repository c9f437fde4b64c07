//! The subscriptions, and the position from which they can be followed without a gap.

use super::object::{Arrived, CardChanged, CustomerArrived, JobProgressed, VisitRecorded};
use super::present::Live;
use super::stream::{Make, Step, follow};
use crate::access::{Ctx, Viewer};
use crate::domain::cards::lookup as cards;
use crate::domain::customers;
use crate::domain::transfers;
use crate::domain::visits::who::followed_store;
use crate::domain::visits::{arrivals, lookup};
use crate::error::{Error, Result};
use crate::events::{About, Follower, Wanted};
use crate::graphql::context::{Reported, ctx};
use crate::graphql::ids::key;
use crate::graphql::scalars::EventPosition;
use async_graphql::{Context, ID, Object, Subscription};
use entity::enums::TransferState;
use entity::event;
use entity::ids::{ArrivalId, CardId, CustomerId, StoreId, TransferId, VisitId};
use futures_util::stream::Stream;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// The order of events.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventsQuery;

/// The order of events.
#[Object]
impl EventsQuery {
    /// Where events stand: everything else in the same answer is at least as new. Read what there is together with this, and
    /// subscribe with it as `after`: nothing is missed in between.
    async fn event_position(&self, context: &Context<'_>) -> async_graphql::Result<EventPosition> {
        if matches!(ctx(context)?.viewer, Viewer::Anonymous) {
            return Err(Error::Unauthenticated).reported(context);
        }
        context.data::<EventPosition>().copied()
    }
}

/// What can be followed. Each subscription begins with what happens next, or behind `after` with what has happened since
/// then, as long as events are kept; it tells each event once, those of one customer in their order.
#[derive(Clone, Copy, Debug, Default)]
pub struct LiveSubscription;

/// What can be followed.
#[Subscription(name = "Subscription")]
impl LiveSubscription {
    /// Customers who walk into a store, for those who serve there.
    async fn customer_arrived(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The store.")] store_id: ID,
        #[graphql(desc = "Only events behind this position.")] after: Option<EventPosition>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<CustomerArrived>> + use<>>
    {
        let store = store(context, &store_id).await?;
        let wanted = Wanted {
            kinds: &["customer.arrived"],
            about: About::Store(store),
        };
        let make: Make<CustomerArrived> = Box::new(move |ctx, event| {
            Box::pin(async move {
                followed_store(&ctx, store).await?;
                Ok(arrived(&ctx, event).await?.map_or(Step::Skip, Step::Tell))
            })
        });
        begin(context, wanted, after, make).await
    }

    /// Visits recorded in a store, for those who serve there.
    async fn visit_recorded(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The store.")] store_id: ID,
        #[graphql(desc = "Only events behind this position.")] after: Option<EventPosition>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<VisitRecorded>> + use<>>
    {
        let store = store(context, &store_id).await?;
        let wanted = Wanted {
            kinds: &["visit.recorded"],
            about: About::Store(store),
        };
        let make: Make<VisitRecorded> = Box::new(move |ctx, event| {
            Box::pin(async move {
                followed_store(&ctx, store).await?;
                let id = VisitId::from(event.subject_id);
                let visit = lookup::by_ids(&ctx, &[id]).await?.pop();
                Ok(visit.map_or(Step::Skip, |visit| {
                    Step::Tell(VisitRecorded { event, visit })
                }))
            })
        });
        begin(context, wanted, after, make).await
    }

    /// What becomes of a customer's membership cards.
    async fn card_changed(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The customer.")] customer_id: ID,
        #[graphql(desc = "Only events behind this position.")] after: Option<EventPosition>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<CardChanged>> + use<>> {
        let customer: CustomerId = key(&customer_id);
        let found = customers::by_id(ctx(context)?, customer).await;
        if found.reported(context)?.is_none() {
            return Err(Error::not_found("customerId", "customer")).reported(context);
        }
        let wanted = Wanted {
            kinds: &["card.issued", "card.changed"],
            about: About::Customer(customer),
        };
        let make: Make<CardChanged> = Box::new(move |ctx, event| {
            Box::pin(async move {
                let id = CardId::from(event.subject_id);
                let card = cards::cards_by_ids(&ctx, &[id]).await?.pop();
                Ok(card.map_or(Step::Skip, |card| Step::Tell(CardChanged { event, card })))
            })
        });
        begin(context, wanted, after, make).await
    }

    /// How far an export or import has come: at once how far it is, then each time it has come further, until it has ended.
    /// For the one who asked for it, and for administrators.
    async fn job_progressed(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The export or import.")] id: ID,
        #[graphql(desc = "Only events behind this position.")] after: Option<EventPosition>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<JobProgressed>> + use<>>
    {
        let id: TransferId = key(&id);
        let wanted = Wanted {
            kinds: &[
                "transfer.requested",
                "transfer.started",
                "transfer.progressed",
                "transfer.finished",
            ],
            about: About::Subject(id.into()),
        };
        // Before it is read: what happens in between is told once more rather than never.
        let (live, follower) = follower(context, wanted, after).await?;
        let present = transfers::by_ids(ctx(context)?, &[id]).await;
        let Some(present) = present.reported(context)?.pop() else {
            return Err(Error::not_found("id", "export or import")).reported(context);
        };
        let first = progressed(None, present);
        let make: Make<JobProgressed> = Box::new(move |ctx, event| {
            Box::pin(async move {
                let transfer = transfers::by_ids(&ctx, &[id]).await?.pop();
                Ok(transfer.map_or(Step::Skip, |transfer| progressed(Some(event), transfer)))
            })
        });
        let ctx = ctx(context)?.clone();
        Ok(follow(live, ctx, follower, Some(first), make))
    }
}

/// The store that somebody wants to follow.
async fn store(context: &Context<'_>, id: &ID) -> async_graphql::Result<StoreId> {
    let found = followed_store(ctx(context)?, key(id)).await;
    Ok(found.reported(context)?.id)
}

async fn follower(
    context: &Context<'_>,
    wanted: Wanted,
    after: Option<EventPosition>,
) -> async_graphql::Result<(Live, Follower)> {
    let live = context.data::<Live>()?.clone();
    let after = after.map(|position| position.0);
    let follower = live.hub.follow(wanted, after).await.reported(context)?;
    Ok((live, follower))
}

async fn begin<T: Send + 'static>(
    context: &Context<'_>,
    wanted: Wanted,
    after: Option<EventPosition>,
    make: Make<T>,
) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<T>> + use<T>> {
    let (live, follower) = follower(context, wanted, after).await?;
    Ok(follow(live, ctx(context)?.clone(), follower, None, make))
}

/// An id in an event's payload.
fn named<K: DeserializeOwned>(event: &event::Model, name: &str) -> Option<K> {
    K::deserialize(event.payload.get(name)?).ok()
}

/// Of whom somebody has told that they are here, or whose visit was recorded; none when they are out of sight.
async fn arrived(ctx: &Ctx, event: Arc<event::Model>) -> Result<Option<CustomerArrived>> {
    let how = if let Some(id) = named::<ArrivalId>(&event, "arrival") {
        let found = arrivals::by_ids(ctx, &[id]).await?.pop();
        found.map(Arrived::Told)
    } else if let Some(id) = named::<VisitId>(&event, "visit") {
        lookup::by_ids(ctx, &[id])
            .await?
            .pop()
            .map(Arrived::Recorded)
    } else {
        None
    };
    Ok(how.map(|how| CustomerArrived { event, how }))
}

fn progressed(
    event: Option<Arc<event::Model>>,
    transfer: entity::transfer::Model,
) -> Step<JobProgressed> {
    let has_ended = matches!(
        transfer.state,
        TransferState::Done | TransferState::Failed | TransferState::Cancelled
    );
    let told = JobProgressed { event, transfer };
    if has_ended {
        Step::Last(told)
    } else {
        Step::Tell(told)
    }
}

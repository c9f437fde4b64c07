//! What subscriptions tell.

use crate::graphql::cards::Card;
use crate::graphql::customers::Customer;
use crate::graphql::loaders::load_one;
use crate::graphql::organization::{self, Store};
use crate::graphql::scalars::{DateTime, EventPosition};
use crate::graphql::transfers::Transfer;
use crate::graphql::visits::{Arrival, ArrivalOfVisit, Visit};
use async_graphql::{Context, Object, Result};
use entity::{arrival, card, event, transfer, visit};
use std::sync::Arc;

fn position(event: &event::Model) -> EventPosition {
    EventPosition(event.position.unwrap_or_default())
}

/// A customer has walked in.
#[derive(Debug)]
pub struct CustomerArrived {
    pub(super) event: Arc<event::Model>,
    pub(super) how: Arrived,
}

/// How it is known.
#[derive(Debug)]
pub(super) enum Arrived {
    /// Somebody said so.
    Told(arrival::Model),
    /// Their visit was recorded.
    Recorded(visit::Model),
}

/// A customer has walked in.
#[Object]
impl CustomerArrived {
    /// Its place in the order of events: hand it to `after` to go on behind it.
    async fn position(&self) -> EventPosition {
        position(&self.event)
    }

    /// When it was written down.
    async fn at(&self) -> DateTime {
        self.event.at.into()
    }

    /// Who came.
    async fn customer(&self, context: &Context<'_>) -> Result<Option<Customer>> {
        let id = match &self.how {
            Arrived::Told(arrival) => arrival.customer_id,
            Arrived::Recorded(visit) => visit.customer_id,
        };
        Ok(load_one(context, id).await?.map(Customer))
    }

    /// To which store.
    async fn store(&self, context: &Context<'_>) -> Result<Option<Store>> {
        let id = match &self.how {
            Arrived::Told(arrival) => arrival.store_id,
            Arrived::Recorded(visit) => visit.store_id,
        };
        organization::store(context, id).await
    }

    /// The arrival; null for somebody who was not expected and whose visit was recorded straight away.
    async fn arrival(&self, context: &Context<'_>) -> Result<Option<Arrival>> {
        Ok(match &self.how {
            Arrived::Told(arrival) => Some(Arrival(arrival.clone())),
            Arrived::Recorded(visit) => load_one(context, ArrivalOfVisit(visit.id))
                .await?
                .map(Arrival),
        })
    }

    /// The visit by which it is known that they came; null when it was told before.
    async fn visit(&self) -> Option<Visit> {
        match &self.how {
            Arrived::Told(_) => None,
            Arrived::Recorded(visit) => Some(Visit(visit.clone())),
        }
    }
}

/// A visit was recorded.
#[derive(Debug)]
pub struct VisitRecorded {
    pub(super) event: Arc<event::Model>,
    pub(super) visit: visit::Model,
}

/// A visit was recorded.
#[Object]
impl VisitRecorded {
    /// Its place in the order of events: hand it to `after` to go on behind it.
    async fn position(&self) -> EventPosition {
        position(&self.event)
    }

    /// When it was written down.
    async fn at(&self) -> DateTime {
        self.event.at.into()
    }

    /// The visit.
    async fn visit(&self) -> Visit {
        Visit(self.visit.clone())
    }
}

/// A membership card was issued, replaced, frozen or ended, or its validity has changed.
#[derive(Debug)]
pub struct CardChanged {
    pub(super) event: Arc<event::Model>,
    pub(super) card: card::Model,
}

/// A membership card was issued, replaced, frozen or ended, or its validity has changed.
#[Object]
impl CardChanged {
    /// Its place in the order of events: hand it to `after` to go on behind it.
    async fn position(&self) -> EventPosition {
        position(&self.event)
    }

    /// When it was written down.
    async fn at(&self) -> DateTime {
        self.event.at.into()
    }

    /// The card as it is now.
    async fn card(&self) -> Card {
        Card(self.card.clone())
    }
}

/// How far an export or import has come.
#[derive(Debug)]
pub struct JobProgressed {
    pub(super) event: Option<Arc<event::Model>>,
    pub(super) transfer: transfer::Model,
}

/// How far an export or import has come.
#[Object]
impl JobProgressed {
    /// Its place in the order of events: hand it to `after` to go on behind it. Null for how far it had come at the beginning.
    async fn position(&self) -> Option<EventPosition> {
        self.event.as_deref().map(position)
    }

    /// The export or import as it is now.
    async fn transfer(&self) -> Transfer {
        Transfer(self.transfer.clone())
    }
}

//! Mutations of visits.

use super::arrival::{AnnouncedVisit, Arrival};
use super::arrival_input::{
    AnnouncedVisitCancelInput, AnnouncedVisitUpdateInput, CustomerArriveInput,
    EnquiryContinueInput, VisitAnnounceInput,
};
use super::input::VisitRecordInput;
use super::object::Visit;
use crate::access::{Action, Ctx};
use crate::domain::visits::{announced, arrivals, enquiries, expected, record};
use crate::error::Result;
use crate::graphql::context::ctx;
use crate::graphql::ids::{GlobalKey, need};
use crate::graphql::payload::payload;
use async_graphql::{Context, ID, Object};
use entity::ids::AnnouncedVisitId;
use entity::{announced_visit, arrival, visit};

payload!(VisitRecordPayload, visit: Visit, "What `visitRecord` answers.", "The recorded visit.");
payload!(CustomerArrivePayload, arrival: Arrival, "What `customerArrive` answers.", "The arrival, with the sheet that says what to know.");
payload!(VisitAnnouncePayload, announced_visit: AnnouncedVisit, "What `visitAnnounce` answers.", "The announced visit.");
payload!(versioned AnnouncedVisitUpdatePayload, announced_visit: AnnouncedVisit, "What `announcedVisitUpdate` answers.", "The announced visit as it is now, also after a stale version; null after other errors.");
payload!(versioned AnnouncedVisitCancelPayload, announced_visit: AnnouncedVisit, "What `announcedVisitCancel` answers.", "The announced visit as it is now, also after a stale version; null after other errors.");
payload!(EnquiryContinuePayload, visit: Visit, "What `enquiryContinue` answers.", "The enquiry.");

/// Mutations of visits.
#[derive(Debug, Default)]
pub struct VisitsMutation;

/// Mutations of visits.
#[Object]
impl VisitsMutation {
    /// Records a visit, with or without a purchase. The customer's totals and tier change with it.
    async fn visit_record(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who came where, and what came of it.")] input: VisitRecordInput,
    ) -> async_graphql::Result<VisitRecordPayload> {
        VisitRecordPayload::from_result(
            context,
            visit_record(ctx(context)?, input).await.map(Visit),
        )
    }

    /// Says that a customer is here, and answers what to know of them. The staff of the store see them until its day ends.
    /// Told again before a visit is recorded, it is the same arrival; the visit that is recorded next is tied to it.
    async fn customer_arrive(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who is here.")] input: CustomerArriveInput,
    ) -> async_graphql::Result<CustomerArrivePayload> {
        let arrived = customer_arrive(ctx(context)?, input).await;
        CustomerArrivePayload::from_result(context, arrived.map(Arrival))
    }

    /// Announces a visit: an appointment. Whoever will attend to them sees the customer until the day is over.
    async fn visit_announce(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who will come, and when.")] input: VisitAnnounceInput,
    ) -> async_graphql::Result<VisitAnnouncePayload> {
        let announced = visit_announce(ctx(context)?, input).await;
        VisitAnnouncePayload::from_result(context, announced.map(AnnouncedVisit))
    }

    /// Changes an announced visit of somebody who has not come.
    async fn announced_visit_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is to be changed.")] input: AnnouncedVisitUpdateInput,
    ) -> async_graphql::Result<AnnouncedVisitUpdatePayload> {
        let (ctx, id) = (ctx(context)?, input.id.clone());
        let changed = announced_visit_update(ctx, input).await;
        let present = announced_visit(ctx, &id);
        AnnouncedVisitUpdatePayload::from_change(context, changed.map(AnnouncedVisit), present)
            .await
    }

    /// Calls an announced visit off.
    async fn announced_visit_cancel(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which one, and why.")] input: AnnouncedVisitCancelInput,
    ) -> async_graphql::Result<AnnouncedVisitCancelPayload> {
        let (ctx, id) = (ctx(context)?, input.id.clone());
        let cancelled = announced_visit_cancel(ctx, input).await;
        let present = announced_visit(ctx, &id);
        AnnouncedVisitCancelPayload::from_change(context, cancelled.map(AnnouncedVisit), present)
            .await
    }

    /// Adds what was said since to the transcript of an enquiry.
    async fn enquiry_continue(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What was said.")] input: EnquiryContinueInput,
    ) -> async_graphql::Result<EnquiryContinuePayload> {
        let continued = enquiry_continue(ctx(context)?, input).await;
        EnquiryContinuePayload::from_result(context, continued.map(Visit))
    }
}

// What was sent is not looked at before it is known that the viewer may do such a thing at all.

async fn customer_arrive(ctx: &Ctx, input: CustomerArriveInput) -> Result<arrival::Model> {
    ctx.require(Action::VisitRecord)?;
    arrivals::arrive(ctx, &input.read()?).await
}

async fn visit_announce(ctx: &Ctx, input: VisitAnnounceInput) -> Result<announced_visit::Model> {
    ctx.require(Action::VisitRecord)?;
    announced::announce(ctx, &input.read(ctx)?).await
}

async fn announced_visit_update(
    ctx: &Ctx,
    input: AnnouncedVisitUpdateInput,
) -> Result<announced_visit::Model> {
    ctx.require(Action::VisitRecord)?;
    announced::change(ctx, &input.read()?).await
}

async fn announced_visit_cancel(
    ctx: &Ctx,
    input: AnnouncedVisitCancelInput,
) -> Result<announced_visit::Model> {
    ctx.require(Action::VisitRecord)?;
    let id = need(&input.id, "id", "announced visit")?;
    announced::cancel(ctx, id, input.version.into(), input.reason.as_deref()).await
}

async fn enquiry_continue(ctx: &Ctx, input: EnquiryContinueInput) -> Result<visit::Model> {
    ctx.require(Action::VisitRecord)?;
    let (id, entries, key) = input.read(ctx)?;
    enquiries::append(ctx, id, &entries, key).await
}

/// The announced visit as it is now.
async fn announced_visit(ctx: &Ctx, id: &ID) -> Result<Option<AnnouncedVisit>> {
    let id = AnnouncedVisitId::parse(id);
    let found = expected::by_ids(ctx, id.as_slice()).await?.pop();
    Ok(found.map(AnnouncedVisit))
}

async fn visit_record(ctx: &Ctx, input: VisitRecordInput) -> Result<visit::Model> {
    ctx.require(Action::VisitRecord)?;
    record::record(ctx, input.read(ctx)?).await
}

//! Changing what hangs on a customer: notes, contact points, consents, tastes, special days.

use super::contact::{Consent, ContactPoint};
use super::input::{
    ConsentRecordInput, ContactPointAddInput, ContactPointRemoveInput, ContactPointUpdateInput,
    ContactPointVerifyInput, CustomerNoteAddInput, SpecialDayAddInput, SpecialDayRemoveInput,
    TasteAddInput, TasteRemoveInput, key,
};
use super::object::Customer;
use super::parts::{Note, SpecialDay, Taste};
use crate::access::Ctx;
use crate::domain::customers::{self, consents, contacts, days, notes, tastes};
use crate::error::{Error, Result};
use crate::graphql::context::ctx;
use crate::graphql::payload::payload;
use async_graphql::{Context, Object};
use entity::ids::CustomerId;

payload!(
    CustomerNoteAddPayload,
    note: Note,
    "What came of adding a note.",
    "The new note; null when nothing was written."
);
payload!(
    ContactPointAddPayload,
    contact_point: ContactPoint,
    "What came of adding a contact point.",
    "The new contact point; null when nothing was written."
);
payload!(
    ContactPointUpdatePayload,
    contact_point: ContactPoint,
    "What came of changing a contact point.",
    "The contact point as it is now; null when nothing was written."
);
payload!(
    ContactPointRemovePayload,
    customer: Customer,
    "What came of removing a contact point.",
    "The customer without it; null when nothing was written."
);
payload!(
    ContactPointVerifyPayload,
    contact_point: ContactPoint,
    "What came of noting that a contact point was tried.",
    "The contact point as it is now; null when nothing was written."
);
payload!(
    ConsentRecordPayload,
    consent: Consent,
    "What came of recording a consent.",
    "The statement that was recorded; null when nothing was written."
);
payload!(
    TasteAddPayload,
    taste: Taste,
    "What came of noting a like or dislike.",
    "The new entry; null when nothing was written."
);
payload!(
    TasteRemovePayload,
    customer: Customer,
    "What came of removing a like or dislike.",
    "The customer without it; null when nothing was written."
);
payload!(
    SpecialDayAddPayload,
    special_day: SpecialDay,
    "What came of noting a day.",
    "The new day; null when nothing was written."
);
payload!(
    SpecialDayRemovePayload,
    customer: Customer,
    "What came of removing a day.",
    "The customer without it; null when nothing was written."
);

/// The mutations of what hangs on a customer.
#[derive(Clone, Copy, Debug, Default)]
pub struct CustomerPartsMutation;

/// Whoever it was removed from, as they are now.
async fn left(ctx: &Ctx, removed: Result<CustomerId>) -> Result<Customer> {
    let found = customers::by_id(ctx, removed?).await?;
    found
        .map(Customer)
        .ok_or_else(|| Error::internal("a customer was changed and cannot be read"))
}

#[Object]
impl CustomerPartsMutation {
    /// Adds a note on a customer, signed by you. Notes are never changed or removed.
    async fn customer_note_add(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The note.")] input: CustomerNoteAddInput,
    ) -> async_graphql::Result<CustomerNoteAddPayload> {
        let made = notes::add(ctx(context)?, key(&input.customer_id), &input.text).await;
        CustomerNoteAddPayload::from_result(context, made.map(Note))
    }

    /// Adds a way to reach a customer.
    async fn contact_point_add(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The contact point.")] input: ContactPointAddInput,
    ) -> async_graphql::Result<ContactPointAddPayload> {
        let customer = key(&input.customer_id);
        let made = contacts::add(ctx(context)?, customer, &input.point.into()).await;
        ContactPointAddPayload::from_result(context, made.map(ContactPoint))
    }

    /// Changes what a contact point is called, or whether it is the preferred one of its kind.
    async fn contact_point_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The change.")] input: ContactPointUpdateInput,
    ) -> async_graphql::Result<ContactPointUpdatePayload> {
        let id = key(&input.id);
        let made = contacts::update(ctx(context)?, id, &input.label(), input.preferred).await;
        ContactPointUpdatePayload::from_result(context, made.map(ContactPoint))
    }

    /// Removes a contact point, with the consents that were given for it.
    async fn contact_point_remove(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The contact point.")] input: ContactPointRemoveInput,
    ) -> async_graphql::Result<ContactPointRemovePayload> {
        let ctx = ctx(context)?;
        let removed = contacts::remove(ctx, key(&input.id)).await;
        ContactPointRemovePayload::from_result(context, left(ctx, removed).await)
    }

    /// Notes that a contact point was tried just now and is the customer's.
    async fn contact_point_verify(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The contact point.")] input: ContactPointVerifyInput,
    ) -> async_graphql::Result<ContactPointVerifyPayload> {
        let made = contacts::verify(ctx(context)?, key(&input.id)).await;
        ContactPointVerifyPayload::from_result(context, made.map(ContactPoint))
    }

    /// Records that a customer gave or withdrew consent to the use of a contact point. Statements are only added;
    /// the latest holds.
    async fn consent_record(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The statement.")] input: ConsentRecordInput,
    ) -> async_graphql::Result<ConsentRecordPayload> {
        let made = consents::record(ctx(context)?, &input.into()).await;
        ConsentRecordPayload::from_result(context, made.map(|(made, _)| Consent(made)))
    }

    /// Notes something a customer likes or dislikes.
    async fn taste_add(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The like or dislike.")] input: TasteAddInput,
    ) -> async_graphql::Result<TasteAddPayload> {
        let customer = key(&input.customer_id);
        let made = tastes::add(ctx(context)?, customer, &input.taste.into()).await;
        TasteAddPayload::from_result(context, made.map(Taste))
    }

    /// Removes a like or dislike that was noted by hand.
    async fn taste_remove(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The like or dislike.")] input: TasteRemoveInput,
    ) -> async_graphql::Result<TasteRemovePayload> {
        let ctx = ctx(context)?;
        let removed = tastes::remove(ctx, key(&input.id)).await;
        TasteRemovePayload::from_result(context, left(ctx, removed).await)
    }

    /// Notes a day worth remembering.
    async fn special_day_add(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The day.")] input: SpecialDayAddInput,
    ) -> async_graphql::Result<SpecialDayAddPayload> {
        let customer = key(&input.customer_id);
        let made = days::add(ctx(context)?, customer, &input.day.into()).await;
        SpecialDayAddPayload::from_result(context, made.map(SpecialDay))
    }

    /// Removes a day.
    async fn special_day_remove(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The day.")] input: SpecialDayRemoveInput,
    ) -> async_graphql::Result<SpecialDayRemovePayload> {
        let ctx = ctx(context)?;
        let removed = days::remove(ctx, key(&input.id)).await;
        SpecialDayRemovePayload::from_result(context, left(ctx, removed).await)
    }
}

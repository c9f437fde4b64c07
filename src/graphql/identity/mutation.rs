//! Merging, undoing, dismissing, erasing.

use super::input::{
    CustomerDuplicateDismissInput, CustomerEraseInput, CustomerMergeInput, CustomerMergeUndoInput,
};
use super::object::CustomerMerge;
use crate::access::Ctx;
use crate::domain::customers;
use crate::domain::identity::erase::{self, Erasure};
use crate::domain::identity::{duplicates, merge, undo};
use crate::error::Result;
use crate::graphql::context::{Reported, ctx};
use crate::graphql::customers::Customer;
use crate::graphql::ids::{GlobalKey, key};
use crate::graphql::payload::{UserError, payload, settle};
use async_graphql::{Context, ID, Object, SimpleObject};
use entity::ids::CustomerId;

/// What came of merging two customers.
#[derive(Debug, SimpleObject)]
pub struct CustomerMergePayload {
    /// The kept customer as they are now, also when a stale version was given; null after other errors.
    pub customer: Option<Customer>,
    /// The merge; null when nothing was written.
    pub merge: Option<CustomerMerge>,
    /// What the caller can put right; empty when the change was made.
    pub user_errors: Vec<UserError>,
}

/// What came of erasing a customer.
#[derive(Debug, SimpleObject)]
pub struct CustomerErasePayload {
    /// The id that is nobody's now; null when nothing was erased.
    pub erased_id: Option<ID>,
    /// The customer as they are now when a stale version was given; null otherwise.
    pub customer: Option<Customer>,
    /// What the caller can put right; empty when the customer was erased.
    pub user_errors: Vec<UserError>,
}

payload!(
    CustomerMergeUndoPayload,
    merge: CustomerMerge,
    "What came of undoing a merge.",
    "The merge as it is now; null when nothing was written."
);
payload!(
    CustomerDuplicateDismissPayload,
    customer: Customer,
    "What came of saying that two customers are two.",
    "The customer; null when nothing was written."
);

/// The mutations of this topic.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdentityMutation;

async fn present(ctx: &Ctx, id: CustomerId) -> Result<Option<Customer>> {
    Ok(customers::by_id(ctx, id).await?.map(Customer))
}

#[Object]
impl IdentityMutation {
    /// Makes two files of one person one. Visits, purchases, cards, contact points with their consents, notes, tastes, days
    /// and relations become the kept customer's; what their file lacks is filled from the other, and the other's id and
    /// card numbers lead to them. Can be undone within 30 days.
    async fn customer_merge(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The two files.")] mut input: CustomerMergeInput,
    ) -> async_graphql::Result<CustomerMergePayload> {
        let ctx = ctx(context)?;
        let idempotency_key = input.idempotency_key.take();
        let given: merge::MergeInput = (&input).into();
        let kept = given.keep;
        let made = merge::merge(ctx, given, idempotency_key.as_deref()).await;
        let is_stale = made.as_ref().is_err_and(crate::error::Error::is_stale);
        let (merge, user_errors) = settle(made).reported(context)?;
        let customer = if merge.is_some() || is_stale {
            present(ctx, kept).await.reported(context)?
        } else {
            None
        };
        Ok(CustomerMergePayload {
            customer,
            merge: merge.map(CustomerMerge),
            user_errors,
        })
    }

    /// Undoes a merge within 30 days. What was moved goes back; what was recorded since stays with the kept customer, unless
    /// it gives back something that was bought before by the other, or replaces a card that goes back. Merges into one
    /// customer are undone in the reverse order.
    async fn customer_merge_undo(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The merge.")] input: CustomerMergeUndoInput,
    ) -> async_graphql::Result<CustomerMergeUndoPayload> {
        let undone = undo(ctx(context)?, key(&input.merge_id)).await;
        CustomerMergeUndoPayload::from_result(context, undone.map(CustomerMerge))
    }

    /// Says that two customers are two, whatever they have in common: they are no longer told as duplicates.
    async fn customer_duplicate_dismiss(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The two customers.")] input: CustomerDuplicateDismissInput,
    ) -> async_graphql::Result<CustomerDuplicateDismissPayload> {
        let ctx = ctx(context)?;
        let dismissed =
            duplicates::dismiss(ctx, key(&input.customer_id), key(&input.other_id)).await;
        let customer = match dismissed {
            Ok(id) => present(ctx, id).await.and_then(|found| {
                found.ok_or_else(|| crate::error::Error::not_found("customerId", "customer"))
            }),
            Err(error) => Err(error),
        };
        CustomerDuplicateDismissPayload::from_result(context, customer)
    }

    /// Erases a customer for good: name, contact points, consents, notes, tastes, days, relations and free texts. Visits,
    /// purchases and totals stay under an id that is nobody's. It cannot be undone; done again, it changes nothing.
    async fn customer_erase(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The customer, and why.")] input: CustomerEraseInput,
    ) -> async_graphql::Result<CustomerErasePayload> {
        let (ctx, id) = (ctx(context)?, key(&input.id));
        let erased = erase::erase(
            ctx,
            Erasure {
                id,
                version: input.version.into(),
                reason: input.reason.into(),
            },
        )
        .await;
        let is_stale = erased.as_ref().is_err_and(crate::error::Error::is_stale);
        let (erased, user_errors) = settle(erased).reported(context)?;
        let customer = if is_stale {
            present(ctx, id).await.reported(context)?
        } else {
            None
        };
        Ok(CustomerErasePayload {
            erased_id: erased.map(GlobalKey::global),
            customer,
            user_errors,
        })
    }
}

//! Changing a customer's file.

use super::input::{
    CustomerArchiveInput, CustomerCreateInput, CustomerKeeperAssignInput, CustomerUpdateInput, key,
};
use super::object::Customer;
use crate::access::Ctx;
use crate::domain::customers;
use crate::error::Result;
use crate::graphql::context::ctx;
use crate::graphql::payload::payload;
use async_graphql::{Context, Object};
use entity::ids::CustomerId;

payload!(
    CustomerCreatePayload,
    customer: Customer,
    "What came of making a customer.",
    "The new customer; null when nothing was written."
);
payload!(
    versioned CustomerUpdatePayload,
    customer: Customer,
    "What came of changing a customer's file.",
    "The customer as they are now, also when the change was made from a stale version; null after other errors."
);
payload!(
    versioned CustomerArchivePayload,
    customer: Customer,
    "What came of putting a customer's file away.",
    "The customer as they are now, also when a stale version was given; null after other errors."
);
payload!(
    versioned CustomerUnarchivePayload,
    customer: Customer,
    "What came of taking a customer's file out again.",
    "The customer as they are now, also when a stale version was given; null after other errors."
);
payload!(
    versioned CustomerKeeperAssignPayload,
    customer: Customer,
    "What came of saying who keeps a customer.",
    "The customer as they are now, also when a stale version was given; null after other errors."
);

/// The mutations of a customer's file.
#[derive(Clone, Copy, Debug, Default)]
pub struct CustomerMutation;

/// The customer as the viewer sees them now.
async fn present(ctx: &Ctx, id: CustomerId) -> Result<Option<Customer>> {
    Ok(customers::by_id(ctx, id).await?.map(Customer))
}

#[Object]
impl CustomerMutation {
    /// Makes a customer, with what is known of them at once. Their home store is yours when none is named and you
    /// work in one store.
    async fn customer_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The new customer.")] mut input: CustomerCreateInput,
    ) -> async_graphql::Result<CustomerCreatePayload> {
        let key = input.idempotency_key.take();
        let made = customers::create(ctx(context)?, &input.into(), key.as_deref()).await;
        CustomerCreatePayload::from_result(context, made.map(Customer))
    }

    /// Changes fields of a customer's file.
    async fn customer_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The change.")] input: CustomerUpdateInput,
    ) -> async_graphql::Result<CustomerUpdatePayload> {
        let (ctx, id) = (ctx(context)?, key(&input.id));
        let changed = customers::change(ctx, &input.into()).await;
        CustomerUpdatePayload::from_change(context, changed.map(Customer), present(ctx, id)).await
    }

    /// Puts a customer's file away: lists leave them out, nothing is lost.
    async fn customer_archive(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The customer.")] input: CustomerArchiveInput,
    ) -> async_graphql::Result<CustomerArchivePayload> {
        let (ctx, id) = (ctx(context)?, key(&input.id));
        let changed = customers::archive(ctx, id, input.version.map(Into::into)).await;
        CustomerArchivePayload::from_change(context, changed.map(Customer), present(ctx, id)).await
    }

    /// Takes a customer's file out again.
    async fn customer_unarchive(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The customer.")] input: CustomerArchiveInput,
    ) -> async_graphql::Result<CustomerUnarchivePayload> {
        let (ctx, id) = (ctx(context)?, key(&input.id));
        let changed = customers::unarchive(ctx, id, input.version.map(Into::into)).await;
        CustomerUnarchivePayload::from_change(context, changed.map(Customer), present(ctx, id))
            .await
    }

    /// Says who keeps a customer: the dedicated person, who sees their contact details in full.
    async fn customer_keeper_assign(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The customer and the keeper.")] input: CustomerKeeperAssignInput,
    ) -> async_graphql::Result<CustomerKeeperAssignPayload> {
        let (ctx, id) = (ctx(context)?, key(&input.customer_id));
        let keeper = input.keeper_id.as_ref().map(key);
        let changed =
            customers::assign_keeper(ctx, id, keeper, input.version.map(Into::into)).await;
        CustomerKeeperAssignPayload::from_change(context, changed.map(Customer), present(ctx, id))
            .await
    }
}

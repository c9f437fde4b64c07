//! Changing a customer's file.

use super::input::{
    CustomerArchiveInput, CustomerCreateInput, CustomerKeeperAssignInput, CustomerUpdateInput, key,
};
use super::object::Customer;
use crate::access::Ctx;
use crate::domain::customers::{self, CustomerRow};
use crate::error::{Code, Result};
use crate::graphql::context::{Reported, ctx};
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
    CustomerUpdatePayload,
    customer: Customer,
    "What came of changing a customer's file.",
    "The customer as they are now, also when the change was made from a stale version; null after other errors."
);
payload!(
    CustomerArchivePayload,
    customer: Customer,
    "What came of putting a customer's file away.",
    "The customer as they are now, also when a stale version was given; null after other errors."
);
payload!(
    CustomerUnarchivePayload,
    customer: Customer,
    "What came of taking a customer's file out again.",
    "The customer as they are now, also when a stale version was given; null after other errors."
);
payload!(
    CustomerKeeperAssignPayload,
    customer: Customer,
    "What came of saying who keeps a customer.",
    "The customer as they are now, also when a stale version was given; null after other errors."
);

/// The mutations of a customer's file.
#[derive(Clone, Copy, Debug, Default)]
pub struct CustomerMutation;

/// Makes a payload of a service's result; after a stale version it still holds the present state.
macro_rules! present {
    ($payload:ident, $context:expr, $ctx:expr, $id:expr, $result:expr) => {{
        let result = $result;
        let stale = matches!(&result, Err(crate::error::Error::User(errors))
            if errors.iter().any(|error| error.code == Code::StaleVersion));
        let mut payload = $payload::from_result($context, result.map(Customer))?;
        if stale {
            payload.customer = now($ctx, $id).await.reported($context)?.map(Customer);
        }
        Ok(payload)
    }};
}

async fn now(ctx: &Ctx, id: CustomerId) -> Result<Option<CustomerRow>> {
    customers::by_id(ctx, id).await
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
        present!(
            CustomerUpdatePayload,
            context,
            ctx,
            id,
            customers::change(ctx, &input.into()).await
        )
    }

    /// Puts a customer's file away: lists leave them out, nothing is lost.
    async fn customer_archive(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The customer.")] input: CustomerArchiveInput,
    ) -> async_graphql::Result<CustomerArchivePayload> {
        let (ctx, id) = (ctx(context)?, key(&input.id));
        present!(
            CustomerArchivePayload,
            context,
            ctx,
            id,
            customers::archive(ctx, id, input.version.map(Into::into)).await
        )
    }

    /// Takes a customer's file out again.
    async fn customer_unarchive(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The customer.")] input: CustomerArchiveInput,
    ) -> async_graphql::Result<CustomerUnarchivePayload> {
        let (ctx, id) = (ctx(context)?, key(&input.id));
        present!(
            CustomerUnarchivePayload,
            context,
            ctx,
            id,
            customers::unarchive(ctx, id, input.version.map(Into::into)).await
        )
    }

    /// Says who keeps a customer: the dedicated person, who sees their contact details in full.
    async fn customer_keeper_assign(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The customer and the keeper.")] input: CustomerKeeperAssignInput,
    ) -> async_graphql::Result<CustomerKeeperAssignPayload> {
        let (ctx, id) = (ctx(context)?, key(&input.customer_id));
        let keeper = input.keeper_id.as_ref().map(key);
        present!(
            CustomerKeeperAssignPayload,
            context,
            ctx,
            id,
            customers::assign_keeper(ctx, id, keeper, input.version.map(Into::into)).await
        )
    }
}

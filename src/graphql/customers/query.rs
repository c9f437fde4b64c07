//! Asking for customers.

use super::input::{CustomerFilterInput, CustomerOrderInput};
use super::list::{CustomerConnection, customers_page};
use super::loader::ContactsOf;
use super::object::Customer;
use crate::domain::cards::holders;
use crate::domain::customers;
use crate::graphql::cards::CardsOf;
use crate::graphql::context::{Reported, ctx};
use crate::graphql::ids::GlobalKey;
use crate::graphql::loaders::batch;
use crate::graphql::page::PageArgs;
use async_graphql::{Context, ID, Object};
use entity::ids::CustomerId;

/// The queries of this topic.
#[derive(Clone, Copy, Debug, Default)]
pub struct CustomerQuery;

#[Object]
impl CustomerQuery {
    /// A customer; null when there is none with this id, or you may not see them. The id of a customer who was merged
    /// into another leads to the kept one.
    async fn customer(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The customer's global id.")] id: ID,
    ) -> async_graphql::Result<Option<Customer>> {
        let ctx = ctx(context)?;
        let Some(id) = CustomerId::parse(&id) else {
            ctx.require(crate::access::Action::CustomerRead)
                .reported(context)?;
            return Ok(None);
        };
        // What nearly everybody asks for beside the customer comes in the same statement.
        let ahead = context.look_ahead();
        let points = ahead.field("contactPoints").exists();
        if points || ahead.field("card").exists() || ahead.field("cards").exists() {
            let found = holders::by_id(ctx, id, points).await.reported(context)?;
            if let Some(holder) = found {
                let loader = batch(context)?.loader();
                loader.prime(CardsOf(id), holder.cards);
                if let Some(points) = holder.points {
                    loader.prime(ContactsOf(id), points);
                }
                return Ok(Some(Customer(holder.customer)));
            }
        }
        let found = customers::by_id(ctx, id).await.reported(context)?;
        Ok(found.map(Customer))
    }

    /// The customers you may see, by name unless another order is asked for.
    #[expect(
        clippy::too_many_arguments,
        reason = "the arguments of every connection"
    )]
    async fn customers(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "How many items from the start, 1 to 100; 20 when neither this nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only items behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which customers; all whose file is in use when absent.")] filter: Option<
            CustomerFilterInput,
        >,
        #[graphql(desc = "In which order; by name when absent.")] order_by: Option<
            CustomerOrderInput,
        >,
    ) -> async_graphql::Result<CustomerConnection> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        let filter = filter.unwrap_or_default().into();
        let order = order_by.map(Into::into).unwrap_or_default();
        customers_page(ctx(context)?, &args, &filter, order)
            .await
            .reported(context)
    }
}

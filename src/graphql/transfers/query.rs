//! What can be read of exports and imports.

use super::input::{TransferFilter, TransferOrder};
use super::object::{Transfer, TransferConnection, TransferTotal};
use crate::access::Ctx;
use crate::domain::transfers;
use crate::error::Result;
use crate::graphql::context::{Reported, ctx};
use crate::graphql::ids::key;
use crate::graphql::page::{List, PageArgs};
use async_graphql::{Context, ID, Object};
use entity::values::CursorValue;

/// The queries of this topic.
#[derive(Clone, Copy, Debug, Default)]
pub struct TransfersQuery;

#[Object]
impl TransfersQuery {
    /// Your exports and imports; for administrators, everybody's.
    #[expect(
        clippy::too_many_arguments,
        reason = "the arguments of every connection"
    )]
    async fn transfers(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "How many items from the start, 1 to 100; 20 when neither this nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only items behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which transfers; all when absent.")] filter: Option<TransferFilter>,
        #[graphql(desc = "In which order; the newest first when absent.")] order_by: Option<
            TransferOrder,
        >,
    ) -> async_graphql::Result<TransferConnection> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        transfers_page(
            ctx(context)?,
            &args,
            filter.unwrap_or_default(),
            order_by.unwrap_or_default(),
        )
        .await
        .reported(context)
    }

    /// The export or import with this id; null when it does not exist or is somebody else's.
    async fn transfer(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The global id.")] id: ID,
    ) -> async_graphql::Result<Option<Transfer>> {
        let found = transfers::by_ids(ctx(context)?, &[key(&id)])
            .await
            .reported(context)?;
        Ok(found.into_iter().next().map(Transfer))
    }
}

async fn transfers_page(
    ctx: &Ctx,
    args: &PageArgs,
    filter: TransferFilter,
    order: TransferOrder,
) -> Result<TransferConnection> {
    let filter = transfers::TransferFilter::from(filter);
    let list = List::new(
        ctx,
        "transfers",
        &[&format!("{filter:?}"), &format!("{order:?}")],
    );
    let page = transfers::page(ctx, &filter, order.into(), &list.page(args)?).await?;
    TransferConnection::new(page.map(Transfer), TransferTotal(filter), |transfer| {
        list.cursor(CursorValue::Uuid(transfer.0.id.into()), transfer.0.id)
    })
}

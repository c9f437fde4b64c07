//! What can be read of clients.

use super::input::{ClientFilter, ClientOrder};
use super::object::{Client, ClientConnection, ClientTotal};
use crate::access::Ctx;
use crate::domain::organization::client_list;
use crate::error::Result;
use crate::graphql::context::{Reported, ctx};
use crate::graphql::ids::key;
use crate::graphql::page::{List, PageArgs};
use async_graphql::{Context, ID, Object};
use entity::values::CursorValue;

/// The queries of this topic.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientsQuery;

#[Object]
impl ClientsQuery {
    /// Clients: third-party programs that sign in with secrets of their own. For administrators.
    #[expect(
        clippy::too_many_arguments,
        reason = "the arguments of every connection"
    )]
    async fn clients(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "How many items from the start, 1 to 100; 20 when neither this nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only items behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which clients; all when absent.")] filter: Option<ClientFilter>,
        #[graphql(desc = "In which order; the newest first when absent.")] order_by: Option<
            ClientOrder,
        >,
    ) -> async_graphql::Result<ClientConnection> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        clients_page(
            ctx(context)?,
            &args,
            filter.unwrap_or_default(),
            order_by.unwrap_or_default(),
        )
        .await
        .reported(context)
    }

    /// The client with this id; null when there is none. For administrators.
    async fn client(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The global id.")] id: ID,
    ) -> async_graphql::Result<Option<Client>> {
        let found = client_list::by_ids(ctx(context)?, &[key(&id)])
            .await
            .reported(context)?;
        Ok(found.into_iter().next().map(Client))
    }
}

async fn clients_page(
    ctx: &Ctx,
    args: &PageArgs,
    filter: ClientFilter,
    order: ClientOrder,
) -> Result<ClientConnection> {
    let filter = client_list::ClientFilter::from(filter);
    let list = List::new(
        ctx,
        "clients",
        &[&format!("{filter:?}"), &format!("{order:?}")],
    );
    let page = client_list::page(ctx, &filter, order.into(), &list.page(args)?).await?;
    ClientConnection::new(page.map(Client), ClientTotal(filter), |client| {
        let row = &client.0.row;
        list.cursor(CursorValue::Timestamp(row.created_at), row.id)
    })
}

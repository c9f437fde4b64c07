//! What can be read of webhooks.

use super::input::WebhookFilter;
use super::object::{Webhook, WebhookConnection, WebhookTotal};
use crate::access::Ctx;
use crate::domain::webhooks::list;
use crate::error::Result;
use crate::graphql::context::{Reported, ctx};
use crate::graphql::ids::key;
use crate::graphql::page::{List, PageArgs};
use async_graphql::{Context, ID, Object};
use entity::values::CursorValue;

/// The queries of this topic.
#[derive(Clone, Copy, Debug, Default)]
pub struct WebhooksQuery;

#[Object]
impl WebhooksQuery {
    /// Webhooks: where clients are told of what, the newest first. For administrators.
    async fn webhooks(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "How many items from the start, 1 to 100; 20 when neither this nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only items behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which webhooks; all when absent.")] filter: Option<WebhookFilter>,
    ) -> async_graphql::Result<WebhookConnection> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        webhooks_page(ctx(context)?, &args, filter.unwrap_or_default())
            .await
            .reported(context)
    }

    /// The webhook with this id, with what it was told; null when there is none. For administrators.
    async fn webhook(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The global id.")] id: ID,
    ) -> async_graphql::Result<Option<Webhook>> {
        let found = list::by_ids(ctx(context)?, &[key(&id)])
            .await
            .reported(context)?;
        Ok(found.into_iter().next().map(Webhook))
    }
}

async fn webhooks_page(
    ctx: &Ctx,
    args: &PageArgs,
    filter: WebhookFilter,
) -> Result<WebhookConnection> {
    let filter = list::WebhookFilter::from(filter);
    let list = List::new(ctx, "webhooks", &[&format!("{filter:?}")]);
    let page = list::page(ctx, &filter, &list.page(args)?).await?;
    WebhookConnection::new(page.map(Webhook), WebhookTotal(filter), |hook| {
        let row = &hook.0.row;
        list.cursor(CursorValue::Timestamp(row.created_at), row.id)
    })
}

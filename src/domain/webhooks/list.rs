//! Reading webhooks, their deliveries and what came of each try. For administrators.
//!
//! Called by `graphql/webhooks`. No secret goes out from here, not even sealed.

use super::secrets::is_good;
use crate::access::{Action, Ctx};
use crate::db::{Keyset, Page, PageRequest, Sort};
use crate::error::{Error, Result};
use chrono::{DateTime, Utc};
use entity::enums::WebhookDeliveryState;
use entity::ids::{ClientId, WebhookDeliveryId, WebhookId};
use entity::{webhook, webhook_attempt, webhook_delivery, webhook_secret};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Select,
};
use std::collections::HashMap;

/// A webhook with what hangs on it.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The webhook itself.
    pub row: webhook::Model,
    /// Its secrets that are good now, the newest first.
    pub secrets: Vec<Secret>,
}

/// A secret as it may be shown.
#[derive(Clone, Debug)]
pub struct Secret {
    /// Its last characters.
    pub hint: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Which webhooks a list has; what is left out does not matter.
#[derive(Clone, Debug, Default)]
pub struct WebhookFilter {
    /// Those of this client.
    pub client: Option<ClientId>,
    /// Those that are on (true), or switched off (false).
    pub enabled: Option<bool>,
}

fn select(ctx: &Ctx, filter: &WebhookFilter) -> Result<Select<webhook::Entity>> {
    ctx.require(Action::ClientRead)?;
    let mut select = webhook::Entity::find();
    if let Some(client) = filter.client {
        select = select.filter(webhook::Column::ClientId.eq(client.0));
    }
    Ok(match filter.enabled {
        Some(true) => select.filter(webhook::Column::DisabledAt.is_null()),
        Some(false) => select.filter(webhook::Column::DisabledAt.is_not_null()),
        None => select,
    })
}

/// A page of webhooks, the newest first.
///
/// # Errors
/// As [`Ctx::require`]; those of the database.
pub async fn page(ctx: &Ctx, filter: &WebhookFilter, page: &PageRequest) -> Result<Page<Webhook>> {
    let (column, id) = (webhook::Column::CreatedAt, webhook::Column::Id);
    let page: Page<webhook::Model> =
        Keyset::new(column.into_expr(), id.into_expr(), Sort::Descending)
            .page(ctx.db.read(), select(ctx, filter)?, page)
            .await?;
    let ids: Vec<WebhookId> = page.items.iter().map(|row| row.id).collect();
    let mut secrets = secrets(ctx.db.read(), ctx, &ids).await?;
    Ok(page.map(|row| whole(&mut secrets, row)))
}

/// How many webhooks.
///
/// # Errors
/// As [`page`].
pub async fn count(ctx: &Ctx, filter: &WebhookFilter) -> Result<u64> {
    Ok(select(ctx, filter)?.count(ctx.db.read()).await?)
}

/// Webhooks by id.
///
/// # Errors
/// As [`page`].
pub async fn by_ids(ctx: &Ctx, ids: &[WebhookId]) -> Result<Vec<Webhook>> {
    ctx.require(Action::ClientRead)?;
    read(ctx.db.read(), ctx, ids).await
}

/// One webhook as it stands within a transaction.
pub(super) async fn present(
    connection: &impl ConnectionTrait,
    ctx: &Ctx,
    id: WebhookId,
) -> Result<Webhook> {
    let found = read(connection, ctx, &[id]).await?.pop();
    found.ok_or_else(|| Error::not_found("id", "webhook"))
}

async fn read(
    connection: &impl ConnectionTrait,
    ctx: &Ctx,
    ids: &[WebhookId],
) -> Result<Vec<Webhook>> {
    let rows = webhook::Entity::find()
        .filter(webhook::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(connection)
        .await?;
    let mut secrets = secrets(connection, ctx, ids).await?;
    Ok(rows
        .into_iter()
        .map(|row| whole(&mut secrets, row))
        .collect())
}

fn whole(secrets: &mut HashMap<WebhookId, Vec<Secret>>, row: webhook::Model) -> Webhook {
    Webhook {
        secrets: secrets.remove(&row.id).unwrap_or_default(),
        row,
    }
}

async fn secrets(
    connection: &impl ConnectionTrait,
    ctx: &Ctx,
    hooks: &[WebhookId],
) -> Result<HashMap<WebhookId, Vec<Secret>>> {
    let rows = webhook_secret::Entity::find()
        .filter(webhook_secret::Column::WebhookId.is_in(hooks.iter().map(|id| id.0)))
        .filter(is_good(ctx.now()))
        .order_by_desc(webhook_secret::Column::Id)
        .all(connection)
        .await?;
    let mut secrets: HashMap<WebhookId, Vec<Secret>> = HashMap::new();
    for row in rows {
        secrets.entry(row.webhook_id).or_default().push(Secret {
            hint: row.hint,
            created_at: row.created_at,
            expires_at: row.expires_at,
        });
    }
    Ok(secrets)
}

/// Which deliveries of a webhook a list has.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryFilter {
    /// Those of this webhook.
    pub hook: WebhookId,
    /// Those that stand like this.
    pub state: Option<WebhookDeliveryState>,
}

fn select_deliveries(
    ctx: &Ctx,
    filter: &DeliveryFilter,
) -> Result<Select<webhook_delivery::Entity>> {
    ctx.require(Action::ClientRead)?;
    let select = webhook_delivery::Entity::find()
        .filter(webhook_delivery::Column::WebhookId.eq(filter.hook.0));
    Ok(match filter.state {
        Some(state) => select.filter(webhook_delivery::Column::State.eq(state)),
        None => select,
    })
}

/// A page of a webhook's deliveries, those that were put in line last first.
///
/// # Errors
/// As [`page`].
pub async fn deliveries(
    ctx: &Ctx,
    filter: &DeliveryFilter,
    page: &PageRequest,
) -> Result<Page<webhook_delivery::Model>> {
    let column = webhook_delivery::Column::CreatedAt.into_expr();
    let id = webhook_delivery::Column::Id.into_expr();
    Keyset::new(column, id, Sort::Descending)
        .page(ctx.db.read(), select_deliveries(ctx, filter)?, page)
        .await
}

/// How many deliveries.
///
/// # Errors
/// As [`page`].
pub async fn count_deliveries(ctx: &Ctx, filter: &DeliveryFilter) -> Result<u64> {
    Ok(select_deliveries(ctx, filter)?.count(ctx.db.read()).await?)
}

/// Deliveries by id.
///
/// # Errors
/// As [`page`].
pub async fn deliveries_by_ids(
    ctx: &Ctx,
    ids: &[WebhookDeliveryId],
) -> Result<Vec<webhook_delivery::Model>> {
    ctx.require(Action::ClientRead)?;
    Ok(webhook_delivery::Entity::find()
        .filter(webhook_delivery::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(ctx.db.read())
        .await?)
}

/// The tries of some deliveries, in their order.
///
/// # Errors
/// As [`page`].
pub async fn attempts(
    ctx: &Ctx,
    deliveries: &[WebhookDeliveryId],
) -> Result<Vec<webhook_attempt::Model>> {
    ctx.require(Action::ClientRead)?;
    Ok(webhook_attempt::Entity::find()
        .filter(webhook_attempt::Column::DeliveryId.is_in(deliveries.iter().map(|id| id.0)))
        .order_by_asc(webhook_attempt::Column::Id)
        .all(ctx.db.read())
        .await?)
}

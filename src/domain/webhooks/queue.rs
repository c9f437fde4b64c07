//! The line of deliveries: put in, taken out by a node that tries them, put back or ended.
//!
//! A claim is a node and a time until which it counts, well above the longest try, so that no heartbeat is needed: what a
//! node that died has claimed comes up again by itself. Every write about a claim names its node.

use crate::access::Ctx;
use crate::db::{Batch, Sql, Table};
use crate::error::Result;
use chrono::{DateTime, TimeDelta, Utc};
use entity::enums::WebhookDeliveryState;
use entity::ids::{CustomerId, StoreId, WebhookDeliveryId, WebhookId};
use entity::{event, webhook_delivery};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

/// How long a claim counts.
const CLAIM: TimeDelta = TimeDelta::seconds(60);

/// A delivery before it is put in line.
#[derive(Clone, Debug)]
pub(super) struct NewDelivery {
    pub id: WebhookDeliveryId,
    pub hook: WebhookId,
    pub position: Option<i64>,
    pub kind: String,
    pub customer: Option<CustomerId>,
    pub store: Option<StoreId>,
    pub subject: Uuid,
    pub at: DateTime<Utc>,
}

impl NewDelivery {
    pub fn of_event(hook: WebhookId, event: &event::Model) -> Self {
        Self {
            id: WebhookDeliveryId::new(),
            hook,
            position: event.position,
            kind: event.kind.clone(),
            customer: event.customer_id,
            store: event.store_id,
            subject: event.subject_id,
            at: event.at,
        }
    }
}

static DELIVERY: Table = Table {
    name: "webhook_delivery",
    columns: &[
        ("id", "uuid"),
        ("webhook_id", "uuid"),
        ("event_position", "bigint"),
        ("kind", "text"),
        ("customer_id", "uuid"),
        ("store_id", "uuid"),
        ("subject_id", "uuid"),
        ("occurred_at", "timestamptz"),
        ("state", "text"),
        ("attempts", "integer"),
        ("next_attempt_at", "timestamptz"),
        ("created_at", "timestamptz"),
    ],
    conflict: "on conflict do nothing",
};

/// Puts deliveries in line; those of an event that are there already stay as they are.
pub(super) async fn add(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    deliveries: &[NewDelivery],
) -> Result<()> {
    let mut batch = Batch::new();
    batch.insert(
        &DELIVERY,
        deliveries.iter().map(|new| {
            vec![
                new.id.into(),
                new.hook.into(),
                new.position.into(),
                new.kind.clone().into(),
                new.customer.map(Uuid::from).into(),
                new.store.map(Uuid::from).into(),
                new.subject.into(),
                new.at.into(),
                WebhookDeliveryState::Pending.as_str().into(),
                0.into(),
                now.into(),
                now.into(),
            ]
        }),
    );
    batch.write(tx).await
}

/// The webhooks that have something due.
pub(super) async fn due(ctx: &Ctx) -> Result<Vec<WebhookId>> {
    let mut sql = ctx.db.sql();
    sql.push("select id from webhook where disabled_at is null and exists (select 1 from webhook_delivery as d where d.webhook_id = webhook.id and d.state = 'PENDING' and d.next_attempt_at <= ")
        .bind(ctx.now())
        .push(") order by id");
    let rows = ctx.db.read().query_all_raw(sql.build()).await?;
    rows.iter()
        .map(|row| Ok(row.try_get::<Uuid>("", "id")?.into()))
        .collect()
}

/// Claims what is due for a webhook, at most `room`. What concerns a customer of whom something earlier is still in line
/// waits for that.
pub(super) async fn claim(
    ctx: &Ctx,
    node: Uuid,
    hook: WebhookId,
    room: usize,
) -> Result<Vec<webhook_delivery::Model>> {
    let (now, room) = (ctx.now(), room.to_string());
    let room = room.as_str();
    ctx.db
        .write(|tx| async move {
            let mut sql = Sql::for_connection(&*tx);
            sql.push("with due as materialized (select d.id from webhook_delivery as d where d.webhook_id = ")
                .bind(hook)
                .push(" and d.state = 'PENDING' and d.next_attempt_at <= ")
                .bind(now)
                .push(" and (d.claimed_until is null or d.claimed_until <= ")
                .bind(now)
                .push(") and (d.customer_id is null or not exists (select 1 from webhook_delivery as e where e.webhook_id = d.webhook_id and e.customer_id = d.customer_id and e.state = 'PENDING' and e.event_position < d.event_position)) order by d.next_attempt_at, d.id limit ")
                .push(room)
                .postgres(" for update of d skip locked")
                .push(") update webhook_delivery set claimed_by = ")
                .bind(node)
                .push(", claimed_until = ")
                .bind(now + CLAIM)
                .push(" where id in (select id from due) returning id, webhook_id, event_position, kind, customer_id, store_id, subject_id, occurred_at, state, attempts, next_attempt_at, claimed_by, claimed_until, created_at, finished_at");
            Ok(webhook_delivery::Model::find_by_statement(sql.build())
                .all(&*tx)
                .await?)
        })
        .await
}

/// Lets go of all claims of a node.
pub(super) async fn release(ctx: &Ctx, node: Uuid) -> Result<()> {
    ctx.db
        .write(|tx| async move {
            let mut sql = Sql::for_connection(&*tx);
            sql.push("update webhook_delivery set claimed_by = null, claimed_until = null where state = 'PENDING' and claimed_by = ")
                .bind(node);
            tx.execute_raw(sql.build()).await?;
            Ok(())
        })
        .await
}

/// What becomes of a delivery that a node has claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It is over.
    Over(WebhookDeliveryState),
    /// It is tried again.
    Again(DateTime<Utc>),
}

/// Writes down what becomes of a claimed delivery; false when it is this node's no more, since somebody has called it off
/// or the claim has passed.
pub(super) async fn conclude(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    node: Uuid,
    row: &webhook_delivery::Model,
    attempts: i32,
    end: End,
) -> Result<bool> {
    let mut sql = Sql::for_connection(tx);
    sql.push("update webhook_delivery set claimed_by = null, claimed_until = null, attempts = ")
        .bind(attempts);
    match end {
        End::Over(state) => sql
            .push(", state = ")
            .bind(state.as_str())
            .push(", finished_at = ")
            .bind(now),
        End::Again(at) => sql.push(", next_attempt_at = ").bind(at),
    };
    sql.push(" where state = 'PENDING' and id = ")
        .bind(row.id)
        .push(" and claimed_by = ")
        .bind(node);
    if tx.execute_raw(sql.build()).await?.rows_affected() == 0 {
        return Ok(false);
    }
    if let (End::Again(at), Some(customer)) = (end, row.customer_id) {
        // What has to wait for this one is not looked at before: else a long line would be gone through each time.
        let mut sql = Sql::for_connection(tx);
        sql.push("update webhook_delivery set next_attempt_at = ")
            .bind(at)
            .push(" where state = 'PENDING' and webhook_id = ")
            .bind(row.webhook_id)
            .push(" and customer_id = ")
            .bind(customer)
            .push(" and event_position > ")
            .bind(row.event_position)
            .push(" and next_attempt_at < ")
            .bind(at);
        tx.execute_raw(sql.build()).await?;
    }
    Ok(true)
}

/// Calls off all that is in line for a webhook.
pub(super) async fn cancel_all(
    tx: &impl ConnectionTrait,
    now: DateTime<Utc>,
    hook: WebhookId,
) -> Result<()> {
    let mut sql = Sql::for_connection(tx);
    sql.push("update webhook_delivery set state = 'CANCELLED', claimed_by = null, claimed_until = null, finished_at = ")
        .bind(now)
        .push(" where state = 'PENDING' and webhook_id = ")
        .bind(hook);
    tx.execute_raw(sql.build()).await?;
    Ok(())
}

//! The outbox: every change writes what happened, in its own transaction; subscriptions, webhooks and
//! listeners read it by position.
//!
//! Called by the services of `domain` ([`record`]), by `app` ([`start`]: the sequencer and the listeners) and by
//! subscriptions ([`EventHub`]). An event names ids and figures, never a name, a phone number or a
//! text: whoever reads it asks for the object and is masked like everyone.

mod feed;
mod hub;
mod lease;
mod listeners;
mod reader;
mod running;
mod sequencer;
#[cfg(test)]
mod tests;

pub use feed::EventFeed;
pub use hub::{EventHub, Follower};
pub use listeners::{Listener, ListenerSettings, ListenerTask};
pub use reader::{About, Wanted, after, last_position, oldest_position};
pub use running::{EventSettings, Events, start};
pub use sequencer::{Sequencer, SequencerSettings, Turn};

use crate::access::Ctx;
use crate::db::{Batch, Sql, Table};
use crate::error::Result;
use entity::ids::{CustomerId, StoreId};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

/// Something that happened, before it is written.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// What, such as `visit.recorded`.
    pub kind: &'static str,
    /// Which customer it concerns.
    pub customer: Option<CustomerId>,
    /// In which store it happened.
    pub store: Option<StoreId>,
    /// The row that it is about.
    pub subject: Uuid,
    /// Ids and figures.
    pub payload: serde_json::Value,
}

/// Writes events within the transaction of the change that they tell of.
///
/// The customer must be locked before: the ids drawn here then order the events of one customer as their
/// changes are committed, which the sequencer relies on.
///
/// # Errors
/// Those of the database.
pub async fn record(tx: &impl ConnectionTrait, ctx: &Ctx, events: &[NewEvent]) -> Result<()> {
    let (now, kind, actor) = (
        ctx.now(),
        ctx.viewer.actor_kind().as_str(),
        ctx.viewer.actor_id(),
    );
    for chunk in events.chunks(1000) {
        let mut sql = Sql::for_connection(tx);
        sql.push("insert into event (kind, customer_id, store_id, subject_id, at, actor_kind, actor_id, payload) values ");
        for (n, event) in chunk.iter().enumerate() {
            sql.push(if n == 0 { "(" } else { ", (" });
            sql.bind(event.kind)
                .push(", ")
                .bind(event.customer.map(Uuid::from))
                .push(", ");
            sql.bind(event.store.map(Uuid::from))
                .push(", ")
                .bind(event.subject)
                .push(", ")
                .bind(now);
            sql.push(", ")
                .bind(kind)
                .push(", ")
                .bind(actor)
                .push(", ")
                .bind(event.payload.clone())
                .push(")");
        }
        tx.execute_raw(sql.build()).await?;
    }
    Ok(())
}

static EVENT: Table = Table {
    name: "event",
    columns: &[
        ("kind", "text"),
        ("customer_id", "uuid"),
        ("store_id", "uuid"),
        ("subject_id", "uuid"),
        ("at", "timestamptz"),
        ("actor_kind", "text"),
        ("actor_id", "uuid"),
        ("payload", "jsonb"),
    ],
    conflict: "",
};

/// As [`record`], for callers who write more in the same statement: the rows draw their ids in their order when the
/// batch is written, so the customer must be locked by then.
pub fn gather(batch: &mut Batch, ctx: &Ctx, events: Vec<NewEvent>) {
    let (now, kind, actor) = (
        ctx.now(),
        ctx.viewer.actor_kind().as_str(),
        ctx.viewer.actor_id(),
    );
    batch.insert(
        &EVENT,
        events.into_iter().map(|event| {
            vec![
                event.kind.into(),
                event.customer.map(Uuid::from).into(),
                event.store.map(Uuid::from).into(),
                event.subject.into(),
                now.into(),
                kind.into(),
                actor.into(),
                event.payload.into(),
            ]
        }),
    );
}

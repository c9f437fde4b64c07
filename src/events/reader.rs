//! Reading the outbox by position.
//!
//! Called by the listeners and by subscriptions. An event without a position is not there yet; those that have
//! one are seen without a hole from the oldest that is kept.

use crate::db::{Db, literal_limit};
use crate::error::Result;
use entity::event;
use sea_orm::{ConnectionTrait, FromQueryResult};

/// The events behind a position, in order, at most `limit`.
///
/// # Errors
/// Those of the database.
pub async fn after(db: &Db, position: i64, limit: u64) -> Result<Vec<event::Model>> {
    let mut sql = db.sql();
    sql.push("select id, position, kind, customer_id, store_id, subject_id, at, actor_kind, actor_id, payload from event where position > ")
        .bind(position)
        .push(" order by position");
    let statement = literal_limit(sql.build(), limit);
    Ok(event::Model::find_by_statement(statement)
        .all(db.read())
        .await?)
}

/// The position of the newest event that has one; 0 before the first.
///
/// # Errors
/// Those of the database.
pub async fn last_position(db: &Db) -> Result<i64> {
    let mut sql = db.sql();
    sql.push("select position from lease where name = ")
        .bind(super::sequencer::LEASE);
    let row = db.read().query_one_raw(sql.build()).await?;
    Ok(row
        .map(|row| row.try_get("", "position"))
        .transpose()?
        .unwrap_or(0))
}

/// The position of the oldest event that is kept: whoever asks for events behind a position below it minus one
/// has missed some.
///
/// # Errors
/// Those of the database.
pub async fn oldest_position(db: &Db) -> Result<Option<i64>> {
    let mut sql = db.sql();
    sql.push("select position from event where position is not null order by position limit 1");
    let row = db.read().query_one_raw(sql.build()).await?;
    Ok(row.map(|row| row.try_get("", "position")).transpose()?)
}

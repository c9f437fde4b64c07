//! Reading the outbox by position.
//!
//! Called by the listeners and by subscriptions. An event without a position is not there yet; those that have
//! one are seen without a hole from the oldest that is kept.

use crate::db::{Db, Sql, literal_limit};
use crate::error::Result;
use entity::event;
use entity::ids::{CustomerId, StoreId};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

/// The columns of an event.
const SELECT: &str = "select id, position, kind, customer_id, store_id, subject_id, at, actor_kind, actor_id, payload from event where position > ";

/// Which events somebody wants.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Of these kinds.
    pub kinds: &'static [&'static str],
    /// About this.
    pub about: About,
}

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// What happened in a store.
    Store(StoreId),
    /// What concerns a customer.
    Customer(CustomerId),
    /// The row itself.
    Subject(Uuid),
}

impl Wanted {
    pub(super) fn matches(&self, event: &event::Model) -> bool {
        let about = match self.about {
            About::Store(id) => event.store_id == Some(id),
            About::Customer(id) => event.customer_id == Some(id),
            About::Subject(id) => event.subject_id == id,
        };
        about && self.kinds.contains(&event.kind.as_str())
    }

    fn push(&self, sql: &mut Sql) {
        match self.about {
            About::Store(id) => sql.push(" and store_id = ").bind(id),
            About::Customer(id) => sql.push(" and customer_id = ").bind(id),
            About::Subject(id) => sql.push(" and subject_id = ").bind(id),
        };
        sql.push(" and kind in ")
            .bind_list(self.kinds.iter().copied());
    }
}

/// The events behind a position, in order, at most `limit`.
///
/// # Errors
/// Those of the database.
pub async fn after(db: &Db, position: i64, limit: u64) -> Result<Vec<event::Model>> {
    let mut sql = db.sql();
    sql.push(SELECT).bind(position).push(" order by position");
    let statement = literal_limit(sql.build(), limit);
    Ok(event::Model::find_by_statement(statement)
        .all(db.read())
        .await?)
}

/// The first event behind a position, up to another one, that is wanted.
pub(super) async fn first_between(
    db: &Db,
    position: i64,
    end: i64,
    wanted: &Wanted,
) -> Result<Option<event::Model>> {
    let mut sql = db.sql();
    sql.push(SELECT)
        .bind(position)
        .push(" and position <= ")
        .bind(end);
    wanted.push(&mut sql);
    sql.push(" order by position");
    let statement = literal_limit(sql.build(), 1);
    Ok(event::Model::find_by_statement(statement)
        .one(db.read())
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

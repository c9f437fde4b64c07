//! What every change of the organization and the catalogue has in common: it is made from the present version, it touches only what is
//! new, and it leaves an event and an audit entry behind.

use crate::access::{Ctx, audit};
use crate::db::{Engine, Sql};
use crate::error::{Code, Error, Result};
use crate::events::{self, NewEvent};
use entity::ids::StoreId;
use sea_orm::{ActiveValue, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

/// Refuses a change that was made on the basis of an older state.
pub(in crate::domain) fn check_version(given: i64, present: i64) -> Result<()> {
    if given == present {
        return Ok(());
    }
    Err(Error::user(
        Code::StaleVersion,
        "version",
        format!(
            "somebody else has changed this since you read it (version {present}); read it again and repeat your change"
        ),
    ))
}

/// Puts what was given into a column, where it is something new, and notes the field; tells whether it did.
pub(in crate::domain) fn put<T: PartialEq + Into<sea_orm::Value>>(
    fields: &mut Vec<&'static str>,
    field: &'static str,
    given: Option<T>,
    column: &mut ActiveValue<T>,
) -> bool {
    let Some(new) = given else { return false };
    if let ActiveValue::Set(present) | ActiveValue::Unchanged(present) = &*column
        && *present == new
    {
        return false;
    }
    *column = ActiveValue::Set(new);
    fields.push(field);
    true
}

/// Waits until nobody else is in a transaction that has called this with the same key: for what is counted or compared over a
/// whole small table. On the embedded engine writers are alone anyway.
pub(in crate::domain) async fn alone(tx: &impl ConnectionTrait, key: i64) -> Result<()> {
    if Engine::of(tx) == Engine::Postgres {
        let mut sql = Sql::for_connection(tx);
        sql.push("select pg_advisory_xact_lock(")
            .bind(key)
            .push(")");
        tx.execute_raw(sql.build()).await?;
    }
    Ok(())
}

/// Refuses a value that a row has already; the row at hand has another one, or is not written yet.
pub(in crate::domain) async fn check_free<E: EntityTrait>(
    tx: &impl ConnectionTrait,
    column: E::Column,
    value: &str,
    field: &str,
) -> Result<()> {
    if E::find().filter(column.eq(value)).one(tx).await?.is_none() {
        return Ok(());
    }
    Err(Error::user(
        Code::Taken,
        field,
        format!("this {field} is in use already; choose another"),
    ))
}

/// What a change leaves behind.
pub(in crate::domain) struct Told {
    /// The kind of the event and the action of the audit entry.
    pub words: (&'static str, &'static str),
    /// What was changed, as the audit entry calls it.
    pub what: &'static str,
    /// Which one.
    pub id: Uuid,
    /// The store, when it is one.
    pub store: Option<StoreId>,
    /// Field names and roles; never a name or an address.
    pub detail: Value,
}

impl Told {
    /// Writes the event and the audit entry.
    pub async fn write(mut self, tx: &impl ConnectionTrait, ctx: &Ctx) -> Result<()> {
        let (kind, action) = self.words;
        let event = NewEvent {
            kind,
            customer: None,
            store: self.store,
            subject: self.id,
            payload: self.detail.clone(),
        };
        events::record(tx, ctx, &[event]).await?;
        if let Some(members) = self.detail.as_object_mut() {
            members.insert(self.what.to_owned(), json!(self.id));
        }
        let entry = audit::Entry::new(ctx, action).detail(self.detail);
        audit::write(tx, &[entry]).await
    }
}

//! How every change of a customer begins and ends: lock them, in sight and not put away; then say what happened,
//! to the outbox and to the audit log.
//!
//! Called by every writing service of this topic, and by higher topics that change what belongs to a customer.

use super::completeness::{Touched, touched};
use crate::access::{Action, Ctx, audit, sight};
use crate::error::{Code, Error, Result};
use crate::events::{self, NewEvent};
use entity::customer;
use entity::ids::{CustomerId, StoreId};
use sea_orm::sea_query::LockType;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

/// Reads and locks a customer for a change under `action`; `field` names the id in the input.
///
/// # Errors
/// [`Code::NotFound`] when they do not exist or are out of sight, [`Code::NotAllowed`] when the viewer may read
/// but not change them; those of the policy and the database.
pub async fn locked(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    id: CustomerId,
    action: Action,
    field: &str,
) -> Result<customer::Model> {
    let found = customer::Entity::find_by_id(id)
        .filter(sight::customers(ctx, action)?)
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?;
    if let Some(found) = found {
        return Ok(found);
    }
    // Whoever may not even read customers learns nothing here either.
    let read = ctx.viewer.may(Action::CustomerRead)
        && customer::Entity::find_by_id(id)
            .filter(sight::customers(ctx, Action::CustomerRead)?)
            .one(tx)
            .await?
            .is_some();
    Err(if read {
        Error::user(
            Code::NotAllowed,
            field,
            "you may read this customer but not change them",
        )
    } else {
        Error::not_found(field, "customer")
    })
}

/// As [`locked`] for writing to the file, which must not be put away.
pub(in crate::domain) async fn open(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    id: CustomerId,
) -> Result<customer::Model> {
    let found = locked(tx, ctx, id, Action::CustomerWrite, "customerId").await?;
    still_open(&found, "customerId")?;
    Ok(found)
}

/// A file that was put away is not changed.
pub(super) fn still_open(found: &customer::Model, field: &str) -> Result<()> {
    if found.archived_at.is_some() {
        return Err(Error::user(
            Code::WrongState,
            field,
            "the customer's file was put away; take it out again first",
        ));
    }
    Ok(())
}

/// Refuses a change that was made from a stale reading.
pub(super) fn fresh(found: &customer::Model, version: Option<i64>) -> Result<()> {
    match version {
        Some(version) if version != found.version => Err(Error::user(
            Code::StaleVersion,
            "version",
            "somebody has changed the customer since you read them; read them again and repeat your change",
        )),
        _ => Ok(()),
    }
}

/// What a change of a customer leaves behind.
pub(super) struct Happened<'a> {
    /// The event.
    pub kind: &'static str,
    /// The audit entry.
    pub action: &'static str,
    /// Whom it concerns.
    pub customer: CustomerId,
    /// Their home store.
    pub store: Option<StoreId>,
    /// The row it is about.
    pub subject: Uuid,
    /// Ids and field names; never personal values.
    pub detail: &'a serde_json::Value,
    /// What was done to the fields of the file.
    pub touched: Touched,
}

impl Happened<'_> {
    /// Writes the event and the audit entry, and what follows of it for the completeness of the file.
    pub(super) async fn write(self, tx: &impl ConnectionTrait, ctx: &Ctx) -> Result<()> {
        let event = NewEvent {
            kind: self.kind,
            customer: Some(self.customer),
            store: self.store,
            subject: self.subject,
            payload: self.detail.clone(),
        };
        events::record(tx, ctx, &[event]).await?;
        let entry = audit::Entry::new(ctx, self.action)
            .about([self.customer])
            .detail(self.detail.clone());
        audit::write(tx, &[entry]).await?;
        touched(tx, ctx, self.customer, &self.touched).await
    }
}

/// The event and audit entry of a change to something that hangs on a customer, and what follows of it.
pub(super) async fn note(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    (kind, action): (&'static str, &'static str),
    customer: &customer::Model,
    subject: Uuid,
    detail: serde_json::Value,
    touched: Touched,
) -> Result<()> {
    let happened = Happened {
        kind,
        action,
        customer: customer.id,
        store: customer.home_store_id,
        subject,
        detail: &detail,
        touched,
    };
    happened.write(tx, ctx).await
}

/// As [`note`], of something that says nothing about how complete the file is.
pub(in crate::domain) async fn note_beside(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    words: (&'static str, &'static str),
    customer: &customer::Model,
    subject: Uuid,
    detail: serde_json::Value,
) -> Result<()> {
    note(tx, ctx, words, customer, subject, detail, Touched::Nothing).await
}

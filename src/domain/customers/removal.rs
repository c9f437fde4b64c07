//! Removing what hangs on a customer and was noted by hand: a taste, a special day.
//!
//! Called by the services of this topic only. The owner is looked up, locked in sight, and the row is read again under
//! the lock; the removal leaves an event and an audit entry.

use super::completeness::Touched;
use super::contacts::hidden;
use super::lock::{note, open};
use crate::access::{Action, Ctx};
use crate::error::{Error, Result};
use entity::enums::FileField;
use entity::ids::CustomerId;
use sea_orm::{EntityTrait, PrimaryKeyTrait};
use serde_json::Value;
use uuid::Uuid;

/// What is removed, and how it is told.
pub(super) struct Removal<E: EntityTrait> {
    /// What it is called in an error.
    pub what: &'static str,
    /// The kind of the event and the action of the audit entry.
    pub words: (&'static str, &'static str),
    /// Whose it is.
    pub owner: fn(&E::Model) -> CustomerId,
    /// Refuses what is not removed by hand; gives ids and words for event and audit entry.
    pub detail: fn(&E::Model) -> Result<Value>,
    /// Of which field it is a part.
    pub field: fn(&E::Model) -> FileField,
}

/// Removes a row; gives whose it was.
///
/// # Errors
/// User errors at `id` when it is unknown or out of sight, and those of `detail`; those of the policy and the database.
pub(super) async fn remove<E, K>(ctx: &Ctx, id: K, removal: &Removal<E>) -> Result<CustomerId>
where
    E: EntityTrait,
    K: Copy + Into<Uuid> + Into<<E::PrimaryKey as PrimaryKeyTrait>::ValueType>,
{
    ctx.require(Action::CustomerWrite)?;
    let unknown = || Error::not_found("id", removal.what);
    let known = E::find_by_id(id).one(ctx.db.read()).await?;
    let owner = (removal.owner)(&known.ok_or_else(unknown)?);
    ctx.db
        .write_for(&[owner], |tx| async move {
            let customer = open(&*tx, ctx, owner)
                .await
                .map_err(|error| hidden(error, "id", removal.what))?;
            let found = E::find_by_id(id).one(&*tx).await?.ok_or_else(unknown)?;
            let detail = (removal.detail)(&found)?;
            E::delete_by_id(id).exec(&*tx).await?;
            let touched = Touched::Removed(vec![(removal.field)(&found)]);
            note(
                &*tx,
                ctx,
                removal.words,
                &customer,
                id.into(),
                detail,
                touched,
            )
            .await?;
            Ok(owner)
        })
        .await
}

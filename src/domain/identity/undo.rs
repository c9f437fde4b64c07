//! Undoing a merge within thirty days: everything that was moved goes back, and what was recorded since stays with the
//! kept customer unless it hangs on something that goes back.
//!
//! Called by the API. Merges into one customer are undone in the reverse order, the last one first, for each stands on
//! what the one before has left.

use super::locks;
use super::merge::{net, tell};
use crate::access::{Action, Ctx};
use crate::domain::cards::merging as cards;
use crate::domain::customers::completeness::merging as completeness;
use crate::domain::customers::journal::Journal;
use crate::domain::customers::merging as customers;
use crate::domain::groups::merging as groups;
use crate::domain::visits::{merging as visits, recount::recount};
use crate::error::{Code, Error, Result};
use chrono::{DateTime, TimeDelta, Utc};
use entity::ids::MergeId;
use entity::{customer, customer_merge};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
};

/// How long a merge can be undone.
const UNDOABLE: TimeDelta = TimeDelta::days(30);

/// Until when this merge can be undone.
pub(super) fn undoable_until(merge: &customer_merge::Model) -> DateTime<Utc> {
    merge.at + UNDOABLE
}

/// Undoes a merge.
///
/// # Errors
/// User errors: [`Code::NotFound`] when there is none in sight, [`Code::WrongState`] when it was undone already, is older
/// than thirty days, or another merge must be undone first; those of the policy and the database.
pub async fn undo(ctx: &Ctx, id: MergeId) -> Result<customer_merge::Model> {
    ctx.require(Action::CustomerMerge)?;
    // Before the locks, only to know whom to lock; everything is asked again under them.
    let known = customer_merge::Entity::find_by_id(id)
        .one(ctx.db.read())
        .await?
        .ok_or_else(unknown)?;
    ctx.db
        .write_for(&[known.kept_id, known.merged_id], |tx| async move {
            within(&*tx, ctx, id).await
        })
        .await
}

fn unknown() -> Error {
    Error::not_found("mergeId", "merge")
}

async fn within(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    id: MergeId,
) -> Result<customer_merge::Model> {
    let read = || async { customer_merge::Entity::find_by_id(id).one(tx).await };
    let merge = read().await?.ok_or_else(unknown)?;
    locks::lock(tx, &[merge.kept_id, merge.merged_id]).await?;
    let merge = read().await?.ok_or_else(unknown)?;
    let (kept, merged) = both(tx, ctx, &merge).await?;
    may_be_undone(tx, ctx, &merge, &kept).await?;
    let journal = Journal {
        merge: merge.id,
        kept: kept.id,
        merged: merged.id,
    };
    let filled: Vec<String> = serde_json::from_value(merge.filled.clone())
        .map_err(|error| Error::internal(format!("filled columns: {error}")))?;
    customers::empty(tx, ctx, &kept, &merged, &filled).await?;
    customers::part(tx, &journal, &merged).await?;
    groups::part(tx, &journal).await?;
    completeness::part(tx, &journal).await?;
    visits::part(tx, &journal).await?;
    for id in [kept.id, merged.id] {
        if recount(tx, id).await?.is_none() {
            return Err(Error::internal("a part is more than the whole was"));
        }
    }
    let nets = cards::Nets {
        kept: merge.kept_net_minor,
        merged: merge.merged_net_minor,
    };
    let now = cards::Nets {
        kept: net(tx, kept.id).await?,
        merged: net(tx, merged.id).await?,
    };
    let moved = cards::part(tx, ctx, &journal, nets, now).await?;
    let mut row = merge.into_active_model();
    row.undone_at = Set(Some(ctx.now()));
    row.undone_by = Set(ctx.viewer.staff_id());
    let made = row.update(tx).await?;
    let words = ("customer.merge_undone", "customer.merge_undo");
    tell(tx, ctx, &made, words, moved).await?;
    Ok(made)
}

/// Both customers in reach: the merged one as they would be seen if they were there.
async fn both(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    merge: &customer_merge::Model,
) -> Result<(customer::Model, customer::Model)> {
    let kept = locks::in_reach(tx, ctx, Action::CustomerMerge, merge.kept_id).await?;
    let merged = locks::in_reach(tx, ctx, Action::CustomerMerge, merge.merged_id).await?;
    kept.zip(merged).ok_or_else(unknown)
}

async fn may_be_undone(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    merge: &customer_merge::Model,
    kept: &customer::Model,
) -> Result<()> {
    let no = |message: &str| Err(Error::user(Code::WrongState, "mergeId", message));
    if merge.undone_at.is_some() {
        return no("this merge was undone already");
    }
    if ctx.now() > undoable_until(merge) {
        return no("a merge can be undone within 30 days; these have passed");
    }
    if kept.merged_into_id.is_some() {
        return no("the kept customer was merged into another one since; undo that merge first");
    }
    let later = customer_merge::Entity::find()
        .filter(customer_merge::Column::KeptId.eq(merge.kept_id))
        .filter(customer_merge::Column::Place.gt(merge.place))
        .filter(customer_merge::Column::UndoneAt.is_null())
        .one(tx)
        .await?;
    if later.is_some() {
        return no("another customer was merged into the kept one since; undo that merge first");
    }
    Ok(())
}

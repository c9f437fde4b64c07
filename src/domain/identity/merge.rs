//! Merging two files of one person (rule C8): an alias and a journal. Everything of the one becomes the other's, and the
//! one's id leads to the other.
//!
//! Called by the API. A person decides, with a right of their own; both customers must be in sight. Both are locked in the
//! order of their ids, so that two merges and any number of tills wait for each other and every sum is exact.

use super::locks;
use crate::access::{Action, Ctx, audit};
use crate::db::IdempotencyKey;
use crate::domain::cards::merging as cards;
use crate::domain::customers::completeness::merging as completeness;
use crate::domain::customers::journal::Journal;
use crate::domain::customers::{alias, merging as customers};
use crate::domain::groups::merging as groups;
use crate::domain::visits::{merging as visits, recount::recount};
use crate::error::{Code, Error, Result, UserErrors};
use crate::events::{self, NewEvent};
use entity::ids::{CustomerId, MergeId};
use entity::{customer, customer_merge, customer_total};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder,
};
use serde::Serialize;
use serde_json::json;

/// Which two files become one.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct MergeInput {
    /// The customer whose file goes on.
    pub keep: CustomerId,
    /// The customer whose file becomes a part of it.
    pub merge: CustomerId,
    /// The version of the first that the caller has read.
    pub keep_version: i64,
    /// The version of the second.
    pub merge_version: i64,
}

/// Merges two files; with an idempotency key that came with the same input before, gives the merge made then.
///
/// # Errors
/// User errors: [`Code::Invalid`] for a merge of a customer with themself, [`Code::WrongState`] when the kept file is put
/// away or one of the two was merged into another one already, [`Code::StaleVersion`]; those of the policy and the
/// database.
pub async fn merge(
    ctx: &Ctx,
    input: MergeInput,
    key: Option<&str>,
) -> Result<customer_merge::Model> {
    ctx.require(Action::CustomerMerge)?;
    let canonical = serde_json::to_string(&input)
        .map_err(|error| Error::internal(format!("canonical input: {error}")))?;
    let key = &IdempotencyKey::read(ctx.viewer.caller(), "customerMerge", key, &canonical)?;
    if input.keep == input.merge {
        return Err(Error::user(
            Code::Invalid,
            "mergeId",
            "mergeId is the customer who is kept; name the other file of theirs",
        ));
    }
    ctx.db
        .write_for(&[input.keep, input.merge], |tx| async move {
            if let Some(key) = key
                && let Some(earlier) = key.seen(&*tx).await?
            {
                let made = customer_merge::Entity::find_by_id(MergeId(earlier));
                let made = made.one(&*tx).await?;
                return made.ok_or_else(|| Error::not_found("idempotencyKey", "merge any more"));
            }
            let made = within(&*tx, ctx, input).await?;
            if let Some(key) = key {
                key.remember(&*tx, made.id.into(), ctx.now()).await?;
            }
            Ok(made)
        })
        .await
}

async fn within(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    input: MergeInput,
) -> Result<customer_merge::Model> {
    locks::lock(tx, &[input.keep, input.merge]).await?;
    let (kept, merged) = both(tx, ctx, input).await?;
    let nets = cards::Nets {
        kept: net(tx, kept.id).await?,
        merged: net(tx, merged.id).await?,
    };
    // Made under the lock: the places of two merges into one customer are as they were committed.
    let last = customer_merge::Entity::find()
        .filter(customer_merge::Column::KeptId.eq(kept.id))
        .order_by_desc(customer_merge::Column::Place)
        .one(tx)
        .await?;
    let place = last.map_or(0, |last| last.place).saturating_add(1);
    let row = customer_merge::ActiveModel {
        id: Set(MergeId::new()),
        kept_id: Set(kept.id),
        merged_id: Set(merged.id),
        place: Set(place),
        at: Set(ctx.now()),
        merged_by: Set(ctx.viewer.staff_id()),
        kept_net_minor: Set(nets.kept),
        merged_net_minor: Set(nets.merged),
        filled: Set(json!([])),
        undone_at: Set(None),
        undone_by: Set(None),
    };
    let made = row.insert(tx).await?;
    let journal = Journal {
        merge: made.id,
        kept: kept.id,
        merged: merged.id,
    };
    customers::join(tx, &journal).await?;
    // Read again: it may have pointed at the other one until now.
    let kept = customer::Entity::find_by_id(kept.id).one(tx).await?;
    let kept = kept.ok_or_else(|| Error::internal("a locked customer is gone"))?;
    let filled = customers::fill(tx, ctx, &kept, &merged).await?;
    completeness::join(tx, &journal).await?;
    let mut row = made.into_active_model();
    row.filled = Set(json!(filled));
    let made = row.update(tx).await?;
    groups::join(tx, &journal).await?;
    visits::join(tx, &journal).await?;
    for id in [journal.kept, journal.merged] {
        if recount(tx, id).await?.is_none() {
            return Err(Error::user(
                Code::OutOfRange,
                "mergeId",
                "the sum of both is beyond what a customer can have spent",
            ));
        }
    }
    let moved = cards::join(tx, ctx, &journal, nets).await?;
    tell(tx, ctx, &made, ("customer.merged", "customer.merge"), moved).await?;
    Ok(made)
}

/// Writes the events of both customers and the audit entry.
pub(super) async fn tell(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    merge: &customer_merge::Model,
    (kind, action): (&'static str, &'static str),
    moved: Vec<NewEvent>,
) -> Result<()> {
    let payload = json!({ "merge": merge.id, "kept": merge.kept_id, "merged": merge.merged_id });
    let both = [merge.kept_id, merge.merged_id];
    let mut events: Vec<NewEvent> = both
        .into_iter()
        .map(|customer| NewEvent {
            kind,
            customer: Some(customer),
            store: None,
            subject: merge.id.into(),
            payload: payload.clone(),
        })
        .collect();
    events.extend(moved);
    events::record(tx, ctx, &events).await?;
    let entry = audit::Entry::new(ctx, action).about(both).detail(payload);
    audit::write(tx, &[entry]).await
}

/// Spend net of returns, in minor units.
pub(super) async fn net(tx: &impl ConnectionTrait, customer: CustomerId) -> Result<i64> {
    let totals = customer_total::Entity::find_by_id(customer).one(tx).await?;
    Ok(totals.map_or(0, |totals| {
        totals.bought_minor.saturating_sub(totals.returned_minor)
    }))
}

/// The two files, locked, in sight, and in a state in which they may become one.
async fn both(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    input: MergeInput,
) -> Result<(customer::Model, customer::Model)> {
    let mut errors = UserErrors::new();
    let mut found = Vec::new();
    for (id, field, version, version_field) in [
        (input.keep, "keepId", input.keep_version, "keepVersion"),
        (input.merge, "mergeId", input.merge_version, "mergeVersion"),
    ] {
        let Some(row) = locks::in_sight(tx, ctx, Action::CustomerMerge, id).await? else {
            unknown(tx, ctx, id, field, &mut errors).await?;
            continue;
        };
        if row.version != version {
            errors.push(
                Code::StaleVersion,
                version_field,
                "somebody has changed this customer since you read them; look at both again",
            );
        }
        if field == "keepId" && row.archived_at.is_some() {
            errors.push(
                Code::WrongState,
                field,
                "the file that is to go on was put away; take it out again first",
            );
        }
        found.push(row);
    }
    errors.check()?;
    match <[customer::Model; 2]>::try_from(found) {
        Ok([kept, merged]) => Ok((kept, merged)),
        Err(_) => Err(Error::internal("no customer and no error")),
    }
}

/// Why a customer is not there: merged into one in sight already, or nothing that the viewer may know.
async fn unknown(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    id: CustomerId,
    field: &str,
    errors: &mut UserErrors,
) -> Result<()> {
    let kept = alias::kept_for(tx, [id]).await?.remove(&id);
    let seen = match kept {
        Some(kept) => locks::in_sight(tx, ctx, Action::CustomerMerge, kept)
            .await?
            .is_some(),
        None => false,
    };
    if seen {
        errors.push(
            Code::WrongState,
            field,
            "this customer was merged into another one already; read them again",
        );
    } else {
        errors.push(Code::NotFound, field, "no such customer");
    }
    Ok(())
}

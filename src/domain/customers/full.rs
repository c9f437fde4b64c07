//! Whose contact details the viewer may see in full, for a whole page at once.
//!
//! A manager sees those of the customers in their own places, as a client does that has the scope for it; an
//! associate those of the customers they keep or hold a task for; a marketer none. Somebody with several roles sees
//! in each place what the role there shows.

use super::relations::{as_manager, everywhere, holds};
use crate::access::{Action, Ctx, Viewer, sight};
use crate::db::among;
use crate::error::Result;
use entity::enums::Role;
use entity::ids::{CustomerId, StaffId};
use entity::{customer, sight as shown};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};
use std::collections::HashSet;

/// Those of `ids` whose contact details may be shown in full. They must be in sight already.
///
/// # Errors
/// Those of the policy and the database.
pub async fn in_full(ctx: &Ctx, ids: &[CustomerId]) -> Result<HashSet<CustomerId>> {
    if !ctx.viewer.may(Action::ContactRead) || ids.is_empty() {
        return Ok(HashSet::new());
    }
    if matches!(ctx.viewer, Viewer::System) {
        return Ok(ids.iter().copied().collect());
    }
    let mut full = HashSet::new();
    if let Some(manager) = as_manager(&ctx.viewer) {
        if everywhere(&manager, Action::ContactRead) {
            return Ok(ids.iter().copied().collect());
        }
        let manager = Ctx {
            viewer: manager,
            ..ctx.clone()
        };
        full = sight::only_seen(&manager, Action::ContactRead, ids).await?;
    }
    let others = ids.iter().copied().filter(|id| !full.contains(id));
    let others: Vec<CustomerId> = others.collect();
    if !others.is_empty()
        && holds(&ctx.viewer, Role::Associate)
        && let Some(me) = ctx.viewer.staff_id()
    {
        full.extend(of_associate(ctx, me, others).await?);
    }
    Ok(full)
}

/// Those of `ids` whom an associate keeps or holds a task for.
async fn of_associate(ctx: &Ctx, me: StaffId, ids: Vec<CustomerId>) -> Result<Vec<CustomerId>> {
    let tasks = Query::select()
        .column(shown::Column::CustomerId)
        .from(shown::Entity)
        .and_where(shown::Column::ScopeId.eq(me.0))
        .and_where(shown::Column::Cause.like("task:%"))
        .and_where(shown::Column::Until.gt(ctx.now()))
        .to_owned();
    let theirs = Condition::any()
        .add(customer::Column::KeeperId.eq(me))
        .add(Expr::col((customer::Entity, customer::Column::Id)).in_subquery(tasks));
    Ok(customer::Entity::find()
        .select_only()
        .column(customer::Column::Id)
        .filter(among(ctx.db.engine(), customer::Column::Id, ids))
        .filter(theirs)
        .into_tuple()
        .all(ctx.db.read())
        .await?)
}

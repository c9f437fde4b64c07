//! Reading merges: those into customers in sight.

use crate::access::{Action, Ctx, sight};
use crate::error::Result;
use chrono::{DateTime, Utc};
use entity::customer_merge::{self, Column};
use entity::ids::{CustomerId, MergeId};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Select};

/// Until when a merge can be undone; none when it was undone.
pub fn undoable_until(merge: &customer_merge::Model) -> Option<DateTime<Utc>> {
    merge
        .undone_at
        .is_none()
        .then(|| super::undo::undoable_until(merge))
}

fn in_sight(ctx: &Ctx) -> Result<Select<customer_merge::Entity>> {
    let select = customer_merge::Entity::find().order_by_asc(Column::Id);
    Ok(match sight::customer_ids(ctx, Action::CustomerMerge)? {
        Some(ids) => {
            select.filter(Expr::col((customer_merge::Entity, Column::KeptId)).in_subquery(ids))
        }
        None => select,
    })
}

/// Merges by id.
///
/// # Errors
/// Those of the policy and the database.
pub async fn by_ids(ctx: &Ctx, ids: &[MergeId]) -> Result<Vec<customer_merge::Model>> {
    let select = in_sight(ctx)?.filter(Column::Id.is_in(ids.iter().copied()));
    Ok(select.all(ctx.db.read()).await?)
}

/// The merges into these customers, oldest first, those that were undone too.
///
/// # Errors
/// Those of the policy and the database.
pub async fn into(ctx: &Ctx, customers: &[CustomerId]) -> Result<Vec<customer_merge::Model>> {
    let select = in_sight(ctx)?
        .filter(Column::KeptId.is_in(customers.iter().copied()))
        .order_by_asc(Column::Place);
    Ok(select.all(ctx.db.read()).await?)
}

//! The locks of a merge, of its undoing and of an erasure: all customers whose rows are written, in the order of their
//! ids, as everyone locks.

use crate::access::{Action, Ctx, sight};
use crate::db::Sql;
use crate::domain::customers::merging::pointing_at;
use crate::error::Result;
use entity::customer;
use entity::ids::CustomerId;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter};
use std::collections::BTreeSet;

/// Locks these customers and those who point at them.
///
/// # Errors
/// Those of the database.
pub(super) async fn lock(tx: &impl ConnectionTrait, ids: &[CustomerId]) -> Result<()> {
    let mut all: BTreeSet<CustomerId> = ids.iter().copied().collect();
    all.extend(pointing_at(tx, ids).await?);
    let mut sql = Sql::for_connection(tx);
    sql.push("select id from customer where id in ")
        .bind_list(all)
        .push(" order by id")
        .postgres(" for no key update");
    tx.query_all_raw(sql.build()).await?;
    Ok(())
}

/// A customer whose file is in use and in sight; they are locked.
///
/// # Errors
/// Those of the policy and the database.
pub(super) async fn in_sight(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    action: Action,
    id: CustomerId,
) -> Result<Option<customer::Model>> {
    Ok(customer::Entity::find_by_id(id)
        .filter(sight::customers(ctx, action)?)
        .one(tx)
        .await?)
}

/// As [`in_sight`], also when the file was merged into another one or erased.
///
/// # Errors
/// Those of the policy and the database.
pub(super) async fn in_reach(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    action: Action,
    id: CustomerId,
) -> Result<Option<customer::Model>> {
    Ok(customer::Entity::find_by_id(id)
        .filter(sight::in_reach(ctx, action)?)
        .one(tx)
        .await?)
}

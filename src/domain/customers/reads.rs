//! Reading customers by id, one or many: the narrow row, the whole file, the totals. What is out of sight is left
//! out, as if it did not exist.

use super::alias;
use super::row::{CustomerRow, narrow};
use crate::access::{Action, Ctx, sight};
use crate::db::among;
use crate::error::Result;
use entity::ids::CustomerId;
use entity::{customer, customer_total};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{EntityTrait, QueryFilter};
use std::collections::HashMap;

/// A customer in sight. The id of a file that was merged into another one leads to the kept customer.
///
/// # Errors
/// Those of the policy and the database.
pub async fn by_id(ctx: &Ctx, id: CustomerId) -> Result<Option<CustomerRow>> {
    Ok(by_ids_or_former(ctx, &[id]).await?.remove(&id))
}

/// Those of `ids` that are in sight, each under the id that was asked for: as [`by_id`], many at once.
///
/// # Errors
/// Those of the policy and the database.
pub async fn by_ids_or_former(
    ctx: &Ctx,
    ids: &[CustomerId],
) -> Result<HashMap<CustomerId, CustomerRow>> {
    let mut found: HashMap<CustomerId, CustomerRow> = by_ids(ctx, ids)
        .await?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    let missing = ids.iter().filter(|id| !found.contains_key(id)).copied();
    let missing: Vec<CustomerId> = missing.collect();
    if missing.is_empty() {
        return Ok(found);
    }
    let former = alias::kept_for(ctx.db.read(), missing).await?;
    if !former.is_empty() {
        let kept: Vec<CustomerId> = former.values().copied().collect();
        let kept = by_ids(ctx, &kept).await?;
        for (id, kept_id) in former {
            let row = kept.iter().find(|row| row.id == kept_id);
            found.extend(row.map(|row| (id, row.clone())));
        }
    }
    Ok(found)
}

/// Those of `ids` that are in sight, in no particular order.
///
/// # Errors
/// Those of the policy and the database.
pub async fn by_ids(ctx: &Ctx, ids: &[CustomerId]) -> Result<Vec<CustomerRow>> {
    Ok(narrow()
        .filter(among(
            ctx.db.engine(),
            customer::Column::Id,
            ids.iter().copied(),
        ))
        .filter(sight::customers(ctx, Action::CustomerRead)?)
        .into_partial_model()
        .all(ctx.db.read())
        .await?)
}

/// The whole files of those of `ids` that are in sight. The address is in full: whoever shows it asks
/// [`super::in_full`] first.
///
/// # Errors
/// Those of the policy and the database.
pub async fn details(ctx: &Ctx, ids: &[CustomerId]) -> Result<Vec<customer::Model>> {
    Ok(customer::Entity::find()
        .filter(among(
            ctx.db.engine(),
            customer::Column::Id,
            ids.iter().copied(),
        ))
        .filter(sight::customers(ctx, Action::CustomerRead)?)
        .all(ctx.db.read())
        .await?)
}

/// The totals of those of `ids` that are in sight.
///
/// # Errors
/// Those of the policy and the database.
pub async fn totals(ctx: &Ctx, ids: &[CustomerId]) -> Result<Vec<customer_total::Model>> {
    ctx.require(Action::VisitRead)?;
    let owners = ids.iter().copied();
    let mut select = customer_total::Entity::find().filter(among(
        ctx.db.engine(),
        customer_total::Column::CustomerId,
        owners,
    ));
    if let Some(sight) = sight::customer_ids(ctx, Action::CustomerRead)? {
        select = select.filter(
            Expr::col((customer_total::Entity, customer_total::Column::CustomerId))
                .in_subquery(sight),
        );
    }
    Ok(select.all(ctx.db.read()).await?)
}

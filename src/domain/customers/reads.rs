//! Reading customers by id, one or many: the narrow row, the whole file, the totals. What is out of sight is left
//! out, as if it did not exist.

use super::alias;
use super::row::{CustomerRow, narrow};
use crate::access::{Action, Ctx, sight};
use crate::db::Template;
use crate::error::Result;
use entity::ids::CustomerId;
use entity::{customer, customer_total};
use sea_orm::{EntityTrait, FromQueryResult, QueryFilter, QueryTrait};
use std::collections::HashMap;

/// Rows of customers in use.
static ROWS: Template = Template::new(|| narrow().filter(sight::in_use()).into_query());

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
    ctx.require(Action::CustomerRead)?;
    let mut sql = ROWS.begin(ctx.db.engine());
    sql.push(" and customer.id").bind_among(ids.iter().copied());
    let rows = CustomerRow::find_by_statement(sql.build())
        .all(ctx.db.read())
        .await?;
    sight::keep(ctx.db.read(), ctx, Action::CustomerRead, rows).await
}

/// The whole files of those of `ids` that are in sight. The address is in full: whoever shows it asks
/// [`super::in_full`] first.
///
/// # Errors
/// Those of the policy and the database.
pub async fn details(ctx: &Ctx, ids: &[CustomerId]) -> Result<Vec<customer::Model>> {
    Ok(customer::Entity::find()
        .filter(sight::among_seen(ctx, Action::CustomerRead, ids)?)
        .all(ctx.db.read())
        .await?)
}

/// The totals of those of `ids` that are in sight.
///
/// # Errors
/// Those of the policy and the database.
pub async fn totals(ctx: &Ctx, ids: &[CustomerId]) -> Result<Vec<customer_total::Model>> {
    ctx.require(Action::VisitRead)?;
    let theirs = sight::of_seen(
        ctx,
        Action::CustomerRead,
        customer_total::Column::CustomerId,
        ids,
    )?;
    Ok(customer_total::Entity::find()
        .filter(theirs)
        .all(ctx.db.read())
        .await?)
}

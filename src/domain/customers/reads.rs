//! Reading customers by id, one or many: the narrow row, the whole file, the totals. What is out of sight is left
//! out, as if it did not exist.

use super::row::{CustomerRow, narrow};
use crate::access::{Action, Ctx, sight};
use crate::db::among;
use crate::error::Result;
use entity::ids::CustomerId;
use entity::{customer, customer_total};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

/// A customer in sight.
///
/// # Errors
/// Those of the policy and the database.
pub async fn by_id(ctx: &Ctx, id: CustomerId) -> Result<Option<CustomerRow>> {
    Ok(narrow()
        .filter(customer::Column::Id.eq(id))
        .filter(sight::customers(ctx, Action::CustomerRead)?)
        .into_partial_model()
        .one(ctx.db.read())
        .await?)
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

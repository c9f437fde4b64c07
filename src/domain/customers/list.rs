//! Lists of customers: narrowed, ordered, page by page. Never an offset, never a count that nobody asked for.

use super::filter::{CustomerOrder, Narrowed, OrderField};
use super::row::{CustomerRow, narrow};
use crate::access::{Action, Ctx, sight};
use crate::db::{Keyset, Page, PageRequest};
use crate::error::Result;
use entity::customer::{self, Column};
use sea_orm::sea_query::Expr;
use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter};

/// A page of the customers in sight.
///
/// # Errors
/// Those of the policy and the database.
pub async fn list(
    ctx: &Ctx,
    narrowed: &Narrowed,
    order: CustomerOrder,
    page: &PageRequest,
) -> Result<Page<CustomerRow>> {
    let select = narrow()
        .filter(sight::customers(ctx, Action::CustomerRead)?)
        .filter(narrowed.condition.clone());
    let column = match order.field {
        OrderField::Name => Column::NameKey,
        OrderField::CreatedAt => Column::CreatedAt,
    };
    Keyset::new(
        Expr::col((customer::Entity, column)),
        Expr::col((customer::Entity, Column::Id)),
        order.sort,
    )
    .page(ctx.db.read(), select, page)
    .await
}

/// How many customers in sight the whole list has.
///
/// # Errors
/// Those of the policy and the database.
pub async fn count(ctx: &Ctx, narrowed: &Narrowed) -> Result<u64> {
    let select = customer::Entity::find()
        .filter(sight::customers(ctx, Action::CustomerRead)?)
        .filter(narrowed.condition.clone());
    Ok(select.count(ctx.db.read()).await?)
}

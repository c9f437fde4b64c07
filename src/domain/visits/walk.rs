//! Walking through all visits and receipts in sight, in the order of their ids: what exports read, page by page.
//!
//! Called by `transfers`.

use super::lookup::{visible, visible_purchases};
use crate::access::Ctx;
use crate::db::literal_limit;
use crate::error::Result;
use chrono::NaiveDate;
use entity::ids::{PurchaseId, VisitId};
use entity::{purchase, visit};
use sea_orm::sea_query::{ExprTrait, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, FromQueryResult, PaginatorTrait, QueryFilter, QueryOrder,
    QueryTrait, Select,
};

fn select_visits(ctx: &Ctx, since: Option<NaiveDate>) -> Result<Select<visit::Entity>> {
    let mut select = visible(ctx)?;
    if let Some(since) = since {
        select = select.filter(visit::Column::BusinessDate.gte(since));
    }
    Ok(select)
}

fn select_purchases(ctx: &Ctx, since: Option<NaiveDate>) -> Result<Select<purchase::Entity>> {
    let mut select = visible_purchases(ctx)?;
    if let Some(since) = since {
        let visits = Query::select()
            .column((visit::Entity, visit::Column::Id))
            .from(visit::Entity)
            .and_where(visit::Column::BusinessDate.gte(since))
            .to_owned();
        select = select.filter(purchase::Column::VisitId.into_expr().in_subquery(visits));
    }
    Ok(select)
}

/// The next visits behind one; those only of a business day or later ones, if one is given.
///
/// # Errors
/// As [`crate::access::Viewer::require`]; those of the database.
pub async fn walk_visits(
    ctx: &Ctx,
    since: Option<NaiveDate>,
    after: Option<VisitId>,
    size: u64,
) -> Result<Vec<visit::Model>> {
    let mut select = select_visits(ctx, since)?;
    if let Some(after) = after {
        select = select.filter(visit::Column::Id.gt(after));
    }
    let connection = ctx.db.read();
    let statement = select
        .order_by_asc(visit::Column::Id)
        .build(connection.get_database_backend());
    Ok(
        visit::Model::find_by_statement(literal_limit(statement, size))
            .all(connection)
            .await?,
    )
}

/// How many visits the walk meets.
///
/// # Errors
/// As [`walk_visits`].
pub async fn count_visits(ctx: &Ctx, since: Option<NaiveDate>) -> Result<u64> {
    Ok(select_visits(ctx, since)?.count(ctx.db.read()).await?)
}

/// The next receipts behind one; those only of a business day or later ones, if one is given.
///
/// # Errors
/// As [`crate::access::Viewer::require`]; those of the database.
pub async fn walk_purchases(
    ctx: &Ctx,
    since: Option<NaiveDate>,
    after: Option<PurchaseId>,
    size: u64,
) -> Result<Vec<purchase::Model>> {
    let mut select = select_purchases(ctx, since)?;
    if let Some(after) = after {
        select = select.filter(purchase::Column::Id.gt(after));
    }
    let connection = ctx.db.read();
    let statement = select
        .order_by_asc(purchase::Column::Id)
        .build(connection.get_database_backend());
    Ok(
        purchase::Model::find_by_statement(literal_limit(statement, size))
            .all(connection)
            .await?,
    )
}

/// How many receipts the walk meets.
///
/// # Errors
/// As [`walk_purchases`].
pub async fn count_purchases(ctx: &Ctx, since: Option<NaiveDate>) -> Result<u64> {
    Ok(select_purchases(ctx, since)?.count(ctx.db.read()).await?)
}

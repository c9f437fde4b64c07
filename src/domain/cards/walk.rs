//! Walking through all cards in sight, in the order of their ids: what exports read, page by page.
//!
//! Called by `transfers`.

use super::lookup::seen;
use crate::access::Ctx;
use crate::db::literal_limit;
use crate::error::Result;
use chrono::{DateTime, Utc};
use entity::card;
use entity::ids::CardId;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter,
    QueryOrder, QueryTrait, Select,
};

fn select(ctx: &Ctx, since: Option<DateTime<Utc>>) -> Result<Select<card::Entity>> {
    let mut select = seen(ctx, card::Entity::find(), card::Column::CustomerId)?;
    if let Some(since) = since {
        select = select.filter(card::Column::StatusChangedAt.gte(since));
    }
    Ok(select)
}

/// The next cards behind one; those only that were issued or whose status changed since a moment, if one is given.
///
/// # Errors
/// As [`crate::access::Viewer::require`]; those of the database.
pub async fn walk(
    ctx: &Ctx,
    since: Option<DateTime<Utc>>,
    after: Option<CardId>,
    size: u64,
) -> Result<Vec<card::Model>> {
    let mut select = select(ctx, since)?;
    if let Some(after) = after {
        select = select.filter(card::Column::Id.gt(after));
    }
    let connection = ctx.db.read();
    let statement = select
        .order_by_asc(card::Column::Id)
        .build(connection.get_database_backend());
    Ok(
        card::Model::find_by_statement(literal_limit(statement, size))
            .all(connection)
            .await?,
    )
}

/// How many cards the walk meets.
///
/// # Errors
/// As [`walk`].
pub async fn walk_count(ctx: &Ctx, since: Option<DateTime<Utc>>) -> Result<u64> {
    Ok(select(ctx, since)?.count(ctx.db.read()).await?)
}

//! Lists of groups: narrowed, ordered, page by page.

use crate::access::{Action, Ctx};
use crate::db::{Keyset, Page, PageRequest, Sort};
use crate::domain::organization::stores::contains;
use crate::error::Result;
use entity::customer_group::{Column, Entity, Model};
use entity::ids::{StaffId, StoreId};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, Select};

/// What to narrow a list down to; everything given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupFilter {
    /// Part of the name; letters A to Z match in either case.
    pub query: Option<String>,
    /// The club of this store.
    pub store: Option<StoreId>,
    /// Kept by this member of staff.
    pub keeper: Option<StaffId>,
    /// Only those that were put away, or only those that were not, which is usual.
    pub archived: Option<bool>,
}

/// By what groups are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupOrder {
    /// By name, in the company's locale.
    #[default]
    Name,
    /// By when they were made.
    CreatedAt,
}

fn select(ctx: &Ctx, filter: &GroupFilter) -> Result<Select<Entity>> {
    ctx.require(Action::GroupRead)?;
    let query = filter
        .query
        .as_deref()
        .filter(|query| !query.trim().is_empty());
    let condition = Condition::all()
        .add_option(query.map(|query| contains(ctx, "customer_group", &["name"], query)))
        .add_option(filter.store.map(|store| Column::StoreId.eq(store)))
        .add_option(filter.keeper.map(|keeper| Column::KeeperId.eq(keeper)))
        .add(if filter.archived.unwrap_or(false) {
            Column::ArchivedAt.is_not_null()
        } else {
            Column::ArchivedAt.is_null()
        });
    Ok(Entity::find().filter(condition))
}

/// A page of groups.
///
/// # Errors
/// As [`Ctx::require`]; those of the database.
pub async fn page(
    ctx: &Ctx,
    filter: &GroupFilter,
    order: GroupOrder,
    sort: Sort,
    page: &PageRequest,
) -> Result<Page<Model>> {
    let column = match order {
        GroupOrder::Name => Column::NameKey,
        GroupOrder::CreatedAt => Column::CreatedAt,
    };
    Keyset::new(
        Expr::col((Entity, column)),
        Expr::col((Entity, Column::Id)),
        sort,
    )
    .page(ctx.db.read(), select(ctx, filter)?, page)
    .await
}

/// How many groups the whole list has.
///
/// # Errors
/// As [`page`].
pub async fn count(ctx: &Ctx, filter: &GroupFilter) -> Result<u64> {
    Ok(select(ctx, filter)?.count(ctx.db.read()).await?)
}

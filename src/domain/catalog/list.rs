//! Lists of products: narrowed, ordered, page by page.

use crate::access::{Action, Ctx};
use crate::db::{Engine, Keyset, Page, PageRequest, Sort};
use crate::error::{Code, Result, UserErrors, text_code};
use chrono::NaiveDate;
use entity::category;
use entity::ids::CategoryId;
use entity::product::{Column, Entity, Model};
use entity::values::{Barcode, SearchQuery, clean_line};
use sea_orm::sea_query::{
    BinOper, CommonTableExpression, Expr, ExprTrait, Query, SelectStatement, UnionType, WithClause,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter};
use serde::Serialize;

/// Characters of a text that is searched for.
const LONGEST: usize = 200;

/// What to narrow a list down to; everything given must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ProductFilter {
    /// Words of the name in any language, of brand and series, an SKU or a barcode.
    pub query: Option<String>,
    /// Exactly this SKU.
    pub sku: Option<String>,
    /// Exactly this barcode, as a scanner reads it.
    pub barcode: Option<String>,
    /// In this category or in any part of it.
    pub category: Option<CategoryId>,
    /// Exactly this brand.
    pub brand: Option<String>,
    /// Exactly this series.
    pub series: Option<String>,
    /// Sold to members only, or to everybody.
    pub member_only: Option<bool>,
    /// May a tier's discount be taken off?
    pub discountable: Option<bool>,
    /// Introduced on this day or later.
    pub introduced_from: Option<NaiveDate>,
    /// Introduced on this day or earlier.
    pub introduced_to: Option<NaiveDate>,
    /// Only those that were put away, or only those that were not, which is usual.
    pub archived: Option<bool>,
}

/// By what products are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum ProductOrder {
    /// By name, in the company's locale.
    #[default]
    Name,
    /// By SKU, bytewise.
    Sku,
    /// By the first day on which they are sold; those without one are left out.
    IntroducedOn,
}

/// A filter that was checked.
#[derive(Clone, Debug)]
pub struct Narrowed(Condition);

/// Checks a filter.
///
/// # Errors
/// User errors for what cannot be searched for; as [`Ctx::require`].
pub fn narrow(ctx: &Ctx, filter: &ProductFilter) -> Result<Narrowed> {
    ctx.require(Action::CatalogRead)?;
    let mut errors = UserErrors::new();
    let mut all = Condition::all();
    if let Some(text) = &filter.query {
        let field = "filter.query";
        if let Some(text) = errors.take(field, text_code, clean_line(text, LONGEST)) {
            match SearchQuery::parse(&text) {
                Some(query) => all = all.add(words(ctx.db.engine(), &query)),
                None => errors.push(
                    Code::Invalid,
                    field,
                    "query has neither a letter nor a digit",
                ),
            }
        }
    }
    // What is no barcode is nobody's.
    let barcode = filter.barcode.as_deref().map(|text| {
        Barcode::parse(text).map_or_else(|_| String::new(), |code| code.as_str().to_owned())
    });
    all = all
        .add_option(filter.sku.as_deref().map(|sku| Column::Sku.eq(sku.trim())))
        .add_option(barcode.map(|code| Column::Barcode.eq(code)))
        .add_option(filter.category.map(within))
        .add_option(
            filter
                .brand
                .as_deref()
                .map(|brand| Column::Brand.eq(brand.trim())),
        )
        .add_option(
            filter
                .series
                .as_deref()
                .map(|series| Column::Series.eq(series.trim())),
        )
        .add_option(filter.member_only.map(|only| Column::MemberOnly.eq(only)))
        .add_option(filter.discountable.map(|may| Column::Discountable.eq(may)))
        .add_option(
            filter
                .introduced_from
                .map(|day| Column::IntroducedOn.gte(day)),
        )
        .add_option(
            filter
                .introduced_to
                .map(|day| Column::IntroducedOn.lte(day)),
        )
        .add(if filter.archived.unwrap_or(false) {
            Column::ArchivedAt.is_not_null()
        } else {
            Column::ArchivedAt.is_null()
        });
    errors.check()?;
    Ok(Narrowed(all))
}

/// Those that have the words.
fn words(engine: Engine, query: &SearchQuery) -> Expr {
    let mut found = Query::select();
    found.column("product_id").from("product_search");
    match engine {
        Engine::Sqlite => {
            let index = "product_search_index";
            let rows = Query::select()
                .column("rowid")
                .from(index)
                .and_where(
                    Expr::col(index).binary(BinOper::Custom("match"), query.to_fts5("words")),
                )
                .to_owned();
            found.and_where(Expr::col("id").in_subquery(rows));
        }
        Engine::Postgres => {
            found.and_where(Expr::col("document").binary(
                BinOper::Custom("@@"),
                Expr::val(query.to_tsquery()).cast_as("tsquery"),
            ));
        }
    }
    Expr::col((Entity, Column::Id)).in_subquery(found)
}

/// Those of a category and of all its parts.
fn within(id: CategoryId) -> Expr {
    let id_column = (category::Entity, category::Column::Id);
    let mut parts = Query::select();
    parts
        .column(category::Column::Id)
        .from(category::Entity)
        .and_where(category::Column::Id.eq(id));
    let below = Query::select()
        .column(id_column)
        .from(category::Entity)
        .inner_join(
            "tree",
            Expr::col((category::Entity, category::Column::ParentId)).equals(("tree", "id")),
        )
        .to_owned();
    // Not `union all`: a circle, which nobody can make, would have no end.
    parts.union(UnionType::Distinct, below);
    let tree = CommonTableExpression::new()
        .query(parts)
        .column("id")
        .table_name("tree")
        .to_owned();
    let ids: SelectStatement = Query::select().column("id").from("tree").to_owned();
    let ids = ids.with(WithClause::new().recursive(true).cte(tree).to_owned());
    Expr::col((Entity, Column::CategoryId))
        .binary(BinOper::In, Expr::SubQuery(None, Box::new(ids.into())))
}

/// A page of products.
///
/// # Errors
/// As [`Ctx::require`]; those of the database.
pub async fn page(
    ctx: &Ctx,
    narrowed: &Narrowed,
    order: ProductOrder,
    sort: Sort,
    page: &PageRequest,
) -> Result<Page<Model>> {
    ctx.require(Action::CatalogRead)?;
    let column = match order {
        ProductOrder::Name => Column::NameKey,
        ProductOrder::Sku => Column::Sku,
        ProductOrder::IntroducedOn => Column::IntroducedOn,
    };
    Keyset::new(
        Expr::col((Entity, column)),
        Expr::col((Entity, Column::Id)),
        sort,
    )
    .page(ctx.db.read(), select(narrowed, order), page)
    .await
}

fn select(narrowed: &Narrowed, order: ProductOrder) -> sea_orm::Select<Entity> {
    let select = Entity::find().filter(narrowed.0.clone());
    match order {
        // A cursor holds the column's value, and nothing stands behind nothing.
        ProductOrder::IntroducedOn => select.filter(Column::IntroducedOn.is_not_null()),
        ProductOrder::Name | ProductOrder::Sku => select,
    }
}

/// How many products the whole list has.
///
/// # Errors
/// As [`page`].
pub async fn count(ctx: &Ctx, narrowed: &Narrowed, order: ProductOrder) -> Result<u64> {
    ctx.require(Action::CatalogRead)?;
    Ok(select(narrowed, order).count(ctx.db.read()).await?)
}

//! Reading visits, receipts and their lines: in sight only, and for many at once.

use crate::access::sight::Reach;
use crate::access::{Action, Ctx, sight};
use crate::db::{Keyset, Page, PageRequest, Sort};
use crate::error::Result;
use chrono::NaiveDate;
use entity::enums::VisitChannel;
use entity::ids::{CustomerId, PurchaseId, PurchaseLineId, StaffId, StoreId, VisitId};
use entity::{customer_total, purchase, purchase_line, visit};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, PaginatorTrait,
    QueryFilter, QuerySelect, Select, Value,
};

/// Which visits.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct VisitFilter {
    /// Of this customer.
    pub customer: Option<CustomerId>,
    /// In this store.
    pub store: Option<StoreId>,
    /// Served by this member of staff.
    pub served_by: Option<StaffId>,
    /// By this way.
    pub channel: Option<VisitChannel>,
    /// On this business day or later.
    pub from: Option<NaiveDate>,
    /// On this business day or earlier.
    pub to: Option<NaiveDate>,
}

/// Visits that the viewer sees: those of customers in sight, and all to the stores that they run.
pub(super) fn visible(ctx: &Ctx) -> Result<Select<visit::Entity>> {
    let select = visit::Entity::find();
    Ok(match sight::customer_ids(ctx, Action::VisitRead)? {
        Some(ids) => select.filter(
            Condition::any()
                .add(visit::Column::CustomerId.into_expr().in_subquery(ids))
                .add_option(to_own_stores(ctx)),
        ),
        None => select,
    })
}

/// The condition that a visit was one to a store that the viewer runs.
fn to_own_stores(ctx: &Ctx) -> Option<Condition> {
    let action = Action::StoreVisitRead;
    let store = Expr::col((visit::Entity, visit::Column::StoreId));
    ctx.viewer
        .may(action)
        .then(|| Reach::of(&ctx.viewer, action).covers(store))
}

fn select(ctx: &Ctx, filter: &VisitFilter) -> Result<Select<visit::Entity>> {
    let mut select = visible(ctx)?;
    if let Some(customer) = filter.customer {
        select = select.filter(visit::Column::CustomerId.eq(customer));
    }
    if let Some(store) = filter.store {
        select = select.filter(visit::Column::StoreId.eq(store));
    }
    if let Some(staff) = filter.served_by {
        select = select.filter(visit::Column::ServedById.eq(staff));
    }
    if let Some(channel) = filter.channel {
        select = select.filter(visit::Column::Channel.eq(channel));
    }
    if let Some(day) = filter.from {
        select = select.filter(visit::Column::BusinessDate.gte(day));
    }
    if let Some(day) = filter.to {
        select = select.filter(visit::Column::BusinessDate.lte(day));
    }
    Ok(select)
}

/// A page of visits by their time.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn page(
    ctx: &Ctx,
    filter: &VisitFilter,
    sort: Sort,
    page: &PageRequest,
) -> Result<Page<visit::Model>> {
    let keyset = Keyset::new(
        Expr::col((visit::Entity, visit::Column::At)),
        Expr::col((visit::Entity, visit::Column::Id)),
        sort,
    );
    keyset.page(ctx.db.read(), select(ctx, filter)?, page).await
}

/// How many visits there are.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn count(ctx: &Ctx, filter: &VisitFilter) -> Result<u64> {
    Ok(select(ctx, filter)?.count(ctx.db.read()).await?)
}

/// Visits by id.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn by_ids(ctx: &Ctx, ids: &[VisitId]) -> Result<Vec<visit::Model>> {
    Ok(visible(ctx)?
        .filter(visit::Column::Id.is_in(ids.to_vec()))
        .all(ctx.db.read())
        .await?)
}

/// The last visits of each of many customers, newest first: at most `limit` of each, in one statement.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn last_of(ctx: &Ctx, customers: &[CustomerId], limit: u64) -> Result<Vec<visit::Model>> {
    ctx.require(Action::VisitRead)?;
    if customers.is_empty() {
        return Ok(Vec::new());
    }
    let seen = visible_customers(ctx, customers).await?;
    if seen.is_empty() {
        return Ok(Vec::new());
    }
    // A correlated read of a few rows from the index for each customer beats ranking all their visits.
    let mut sql = ctx.db.sql();
    sql.push("select v.* from customer c join visit v on v.id in (select w.id from visit w where w.customer_id = c.id ");
    sql.push(&format!(
        "order by w.at desc, w.id desc limit {limit}) where c.id in "
    ));
    sql.bind_list(seen)
        .push(" order by v.customer_id, v.at desc, v.id desc");
    Ok(visit::Model::find_by_statement(sql.build())
        .all(ctx.db.read())
        .await?)
}

async fn visible_customers(ctx: &Ctx, customers: &[CustomerId]) -> Result<Vec<CustomerId>> {
    let Some(ids) = sight::customer_ids(ctx, Action::VisitRead)? else {
        return Ok(customers.to_vec());
    };
    let select = Query::select()
        .column(entity::customer::Column::Id)
        .from(entity::customer::Entity)
        .and_where(entity::customer::Column::Id.is_in(customers.to_vec()))
        .and_where(Expr::col(entity::customer::Column::Id).in_subquery(ids))
        .to_owned();
    let rows = ctx.db.read().query_all(&select).await?;
    rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
}

/// Receipts of visits.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn purchases_of(ctx: &Ctx, visits: &[VisitId]) -> Result<Vec<purchase::Model>> {
    seen_purchases(ctx, purchase::Column::VisitId.is_in(visits.to_vec())).await
}

/// Receipts by id.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn purchases_by_ids(ctx: &Ctx, ids: &[PurchaseId]) -> Result<Vec<purchase::Model>> {
    seen_purchases(ctx, purchase::Column::Id.is_in(ids.to_vec())).await
}

async fn seen_purchases(ctx: &Ctx, which: Expr) -> Result<Vec<purchase::Model>> {
    Ok(visible_purchases(ctx)?
        .filter(which)
        .all(ctx.db.read())
        .await?)
}

/// Receipts that the viewer sees: those of the visits that they see.
pub(super) fn visible_purchases(ctx: &Ctx) -> Result<Select<purchase::Entity>> {
    let mut select = purchase::Entity::find();
    if let Some(ids) = sight::customer_ids(ctx, Action::VisitRead)? {
        let own = to_own_stores(ctx).map(|own| {
            let visits = Query::select()
                .column((visit::Entity, visit::Column::Id))
                .from(visit::Entity)
                .cond_where(own)
                .to_owned();
            purchase::Column::VisitId.in_subquery(visits)
        });
        select = select.filter(
            Condition::any()
                .add(purchase::Column::CustomerId.into_expr().in_subquery(ids))
                .add_option(own),
        );
    }
    Ok(select)
}

/// Those of these receipts whose costs the viewer may read: of visits to the stores that they run.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn with_costs(ctx: &Ctx, ids: &[PurchaseId]) -> Result<Vec<PurchaseId>> {
    ctx.require(Action::CostRead)?;
    let reach = Reach::of(&ctx.viewer, Action::CostRead);
    if reach == Reach::Company {
        return Ok(ids.to_vec());
    }
    let visits = Query::select()
        .column(visit::Column::Id)
        .from(visit::Entity)
        .cond_where(reach.covers(Expr::col(visit::Column::StoreId)))
        .to_owned();
    Ok(purchase::Entity::find()
        .select_only()
        .column(purchase::Column::Id)
        .filter(purchase::Column::Id.is_in(ids.to_vec()))
        .filter(purchase::Column::VisitId.into_expr().in_subquery(visits))
        .into_tuple()
        .all(ctx.db.read())
        .await?)
}

/// Lines of receipts that the viewer was shown, in their order.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn lines_of(ctx: &Ctx, purchases: &[PurchaseId]) -> Result<Vec<purchase_line::Model>> {
    ctx.require(Action::VisitRead)?;
    let select = purchase_line::Entity::find()
        .filter(purchase_line::Column::PurchaseId.is_in(purchases.to_vec()));
    Ok(
        sea_orm::QueryOrder::order_by_asc(select, purchase_line::Column::Line)
            .all(ctx.db.read())
            .await?,
    )
}

/// Lines by id, those of receipts in sight only.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn lines_by_ids(ctx: &Ctx, ids: &[PurchaseLineId]) -> Result<Vec<purchase_line::Model>> {
    ctx.require(Action::VisitRead)?;
    let found = purchase_line::Entity::find()
        .filter(purchase_line::Column::Id.is_in(ids.to_vec()))
        .all(ctx.db.read())
        .await?;
    let receipts: Vec<PurchaseId> = found.iter().map(|line| line.purchase_id).collect();
    let seen: Vec<PurchaseId> = purchases_by_ids(ctx, &receipts)
        .await?
        .into_iter()
        .map(|receipt| receipt.id)
        .collect();
    Ok(found
        .into_iter()
        .filter(|line| seen.contains(&line.purchase_id))
        .collect())
}

/// Sums over all visits in sight: what an import is checked against.
#[derive(Clone, Copy, Debug, Default, FromQueryResult)]
pub struct Sums {
    /// Customers in sight who have a receipt.
    pub customers: i64,
    /// Receipts.
    pub receipts: i64,
    /// Sum of amounts bought, in minor units.
    pub bought_minor: i64,
    /// Sum of amounts given back, in minor units.
    pub returned_minor: i64,
}

/// Sums over the customers in sight.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn sums(ctx: &Ctx) -> Result<Sums> {
    let seen = sight::customer_ids(ctx, Action::VisitRead)?;
    let total = |column: customer_total::Column| {
        Expr::expr(Expr::col(column).sum())
            .cast_as("bigint")
            .if_null(Expr::val(Value::BigInt(Some(0))))
    };
    let mut select = Query::select()
        .expr_as(
            Expr::col(customer_total::Column::CustomerId).count(),
            "customers",
        )
        .expr_as(total(customer_total::Column::Receipts), "receipts")
        .expr_as(total(customer_total::Column::BoughtMinor), "bought_minor")
        .expr_as(
            total(customer_total::Column::ReturnedMinor),
            "returned_minor",
        )
        .from(customer_total::Entity)
        .and_where(customer_total::Column::Receipts.gt(0))
        .to_owned();
    if let Some(ids) = seen {
        select.and_where(
            customer_total::Column::CustomerId
                .into_expr()
                .in_subquery(ids),
        );
    }
    let row = ctx.db.read().query_one(&select).await?;
    Ok(match row {
        Some(row) => Sums::from_query_result(&row, "")?,
        None => Sums::default(),
    })
}

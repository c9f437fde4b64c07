//! Reading visits, receipts and their lines: in sight only, and for many at once.

use crate::access::sight::Reach;
use crate::access::{Action, Ctx, sight};
use crate::db::{Engine, Keyset, Page, PageRequest, Sort, among, literal_limits};
use crate::error::Result;
use chrono::NaiveDate;
use entity::enums::{VisitChannel, VisitOutcome};
use entity::ids::{CustomerId, PurchaseId, PurchaseLineId, StaffId, StoreId, VisitId};
use entity::{customer, customer_total, purchase, purchase_line, visit};
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Order, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, JoinType,
    PaginatorTrait, QueryFilter, QuerySelect, Select, Value,
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

/// The condition that the viewer sees a visit: to a store that they run, or of a customer in sight. `None` where they
/// see all.
fn seen(ctx: &Ctx) -> Result<Option<Condition>> {
    let store = Expr::col((visit::Entity, visit::Column::StoreId));
    in_sight_or_store(ctx, visit::Column::CustomerId, store)
}

/// The condition that the viewer sees what is of a customer and in a store: of a customer in sight, or in a store that they
/// run, whoever's customer it is. `None` where they see all.
pub(super) fn in_sight_or_store(
    ctx: &Ctx,
    customer: impl ColumnTrait,
    store: Expr,
) -> Result<Option<Condition>> {
    let theirs = sight::refers_to_seen(ctx, Action::VisitRead, customer)?;
    let action = Action::StoreVisitRead;
    let own_stores = ctx
        .viewer
        .may(action)
        .then(|| Reach::of(&ctx.viewer, action).covers(store));
    // The cheaper one first.
    Ok(theirs.map(|theirs| Condition::any().add_option(own_stores).add(theirs)))
}

/// Visits that the viewer sees.
pub(super) fn visible(ctx: &Ctx) -> Result<Select<visit::Entity>> {
    let select = visit::Entity::find();
    Ok(match seen(ctx)? {
        Some(seen) => select.filter(seen),
        None => select,
    })
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
        .filter(among(
            ctx.db.engine(),
            visit::Column::Id,
            ids.iter().copied(),
        ))
        .all(ctx.db.read())
        .await?)
}

/// The last visits of each of many customers, newest first: at most `limit` of each, in one statement. With `bought` only
/// those on which something was bought or brought back.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn last_of(
    ctx: &Ctx,
    customers: &[CustomerId],
    limit: u64,
    bought: bool,
) -> Result<Vec<visit::Model>> {
    let mut select = Query::select();
    select
        .column((LAST, Asterisk))
        .from(customer::Entity)
        .cond_where(sight::among_seen(ctx, Action::VisitRead, customers)?);
    // A read of a few rows from the index for each customer beats ranking all their visits.
    let mut newest = Query::select();
    newest
        .from_as(visit::Entity, NEWER)
        .and_where(
            Expr::col((NEWER, visit::Column::CustomerId))
                .equals((customer::Entity, customer::Column::Id)),
        )
        .order_by((NEWER, visit::Column::At), Order::Desc)
        .order_by((NEWER, visit::Column::Id), Order::Desc)
        .limit(limit);
    if bought {
        let outcome = Expr::col((NEWER, visit::Column::Outcome));
        newest.and_where(outcome.ne(VisitOutcome::NoPurchase));
    }
    match ctx.db.engine() {
        Engine::Postgres => {
            newest.column((NEWER, Asterisk));
            select.join_lateral(JoinType::InnerJoin, newest, LAST, Expr::cust("true"));
        }
        // It has no lateral joins, and finds the rows of such a list one by one.
        Engine::Sqlite => {
            newest.column((NEWER, visit::Column::Id));
            let is_last = Expr::col((LAST, visit::Column::Id)).in_subquery(newest);
            select.join_as(JoinType::InnerJoin, visit::Entity, LAST, is_last);
        }
    }
    select
        .order_by((LAST, visit::Column::CustomerId), Order::Asc)
        .order_by((LAST, visit::Column::At), Order::Desc)
        .order_by((LAST, visit::Column::Id), Order::Desc);
    let connection = ctx.db.read();
    let statement = literal_limits(connection.get_database_backend().build(&select));
    Ok(visit::Model::find_by_statement(statement)
        .all(connection)
        .await?)
}

/// What the visits of [`last_of`] are called in its statement, and those among which they are found.
const LAST: &str = "last_visit";
const NEWER: &str = "newer_visit";

/// Receipts of visits.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn purchases_of(ctx: &Ctx, visits: &[VisitId]) -> Result<Vec<purchase::Model>> {
    let which = among(
        ctx.db.engine(),
        purchase::Column::VisitId,
        visits.iter().copied(),
    );
    seen_purchases(ctx, which).await
}

/// Receipts by id.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn purchases_by_ids(ctx: &Ctx, ids: &[PurchaseId]) -> Result<Vec<purchase::Model>> {
    let which = among(ctx.db.engine(), purchase::Column::Id, ids.iter().copied());
    seen_purchases(ctx, which).await
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
    if let Some(seen) = seen(ctx)? {
        let visit = Query::select()
            .expr(Expr::val(1))
            .from(visit::Entity)
            .and_where(
                Expr::col((visit::Entity, visit::Column::Id))
                    .equals((purchase::Entity, purchase::Column::VisitId)),
            )
            .cond_where(seen)
            .to_owned();
        select = select.filter(Expr::exists(visit));
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
        .filter(among(
            ctx.db.engine(),
            purchase::Column::Id,
            ids.iter().copied(),
        ))
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
    let select = purchase_line::Entity::find().filter(among(
        ctx.db.engine(),
        purchase_line::Column::PurchaseId,
        purchases.iter().copied(),
    ));
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
        .filter(among(
            ctx.db.engine(),
            purchase_line::Column::Id,
            ids.iter().copied(),
        ))
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

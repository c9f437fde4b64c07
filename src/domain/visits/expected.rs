//! Who is expected, and who was: reading announced visits, in sight only.
//!
//! Called by the API and by [`super::announced`], which writes them; by whatever writes down that somebody came, under
//! their lock.

use super::lookup::in_sight_or_store;
use crate::access::Ctx;
use crate::db::{Keyset, Page, PageRequest, Sort, Sql, among};
use crate::error::Result;
use chrono::{DateTime, Utc};
use entity::announced_visit::{Column, Entity, Model};
use entity::enums::AnnouncedVisitState;
use entity::ids::{AnnouncedVisitId, CustomerId, StaffId, StoreId};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Select,
};

/// What stands with an announcement now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Standing {
    /// The customer is expected.
    Expected,
    /// They came.
    Arrived,
    /// The day is over, and they have not come.
    Missed,
    /// It was called off.
    Cancelled,
}

/// What stands with an announcement at a moment.
pub fn standing(row: &Model, now: DateTime<Utc>) -> Standing {
    match row.state {
        AnnouncedVisitState::Announced if row.day_until <= now => Standing::Missed,
        AnnouncedVisitState::Announced => Standing::Expected,
        AnnouncedVisitState::Arrived => Standing::Arrived,
        AnnouncedVisitState::Cancelled => Standing::Cancelled,
    }
}

/// Adds the subquery of the announcement with which a customer is expected in a store on the day that it is: the earliest
/// one, if there are several.
pub(super) fn push_expected(sql: &mut Sql, ctx: &Ctx, customer: CustomerId, store: StoreId) {
    sql.push("select id from announced_visit where customer_id = ")
        .bind(customer)
        .push(" and store_id = ")
        .bind(store)
        .push(" and state = 'ANNOUNCED' and day_from <= ")
        .bind(ctx.now())
        .push(" and day_until > ")
        .bind(ctx.now())
        .push(" order by expected_at, id limit 1");
}

/// The announcement with which a customer is expected in a store on the day that it is.
///
/// # Errors
/// Those of the database.
pub(super) async fn expected_now(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    customer: CustomerId,
    store: StoreId,
) -> Result<Option<AnnouncedVisitId>> {
    let mut sql = Sql::for_connection(tx);
    push_expected(&mut sql, ctx, customer, store);
    let row = tx.query_one_raw(sql.build()).await?;
    Ok(row.map(|row| row.try_get("", "id")).transpose()?)
}

/// Whoever was expected has come.
///
/// # Errors
/// Those of the database.
pub(super) async fn has_come(tx: &impl ConnectionTrait, id: AnnouncedVisitId) -> Result<()> {
    let mut sql = Sql::for_connection(tx);
    sql.push("update announced_visit set state = 'ARRIVED', version = version + 1 where id = ")
        .bind(id);
    tx.execute_raw(sql.build()).await?;
    Ok(())
}

/// Which announced visits.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct AnnouncementFilter {
    /// Of this customer.
    pub customer: Option<CustomerId>,
    /// In this store.
    pub store: Option<StoreId>,
    /// Attended to by this member of staff.
    pub attended_by: Option<StaffId>,
    /// How they stand.
    pub standing: Option<Standing>,
    /// Expected at this moment or later.
    pub from: Option<DateTime<Utc>>,
    /// Expected before this moment.
    pub until: Option<DateTime<Utc>>,
}

/// Announced visits that the viewer sees: of customers in sight, and in the stores that they run.
pub(super) fn seen(ctx: &Ctx) -> Result<Select<Entity>> {
    let store = Expr::col((Entity, Column::StoreId));
    Ok(match in_sight_or_store(ctx, Column::CustomerId, store)? {
        Some(seen) => Entity::find().filter(seen),
        None => Entity::find(),
    })
}

fn select(ctx: &Ctx, filter: &AnnouncementFilter) -> Result<Select<Entity>> {
    let mut select = seen(ctx)?;
    if let Some(customer) = filter.customer {
        select = select.filter(Column::CustomerId.eq(customer));
    }
    if let Some(store) = filter.store {
        select = select.filter(Column::StoreId.eq(store));
    }
    if let Some(staff) = filter.attended_by {
        select = select.filter(Column::AttendedById.eq(staff));
    }
    if let Some(from) = filter.from {
        select = select.filter(Column::ExpectedAt.gte(from));
    }
    if let Some(until) = filter.until {
        select = select.filter(Column::ExpectedAt.lt(until));
    }
    let state = |state: AnnouncedVisitState| Column::State.eq(state);
    Ok(match filter.standing {
        None => select,
        Some(Standing::Arrived) => select.filter(state(AnnouncedVisitState::Arrived)),
        Some(Standing::Cancelled) => select.filter(state(AnnouncedVisitState::Cancelled)),
        Some(Standing::Expected) => select
            .filter(state(AnnouncedVisitState::Announced))
            .filter(Column::DayUntil.gt(ctx.now())),
        Some(Standing::Missed) => select
            .filter(state(AnnouncedVisitState::Announced))
            .filter(Column::DayUntil.lte(ctx.now())),
    })
}

/// A page of announced visits by the time at which they are expected.
///
/// # Errors
/// As [`crate::access::Viewer::require`]; those of the database.
pub async fn page(
    ctx: &Ctx,
    filter: &AnnouncementFilter,
    sort: Sort,
    page: &PageRequest,
) -> Result<Page<Model>> {
    let keyset = Keyset::new(
        Expr::col((Entity, Column::ExpectedAt)),
        Expr::col((Entity, Column::Id)),
        sort,
    );
    keyset.page(ctx.db.read(), select(ctx, filter)?, page).await
}

/// How many announced visits there are.
///
/// # Errors
/// As [`page`].
pub async fn count(ctx: &Ctx, filter: &AnnouncementFilter) -> Result<u64> {
    Ok(select(ctx, filter)?.count(ctx.db.read()).await?)
}

/// Announced visits by id.
///
/// # Errors
/// As [`page`].
pub async fn by_ids(ctx: &Ctx, ids: &[AnnouncedVisitId]) -> Result<Vec<Model>> {
    Ok(seen(ctx)?
        .filter(among(ctx.db.engine(), Column::Id, ids.iter().copied()))
        .all(ctx.db.read())
        .await?)
}

/// The announced visits of customers for the day that it is, or ahead: those who are expected or have come, the earliest
/// first.
///
/// # Errors
/// As [`page`].
pub async fn ahead_of(ctx: &Ctx, customers: &[CustomerId]) -> Result<Vec<Model>> {
    Ok(seen(ctx)?
        .filter(among(
            ctx.db.engine(),
            Column::CustomerId,
            customers.iter().copied(),
        ))
        .filter(Column::DayUntil.gt(ctx.now()))
        .filter(Column::State.ne(AnnouncedVisitState::Cancelled))
        .order_by_asc(Column::ExpectedAt)
        .order_by_asc(Column::Id)
        .all(ctx.db.read())
        .await?)
}

//! Lists of arrivals and of announced visits.

use super::arrival::{AnnouncedVisit, AnnouncedVisitState, Arrival};
use crate::access::Ctx;
use crate::db::Sort;
use crate::domain::visits::arrivals::{self, ArrivalFilter};
use crate::domain::visits::expected::{self, AnnouncementFilter};
use crate::error::{Error, Result};
use crate::graphql::ids::GlobalKey;
use crate::graphql::page::{List, PageArgs, connection};
use crate::graphql::scalars::{Date, DateTime};
use crate::graphql::sort::OrderDirection;
use async_graphql::{Enum, ID, InputObject};
use entity::values::CursorValue;

connection!(
    ArrivalConnection,
    ArrivalEdge,
    Arrival,
    ArrivalTotal,
    "A list of customers who are here, or were.",
    "An arrival in a list."
);

connection!(
    AnnouncedVisitConnection,
    AnnouncedVisitEdge,
    AnnouncedVisit,
    AnnouncedVisitTotal,
    "A list of visits that were announced before.",
    "An announced visit in a list."
);

/// What counts the arrivals of a list.
#[derive(Clone, Debug)]
pub struct ArrivalTotal(ArrivalFilter);

impl ArrivalTotal {
    async fn count(&self, ctx: &Ctx) -> Result<u64> {
        arrivals::count(ctx, &self.0).await
    }
}

/// What counts the announced visits of a list.
#[derive(Clone, Debug)]
pub struct AnnouncedVisitTotal(AnnouncementFilter);

impl AnnouncedVisitTotal {
    async fn count(&self, ctx: &Ctx) -> Result<u64> {
        expected::count(ctx, &self.0).await
    }
}

/// Which arrivals; every condition given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct ArrivalFilterInput {
    /// Of this customer.
    pub customer_id: Option<ID>,
    /// In this store.
    pub store_id: Option<ID>,
    /// On this business day of the store.
    pub on: Option<Date>,
    /// True: only those of whom a visit was recorded; false: only those who are still to be recorded.
    pub recorded: Option<bool>,
}

/// By what arrivals are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ArrivalOrderField {
    /// By their time.
    At,
}

/// How arrivals are ordered.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct ArrivalOrderInput {
    /// By what.
    pub field: ArrivalOrderField,
    /// Which way.
    pub direction: OrderDirection,
}

/// Which announced visits; every condition given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct AnnouncedVisitFilterInput {
    /// Of this customer.
    pub customer_id: Option<ID>,
    /// In this store.
    pub store_id: Option<ID>,
    /// Attended to by this member of staff.
    pub attended_by_id: Option<ID>,
    /// How they stand now.
    pub state: Option<AnnouncedVisitState>,
    /// Expected at this moment or later.
    pub from: Option<DateTime>,
    /// Expected before this moment.
    pub until: Option<DateTime>,
}

/// By what announced visits are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum AnnouncedVisitOrderField {
    /// By the time at which they are expected.
    ExpectedAt,
}

/// How announced visits are ordered.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct AnnouncedVisitOrderInput {
    /// By what.
    pub field: AnnouncedVisitOrderField,
    /// Which way.
    pub direction: OrderDirection,
}

/// The key of an id in a filter; `None` when it is one of nothing, so that nothing can match.
fn key<K: GlobalKey>(id: Option<&ID>) -> Result<Option<K>> {
    let nowhere = || Error::BadRequest("the filter names something that does not exist".into());
    id.map(|id| K::parse(id).ok_or_else(nowhere)).transpose()
}

/// The list of arrivals in sight.
pub(super) async fn arrivals(
    ctx: &Ctx,
    filter: Option<ArrivalFilterInput>,
    order: Option<ArrivalOrderInput>,
    args: &PageArgs,
) -> Result<ArrivalConnection> {
    let filter = filter.unwrap_or_default();
    let filter = ArrivalFilter {
        customer: key(filter.customer_id.as_ref())?,
        store: key(filter.store_id.as_ref())?,
        on: filter.on.map(|day| day.0),
        recorded: filter.recorded,
    };
    let sort = order.map_or(Sort::Descending, |order| order.direction.into());
    let list = list(ctx, "arrivals", &filter, sort)?;
    let page = arrivals::page(ctx, &filter, sort, &list.page(args)?).await?;
    ArrivalConnection::new(page.map(Arrival), ArrivalTotal(filter), |arrival| {
        list.cursor(CursorValue::Timestamp(arrival.0.at), arrival.0.id)
    })
}

/// The list of announced visits in sight.
pub(super) async fn announced(
    ctx: &Ctx,
    filter: Option<AnnouncedVisitFilterInput>,
    order: Option<AnnouncedVisitOrderInput>,
    args: &PageArgs,
) -> Result<AnnouncedVisitConnection> {
    let filter = filter.unwrap_or_default();
    let filter = AnnouncementFilter {
        customer: key(filter.customer_id.as_ref())?,
        store: key(filter.store_id.as_ref())?,
        attended_by: key(filter.attended_by_id.as_ref())?,
        standing: filter.state.map(Into::into),
        from: filter.from.map(|at| at.0),
        until: filter.until.map(|at| at.0),
    };
    let sort = order.map_or(Sort::Ascending, |order| order.direction.into());
    let list = list(ctx, "announcedVisits", &filter, sort)?;
    let page = expected::page(ctx, &filter, sort, &list.page(args)?).await?;
    AnnouncedVisitConnection::new(
        page.map(AnnouncedVisit),
        AnnouncedVisitTotal(filter),
        |visit| list.cursor(CursorValue::Timestamp(visit.0.expected_at), visit.0.id),
    )
}

fn list<'a>(
    ctx: &'a Ctx,
    name: &str,
    filter: &impl serde::Serialize,
    sort: Sort,
) -> Result<List<'a>> {
    let filter = serde_json::to_string(filter)
        .map_err(|error| Error::internal(format!("filter: {error}")))?;
    let order = if sort == Sort::Ascending { "at" } else { "-at" };
    Ok(List::new(ctx, name, &[&filter, order]))
}

//! `A customer is here`: what the shop is told the moment somebody walks in (rule V5), before it is known what comes of it.
//!
//! Called by the API. An arrival shows the customer to the staff of the store until its day ends (rule R1), takes up the
//! announcement with which they came, and is taken up itself by the visit that is recorded of it ([`Came`]). Told again
//! before that visit is recorded, it is the same arrival.

use super::expected;
use super::lookup::in_sight_or_store;
use super::who::{Who, find_customer, find_store, lock_whoever};
use crate::access::{Action, Ctx, audit, sight};
use crate::db::{Batch, Keyset, Page, PageRequest, Sort, Sql, Table, among};
use crate::error::{Error, Result};
use crate::events::{self, NewEvent};
use chrono::NaiveDate;
use entity::arrival::{Column, Entity, Model};
use entity::enums::VisitChannel;
use entity::ids::{AnnouncedVisitId, ArrivalId, CustomerId, StoreId, VisitId};
use entity::values::{TimeZone, business_date};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Select,
};
use serde_json::json;

/// Who is here.
#[derive(Clone, Debug)]
pub struct NewArrival {
    /// Who came.
    pub who: Who,
    /// To which store; the viewer's only store when absent.
    pub store: Option<StoreId>,
}

static ARRIVALS: Table = Table {
    name: "arrival",
    columns: &[
        ("id", "uuid"),
        ("customer_id", "uuid"),
        ("store_id", "uuid"),
        ("at", "timestamptz"),
        ("business_date", "date"),
        ("received_by_id", "uuid"),
        ("announced_visit_id", "uuid"),
        ("visit_id", "uuid"),
    ],
    conflict: "",
};

fn row(arrival: &Model) -> Vec<sea_orm::Value> {
    vec![
        arrival.id.into(),
        arrival.customer_id.into(),
        arrival.store_id.into(),
        arrival.at.into(),
        arrival.business_date.into(),
        arrival.received_by_id.map(uuid::Uuid::from).into(),
        arrival.announced_visit_id.map(uuid::Uuid::from).into(),
        arrival.visit_id.map(uuid::Uuid::from).into(),
    ]
}

/// Says that a customer is here.
///
/// # Errors
/// User errors for a customer, a card or a store that is not there for the viewer; those of the policy and the database.
pub async fn arrive(ctx: &Ctx, new: &NewArrival) -> Result<Model> {
    ctx.require(Action::VisitRecord)?;
    let store = find_store(ctx, new.store).await?;
    let zone = TimeZone::parse(&store.time_zone)
        .map_err(|error| Error::internal(format!("store's time zone {error}")))?;
    let (customer, shown) = find_customer(ctx, &new.who).await?;
    let today = business_date::business_date(ctx.now(), zone);
    ctx.db
        .write_for(&[customer], |tx| async move {
            let customer = lock_whoever(&*tx, ctx, customer, shown).await?;
            let open = Entity::find()
                .filter(Column::CustomerId.eq(customer))
                .filter(Column::StoreId.eq(store.id))
                .filter(Column::BusinessDate.eq(today))
                .filter(Column::VisitId.is_null())
                .order_by_desc(Column::At);
            if let Some(known) = open.one(&*tx).await? {
                return Ok(known);
            }
            let announced = expected::expected_now(&*tx, ctx, customer, store.id).await?;
            let arrival = Model {
                id: ArrivalId::new(),
                customer_id: customer,
                store_id: store.id,
                at: ctx.now(),
                business_date: today,
                received_by_id: ctx.viewer.staff_id(),
                announced_visit_id: announced,
                visit_id: None,
            };
            let mut batch = Batch::new();
            batch.insert(&ARRIVALS, [row(&arrival)]);
            let tomorrow = today.succ_opt().unwrap_or(today);
            let midnight = business_date::local_midnight(zone, tomorrow);
            sight::gather(&mut batch, customer, store.id, "arrived", midnight);
            let detail = json!({ "arrival": arrival.id, "announcedVisit": announced });
            let entry = audit::Entry::new(ctx, "customer.arrive")
                .about([customer])
                .detail(json!({ "arrival": arrival.id, "store": store.id }));
            audit::gather(&mut batch, &[entry]);
            let event = NewEvent {
                kind: "customer.arrived",
                customer: Some(customer),
                store: Some(store.id),
                subject: customer.into(),
                payload: detail,
            };
            events::gather(&mut batch, ctx, vec![event]);
            batch.write(&*tx).await?;
            if let Some(announced) = announced {
                expected::has_come(&*tx, announced).await?;
            }
            Ok(arrival)
        })
        .await
}

/// What was known of a customer's coming when their visit is recorded: the arrival that was told, or else the
/// announcement with which they are expected.
#[derive(Clone, Copy, Debug, Default)]
pub struct Came {
    arrival: Option<ArrivalId>,
    announced: Option<AnnouncedVisitId>,
}

impl Came {
    /// Reads it, by one statement, under the customer's lock; nothing for whoever did not come into the store.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) async fn read(
        tx: &impl ConnectionTrait,
        ctx: &Ctx,
        visit: &super::facts::VisitFacts,
    ) -> Result<Self> {
        if visit.channel != VisitChannel::InStore {
            return Ok(Self::default());
        }
        let mut sql = Sql::for_connection(tx);
        sql.push("select (select id from arrival where customer_id = ")
            .bind(visit.customer)
            .push(" and store_id = ")
            .bind(visit.store)
            .push(" and business_date = ")
            .bind(visit.business_date)
            .push(" and visit_id is null order by at limit 1) as arrival, (");
        expected::push_expected(&mut sql, ctx, visit.customer, visit.store);
        sql.push(") as announced");
        let Some(row) = tx.query_one_raw(sql.build()).await? else {
            return Ok(Self::default());
        };
        Ok(Self {
            arrival: row.try_get("", "arrival")?,
            announced: row.try_get("", "announced")?,
        })
    }

    /// Has it been told that they are here?
    pub(super) fn is_told(&self) -> bool {
        self.arrival.is_some()
    }

    /// Ties the visit that was recorded to the arrival; whoever was expected, and comes straight to the till, has arrived by
    /// it.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) async fn tie(
        self,
        tx: &impl ConnectionTrait,
        ctx: &Ctx,
        facts: &super::facts::VisitFacts,
        visit: VisitId,
    ) -> Result<()> {
        if let Some(arrival) = self.arrival {
            let mut sql = Sql::for_connection(tx);
            sql.push("update arrival set visit_id = ")
                .bind(visit)
                .push(" where id = ")
                .bind(arrival);
            tx.execute_raw(sql.build()).await?;
        } else if let Some(announced) = self.announced {
            let arrival = Model {
                id: ArrivalId::new(),
                customer_id: facts.customer,
                store_id: facts.store,
                at: facts.at,
                business_date: facts.business_date,
                received_by_id: ctx.viewer.staff_id(),
                announced_visit_id: Some(announced),
                visit_id: Some(visit),
            };
            let mut batch = Batch::new();
            batch.insert(&ARRIVALS, [row(&arrival)]);
            batch.write(tx).await?;
            expected::has_come(tx, announced).await?;
        }
        Ok(())
    }
}

/// Which arrivals.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct ArrivalFilter {
    /// Of this customer.
    pub customer: Option<CustomerId>,
    /// In this store.
    pub store: Option<StoreId>,
    /// On this business day.
    pub on: Option<NaiveDate>,
    /// Only those of whom a visit was recorded already, or only the others.
    pub recorded: Option<bool>,
}

/// Arrivals that the viewer sees: of customers in sight, and in the stores that they run.
fn seen(ctx: &Ctx) -> Result<Select<Entity>> {
    let store = Expr::col((Entity, Column::StoreId));
    Ok(match in_sight_or_store(ctx, Column::CustomerId, store)? {
        Some(seen) => Entity::find().filter(seen),
        None => Entity::find(),
    })
}

fn select(ctx: &Ctx, filter: &ArrivalFilter) -> Result<Select<Entity>> {
    let mut select = seen(ctx)?;
    if let Some(customer) = filter.customer {
        select = select.filter(Column::CustomerId.eq(customer));
    }
    if let Some(store) = filter.store {
        select = select.filter(Column::StoreId.eq(store));
    }
    if let Some(day) = filter.on {
        select = select.filter(Column::BusinessDate.eq(day));
        // Days lie within these moments in every zone, and moments are what the index is ordered by.
        let midnight = day.and_time(chrono::NaiveTime::MIN).and_utc();
        select = select
            .filter(Column::At.gte(midnight - chrono::TimeDelta::hours(15)))
            .filter(Column::At.lt(midnight + chrono::TimeDelta::hours(39)));
    }
    Ok(match filter.recorded {
        Some(true) => select.filter(Column::VisitId.is_not_null()),
        Some(false) => select.filter(Column::VisitId.is_null()),
        None => select,
    })
}

/// A page of arrivals by their time.
///
/// # Errors
/// As [`crate::access::Viewer::require`]; those of the database.
pub async fn page(
    ctx: &Ctx,
    filter: &ArrivalFilter,
    sort: Sort,
    page: &PageRequest,
) -> Result<Page<Model>> {
    let keyset = Keyset::new(
        Expr::col((Entity, Column::At)),
        Expr::col((Entity, Column::Id)),
        sort,
    );
    keyset.page(ctx.db.read(), select(ctx, filter)?, page).await
}

/// How many arrivals there are.
///
/// # Errors
/// As [`page`].
pub async fn count(ctx: &Ctx, filter: &ArrivalFilter) -> Result<u64> {
    Ok(select(ctx, filter)?.count(ctx.db.read()).await?)
}

/// Arrivals by id.
///
/// # Errors
/// As [`page`].
pub async fn by_ids(ctx: &Ctx, ids: &[ArrivalId]) -> Result<Vec<Model>> {
    Ok(seen(ctx)?
        .filter(among(ctx.db.engine(), Column::Id, ids.iter().copied()))
        .all(ctx.db.read())
        .await?)
}

/// The arrivals with which visits or announcements are tied; `column` says which.
///
/// # Errors
/// As [`page`].
pub async fn tied(
    ctx: &Ctx,
    column: Column,
    ids: impl IntoIterator<Item = uuid::Uuid>,
) -> Result<Vec<Model>> {
    Ok(seen(ctx)?
        .filter(among(ctx.db.engine(), column, ids))
        .order_by_asc(Column::At)
        .all(ctx.db.read())
        .await?)
}

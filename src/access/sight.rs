//! Rows in sight: the start of every read of customers and of what hangs on them.
//!
//! A condition made here is the first thing a query has; what it leaves out looks as if it did not exist.
//! What somebody sees beyond role and store (a customer who has arrived today, an open task) is a row of the
//! table `sight`, written by higher topics through [`grant`], so that this room need not know them.

use super::{Action, Ctx, Place, Viewer};
use crate::db::{Batch, Engine, Sql, Table, among};
use crate::error::{Error, Result};
use chrono::{DateTime, Utc};
use entity::ids::{CustomerId, RegionId, StaffId, StoreId};
use entity::{customer, sight, store};
use sea_orm::sea_query::{Expr, ExprTrait, IntoCondition, LockType, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

/// The stores and regions in which the viewer may do something, or the whole company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Everywhere.
    Company,
    /// Only in these.
    Places {
        /// All stores of these regions.
        regions: Vec<RegionId>,
        /// These stores.
        stores: Vec<StoreId>,
    },
}

impl Reach {
    /// Where the viewer may do this.
    pub fn of(viewer: &Viewer, action: Action) -> Self {
        if matches!(viewer, Viewer::System) {
            return Self::Company;
        }
        let (mut regions, mut stores) = (Vec::new(), Vec::new());
        for place in viewer.places(action) {
            match place {
                Place::Company => return Self::Company,
                Place::Region(id) => regions.push(id),
                Place::Store(id) => stores.push(id),
            }
        }
        Self::Places { regions, stores }
    }

    /// The condition that a store's id, given as an expression, lies in this reach.
    pub fn covers(&self, store_id: impl Into<Expr>) -> Condition {
        let store_id: Expr = store_id.into();
        match self {
            Self::Company => Condition::all(),
            Self::Places { regions, stores } => {
                let mut any = Condition::any();
                if !stores.is_empty() {
                    any = any.add(store_id.clone().is_in(stores.iter().map(|id| id.0)));
                }
                if !regions.is_empty() {
                    any = any.add(store_id.in_subquery(stores_of(regions)));
                }
                if any.is_empty() { nothing() } else { any }
            }
        }
    }
}

fn stores_of(regions: &[RegionId]) -> SelectStatement {
    Query::select()
        .column(store::Column::Id)
        .from(store::Entity)
        .and_where(store::Column::RegionId.is_in(regions.iter().map(|id| id.0)))
        .to_owned()
}

/// A condition that no row meets.
fn nothing() -> Condition {
    Expr::cust("1 = 0").into_condition()
}

/// The customers that the viewer sees under `action`: those whose home store is in reach, and those whom the
/// table `sight` shows to the viewer or to one of their stores right now. A file that was merged into another one or
/// erased is seen by nobody.
///
/// # Errors
/// As [`Viewer::require`].
pub fn customers(ctx: &Ctx, action: Action) -> Result<Condition> {
    Ok(in_use().add(in_reach(ctx, action)?))
}

/// The condition that a customer's file is one: neither merged into another nor erased.
fn in_use() -> Condition {
    Condition::all()
        .add(customer::Column::MergedIntoId.is_null())
        .add(customer::Column::ErasedAt.is_null())
}

/// As [`customers`], with files that were merged into another one or erased: for undoing a merge, and for erasing what
/// is erased already.
///
/// # Errors
/// As [`Viewer::require`].
pub fn in_reach(ctx: &Ctx, action: Action) -> Result<Condition> {
    ctx.viewer.require(action)?;
    let reach = Reach::of(&ctx.viewer, action);
    if reach == Reach::Company {
        return Ok(Condition::all());
    }
    let mut any = Condition::any()
        .add(reach.covers(Expr::col((customer::Entity, customer::Column::HomeStoreId))))
        .add(shown_to(ctx, &reach));
    if let Some(staff) = ctx.viewer.staff_id() {
        any = any.add(customer::Column::KeeperId.eq(staff.0));
    }
    Ok(any)
}

/// Stores of somebody for whom a page is read store by store (see [`branches`]).
const FEW_STORES: usize = 8;

/// The same rows as [`customers`], as conditions that one index each answers, for somebody who works in a few
/// stores: a list that asks for them one by one, each in its order and cut to the page, need not walk through
/// the customers of all other stores. The conditions may overlap. `None` where [`customers`] does as well.
///
/// # Errors
/// As [`Viewer::require`].
pub fn branches(ctx: &Ctx, action: Action) -> Result<Option<Vec<Condition>>> {
    ctx.viewer.require(action)?;
    let reach = Reach::of(&ctx.viewer, action);
    let Reach::Places { regions, stores } = &reach else {
        return Ok(None);
    };
    if !regions.is_empty() || stores.len() > FEW_STORES {
        return Ok(None);
    }
    let mut branches: Vec<Condition> = stores
        .iter()
        .map(|id| customer::Column::HomeStoreId.eq(id.0).into_condition())
        .collect();
    branches.push(shown_to(ctx, &reach));
    if let Some(staff) = ctx.viewer.staff_id() {
        branches.push(customer::Column::KeeperId.eq(staff.0).into_condition());
    }
    let in_use = |branch| in_use().add(branch);
    Ok(Some(branches.into_iter().map(in_use).collect()))
}

/// Those whom the table `sight` shows to the viewer or to one of their stores right now.
fn shown_to(ctx: &Ctx, reach: &Reach) -> Condition {
    let scope = || Expr::col((sight::Entity, sight::Column::ScopeId));
    let scopes = Condition::any()
        .add(reach.covers(scope()))
        .add_option(ctx.viewer.actor_id().map(|id| scope().eq(id)));
    let shown = Query::select()
        .column(sight::Column::CustomerId)
        .from(sight::Entity)
        .cond_where(scopes)
        .and_where(sight::Column::Until.gt(ctx.now()))
        .to_owned();
    Expr::col((customer::Entity, customer::Column::Id))
        .in_subquery(shown)
        .into_condition()
}

/// The same as [`customers`], as a subquery of their ids: for tables that refer to customers.
///
/// `None` means all of them, so that no condition is needed: what hangs on a file that was merged away is the kept
/// customer's in all but name.
///
/// # Errors
/// As [`Viewer::require`].
pub fn customer_ids(ctx: &Ctx, action: Action) -> Result<Option<SelectStatement>> {
    let condition = customers(ctx, action)?;
    if Reach::of(&ctx.viewer, action) == Reach::Company {
        return Ok(None);
    }
    Ok(Some(
        Query::select()
            .column(customer::Column::Id)
            .from(customer::Entity)
            .cond_where(condition)
            .to_owned(),
    ))
}

/// The same as [`customers`], as a condition on a column that refers to a customer: for few rows beside another
/// condition, where [`customer_ids`] would have all customers in sight gathered first.
///
/// `None` means all of them, so that no condition is needed.
///
/// # Errors
/// As [`Viewer::require`].
pub fn refers_to_seen(
    ctx: &Ctx,
    action: Action,
    customer: impl ColumnTrait,
) -> Result<Option<Expr>> {
    let id = Expr::col((customer::Entity, customer::Column::Id));
    let column = Expr::col(customer.as_column_ref());
    Ok(customer_ids(ctx, action)?
        .map(|mut seen| Expr::exists(seen.and_where(id.eq(column)).to_owned())))
}

/// A customer's row as a writer locked it.
#[derive(Clone, Debug, FromQueryResult)]
pub struct LockedCustomer {
    /// Which one.
    pub id: CustomerId,
    /// Their home store.
    pub home_store_id: Option<StoreId>,
    /// Who keeps them.
    pub keeper_id: Option<StaffId>,
    /// When their file was put away.
    pub archived_at: Option<DateTime<Utc>>,
    /// The file's version.
    pub version: i64,
}

/// Locks customers against other writers until the transaction ends, in the order of their ids, and gives
/// those that the viewer sees under `action`.
///
/// # Errors
/// As [`Viewer::require`], and those of the database.
pub async fn lock_customers(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    action: Action,
    ids: impl IntoIterator<Item = CustomerId>,
) -> Result<Vec<LockedCustomer>> {
    let seen = customers(ctx, action)?;
    Ok(customer::Entity::find()
        .select_only()
        .columns([
            customer::Column::Id,
            customer::Column::HomeStoreId,
            customer::Column::KeeperId,
            customer::Column::ArchivedAt,
            customer::Column::Version,
        ])
        .filter(among(Engine::of(tx), customer::Column::Id, ids))
        .filter(seen)
        .order_by_asc(customer::Column::Id)
        // Weaker than `for update`, so that rows that merely refer to the customer need not wait.
        .lock(LockType::NoKeyUpdate)
        .into_model()
        .all(tx)
        .await?)
}

/// Locks one customer; see [`lock_customers`]. Out of sight and not there look the same.
///
/// # Errors
/// A user error at `field` when the viewer sees no such customer; as [`lock_customers`].
pub async fn lock_customer(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    action: Action,
    id: CustomerId,
    field: &str,
) -> Result<LockedCustomer> {
    let found = lock_customers(tx, ctx, action, [id]).await?;
    found
        .into_iter()
        .next()
        .ok_or_else(|| Error::not_found(field, "customer"))
}

/// Locks a customer who shows their card, whether the viewer sees them or not: for writing down that they
/// have come, never for reading. False when their file was merged into another one meanwhile, or erased.
///
/// # Errors
/// Those of the database.
pub async fn lock_shown(tx: &impl ConnectionTrait, id: CustomerId) -> Result<bool> {
    let mut sql = Sql::for_connection(tx);
    sql.push("select 1 as here from customer where id = ")
        .bind(id)
        .push(" and merged_into_id is null and erased_at is null")
        .postgres(" for no key update");
    Ok(tx.query_one_raw(sql.build()).await?.is_some())
}

/// Locks customers whom an import names, in the order of their ids; gives those who may be booked on. One who was
/// erased is among them: their sums go on, nameless. One who was merged away is not.
///
/// # Errors
/// Those of the database.
pub async fn lock_named(
    tx: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = CustomerId>,
) -> Result<Vec<CustomerId>> {
    Ok(customer::Entity::find()
        .select_only()
        .column(customer::Column::Id)
        .filter(among(Engine::of(tx), customer::Column::Id, ids))
        .filter(customer::Column::MergedIntoId.is_null())
        .order_by_asc(customer::Column::Id)
        .lock(LockType::NoKeyUpdate)
        .into_tuple()
        .all(tx)
        .await?)
}

static SHOWN: Table = Table {
    name: "sight",
    columns: &[
        ("customer_id", "uuid"),
        ("scope_id", "uuid"),
        ("cause", "text"),
        ("until", "timestamptz"),
    ],
    conflict: "on conflict (customer_id, scope_id, cause) do update set until = excluded.until",
};

/// Shows a customer to a member of staff or to a store until a moment; given again, the later moment holds.
///
/// # Errors
/// Those of the database.
pub async fn grant(
    tx: &impl ConnectionTrait,
    customer_id: CustomerId,
    scope: impl Into<Uuid>,
    cause: &str,
    until: DateTime<Utc>,
) -> Result<()> {
    let mut batch = Batch::new();
    gather(&mut batch, customer_id, scope, cause, until);
    batch.write(tx).await
}

/// As [`grant`], for callers who write more in the same statement.
pub fn gather(
    batch: &mut Batch,
    customer_id: CustomerId,
    scope: impl Into<Uuid>,
    cause: &str,
    until: DateTime<Utc>,
) {
    let scope: Uuid = scope.into();
    batch.insert(
        &SHOWN,
        [vec![
            customer_id.into(),
            scope.into(),
            cause.into(),
            until.into(),
        ]],
    );
}

/// Shows a customer to nobody any more for this cause.
///
/// # Errors
/// Those of the database.
pub async fn withdraw(
    tx: &impl ConnectionTrait,
    customer_id: CustomerId,
    cause: &str,
) -> Result<()> {
    let mut sql = Sql::for_connection(tx);
    sql.push("delete from sight where customer_id = ")
        .bind(customer_id)
        .push(" and cause = ")
        .bind(cause);
    tx.execute_raw(sql.build()).await?;
    Ok(())
}

/// Forgets what is shown to nobody any more; gives how many rows.
///
/// # Errors
/// Those of the database.
pub async fn forget(tx: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<u64> {
    let mut sql = Sql::for_connection(tx);
    sql.push("delete from sight where until <= ").bind(now);
    Ok(tx.execute_raw(sql.build()).await?.rows_affected())
}

//! Rows in sight: the start of every read of customers and of what hangs on them.
//!
//! A condition made here is the first thing a query has; what it leaves out looks as if it did not exist.
//! What somebody sees beyond role and store (a customer who has arrived today, an open task) is a row of the
//! table `sight`, written by higher topics through [`grant`], so that this room need not know them.

pub use super::locks::{LockedCustomer, lock_customer, lock_customers, lock_named, lock_shown};
pub use super::reach::Reach;
use super::seen::Scope;
use super::{Action, Ctx, Viewer};
use crate::db::{Batch, Engine, Sql, Table, among};
use crate::error::Result;
use chrono::{DateTime, Utc};
use entity::ids::{CustomerId, StaffId, StoreId};
use entity::{customer, sight};
use sea_orm::sea_query::{Expr, ExprTrait, IntoCondition, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use std::collections::HashSet;
use uuid::Uuid;

/// The customers that the viewer sees under `action`: those whose home store is in reach, and those whom the
/// table `sight` shows to the viewer or to one of their stores right now. A file that was merged into another one or
/// erased is seen by nobody. The table is for people: a client sees customers by their home store alone, so that
/// whoever sets it up can tell from its places whom it will ever see.
///
/// # Errors
/// As [`super::Viewer::require`].
pub fn customers(ctx: &Ctx, action: Action) -> Result<Condition> {
    Ok(in_use().add(in_reach(ctx, action)?))
}

/// The condition that a customer's file is one: neither merged into another nor erased. Half of [`customers`]: rows that
/// were read by it alone go through [`keep`].
pub fn in_use() -> Condition {
    Condition::all()
        .add(customer::Column::MergedIntoId.is_null())
        .add(customer::Column::ErasedAt.is_null())
}

/// As [`customers`], with files that were merged into another one or erased: for undoing a merge, and for erasing what
/// is erased already.
///
/// # Errors
/// As [`super::Viewer::require`].
pub fn in_reach(ctx: &Ctx, action: Action) -> Result<Condition> {
    ctx.viewer.require(action)?;
    let reach = Reach::of(&ctx.viewer, action);
    if reach == Reach::Company {
        return Ok(Condition::all());
    }
    let mut any = Condition::any()
        .add(reach.covers(Expr::col((customer::Entity, customer::Column::HomeStoreId))))
        .add_option(shown_to(ctx, &reach));
    if let Some(staff) = ctx.viewer.staff_id() {
        any = any.add(customer::Column::KeeperId.eq(staff.0));
    }
    Ok(any)
}

/// What decides who sees a customer.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Which one.
    pub id: CustomerId,
    /// Their home store.
    pub home_store_id: Option<StoreId>,
    /// Who keeps them.
    pub keeper_id: Option<StaffId>,
}

/// A row that tells what decides who sees its customer.
pub trait Stands {
    /// What decides it.
    fn standing(&self) -> Standing;
}

fn scope(ctx: &Ctx, action: Action) -> Result<Scope> {
    ctx.viewer.require(action)?;
    Ok(Scope {
        reach: Reach::of(&ctx.viewer, action),
        actor: ctx.viewer.actor_id(),
    })
}

/// Of rows of customers [in use](in_use), read by whatever condition, those that the viewer sees under `action`; and
/// notes them as seen. Most are seen by what stands in the row; only about the others the database is asked, where
/// [`customers`] in the statement itself would have it think about all ways to be seen each time.
///
/// # Errors
/// As [`super::Viewer::require`], and those of the database.
pub async fn keep<R: Stands>(
    connection: &impl ConnectionTrait,
    ctx: &Ctx,
    action: Action,
    mut rows: Vec<R>,
) -> Result<Vec<R>> {
    let scope = scope(ctx, action)?;
    if scope.reach == Reach::Company {
        return Ok(rows);
    }
    let me = ctx.viewer.staff_id();
    let at_a_glance = |standing: &Standing| {
        standing
            .home_store_id
            .is_some_and(|store| scope.reach.has_store(store))
            || (me.is_some() && standing.keeper_id == me)
    };
    let others: Vec<CustomerId> = rows
        .iter()
        .map(Stands::standing)
        .filter(|standing| !at_a_glance(standing))
        .map(|standing| standing.id)
        .collect();
    if !others.is_empty() {
        let others = ctx.seen.unknown(&scope, &others);
        let seen = in_sight_of(connection, ctx, action, &others).await?;
        let unseen: HashSet<CustomerId> =
            others.into_iter().filter(|id| !seen.contains(id)).collect();
        rows.retain(|row| !unseen.contains(&row.standing().id));
    }
    ctx.seen
        .note(&scope, rows.iter().map(|row| row.standing().id));
    Ok(rows)
}

async fn in_sight_of(
    connection: &impl ConnectionTrait,
    ctx: &Ctx,
    action: Action,
    ids: &[CustomerId],
) -> Result<HashSet<CustomerId>> {
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let engine = Engine::of(connection);
    let seen: Vec<CustomerId> = customer::Entity::find()
        .select_only()
        .column(customer::Column::Id)
        .filter(among(engine, customer::Column::Id, ids.iter().copied()))
        .filter(in_reach(ctx, action)?)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(seen.into_iter().collect())
}

/// Of these customers, who must be in use, those that the viewer sees under `action`.
///
/// # Errors
/// As [`keep`].
pub async fn only_seen(
    ctx: &Ctx,
    action: Action,
    ids: &[CustomerId],
) -> Result<HashSet<CustomerId>> {
    let scope = scope(ctx, action)?;
    if scope.reach == Reach::Company {
        return Ok(ids.iter().copied().collect());
    }
    let unknown = ctx.seen.unknown(&scope, ids);
    let found = in_sight_of(ctx.db.read(), ctx, action, &unknown).await?;
    let is_seen = |id: &CustomerId| found.contains(id) || !unknown.contains(id);
    Ok(ids.iter().copied().filter(is_seen).collect())
}

/// Notes customers that were read by [`customers`] or [`branches`], for the same action, as seen.
///
/// # Errors
/// As [`super::Viewer::require`].
pub fn note(
    ctx: &Ctx,
    action: Action,
    customers: impl IntoIterator<Item = CustomerId>,
) -> Result<()> {
    ctx.seen.note(&scope(ctx, action)?, customers);
    Ok(())
}

/// The condition that a column refers to one of these customers, in sight: their ids alone where this query has found
/// all of them to be, and their ids beside [`customer_ids`] otherwise.
///
/// # Errors
/// As [`super::Viewer::require`].
pub fn of_seen(
    ctx: &Ctx,
    action: Action,
    column: impl ColumnTrait,
    ids: &[CustomerId],
) -> Result<Condition> {
    let listed = Condition::all().add(among(ctx.db.engine(), column, ids.iter().copied()));
    if ctx.seen.has_all(&scope(ctx, action)?, ids) {
        return Ok(listed);
    }
    let seen = customer_ids(ctx, action)?;
    let column = Expr::col(column.as_column_ref());
    Ok(listed.add_option(seen.map(|seen| column.in_subquery(seen))))
}

/// As [`of_seen`], for a statement written as text: adds the condition behind `where` or `and`.
///
/// # Errors
/// As [`super::Viewer::require`].
pub fn push_of_seen(
    sql: &mut Sql,
    ctx: &Ctx,
    action: Action,
    column: &str,
    ids: &[CustomerId],
) -> Result<()> {
    sql.push(column).bind_among(ids.iter().copied());
    if !ctx.seen.has_all(&scope(ctx, action)?, ids)
        && let Some(seen) = customer_ids(ctx, action)?
    {
        sql.push(" and ").push(column).push(" in ").subquery(&seen);
    }
    Ok(())
}

/// The condition on the table of customers that one is among these and in sight: as [`of_seen`], beside [`customers`].
///
/// # Errors
/// As [`super::Viewer::require`].
pub fn among_seen(ctx: &Ctx, action: Action, ids: &[CustomerId]) -> Result<Condition> {
    let engine = ctx.db.engine();
    let listed = among(engine, customer::Column::Id, ids.iter().copied());
    if ctx.seen.has_all(&scope(ctx, action)?, ids) {
        return Ok(Condition::all().add(listed));
    }
    Ok(customers(ctx, action)?.add(listed))
}

/// Stores of somebody for whom a page is read store by store (see [`branches`]).
const FEW_STORES: usize = 8;

/// The rows of [`customers`], as conditions that one index each answers. They may overlap.
pub struct Branches {
    /// Those of each of the viewer's stores.
    pub stores: Vec<Condition>,
    /// Those whom the viewer sees for another reason.
    pub others: Vec<Condition>,
}

/// The same rows as [`customers`] for somebody who works in a few stores: a list that asks for them branch by branch,
/// each in its order and cut to the page, need not walk through the customers of all other stores. `None` where
/// [`customers`] does as well.
///
/// # Errors
/// As [`super::Viewer::require`].
pub fn branches(ctx: &Ctx, action: Action) -> Result<Option<Branches>> {
    let Scope { reach, .. } = scope(ctx, action)?;
    let Reach::Places { regions, stores } = &reach else {
        return Ok(None);
    };
    // Of somebody without a store to whom nobody is shown there are no branches at all.
    let is_nowhere = stores.is_empty() && !is_shown(ctx);
    if !regions.is_empty() || stores.len() > FEW_STORES || is_nowhere {
        return Ok(None);
    }
    let in_use = |branch: Condition| in_use().add(branch);
    let keeper = ctx
        .viewer
        .staff_id()
        .map(|staff| customer::Column::KeeperId.eq(staff.0).into_condition());
    let home = |id: &StoreId| customer::Column::HomeStoreId.eq(id.0).into_condition();
    Ok(Some(Branches {
        stores: stores.iter().map(home).map(in_use).collect(),
        others: shown_to(ctx, &reach)
            .into_iter()
            .chain(keeper)
            .map(in_use)
            .collect(),
    }))
}

/// Does somebody who works in a few stores see customers of other stores, or of none, right now? If not, the branches of
/// their stores are all there is, which is so for most and much less to ask.
///
/// # Errors
/// As [`super::Viewer::require`], and those of the database.
pub async fn sees_others(ctx: &Ctx, action: Action) -> Result<bool> {
    let Scope { reach, actor } = scope(ctx, action)?;
    let Reach::Places { stores, .. } = reach else {
        return Ok(true);
    };
    if !is_shown(ctx) {
        return Ok(false);
    }
    let elsewhere = |sql: &mut Sql| {
        sql.push("(c.home_store_id is null");
        if !stores.is_empty() {
            sql.push(" or c.home_store_id not in ")
                .bind_list(stores.iter().map(|id| id.0));
        }
        sql.push(")");
    };
    let mut sql = ctx.db.sql();
    sql.push(
        "select 1 as one from sight s join customer c on c.id = s.customer_id where s.scope_id in ",
    )
    .bind_list(stores.iter().map(|id| id.0).chain(actor))
    .push(" and s.until > ")
    .bind(ctx.now())
    .push(" and ");
    elsewhere(&mut sql);
    if let Some(staff) = ctx.viewer.staff_id() {
        sql.push(" union all select 1 as one from customer c where c.keeper_id = ")
            .bind(staff)
            .push(" and ");
        elsewhere(&mut sql);
    }
    sql.push(" limit 1");
    Ok(ctx.db.read().query_one_raw(sql.build()).await?.is_some())
}

/// Is the table `sight` for this viewer?
fn is_shown(ctx: &Ctx) -> bool {
    !matches!(ctx.viewer, Viewer::Client(_))
}

/// Those whom the table `sight` shows to the viewer or to one of their stores right now; none for a client.
fn shown_to(ctx: &Ctx, reach: &Reach) -> Option<Condition> {
    if !is_shown(ctx) {
        return None;
    }
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
    let id = Expr::col((customer::Entity, customer::Column::Id));
    Some(id.in_subquery(shown).into_condition())
}

/// The same as [`customers`], as a subquery of their ids: for tables that refer to customers.
///
/// `None` means all of them, so that no condition is needed: what hangs on a file that was merged away is the kept
/// customer's in all but name.
///
/// # Errors
/// As [`super::Viewer::require`].
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
/// As [`super::Viewer::require`].
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

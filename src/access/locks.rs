//! Locking customers, whose rows writers queue for: before anything that hangs on them is read to be changed.

use super::sight::{self, Standing, Stands};
use super::{Action, Ctx};
use crate::db::{Engine, Sql, among};
use crate::error::{Error, Result};
use chrono::{DateTime, Utc};
use entity::customer;
use entity::ids::{CustomerId, StaffId, StoreId};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    QuerySelect,
};

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

impl Stands for LockedCustomer {
    fn standing(&self) -> Standing {
        Standing {
            id: self.id,
            home_store_id: self.home_store_id,
            keeper_id: self.keeper_id,
        }
    }
}

/// Locks customers against other writers until the transaction ends, in the order of their ids, and gives
/// those that the viewer sees under `action`.
///
/// # Errors
/// As [`super::Viewer::require`], and those of the database.
pub async fn lock_customers(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    action: Action,
    ids: impl IntoIterator<Item = CustomerId>,
) -> Result<Vec<LockedCustomer>> {
    ctx.require(action)?;
    let locked = customer::Entity::find()
        .select_only()
        .columns([
            customer::Column::Id,
            customer::Column::HomeStoreId,
            customer::Column::KeeperId,
            customer::Column::ArchivedAt,
            customer::Column::Version,
        ])
        .filter(among(Engine::of(tx), customer::Column::Id, ids))
        .filter(sight::in_use())
        .order_by_asc(customer::Column::Id)
        // Weaker than `for update`, so that rows that merely refer to the customer need not wait.
        .lock(LockType::NoKeyUpdate)
        .into_model()
        .all(tx)
        .await?;
    sight::keep(tx, ctx, action, locked).await
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

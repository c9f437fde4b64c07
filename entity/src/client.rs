//! A third-party program that signs in with a secret of its own: a storefront, a till, a connector.
use crate::ids::{ClientId, StaffId};
use sea_orm::entity::prelude::*;

/// A third-party program that signs in with a secret of its own: a storefront, a till, a connector.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "client")]
pub struct Model {
    /// The key, which is also its `client_id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ClientId,
    /// What people call it.
    pub name: String,
    /// What it may do: words with a space between them, as in its tokens.
    pub scopes: String,
    /// Points of cost that it gets back each second; none: as everybody.
    pub points_per_second: Option<i32>,
    /// Points of cost that it may have saved up; none: as everybody.
    pub bucket_points: Option<i32>,
    /// When it was switched off.
    pub disabled_at: Option<DateTimeUtc>,
    /// When it last got a token, to the hour.
    pub last_used_at: Option<DateTimeUtc>,
    /// Grows by one with every change; a stale one is refused.
    pub version: i64,
    /// Who made it.
    pub created_by: Option<StaffId>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was last changed.
    pub updated_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A store, real or on the web.
use crate::ids::{RegionId, StoreId};
use sea_orm::entity::prelude::*;

/// A store, real or on the web.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "store")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StoreId,
    /// The region it belongs to.
    pub region_id: RegionId,
    /// The company's own short name for it, unique; imports refer to it.
    pub code: String,
    /// The name.
    pub name: String,
    /// IANA zone; the store's business days are counted in it.
    pub time_zone: String,
    /// Weekly opening hours, see `values::OpeningHours`.
    pub opening_hours: Json,
    /// When it closed for good.
    pub archived_at: Option<DateTimeUtc>,
    /// Grows by one with every change; a stale one is refused.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was last changed.
    pub updated_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

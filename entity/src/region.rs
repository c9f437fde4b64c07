//! A region: stores under one manager.
use crate::ids::RegionId;
use sea_orm::entity::prelude::*;

/// A region: stores under one manager.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "region")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: RegionId,
    /// The company's own short name for it, unique.
    pub code: String,
    /// The name.
    pub name: String,
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

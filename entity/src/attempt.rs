//! Attempts counted over all nodes in a window of time.
use sea_orm::entity::prelude::*;

/// Attempts counted over all nodes in a window of time.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "attempt")]
pub struct Model {
    /// Hash of what is counted (an account, an address).
    #[sea_orm(primary_key, auto_increment = false)]
    pub bucket: Vec<u8>,
    /// When the window began.
    pub window_start: DateTimeUtc,
    /// When the row may be deleted.
    pub expires_at: DateTimeUtc,
    /// Attempts in the window.
    pub count: i32,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

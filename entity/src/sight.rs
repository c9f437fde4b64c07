//! What somebody sees beyond role and store: written by higher topics, read by every scope.
use crate::ids::CustomerId;
use sea_orm::entity::prelude::*;

/// What somebody sees beyond role and store: written by higher topics, read by every scope.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sight")]
pub struct Model {
    /// The customer who is seen.
    #[sea_orm(primary_key, auto_increment = false)]
    pub customer_id: CustomerId,
    /// By whom: a member of staff, or all staff of a store.
    #[sea_orm(primary_key, auto_increment = false)]
    pub scope_id: Uuid,
    /// Why: `arrived`, `task:...`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub cause: String,
    /// Until when.
    pub until: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

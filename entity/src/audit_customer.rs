//! The customers that an audit entry concerns.
use crate::ids::{AuditEntryId, CustomerId};
use sea_orm::entity::prelude::*;

/// The customers that an audit entry concerns.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_customer")]
pub struct Model {
    /// The customer.
    #[sea_orm(primary_key, auto_increment = false)]
    pub customer_id: CustomerId,
    /// The entry.
    #[sea_orm(primary_key, auto_increment = false)]
    pub entry_id: AuditEntryId,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

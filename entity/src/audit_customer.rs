//! The customers that an audit entry concerns.
use crate::ids::{AuditEntryId, CustomerId};
use sea_orm::entity::prelude::*;

/// The customers that an audit entry concerns.
#[sea_orm::model]
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

impl ActiveModelBehavior for ActiveModel {}

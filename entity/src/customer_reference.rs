//! What another system calls a customer.
use crate::ids::CustomerId;
use sea_orm::entity::prelude::*;

/// What another system calls a customer.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "customer_reference")]
pub struct Model {
    /// The system.
    #[sea_orm(primary_key, auto_increment = false)]
    pub source: String,
    /// Its name for the customer.
    #[sea_orm(primary_key, auto_increment = false)]
    pub external_id: String,
    /// The customer.
    pub customer_id: CustomerId,
    /// The version of the customer's file as that system's file of customers left it; none while only receipts have
    /// brought the customer.
    pub version: Option<i64>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

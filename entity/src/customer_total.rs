//! What a customer's visits add up to; written with every visit.
use crate::ids::CustomerId;
use sea_orm::entity::prelude::*;

/// What a customer's visits add up to; written with every visit.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "customer_total")]
pub struct Model {
    /// The customer.
    #[sea_orm(primary_key, auto_increment = false)]
    pub customer_id: CustomerId,
    /// Visits.
    pub visits: i64,
    /// Receipts.
    pub receipts: i64,
    /// Sum of amounts bought, in minor units.
    pub bought_minor: i64,
    /// Sum of amounts given back, in minor units, positive.
    pub returned_minor: i64,
    /// Business day of the first visit.
    pub first_visit_on: Option<Date>,
    /// Business day of the last visit.
    pub last_visit_on: Option<Date>,
    /// Time of the last visit.
    pub last_visit_at: Option<DateTimeUtc>,
    /// Business day on which something was last bought.
    pub last_purchase_on: Option<Date>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A day worth remembering in a customer's life (rule C5).
use crate::ids::{CustomerId, SpecialDayId};
use sea_orm::entity::prelude::*;

/// A day worth remembering in a customer's life (rule C5).
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "special_day")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SpecialDayId,
    /// Whose.
    pub customer_id: CustomerId,
    /// What it is: wedding day, spouse's birthday.
    pub label: String,
    /// Whose day, when not the customer's own.
    pub person: Option<String>,
    /// Text form of `values::BirthDate` or a yearless lunar date.
    pub date: String,
    /// How many days before to be reminded.
    pub remind_before_days: i32,
    /// When it was noted.
    pub created_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

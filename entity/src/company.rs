//! The company that this deployment serves: one row.
use crate::ids::CompanyId;
use sea_orm::entity::prelude::*;

/// The company that this deployment serves: one row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "company")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CompanyId,
    /// Always true: it keeps the row the only one.
    pub singleton: bool,
    /// The name shown to customers.
    pub name: String,
    /// ISO 4217 code in which the company keeps its books.
    pub currency: String,
    /// ISO 3166 code; phone numbers without a country code are read as this country's.
    pub country: String,
    /// BCP 47 tag whose order of names is used.
    pub locale: String,
    /// IANA zone of headquarters.
    pub time_zone: String,
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

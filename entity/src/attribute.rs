//! An attribute that the shop defines for its customers (rule C4).
use crate::enums::AttributeKind;
use crate::ids::AttributeId;
use sea_orm::entity::prelude::*;

/// An attribute that the shop defines for its customers (rule C4).
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "attribute")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AttributeId,
    /// What programs call it, unique and for good: `risk_preference`.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// What it is for, and how it is found out.
    pub description: Option<String>,
    /// What its values are.
    pub kind: AttributeKind,
    /// What can be chosen, in order: keys with names; empty for other kinds.
    pub choices: Json,
    /// What its numbers count, such as `cm`.
    pub unit: Option<String>,
    /// The smallest number or the first day that is taken, as values are kept.
    pub minimum: Option<String>,
    /// The largest number or the last day that is taken, as values are kept.
    pub maximum: Option<String>,
    /// When it was put away.
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

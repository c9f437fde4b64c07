//! What an attribute says of a customer, by one of the ways in which it may be known.
use crate::enums::TasteProvenance;
use crate::ids::{AttributeId, CustomerAttributeId, CustomerId, StaffId};
use sea_orm::entity::prelude::*;

/// What an attribute says of a customer, by one of the ways in which it may be known.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "customer_attribute")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CustomerAttributeId,
    /// Whose.
    pub customer_id: CustomerId,
    /// Which attribute.
    pub attribute_id: AttributeId,
    /// Where it is known from.
    pub provenance: TasteProvenance,
    /// The value as text, each value in one way only: `12.5`, `2026-03-01`, a choice's key, several between commas.
    pub value: String,
    /// For what has an order: the number in millionths or whole, the days since 1970.
    pub number: Option<i64>,
    /// Who noted it.
    pub noted_by: Option<StaffId>,
    /// When it was noted, or last confirmed.
    pub noted_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

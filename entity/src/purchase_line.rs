//! A line of a receipt, bought or given back.
use crate::ids::{PurchaseId, PurchaseLineId};
use sea_orm::entity::prelude::*;

/// A line of a receipt, bought or given back.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "purchase_line")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PurchaseLineId,
    /// The receipt.
    pub purchase_id: PurchaseId,
    /// Its place on it, from 1.
    pub line: i32,
    /// The product's number.
    pub sku: Option<String>,
    /// The product's name.
    pub name: Option<String>,
    /// Its category.
    pub category: Option<String>,
    /// Its brand.
    pub brand: Option<String>,
    /// Thousandths; negative when given back.
    pub quantity_milli: i64,
    /// List price of one, in minor units.
    pub list_price_minor: Option<i64>,
    /// What was paid for the line; negative when given back.
    pub amount_minor: i64,
    /// What one cost the shop.
    pub unit_cost_minor: Option<i64>,
    /// Why less than the list price was paid.
    pub discount_reason: Option<String>,
    /// The line that it undoes.
    pub returns_line_id: Option<PurchaseLineId>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

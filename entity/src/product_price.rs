//! A list price of a product, from a moment on.
use crate::ids::{ProductId, ProductPriceId, StaffId};
use sea_orm::entity::prelude::*;

/// A list price of a product, from a moment on: until then the one before it holds.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "product_price")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProductPriceId,
    /// Of which product.
    pub product_id: ProductId,
    /// The price of one, in minor units.
    pub list_price_minor: i64,
    /// From when on.
    pub valid_from: DateTimeUtc,
    /// Who set it.
    pub set_by: Option<StaffId>,
    /// When they did.
    pub set_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

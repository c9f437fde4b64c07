//! Something that is sold. What it costs the customer stands in `product_price`, with its history.
use crate::ids::{CategoryId, ProductId};
use sea_orm::entity::prelude::*;

/// Something that is sold.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "product")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProductId,
    /// The stock keeping unit, unique: what lines of receipts name.
    pub sku: String,
    /// The name, see `values::LocalizedText`.
    pub names: Json,
    /// Collation key of the name in the company's own language.
    pub name_key: Vec<u8>,
    /// Its category.
    pub category_id: Option<CategoryId>,
    /// Who makes it.
    pub brand: Option<String>,
    /// The maker's series or collection.
    pub series: Option<String>,
    /// In normal form, see `values::Barcode`; unique.
    pub barcode: Option<String>,
    /// What one costs the shop, in minor units.
    pub unit_cost_minor: Option<i64>,
    /// The first day on which it is sold.
    pub introduced_on: Option<Date>,
    /// Sold to members only.
    pub member_only: bool,
    /// May the discount of a tier be taken off?
    pub discountable: bool,
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

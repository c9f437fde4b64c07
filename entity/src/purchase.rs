//! A purchase: one receipt (rule V2).
use crate::ids::{CustomerId, PurchaseId, VisitId};
use sea_orm::entity::prelude::*;

/// A purchase: one receipt (rule V2).
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "purchase")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PurchaseId,
    /// The visit it belongs to.
    pub visit_id: VisitId,
    /// Who bought.
    pub customer_id: CustomerId,
    /// The system that numbers its receipts.
    pub source: String,
    /// Its number there.
    pub receipt_number: String,
    /// SHA-256 of what the receipt says: the same number with other content is a conflict.
    pub content_hash: Vec<u8>,
    /// Sum of the lines bought, in minor units.
    pub bought_minor: i64,
    /// Sum of the lines given back, in minor units, positive.
    pub returned_minor: i64,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

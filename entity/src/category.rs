//! A category of products, in a tree.
use crate::ids::CategoryId;
use sea_orm::entity::prelude::*;

/// A category of products, in a tree.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "category")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CategoryId,
    /// The category that it is a part of; none at the top.
    pub parent_id: Option<CategoryId>,
    /// The company's own short name for it, unique; imports refer to it.
    pub code: String,
    /// The name, see `values::LocalizedText`.
    pub names: Json,
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

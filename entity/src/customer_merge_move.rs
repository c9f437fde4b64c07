//! The journal of a merge: a row that it moved or changed, with what stood there before.
use crate::ids::MergeId;
use sea_orm::entity::prelude::*;

/// The journal of a merge: a row that it moved or changed, with what stood there before.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "customer_merge_move")]
pub struct Model {
    /// Which merge.
    #[sea_orm(primary_key, auto_increment = false)]
    pub merge_id: MergeId,
    /// Of which table, and what was done where that is not plain.
    #[sea_orm(primary_key, auto_increment = false)]
    pub of_table: String,
    /// The row's key, or a fresh one where its own key is none.
    #[sea_orm(primary_key, auto_increment = false)]
    pub row_id: Uuid,
    /// What stood there before, where it cannot be told from the row itself.
    pub before: Option<Json>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

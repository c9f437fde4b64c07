//! The rules by which completeness is counted: a row for each change, of which the latest holds (rule C7).
use crate::ids::StaffId;
use sea_orm::entity::prelude::*;

/// The rules by which completeness is counted: a row for each change, of which the latest holds (rule C7).
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "completeness_rules")]
pub struct Model {
    /// Grows by one with every change.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    /// The weight of each field, for persons and for businesses.
    pub weights: Json,
    /// A confirmation that is so old confirms nothing any more.
    pub stale_after_days: i32,
    /// Who changed them.
    pub made_by: Option<StaffId>,
    /// When.
    pub made_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

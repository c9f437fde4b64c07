//! What somebody may still ask of the program, over all nodes.
use sea_orm::entity::prelude::*;

/// What somebody may still ask of the program, over all nodes.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "cost_budget")]
pub struct Model {
    /// Hash of who it is (a viewer, an address).
    #[sea_orm(primary_key, auto_increment = false)]
    pub holder: Vec<u8>,
    /// What was available then; what was restored since comes on top.
    pub available: i64,
    /// When.
    pub at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A role that one node at a time holds, and how far it has come.
use sea_orm::entity::prelude::*;

/// A role that one node at a time holds, and how far it has come.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "lease")]
pub struct Model {
    /// The role.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The node that holds it.
    pub holder: Option<Uuid>,
    /// Until when, unless renewed.
    pub until: DateTimeUtc,
    /// How far its holder has come.
    pub position: i64,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A loyalty programme.
use crate::ids::ProgrammeId;
use sea_orm::entity::prelude::*;

/// A loyalty programme.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "programme")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProgrammeId,
    /// Short name, unique.
    pub code: String,
    /// The name.
    pub name: String,
    /// First digits of its card numbers.
    pub card_prefix: String,
    /// How long a card is valid; for good when absent.
    pub card_valid_months: Option<i32>,
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

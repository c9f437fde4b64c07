//! A mutation already made under a caller's key: the input's hash and the result's id, never the answer's text.
use sea_orm::entity::prelude::*;

/// A mutation already made under a caller's key: the input's hash and the result's id, never the answer's text.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency")]
pub struct Model {
    /// Who called.
    #[sea_orm(primary_key, auto_increment = false)]
    pub caller: String,
    /// Which mutation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub mutation: String,
    /// The caller's key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// SHA-256 of the canonical input.
    pub input_hash: Vec<u8>,
    /// The row that came of it.
    pub result_id: Uuid,
    /// When.
    pub created_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

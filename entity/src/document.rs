//! A document that a client has registered, so that it runs where only known ones do.
use sea_orm::entity::prelude::*;

/// A document that a client has registered, so that it runs where only known ones do.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "document")]
pub struct Model {
    /// SHA-256 of the text in UTF-8, 32 bytes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    /// The client that it came with.
    #[sea_orm(primary_key, auto_increment = false)]
    pub client: String,
    /// The names of its operations, a list; empty where the one that it has is unnamed.
    pub operations: Json,
    /// The document, to the byte.
    pub text: String,
    /// When it was registered.
    pub registered_at: DateTimeUtc,
    /// Who ran the command: an account of the operating system.
    pub registered_by: String,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A secret by which a client gets tokens; its text is kept nowhere.
use crate::ids::{ClientId, ClientSecretId};
use sea_orm::entity::prelude::*;

/// A secret by which a client gets tokens; its text is kept nowhere.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "client_secret")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ClientSecretId,
    /// Whose it is.
    pub client_id: ClientId,
    /// SHA-256 of its text, unique.
    pub hash: Vec<u8>,
    /// Its last characters, by which people tell it from others.
    pub hint: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it ends; never, when none.
    pub expires_at: Option<DateTimeUtc>,
    /// When a token was last got by it, to the hour.
    pub last_used_at: Option<DateTimeUtc>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

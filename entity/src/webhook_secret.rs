//! A secret by which what a webhook is told is signed.
use crate::ids::{WebhookId, WebhookSecretId};
use sea_orm::entity::prelude::*;

/// A secret by which what a webhook is told is signed.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_secret")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WebhookSecretId,
    /// Whose it is.
    pub webhook_id: WebhookId,
    /// The secret, sealed with a key derived from the configured secret: signing needs it itself, where a hash would not
    /// do.
    pub sealed: Vec<u8>,
    /// Its last characters, by which people tell it from others.
    pub hint: String,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it ends; never, when none.
    pub expires_at: Option<DateTimeUtc>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

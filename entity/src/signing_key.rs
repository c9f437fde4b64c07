//! A key that signs access tokens, shared by all nodes.
use sea_orm::entity::prelude::*;

/// A key that signs access tokens, shared by all nodes.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_key")]
pub struct Model {
    /// The key id (`kid`).
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// Ed25519, 32 bytes.
    pub public_key: Vec<u8>,
    /// The secret half, encrypted with the configured key: 24 bytes of nonce, then XChaCha20-Poly1305.
    pub sealed_secret: Vec<u8>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// From when it signs; published before, so that every node knows it.
    pub active_from: DateTimeUtc,
    /// From when it no longer verifies.
    pub retired_at: Option<DateTimeUtc>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

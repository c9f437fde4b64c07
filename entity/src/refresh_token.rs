//! A refresh token, kept as a hash; its second use ends the family.
use crate::ids::SessionId;
use sea_orm::entity::prelude::*;

/// A refresh token, kept as a hash; its second use ends the family.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_token")]
pub struct Model {
    /// SHA-256 of the token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    /// The sign-in it renews.
    pub session_id: SessionId,
    /// When it was handed out.
    pub issued_at: DateTimeUtc,
    /// When it can no longer be used.
    pub expires_at: DateTimeUtc,
    /// When it was used.
    pub used_at: Option<DateTimeUtc>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

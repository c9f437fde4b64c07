//! A sign-in by the company's provider that somebody has begun; gone when they come back.
use sea_orm::entity::prelude::*;

/// A sign-in by the company's provider that somebody has begun; gone when they come back.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "company_sign_in")]
pub struct Model {
    /// SHA-256 of the state that the provider hands back.
    #[sea_orm(primary_key, auto_increment = false)]
    pub state_hash: Vec<u8>,
    /// SHA-256 of what the browser keeps in its cookie: nobody else may come back.
    pub browser_hash: Vec<u8>,
    /// What the provider's token must hold.
    pub nonce: String,
    /// What proves to the provider who has begun (PKCE).
    pub verifier: String,
    /// The page to which the browser returns.
    pub return_to: String,
    /// When it was begun.
    pub created_at: DateTimeUtc,
    /// When it is too late to come back.
    pub expires_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

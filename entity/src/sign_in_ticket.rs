//! What a page exchanges for a session after a sign-in by the company's provider, kept as a hash; good once.
use crate::ids::StaffId;
use sea_orm::entity::prelude::*;

/// What a page exchanges for a session after a sign-in by the company's provider, kept as a hash; good once.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in_ticket")]
pub struct Model {
    /// SHA-256 of the ticket.
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    /// Who has signed in.
    pub staff_id: StaffId,
    /// When it was handed out.
    pub created_at: DateTimeUtc,
    /// When it can no longer be used.
    pub expires_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

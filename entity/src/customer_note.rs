//! A note on a customer: dated, signed, never overwritten (rule C10).
use crate::ids::{CustomerId, NoteId, StaffId};
use sea_orm::entity::prelude::*;

/// A note on a customer: dated, signed, never overwritten (rule C10).
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "customer_note")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NoteId,
    /// On whom.
    pub customer_id: CustomerId,
    /// By whom.
    pub author_id: Option<StaffId>,
    /// What.
    pub text: String,
    /// When.
    pub written_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

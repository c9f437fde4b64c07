//! A membership card (rule M2).
use crate::{
    enums::CardStatus,
    ids::{CardId, CustomerId, MembershipId},
};
use sea_orm::entity::prelude::*;

/// A membership card (rule M2).
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "card")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CardId,
    /// The membership whose token it is.
    pub membership_id: MembershipId,
    /// Its holder.
    pub customer_id: CustomerId,
    /// In normal form: our own with a check digit, or as another system printed it.
    pub number: String,
    /// Its state.
    pub status: CardStatus,
    /// When it was issued.
    pub issued_at: DateTimeUtc,
    /// Its last day; good for ever when absent.
    pub valid_until: Option<Date>,
    /// Why the state last changed.
    pub status_reason: Option<String>,
    /// When that was.
    pub status_changed_at: DateTimeUtc,
    /// The card whose place it took.
    pub replaces_id: Option<CardId>,
    /// Grows by one with every change; a stale one is refused.
    pub version: i64,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A change of a membership's tier, with the figures behind it (rule M3).
use crate::{
    enums::TierChangeReason,
    ids::{CustomerId, MembershipId, TierChangeId, TierId},
};
use sea_orm::entity::prelude::*;

/// A change of a membership's tier, with the figures behind it (rule M3).
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "tier_change")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TierChangeId,
    /// The membership.
    pub membership_id: MembershipId,
    /// Its holder.
    pub customer_id: CustomerId,
    /// The tier before; none on joining.
    pub from_tier_id: Option<TierId>,
    /// The tier after.
    pub to_tier_id: TierId,
    /// Why.
    pub reason: TierChangeReason,
    /// When.
    pub at: DateTimeUtc,
    /// Spend net of returns at that moment.
    pub net_spend_minor: i64,
    /// The threshold that was passed or missed.
    pub threshold_minor: i64,
    /// The purchase that caused it.
    pub purchase_id: Option<Uuid>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

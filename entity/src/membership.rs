//! A customer's membership in a programme: it holds the tier (rule M1).
use crate::ids::{CustomerId, MembershipId, ProgrammeId, StoreId, TierId};
use sea_orm::entity::prelude::*;

/// A customer's membership in a programme: it holds the tier (rule M1).
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "membership")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MembershipId,
    /// Who.
    pub customer_id: CustomerId,
    /// In which programme.
    pub programme_id: ProgrammeId,
    /// The tier that holds now.
    pub tier_id: TierId,
    /// A tier given by a person, or brought from another system, below which spend cannot bring it.
    pub granted_tier_id: Option<TierId>,
    /// Where they joined.
    pub store_id: Option<StoreId>,
    /// When they joined.
    pub enrolled_at: DateTimeUtc,
    /// Grows by one with every change; a stale one is refused.
    pub version: i64,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

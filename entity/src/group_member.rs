//! A customer's membership in a group, from the joining to the leaving; who joins again has another one.
use crate::ids::{CustomerId, GroupId, GroupMemberId, StaffId};
use sea_orm::entity::prelude::*;

/// A customer's membership in a group, from the joining to the leaving; who joins again has another one.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "group_member")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: GroupMemberId,
    /// Of which group.
    pub group_id: GroupId,
    /// Who.
    pub customer_id: CustomerId,
    /// Since when.
    pub joined_at: DateTimeUtc,
    /// Who wrote the joining down.
    pub joined_by: Option<StaffId>,
    /// Until when; none while they are in it.
    pub left_at: Option<DateTimeUtc>,
    /// Who wrote the leaving down.
    pub left_by: Option<StaffId>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

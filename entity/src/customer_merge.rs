//! A merge of two customers' files into one, until it is undone (rule C8).
use crate::ids::{CustomerId, MergeId, StaffId};
use sea_orm::entity::prelude::*;

/// A merge of two customers' files into one, until it is undone (rule C8).
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "customer_merge")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MergeId,
    /// The customer whose file goes on.
    pub kept_id: CustomerId,
    /// The customer whose id has become another name for the kept one.
    pub merged_id: CustomerId,
    /// The how-manieth merge into the kept one, from 1: merges are undone in the reverse order.
    pub place: i64,
    /// When.
    pub at: DateTimeUtc,
    /// Who did it.
    pub merged_by: Option<StaffId>,
    /// The kept one's spend net of returns before, in minor units.
    pub kept_net_minor: i64,
    /// The merged one's.
    pub merged_net_minor: i64,
    /// Columns of the kept file that were empty and were filled from the merged one.
    pub filled: Json,
    /// When it was undone.
    pub undone_at: Option<DateTimeUtc>,
    /// Who did so.
    pub undone_by: Option<StaffId>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

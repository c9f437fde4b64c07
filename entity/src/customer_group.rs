//! A group that customers join and leave (rule C11): a members' club.
use crate::ids::{GroupId, StaffId, StoreId};
use sea_orm::entity::prelude::*;

/// A group that customers join and leave (rule C11): a members' club.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "customer_group")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: GroupId,
    /// The name.
    pub name: String,
    /// Collation key of the name.
    pub name_key: Vec<u8>,
    /// What it is for.
    pub description: Option<String>,
    /// Who looks after it.
    pub keeper_id: Option<StaffId>,
    /// The store whose club it is; none where it is the whole company's.
    pub store_id: Option<StoreId>,
    /// When it was put away.
    pub archived_at: Option<DateTimeUtc>,
    /// Grows by one with every change; a stale one is refused.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was last changed.
    pub updated_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A role given to a member of staff, everywhere, in a region or in a store.
use crate::{
    enums::Role,
    ids::{GrantId, RegionId, StaffId, StoreId},
};
use sea_orm::entity::prelude::*;

/// A role given to a member of staff, everywhere, in a region or in a store.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "staff_grant")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: GrantId,
    /// Who holds it.
    pub staff_id: StaffId,
    /// The role.
    pub role: Role,
    /// Held in this region only.
    pub region_id: Option<RegionId>,
    /// Held in this store only.
    pub store_id: Option<StoreId>,
    /// When it was given.
    pub created_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

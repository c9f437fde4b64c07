//! A place in which a client may do what its scopes allow: the whole company, a region or a store.
use crate::ids::{ClientId, ClientPlaceId, RegionId, StoreId};
use sea_orm::entity::prelude::*;

/// A place in which a client may do what its scopes allow: the whole company, a region or a store.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "client_place")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ClientPlaceId,
    /// Whose place it is.
    pub client_id: ClientId,
    /// All stores of this region.
    pub region_id: Option<RegionId>,
    /// This store.
    pub store_id: Option<StoreId>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

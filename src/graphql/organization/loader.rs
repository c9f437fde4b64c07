//! Loads stores, regions and members of staff that other objects point to: one statement for all of them.

use super::object::{Region, Staff, Store};
use crate::domain::organization::{regions, staff_list, stores};
use crate::graphql::loaders::{Batch, Shared, batch, report_shared};
use async_graphql::Context;
use async_graphql::dataloader::Loader;
use entity::ids::{RegionId, StaffId, StoreId};
use std::collections::HashMap;
use std::sync::Arc;

impl Loader<StoreId> for Batch {
    type Value = Store;
    type Error = Shared;

    async fn load(&self, keys: &[StoreId]) -> Result<HashMap<StoreId, Store>, Shared> {
        let found = stores::by_ids(&self.0, keys).await.map_err(Arc::new)?;
        Ok(found
            .into_iter()
            .map(|(id, row)| (id, Store(row)))
            .collect())
    }
}

impl Loader<RegionId> for Batch {
    type Value = Region;
    type Error = Shared;

    async fn load(&self, keys: &[RegionId]) -> Result<HashMap<RegionId, Region>, Shared> {
        let found = regions::by_ids(&self.0, keys).await.map_err(Arc::new)?;
        Ok(found
            .into_iter()
            .map(|(id, row)| (id, Region(row)))
            .collect())
    }
}

impl Loader<StaffId> for Batch {
    type Value = Staff;
    type Error = Shared;

    async fn load(&self, keys: &[StaffId]) -> Result<HashMap<StaffId, Staff>, Shared> {
        let found = staff_list::colleagues(&self.0, keys)
            .await
            .map_err(Arc::new)?;
        Ok(found
            .into_iter()
            .map(|(id, member)| (id, Staff(member)))
            .collect())
    }
}

/// The store with this id.
///
/// # Errors
/// The service's, as an entry of `errors`.
pub async fn store(context: &Context<'_>, id: StoreId) -> async_graphql::Result<Option<Store>> {
    let found = batch(context)?.load_one(id).await;
    found.map_err(|error| report_shared(context, error))
}

/// The region with this id.
///
/// # Errors
/// The service's, as an entry of `errors`.
pub async fn region(context: &Context<'_>, id: RegionId) -> async_graphql::Result<Option<Region>> {
    let found = batch(context)?.load_one(id).await;
    found.map_err(|error| report_shared(context, error))
}

/// The member of staff with this id: their name at least.
///
/// # Errors
/// The service's, as an entry of `errors`.
pub async fn staff(context: &Context<'_>, id: StaffId) -> async_graphql::Result<Option<Staff>> {
    let found = batch(context)?.load_one(id).await;
    found.map_err(|error| report_shared(context, error))
}

//! Where the file points at other topics: the member of staff who keeps a customer or signed a note, the home
//! store. Everything here that becomes another topic's object is decided in this one file.

use crate::graphql::organization;
use async_graphql::Context;
use entity::ids::{StaffId, StoreId};

/// A member of staff as this topic's objects show them.
pub type StaffRef = organization::Staff;
/// A store as this topic's objects show it.
pub type StoreRef = organization::Store;

/// The member of staff with this id.
///
/// # Errors
/// Those of whatever loads them.
pub async fn staff(
    context: &Context<'_>,
    id: Option<StaffId>,
) -> async_graphql::Result<Option<StaffRef>> {
    match id {
        Some(id) => organization::staff(context, id).await,
        None => Ok(None),
    }
}

/// The store with this id.
///
/// # Errors
/// Those of whatever loads it.
pub async fn store(
    context: &Context<'_>,
    id: Option<StoreId>,
) -> async_graphql::Result<Option<StoreRef>> {
    match id {
        Some(id) => organization::store(context, id).await,
        None => Ok(None),
    }
}

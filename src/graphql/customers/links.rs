//! Where the file points at other topics: the member of staff who keeps a customer or signed a note, the home
//! store. Everything here that becomes another topic's object is decided in this one file.

use crate::graphql::ids::GlobalKey;
use async_graphql::{Context, ID};
use entity::ids::{StaffId, StoreId};

/// A member of staff as this topic's objects show them.
pub type StaffRef = ID;
/// A store as this topic's objects show it.
pub type StoreRef = ID;

/// The member of staff with this id.
///
/// # Errors
/// Those of whatever loads them.
pub async fn staff(
    _context: &Context<'_>,
    id: Option<StaffId>,
) -> async_graphql::Result<Option<StaffRef>> {
    Ok(id.map(GlobalKey::global))
}

/// The store with this id.
///
/// # Errors
/// Those of whatever loads it.
pub async fn store(
    _context: &Context<'_>,
    id: Option<StoreId>,
) -> async_graphql::Result<Option<StoreRef>> {
    Ok(id.map(GlobalKey::global))
}

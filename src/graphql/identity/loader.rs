//! Loads merges and duplicates for all customers of a page at once.

use crate::domain::identity::duplicates::{self, Pair};
use crate::domain::identity::merges;
use crate::graphql::loaders::{batch_loader, grouped};
use entity::customer_merge;
use entity::ids::CustomerId;

/// The merges into this customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MergesOf(pub CustomerId);

/// The pairs in which this customer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DuplicatesOf(pub CustomerId);

batch_loader!(MergesOf => Vec<customer_merge::Model>, |ctx, keys| {
    let ids: Vec<CustomerId> = keys.iter().map(|key| key.0).collect();
    let rows = merges::into(ctx, &ids).await?;
    grouped(keys, rows, |row| MergesOf(row.kept_id))
});

batch_loader!(DuplicatesOf => Vec<(CustomerId, Pair)>, |ctx, keys| {
    let ids: Vec<CustomerId> = keys.iter().map(|key| key.0).collect();
    let rows = duplicates::of(ctx, &ids).await?;
    grouped(keys, rows, |(of, _)| DuplicatesOf(*of))
});

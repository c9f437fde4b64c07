//! Loads attributes, and what they say of customers, for all rows of a page at once.

use crate::domain::attributes::{self, Definition};
use crate::domain::customers::attributes as known;
use crate::graphql::loaders::{batch_loader, grouped};
use entity::customer_attribute;
use entity::ids::{AttributeId, CustomerId};
use std::sync::Arc;

/// The definition of this attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Defined(pub AttributeId);

/// What is known of this customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttributesOf(pub CustomerId);

batch_loader!(Defined => Arc<Definition>, |ctx, keys| {
    let ids: Vec<AttributeId> = keys.iter().map(|key| key.0).collect();
    let found = attributes::by_ids(ctx, &ids).await?.into_iter();
    found.map(|one| (Defined(one.row.id), Arc::new(one))).collect()
});

batch_loader!(AttributesOf => Vec<customer_attribute::Model>, |ctx, keys| {
    let ids: Vec<CustomerId> = keys.iter().map(|key| key.0).collect();
    let rows = known::of_customers(ctx, &ids).await?;
    grouped(keys, rows, |row| AttributesOf(row.customer_id))
});

//! What the types of the catalogue load by key.

use crate::domain::catalog::{categories, prices, products};
use crate::graphql::loaders::{batch_loader, by_key, grouped};
use entity::ids::{CategoryId, ProductId};
use entity::{category, product};

/// A product by its SKU, as a line of a receipt names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BySku(pub String);

/// The parts of a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PartsOf(pub CategoryId);

/// The list price of a product at this moment, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PriceOf(pub ProductId);

batch_loader!(CategoryId => category::Model, |ctx, keys| by_key(categories::by_ids(ctx, keys).await?, |row| row.id));
batch_loader!(ProductId => product::Model, |ctx, keys| by_key(products::by_ids(ctx, keys).await?, |row| row.id));
batch_loader!(BySku => product::Model, |ctx, keys| {
    let skus: Vec<String> = keys.iter().map(|key| key.0.clone()).collect();
    by_key(products::by_skus(ctx, &skus).await?, |row| BySku(row.sku.clone()))
});
batch_loader!(PartsOf => Vec<category::Model>, |ctx, keys| {
    let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
    let parts = categories::parts_of(ctx, &ids).await?;
    let mut groups = grouped(keys, Vec::new(), |_: &category::Model| PartsOf(CategoryId::new()));
    for part in parts {
        if let Some(parent) = part.parent_id {
            groups.entry(PartsOf(parent)).or_default().push(part);
        }
    }
    groups
});
batch_loader!(PriceOf => i64, |ctx, keys| {
    let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
    let prices = prices::present(ctx, &ids).await?;
    prices.into_iter().map(|(id, price)| (PriceOf(id), price)).collect()
});

//! The shop's catalogue: every product of [`super::catalogue`], put where it belongs. What is there already stays.

use super::catalogue::{CATEGORIES, PRODUCTS};
use crate::access::Ctx;
use crate::domain::catalog::categories::{self, NewCategory};
use crate::domain::catalog::products::{self, NewProduct};
use crate::error::Result;
use entity::ids::CategoryId;
use std::collections::{HashMap, HashSet};

/// Fills the shelves.
pub(super) async fn fill(ctx: &Ctx) -> Result<()> {
    let english = |text: &str| vec![("en".to_owned(), text.to_owned())];
    let mut places: HashMap<String, CategoryId> = categories::all(ctx)
        .await?
        .into_iter()
        .map(|row| (row.code, row.id))
        .collect();
    for name in CATEGORIES {
        let code = name.to_ascii_lowercase();
        if places.contains_key(&code) {
            continue;
        }
        let new = NewCategory {
            code: code.clone(),
            names: english(name),
            parent: None,
        };
        places.insert(code, categories::create(ctx, &new).await?.id);
    }
    let skus: Vec<String> = PRODUCTS
        .iter()
        .map(|product| product.sku.to_owned())
        .collect();
    let there: HashSet<String> = products::by_skus(ctx, &skus)
        .await?
        .into_iter()
        .map(|row| row.sku)
        .collect();
    for product in PRODUCTS
        .iter()
        .filter(|product| !there.contains(product.sku))
    {
        let new = NewProduct {
            sku: product.sku.to_owned(),
            names: english(product.name),
            category: places.get(&product.category.to_ascii_lowercase()).copied(),
            brand: Some(product.brand.to_owned()),
            series: None,
            barcode: None,
            unit_cost_minor: Some(product.cost),
            list_price_minor: product.price,
            introduced_on: None,
            member_only: false,
            discountable: true,
        };
        products::create(ctx, &new).await?;
    }
    Ok(())
}

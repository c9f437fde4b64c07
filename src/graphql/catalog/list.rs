//! The lists of products and of a product's prices.

use super::input::{ProductFilterInput, ProductOrderInput};
use super::object::{Product, ProductPrice};
use crate::access::Ctx;
use crate::domain::catalog::list::{self, Narrowed, ProductOrder};
use crate::domain::catalog::prices;
use crate::domain::organization;
use crate::error::{Error, Result};
use crate::graphql::page::connection;
use crate::graphql::page::{List, PageArgs};
use entity::ids::ProductId;
use entity::values::CursorValue;

connection!(
    ProductConnection,
    ProductEdge,
    Product,
    ProductTotal,
    "A list of products.",
    "A product in a list."
);

/// Counts the products of a list.
#[derive(Clone, Debug)]
pub struct ProductTotal(Narrowed, ProductOrder);

impl ProductTotal {
    async fn count(&self, ctx: &Ctx) -> Result<u64> {
        list::count(ctx, &self.0, self.1).await
    }
}

connection!(
    ProductPriceConnection,
    ProductPriceEdge,
    ProductPrice,
    ProductPriceTotal,
    "A list of prices of a product.",
    "A price of a product in a list."
);

/// Counts the prices of a product.
#[derive(Clone, Debug)]
pub struct ProductPriceTotal(ProductId);

impl ProductPriceTotal {
    async fn count(&self, ctx: &Ctx) -> Result<u64> {
        prices::count(ctx, self.0).await
    }
}

pub(super) async fn products(
    ctx: &Ctx,
    args: &PageArgs,
    filter: Option<ProductFilterInput>,
    order: Option<ProductOrderInput>,
) -> Result<ProductConnection> {
    let filter = list::ProductFilter::from(filter.unwrap_or_default());
    let (order, sort) = ProductOrderInput::parts(order);
    let narrowed = list::narrow(ctx, &filter)?;
    let company = organization::settings(ctx).await?;
    let list = List::new(
        ctx,
        "products",
        &[
            &format!("{filter:?}"),
            &format!("{order:?} {sort:?}"),
            &company.locale,
        ],
    );
    let page = list::page(ctx, &narrowed, order, sort, &list.page(args)?).await?;
    let total = ProductTotal(narrowed, order);
    ProductConnection::new(page.map(Product), total, |product| {
        let row = &product.0;
        let place = match order {
            ProductOrder::Name => CursorValue::Bytes(row.name_key.clone()),
            ProductOrder::Sku => CursorValue::Text(row.sku.clone()),
            ProductOrder::IntroducedOn => CursorValue::Date(
                row.introduced_on
                    .ok_or_else(|| Error::internal("a product of this list has no day"))?,
            ),
        };
        list.cursor(place, row.id)
    })
}

pub(super) async fn prices_of(
    ctx: &Ctx,
    product: ProductId,
    args: &PageArgs,
) -> Result<ProductPriceConnection> {
    let list = List::new(ctx, "prices", &[&product.to_string()]);
    let page = prices::history(ctx, product, &list.page(args)?).await?;
    let total = ProductPriceTotal(product);
    ProductPriceConnection::new(page.map(ProductPrice), total, |price| {
        list.cursor(CursorValue::Timestamp(price.0.valid_from), price.0.id)
    })
}

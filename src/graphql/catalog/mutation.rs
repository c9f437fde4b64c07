//! Mutations of the catalogue.

use super::input::{
    CategoryArchiveInput, CategoryCreateInput, CategoryUpdateInput, ProductArchiveInput,
    ProductCreateInput, ProductPriceCancelInput, ProductPriceSetInput, ProductUpdateInput,
};
use super::object::{Category, Product, ProductPrice};
use crate::access::{Action, Ctx};
use crate::domain::catalog::{categories, prices, products};
use crate::domain::organization::company;
use crate::error::Result;
use crate::graphql::context::ctx;
use crate::graphql::ids::{GlobalKey, key};
use crate::graphql::payload::payload;
use async_graphql::{Context, ID, Object};
use entity::ids::{CategoryId, ProductId};
use entity::{product, product_price};
use iso_currency::Currency;

payload!(CategoryCreatePayload, category: Category, "What `categoryCreate` answers.", "The new category.");
payload!(versioned CategoryUpdatePayload, category: Category, "What `categoryUpdate` answers.", "The category as it is now, also after a stale version; null after other errors.");
payload!(versioned CategoryArchivePayload, category: Category, "What `categoryArchive` answers.", "The category as it is now, also after a stale version; null after other errors.");
payload!(ProductCreatePayload, product: Product, "What `productCreate` answers.", "The new product.");
payload!(versioned ProductUpdatePayload, product: Product, "What `productUpdate` answers.", "The product as it is now, also after a stale version; null after other errors.");
payload!(versioned ProductArchivePayload, product: Product, "What `productArchive` answers.", "The product as it is now, also after a stale version; null after other errors.");
payload!(ProductPriceSetPayload, price: ProductPrice, "What `productPriceSet` answers.", "The price that holds from that moment on.");
payload!(ProductPriceCancelPayload, product: Product, "What `productPriceCancel` answers.", "The product whose price was taken back.");

/// Mutations of the catalogue.
#[derive(Debug, Default)]
pub struct CatalogMutation;

/// Mutations of the catalogue.
#[Object]
impl CatalogMutation {
    /// Makes a category of products.
    async fn category_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The category to be made.")] input: CategoryCreateInput,
    ) -> async_graphql::Result<CategoryCreatePayload> {
        let made = categories::create(ctx(context)?, &input.into()).await;
        CategoryCreatePayload::from_result(context, made.map(Category))
    }

    /// Changes a category, or moves it within the tree with all its parts.
    async fn category_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is to be changed.")] input: CategoryUpdateInput,
    ) -> async_graphql::Result<CategoryUpdatePayload> {
        let (ctx, id) = (ctx(context)?, input.id.clone());
        let changed = categories::update(ctx, key(&id), &input.into()).await;
        CategoryUpdatePayload::from_change(context, changed.map(Category), category(ctx, &id)).await
    }

    /// Puts a category away, or takes it out again. Its parts and products stay as they are.
    async fn category_archive(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which category.")] input: CategoryArchiveInput,
    ) -> async_graphql::Result<CategoryArchivePayload> {
        let ctx = ctx(context)?;
        let (id, version) = (key(&input.id), input.version.into());
        let changed = categories::archive(ctx, id, version, input.archived).await;
        let present = category(ctx, &input.id);
        CategoryArchivePayload::from_change(context, changed.map(Category), present).await
    }

    /// Makes a product, with its list price from now on.
    async fn product_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The product to be made.")] input: ProductCreateInput,
    ) -> async_graphql::Result<ProductCreatePayload> {
        let made = product_create(ctx(context)?, input).await;
        ProductCreatePayload::from_result(context, made.map(Product))
    }

    /// Changes a product. Its SKU stays, since receipts name it; its price is changed by `productPriceSet`.
    async fn product_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is to be changed.")] input: ProductUpdateInput,
    ) -> async_graphql::Result<ProductUpdatePayload> {
        let (ctx, id) = (ctx(context)?, input.id.clone());
        let changed = product_update(ctx, input).await;
        ProductUpdatePayload::from_change(context, changed.map(Product), product(ctx, &id)).await
    }

    /// Puts a product away that is sold no longer, or takes it out again.
    async fn product_archive(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which product.")] input: ProductArchiveInput,
    ) -> async_graphql::Result<ProductArchivePayload> {
        let ctx = ctx(context)?;
        let (id, version) = (key(&input.id), input.version.into());
        let changed = products::archive(ctx, id, version, input.archived).await;
        let present = product(ctx, &input.id);
        ProductArchivePayload::from_change(context, changed.map(Product), present).await
    }

    /// Sets a product's list price, from now or from a later moment on. A price that holds then already is no change.
    async fn product_price_set(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The price, and from when on.")] input: ProductPriceSetInput,
    ) -> async_graphql::Result<ProductPriceSetPayload> {
        let set = price_set(ctx(context)?, input).await;
        ProductPriceSetPayload::from_result(context, set.map(ProductPrice))
    }

    /// Takes back a price that is still to come.
    async fn product_price_cancel(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which price.")] input: ProductPriceCancelInput,
    ) -> async_graphql::Result<ProductPriceCancelPayload> {
        let cancelled = prices::cancel(ctx(context)?, key(&input.id)).await;
        ProductPriceCancelPayload::from_result(context, cancelled.map(Product))
    }
}

/// The company's currency, for those who may change the catalogue: what they sent is not looked at before.
async fn currency(ctx: &Ctx) -> Result<Currency> {
    ctx.require(Action::CatalogManage)?;
    Ok(company::settings(ctx).await?.currency)
}

async fn product_create(ctx: &Ctx, input: ProductCreateInput) -> Result<product::Model> {
    let new = input.parse(currency(ctx).await?)?;
    products::create(ctx, &new).await
}

async fn product_update(ctx: &Ctx, input: ProductUpdateInput) -> Result<product::Model> {
    let id = key(&input.id);
    let change = input.parse(currency(ctx).await?)?;
    products::update(ctx, id, &change).await
}

async fn price_set(ctx: &Ctx, input: ProductPriceSetInput) -> Result<product_price::Model> {
    let new = input.parse(currency(ctx).await?)?;
    prices::set(ctx, &new).await
}

/// The category as it is now.
async fn category(ctx: &Ctx, id: &ID) -> Result<Option<Category>> {
    let id = CategoryId::parse(id);
    let found = categories::by_ids(ctx, id.as_slice()).await?.pop();
    Ok(found.map(Category))
}

/// The product as it is now.
async fn product(ctx: &Ctx, id: &ID) -> Result<Option<Product>> {
    let id = ProductId::parse(id);
    let found = products::by_ids(ctx, id.as_slice()).await?.pop();
    Ok(found.map(Product))
}

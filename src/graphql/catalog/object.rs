//! Categories, products and their prices, as the API shows them.

use super::list::{ProductPriceConnection, prices_of};
use super::loader::{PartsOf, PriceOf};
use crate::access::Action;
use crate::domain::catalog::{categories, products};
use crate::domain::organization::company;
use crate::error;
use crate::graphql::cards::money;
use crate::graphql::context::{Reported, ctx};
use crate::graphql::ids::GlobalKey;
use crate::graphql::loaders::load_one;
use crate::graphql::organization::{self, Staff};
use crate::graphql::page::PageArgs;
use crate::graphql::scalars::{Date, DateTime, Money};
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use entity::values::{LanguageTag, LocalizedText as Names};
use entity::{category, product, product_price};

/// A text in one language.
#[derive(Clone, Debug, SimpleObject)]
pub struct LocalizedText {
    /// BCP 47 tag.
    language: String,
    /// The text.
    text: String,
}

fn texts(names: &Names) -> Vec<LocalizedText> {
    let texts = names.iter().map(|(language, text)| LocalizedText {
        language: language.to_string(),
        text: text.to_owned(),
    });
    texts.collect()
}

/// The name for somebody who asks for this language, or for the company's own.
async fn name_in(
    context: &Context<'_>,
    names: error::Result<Names>,
    language: Option<&str>,
) -> Result<String> {
    let found = async {
        let company =
            company::settings(ctx(context).map_err(|_| error::Error::internal("no context"))?)
                .await?;
        let own = LanguageTag::parse(&company.locale)
            .map_err(|error| error::Error::internal(format!("the locale {error}")))?;
        let wanted = match language {
            Some(text) => LanguageTag::parse(text)
                .map_err(|error| error::Error::BadRequest(format!("language {error}").into()))?,
            None => own.clone(),
        };
        Ok(names?.in_language(&wanted, &own).to_owned())
    };
    found.await.reported(context)
}

/// A category of products, in a tree.
#[derive(Clone, Debug)]
pub struct Category(pub category::Model);

/// A category of products, in a tree.
#[Object]
impl Category {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// The company's own short name for it.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// The name in the language that is asked for, or in the nearest that there is.
    async fn name(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "BCP 47 tag; the company's own language when absent.")] language: Option<
            String,
        >,
    ) -> Result<String> {
        name_in(context, categories::names(&self.0), language.as_deref()).await
    }

    /// The name in all its languages.
    async fn names(&self, context: &Context<'_>) -> Result<Vec<LocalizedText>> {
        Ok(texts(&categories::names(&self.0).reported(context)?))
    }

    /// The category that it is a part of; null at the top.
    async fn parent(&self, context: &Context<'_>) -> Result<Option<Self>> {
        match self.0.parent_id {
            Some(id) => Ok(load_one(context, id).await?.map(Self)),
            None => Ok(None),
        }
    }

    /// Its parts, in the order of their names.
    async fn parts(&self, context: &Context<'_>) -> Result<Vec<Self>> {
        let parts = load_one(context, PartsOf(self.0.id)).await?;
        Ok(parts.unwrap_or_default().into_iter().map(Self).collect())
    }

    /// When it was put away; null while it is used.
    async fn archived_at(&self) -> Option<DateTime> {
        self.0.archived_at.map(Into::into)
    }

    /// Grows by one with every change; send it back with yours.
    async fn version(&self) -> i64 {
        self.0.version
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }
}

/// Something that is sold.
#[derive(Clone, Debug)]
pub struct Product(pub product::Model);

/// Something that is sold.
#[Object]
impl Product {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// The stock keeping unit: what lines of receipts name. Unique and for good.
    async fn sku(&self) -> &str {
        &self.0.sku
    }

    /// The name in the language that is asked for, or in the nearest that there is.
    async fn name(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "BCP 47 tag; the company's own language when absent.")] language: Option<
            String,
        >,
    ) -> Result<String> {
        name_in(context, products::names(&self.0), language.as_deref()).await
    }

    /// The name in all its languages.
    async fn names(&self, context: &Context<'_>) -> Result<Vec<LocalizedText>> {
        Ok(texts(&products::names(&self.0).reported(context)?))
    }

    /// Its category.
    async fn category(&self, context: &Context<'_>) -> Result<Option<Category>> {
        match self.0.category_id {
            Some(id) => Ok(load_one(context, id).await?.map(Category)),
            None => Ok(None),
        }
    }

    /// Who makes it.
    async fn brand(&self) -> Option<&str> {
        self.0.brand.as_deref()
    }

    /// The maker's series or collection.
    async fn series(&self) -> Option<&str> {
        self.0.series.as_deref()
    }

    /// The code on its label; a GTIN with 13 or 14 digits.
    async fn barcode(&self) -> Option<&str> {
        self.0.barcode.as_deref()
    }

    /// The list price of one at this moment.
    async fn list_price(&self, context: &Context<'_>) -> Result<Option<Money>> {
        match load_one(context, PriceOf(self.0.id)).await? {
            Some(minor) => Ok(Some(money(context, minor).await?)),
            None => Ok(None),
        }
    }

    /// Its list prices, those to come among them, the latest first.
    async fn prices(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "How many items from the start, 1 to 100; 20 when neither this nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only items behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<ProductPriceConnection> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        prices_of(ctx(context)?, self.0.id, &args)
            .await
            .reported(context)
    }

    /// What one costs the shop; for managers only.
    async fn unit_cost(&self, context: &Context<'_>) -> Result<Option<Money>> {
        ctx(context)?.require(Action::CostRead).reported(context)?;
        match self.0.unit_cost_minor {
            Some(minor) => Ok(Some(money(context, minor).await?)),
            None => Ok(None),
        }
    }

    /// The first day on which it is sold.
    async fn introduced_on(&self) -> Option<Date> {
        self.0.introduced_on.map(Date)
    }

    /// Sold to members only.
    async fn member_only(&self) -> bool {
        self.0.member_only
    }

    /// May the discount of a tier be taken off?
    async fn discountable(&self) -> bool {
        self.0.discountable
    }

    /// When it was put away; null while it is sold.
    async fn archived_at(&self) -> Option<DateTime> {
        self.0.archived_at.map(Into::into)
    }

    /// Grows by one with every change but those of the price; send it back with yours.
    async fn version(&self) -> i64 {
        self.0.version
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }
}

/// A list price of a product, from a moment on: until then the one before it holds.
#[derive(Clone, Debug)]
pub struct ProductPrice(pub product_price::Model);

/// A list price of a product, from a moment on: until then the one before it holds.
#[Object]
impl ProductPrice {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// Of which product.
    async fn product(&self, context: &Context<'_>) -> Result<Option<Product>> {
        Ok(load_one(context, self.0.product_id).await?.map(Product))
    }

    /// The price of one.
    async fn list_price(&self, context: &Context<'_>) -> Result<Money> {
        money(context, self.0.list_price_minor).await
    }

    /// From when on.
    async fn valid_from(&self) -> DateTime {
        self.0.valid_from.into()
    }

    /// Who set it; null when the program did.
    async fn set_by(&self, context: &Context<'_>) -> Result<Option<Staff>> {
        match self.0.set_by {
            Some(id) => organization::staff(context, id).await,
            None => Ok(None),
        }
    }

    /// When it was set.
    async fn set_at(&self) -> DateTime {
        self.0.set_at.into()
    }
}

//! What goes into the queries and mutations of the catalogue.

use crate::db::Sort;
use crate::domain::catalog::Names;
use crate::domain::catalog::categories::{CategoryChange, NewCategory};
use crate::domain::catalog::list::{ProductFilter, ProductOrder};
use crate::domain::catalog::prices::NewPrice;
use crate::domain::catalog::products::{NewProduct, ProductChange};
use crate::error::{Error, Result, UserErrors};
use crate::graphql::ids::key;
use crate::graphql::patch::{patch, patch_with};
use crate::graphql::scalars::{Date, DateTime, MoneyInput};
use crate::graphql::sort::OrderDirection;
use async_graphql::{Enum, ID, InputObject, MaybeUndefined};
use iso_currency::Currency;

/// A text in one language.
#[derive(Clone, Debug, InputObject)]
pub struct LocalizedTextInput {
    /// BCP 47 tag, such as `zh` or `en-GB`.
    language: String,
    /// The text, at most 200 characters.
    text: String,
}

fn names(texts: Vec<LocalizedTextInput>) -> Names {
    let pairs = texts.into_iter().map(|text| (text.language, text.text));
    pairs.collect()
}

/// A category to be made.
#[derive(Clone, Debug, InputObject)]
pub struct CategoryCreateInput {
    /// The company's own short name for it, unique: at most 32 letters A to Z, digits, `-`, `_` and `.`.
    code: String,
    /// The name in one language or several, at most 20.
    names: Vec<LocalizedTextInput>,
    /// The category that it is a part of; at the top when absent.
    parent_id: Option<ID>,
}

impl From<CategoryCreateInput> for NewCategory {
    fn from(input: CategoryCreateInput) -> Self {
        Self {
            code: input.code,
            names: names(input.names),
            parent: input.parent_id.as_ref().map(key),
        }
    }
}

/// A change of a category; what is left out stays.
#[derive(Clone, Debug, InputObject)]
pub struct CategoryUpdateInput {
    /// Which category.
    pub(super) id: ID,
    /// The version that the change is based on.
    version: i32,
    /// The company's own short name for it, unique.
    code: Option<String>,
    /// The name, in all its languages.
    names: Option<Vec<LocalizedTextInput>>,
    /// The category that it is a part of; null moves it to the top.
    parent_id: MaybeUndefined<ID>,
}

impl From<CategoryUpdateInput> for CategoryChange {
    fn from(input: CategoryUpdateInput) -> Self {
        Self {
            version: input.version.into(),
            code: input.code,
            names: input.names.map(names),
            parent: patch_with(input.parent_id, |id| key(&id)),
        }
    }
}

/// Which category is put away.
#[derive(Clone, Debug, InputObject)]
pub struct CategoryArchiveInput {
    /// Which category.
    pub(super) id: ID,
    /// The version that the change is based on.
    pub(super) version: i32,
    /// False takes it out again.
    #[graphql(default = true)]
    pub(super) archived: bool,
}

/// A product to be made.
#[derive(Clone, Debug, InputObject)]
pub struct ProductCreateInput {
    /// The stock keeping unit, unique and for good: at most 64 characters, as lines of receipts name it.
    sku: String,
    /// The name in one language or several, at most 20.
    names: Vec<LocalizedTextInput>,
    /// Its category.
    category_id: Option<ID>,
    /// Who makes it, at most 100 characters.
    brand: Option<String>,
    /// The maker's series or collection, at most 100 characters.
    series: Option<String>,
    /// The code on its label: a GTIN, whose check digit is checked, or another code of at most 48 characters. Unique.
    barcode: Option<String>,
    /// What one costs the shop.
    unit_cost: Option<MoneyInput>,
    /// The list price of one, from now on.
    list_price: MoneyInput,
    /// The first day on which it is sold.
    introduced_on: Option<Date>,
    /// Sold to members only.
    #[graphql(default)]
    member_only: bool,
    /// May the discount of a tier be taken off?
    #[graphql(default = true)]
    discountable: bool,
}

impl ProductCreateInput {
    /// The product, its amounts in the company's currency.
    ///
    /// # Errors
    /// User errors of the amounts.
    pub(super) fn parse(self, currency: Currency) -> Result<NewProduct> {
        let mut errors = UserErrors::new();
        let cost = self
            .unit_cost
            .as_ref()
            .and_then(|cost| cost.minor("unitCost", currency, &mut errors));
        let price = self.list_price.minor("listPrice", currency, &mut errors);
        errors.check()?;
        Ok(NewProduct {
            sku: self.sku,
            names: names(self.names),
            category: self.category_id.as_ref().map(key),
            brand: self.brand,
            series: self.series,
            barcode: self.barcode,
            unit_cost_minor: cost,
            list_price_minor: price.ok_or_else(|| Error::internal("a parsed price is missing"))?,
            introduced_on: self.introduced_on.map(|day| day.0),
            member_only: self.member_only,
            discountable: self.discountable,
        })
    }
}

/// A change of a product; what is left out stays, null clears. Its price is changed by `productPriceSet`.
#[derive(Clone, Debug, InputObject)]
pub struct ProductUpdateInput {
    /// Which product.
    pub(super) id: ID,
    /// The version that the change is based on.
    version: i32,
    /// The name, in all its languages.
    names: Option<Vec<LocalizedTextInput>>,
    /// Its category.
    category_id: MaybeUndefined<ID>,
    /// Who makes it, at most 100 characters.
    brand: MaybeUndefined<String>,
    /// The maker's series or collection, at most 100 characters.
    series: MaybeUndefined<String>,
    /// The code on its label, unique.
    barcode: MaybeUndefined<String>,
    /// What one costs the shop.
    unit_cost: MaybeUndefined<MoneyInput>,
    /// The first day on which it is sold.
    introduced_on: MaybeUndefined<Date>,
    /// Sold to members only.
    member_only: Option<bool>,
    /// May the discount of a tier be taken off?
    discountable: Option<bool>,
}

impl ProductUpdateInput {
    /// The change, its amounts in the company's currency.
    ///
    /// # Errors
    /// User errors of the amounts.
    pub(super) fn parse(self, currency: Currency) -> Result<ProductChange> {
        let mut errors = UserErrors::new();
        let cost = patch_with(self.unit_cost, |cost: MoneyInput| {
            cost.minor("unitCost", currency, &mut errors)
        });
        errors.check()?;
        Ok(ProductChange {
            version: self.version.into(),
            names: self.names.map(names),
            category: patch_with(self.category_id, |id| key(&id)),
            brand: patch(self.brand),
            series: patch(self.series),
            barcode: patch(self.barcode),
            unit_cost_minor: cost.map(Option::flatten),
            introduced_on: patch_with(self.introduced_on, |day: Date| day.0),
            member_only: self.member_only,
            discountable: self.discountable,
        })
    }
}

/// Which product is put away.
#[derive(Clone, Debug, InputObject)]
pub struct ProductArchiveInput {
    /// Which product.
    pub(super) id: ID,
    /// The version that the change is based on.
    pub(super) version: i32,
    /// False takes it out again.
    #[graphql(default = true)]
    pub(super) archived: bool,
}

/// A price to be set.
#[derive(Clone, Debug, InputObject)]
pub struct ProductPriceSetInput {
    /// Of which product.
    product_id: ID,
    /// The list price of one.
    list_price: MoneyInput,
    /// From when on; from now on when absent. Not in the past.
    valid_from: Option<DateTime>,
}

impl ProductPriceSetInput {
    /// The price in the company's currency.
    ///
    /// # Errors
    /// User errors of the amount.
    pub(super) fn parse(self, currency: Currency) -> Result<NewPrice> {
        let mut errors = UserErrors::new();
        let price = self.list_price.minor("listPrice", currency, &mut errors);
        errors.check()?;
        Ok(NewPrice {
            product: key(&self.product_id),
            list_price_minor: price.ok_or_else(|| Error::internal("a parsed price is missing"))?,
            from: self.valid_from.map(|from| from.0),
        })
    }
}

/// Which price is taken back.
#[derive(Clone, Debug, InputObject)]
pub struct ProductPriceCancelInput {
    /// Which price: one that is still to come.
    pub(super) id: ID,
}

/// Which products a list has; everything given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct ProductFilterInput {
    /// Words of the name in any language, of brand and series, an SKU or a barcode.
    query: Option<String>,
    /// Exactly this SKU.
    sku: Option<String>,
    /// Exactly this barcode, as a scanner reads it.
    barcode: Option<String>,
    /// In this category or in any part of it.
    category_id: Option<ID>,
    /// Exactly this brand.
    brand: Option<String>,
    /// Exactly this series.
    series: Option<String>,
    /// Sold to members only (true), or to everybody (false).
    member_only: Option<bool>,
    /// May a tier's discount be taken off?
    discountable: Option<bool>,
    /// Introduced on this day or later.
    introduced_from: Option<Date>,
    /// Introduced on this day or earlier.
    introduced_to: Option<Date>,
    /// Those that were put away (true), or those that are sold (false), which is usual.
    archived: Option<bool>,
}

impl From<ProductFilterInput> for ProductFilter {
    fn from(filter: ProductFilterInput) -> Self {
        Self {
            query: filter.query,
            sku: filter.sku,
            barcode: filter.barcode,
            category: filter.category_id.as_ref().map(key),
            brand: filter.brand,
            series: filter.series,
            member_only: filter.member_only,
            discountable: filter.discountable,
            introduced_from: filter.introduced_from.map(|day| day.0),
            introduced_to: filter.introduced_to.map(|day| day.0),
            archived: filter.archived,
        }
    }
}

/// By what products are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ProductOrderField {
    /// By name, in the company's locale.
    Name,
    /// By SKU.
    Sku,
    /// By the first day on which they are sold; those without one are left out.
    IntroducedOn,
}

/// How a list of products is ordered.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct ProductOrderInput {
    /// By what.
    field: ProductOrderField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

impl ProductOrderInput {
    pub(super) fn parts(order: Option<Self>) -> (ProductOrder, Sort) {
        let field = match order.map(|order| order.field) {
            Some(ProductOrderField::Sku) => ProductOrder::Sku,
            Some(ProductOrderField::IntroducedOn) => ProductOrder::IntroducedOn,
            Some(ProductOrderField::Name) | None => ProductOrder::Name,
        };
        (
            field,
            order.map_or(Sort::Ascending, |order| order.direction.into()),
        )
    }
}

//! Rows of products: the catalogue of another system.

use std::borrow::Cow;
use std::io::Read;

use chrono::{Datelike, NaiveDate};
use entity::values::{Barcode, LanguageTag};
use serde::{Deserialize, Serialize};

use super::mapping::{MappedField, fields};
use super::reject::RejectCode;
use super::table::{Fault, LONGEST_REFERENCE, RowKind, Table, fault, missing};

/// Characters of a name.
const LONGEST_NAME: usize = 200;
/// Characters of an SKU: what a line of a receipt holds.
const LONGEST_SKU: usize = 64;
/// Characters of a brand and of a series.
const LONGEST_BRAND: usize = 100;
/// The largest price in minor units: that of a line of a receipt.
const LARGEST_MINOR: i64 = 1_000_000_000_000;
/// Levels of categories.
const DEEPEST: usize = 8;
/// What stands before the language in the field of a name, as in `name_zh-Hant`.
const NAME_IN: &str = "name_";
/// What stands between the categories of a path.
const LEVEL: char = '>';

fields! {
    /// What a row of products can tell beside names.
    PlainField needs [] {
        /// The stock keeping unit.
        Sku = "sku",
        /// The code of a category that there is.
        Category = "category",
        /// Names of categories from the top down.
        CategoryPath = "category_path",
        /// Who makes it.
        Brand = "brand",
        /// The maker's series or collection.
        Series = "series",
        /// As the label bears it.
        Barcode = "barcode",
        /// What one costs the shop.
        UnitCost = "unit_cost",
        /// The list price of one.
        ListPrice = "list_price",
        /// From when on that price holds.
        PriceFrom = "price_from",
        /// The first day on which it is sold.
        IntroducedOn = "introduced_on",
        /// Sold to members only.
        MemberOnly = "member_only",
        /// May the discount of a tier be taken off?
        Discountable = "discountable",
    }
}

/// What a row of products can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductField {
    /// What is not a name.
    Plain(PlainField),
    /// The name in a language; in the company's own when there is none.
    Name(Option<LanguageTag>),
}

impl MappedField for ProductField {
    const REQUIRED: &'static [Self] = &[Self::Plain(PlainField::Sku)];

    fn named(name: &str) -> Option<Self> {
        if name == "name" {
            return Some(Self::Name(None));
        }
        match name.strip_prefix(NAME_IN) {
            Some(tag) => LanguageTag::parse(tag)
                .ok()
                .map(|tag| Self::Name(Some(tag))),
            None => PlainField::named(name).map(Self::Plain),
        }
    }

    fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Plain(field) => field.name(),
            Self::Name(None) => "name".into(),
            Self::Name(Some(tag)) => format!("{NAME_IN}{tag}").into(),
        }
    }

    fn known() -> String {
        format!(
            "{}, name, and name_ with a language such as name_en, name_zh-Hant",
            PlainField::known()
        )
    }
}

/// What a row says of a product; what is empty says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductRow {
    /// The stock keeping unit.
    pub sku: String,
    /// Names with their languages; the company's own when there is none.
    pub names: Vec<(Option<LanguageTag>, String)>,
    /// The code of a category.
    pub category: Option<String>,
    /// Names of categories from the top down; empty when there are none.
    pub category_path: Vec<String>,
    /// Who makes it.
    pub brand: Option<String>,
    /// The maker's series or collection.
    pub series: Option<String>,
    /// In normal form.
    pub barcode: Option<String>,
    /// What one costs the shop, in minor units.
    pub unit_cost_minor: Option<i64>,
    /// The list price of one, in minor units.
    pub list_price_minor: Option<i64>,
    /// From which day on it holds.
    pub price_from: Option<NaiveDate>,
    /// The first day on which it is sold.
    pub introduced_on: Option<NaiveDate>,
    /// Sold to members only.
    pub member_only: Option<bool>,
    /// May the discount of a tier be taken off?
    pub discountable: Option<bool>,
}

impl RowKind for ProductRow {
    type Field = ProductField;

    fn read<R: Read>(table: &Table<R, ProductField>) -> Result<Self, Fault<ProductField>> {
        use PlainField as P;
        use ProductField::Plain;
        let sku = table.required(Plain(P::Sku), LONGEST_SKU)?;
        let mut names = Vec::new();
        for field in table.columns().fields() {
            if let ProductField::Name(language) = field
                && let Some(name) = table.folded_line(field.clone(), LONGEST_NAME)?
            {
                names.push((language.clone(), name));
            }
        }
        let day = |field: P| -> Result<Option<NaiveDate>, Fault<ProductField>> {
            let found = table.date(Plain(field))?.map(|(day, _)| day);
            if found.is_some_and(|day| day.year() > 2200) {
                return Err(fault(
                    Plain(field),
                    RejectCode::BadDate,
                    "must lie between 1900 and 2200",
                ));
            }
            Ok(found)
        };
        let row = Self {
            sku,
            names,
            category: table.line(Plain(P::Category), LONGEST_REFERENCE)?,
            category_path: path(table)?,
            brand: table.folded_line(Plain(P::Brand), LONGEST_BRAND)?,
            series: table.folded_line(Plain(P::Series), LONGEST_BRAND)?,
            barcode: table.parsed_short(Plain(P::Barcode), RejectCode::BadValue, |text| {
                Barcode::parse(text).map(|code| code.as_str().to_owned())
            })?,
            unit_cost_minor: price(table, P::UnitCost)?,
            list_price_minor: price(table, P::ListPrice)?,
            price_from: day(P::PriceFrom)?,
            introduced_on: day(P::IntroducedOn)?,
            member_only: table.yes_or_no(Plain(P::MemberOnly))?,
            discountable: table.yes_or_no(Plain(P::Discountable))?,
        };
        if row.price_from.is_some() && row.list_price_minor.is_none() {
            return Err(missing(Plain(P::ListPrice)));
        }
        Ok(row)
    }
}

fn price<R: Read>(
    table: &Table<R, ProductField>,
    field: PlainField,
) -> Result<Option<i64>, Fault<ProductField>> {
    let minor = table.amount(ProductField::Plain(field), table.options.currency)?;
    if minor.is_some_and(|minor| !(0..=LARGEST_MINOR).contains(&minor)) {
        return Err(fault(
            ProductField::Plain(field),
            RejectCode::BadAmount,
            "is below zero, or larger than anything that is sold; correct it",
        ));
    }
    Ok(minor)
}

fn path<R: Read>(table: &Table<R, ProductField>) -> Result<Vec<String>, Fault<ProductField>> {
    let field = ProductField::Plain(PlainField::CategoryPath);
    let text = table.folded_line(field.clone(), LONGEST_NAME * DEEPEST)?;
    let levels: Vec<String> = text
        .iter()
        .flat_map(|text| text.split(LEVEL))
        .map(|level| level.trim().to_owned())
        .collect();
    let fits = |level: &String| (1..=LONGEST_NAME).contains(&level.chars().count());
    if levels.len() > DEEPEST || !levels.iter().all(fits) {
        return Err(fault(
            field,
            RejectCode::BadValue,
            "is not a path of 1 to 8 categories; write it like Tea > Green tea",
        ));
    }
    Ok(levels)
}

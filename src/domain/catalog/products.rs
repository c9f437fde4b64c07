//! Products: made, changed, put away and found by their ids, SKUs and barcodes.

use super::categories::{check_open, own_language};
use super::prices::{self, NewPrice};
use super::{Names, parse_names};
use crate::access::{Action, Ctx};
use crate::db::Sql;
use crate::domain::organization::change::{Told, check_free, check_version, put};
use crate::domain::organization::{self, CompanySettings, fixed};
use crate::error::{Code, Error, Result, UserErrors, text_code};
use chrono::NaiveDate;
use entity::ids::{CategoryId, ProductId};
use entity::product::{ActiveModel, Column, Entity, Model};
use entity::values::text::clean_optional_line;
use entity::values::{Barcode, LocalizedText, clean_line, index_tokens};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QuerySelect,
};
use serde_json::json;

/// Characters of an SKU at most: what a line of a receipt holds.
const SKU_CHARS: usize = 64;
/// Characters of a brand and of a series at most.
const BRAND_CHARS: usize = 100;
/// The first and the last year in which a product may be introduced.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2200;

/// A product to be made.
#[derive(Clone, Debug)]
pub struct NewProduct {
    /// The stock keeping unit, unique and for good.
    pub sku: String,
    /// The name in several languages.
    pub names: Names,
    /// Its category.
    pub category: Option<CategoryId>,
    /// Who makes it.
    pub brand: Option<String>,
    /// The maker's series or collection.
    pub series: Option<String>,
    /// As the label bears it.
    pub barcode: Option<String>,
    /// What one costs the shop, in minor units.
    pub unit_cost_minor: Option<i64>,
    /// The list price of one from now on, in minor units.
    pub list_price_minor: i64,
    /// The first day on which it is sold.
    pub introduced_on: Option<NaiveDate>,
    /// Sold to members only.
    pub member_only: bool,
    /// May the discount of a tier be taken off?
    pub discountable: bool,
}

/// A change of a product; what is left out stays, inside `None` clears.
#[derive(Clone, Debug, Default)]
pub struct ProductChange {
    /// The version that the change is based on.
    pub version: i64,
    /// The name, in all its languages.
    pub names: Option<Names>,
    /// Its category.
    pub category: Option<Option<CategoryId>>,
    /// Who makes it.
    pub brand: Option<Option<String>>,
    /// The maker's series or collection.
    pub series: Option<Option<String>>,
    /// As the label bears it.
    pub barcode: Option<Option<String>>,
    /// What one costs the shop, in minor units.
    pub unit_cost_minor: Option<Option<i64>>,
    /// The first day on which it is sold.
    pub introduced_on: Option<Option<NaiveDate>>,
    /// Sold to members only.
    pub member_only: Option<bool>,
    /// May the discount of a tier be taken off?
    pub discountable: Option<bool>,
}

/// The name of a product as it is kept.
///
/// # Errors
/// [`Error::Internal`] when it is none, which only a defect or a foreign hand does.
pub fn names(row: &Model) -> Result<LocalizedText> {
    serde_json::from_value(row.names.clone())
        .map_err(|error| Error::internal(format!("names of a product: {error}")))
}

pub(super) fn name_key(company: &CompanySettings, names: &LocalizedText) -> Result<Vec<u8>> {
    let own = own_language(&company.locale)?;
    let name = names.in_language(&own, &own);
    Ok(company.collation.key(name).into_bytes())
}

fn parse_label(errors: &mut UserErrors, field: &str, text: Option<&str>) -> Option<String> {
    errors
        .take(field, text_code, clean_optional_line(text?, BRAND_CHARS))
        .flatten()
}

fn parse_barcode(errors: &mut UserErrors, text: Option<&str>) -> Option<String> {
    let code = errors.take("barcode", |_| Code::Invalid, Barcode::parse(text?))?;
    Some(code.as_str().to_owned())
}

fn check_cost(errors: &mut UserErrors, cost: Option<i64>) {
    prices::check_amount(errors, "unitCost", cost);
}

fn check_day(errors: &mut UserErrors, day: Option<NaiveDate>) {
    use chrono::Datelike;
    if day.is_some_and(|day| !YEARS.contains(&day.year())) {
        errors.push(
            Code::OutOfRange,
            "introducedOn",
            "introducedOn must lie between 1900 and 2200",
        );
    }
}

/// Makes a product, with its first price.
///
/// # Errors
/// User errors, such as an SKU that is in use; as [`Ctx::require`]; those of the database.
pub async fn create(ctx: &Ctx, new: &NewProduct) -> Result<Model> {
    ctx.require(Action::CatalogManage)?;
    let company = &*organization::settings(ctx).await?;
    let mut errors = UserErrors::new();
    let sku = errors.take("sku", text_code, clean_line(&new.sku, SKU_CHARS));
    let names = parse_names(&mut errors, &new.names);
    let brand = &parse_label(&mut errors, "brand", new.brand.as_deref());
    let series = &parse_label(&mut errors, "series", new.series.as_deref());
    let barcode = &parse_barcode(&mut errors, new.barcode.as_deref());
    check_cost(&mut errors, new.unit_cost_minor);
    prices::check_amount(&mut errors, "listPrice", Some(new.list_price_minor));
    check_day(&mut errors, new.introduced_on);
    errors.check()?;
    let (Some(sku), Some(names)) = (&sku, &names) else {
        return Err(Error::internal("a parsed product is not whole"));
    };
    let name_key = &name_key(company, names)?;
    ctx.db
        .write(|tx| async move {
            fixed::hold_currency(&*tx, ctx, company.currency).await?;
            fixed::hold_locale(&*tx, ctx, company.locale.as_str()).await?;
            check_free::<Entity>(&*tx, Column::Sku, sku, "sku").await?;
            if let Some(code) = barcode {
                check_free::<Entity>(&*tx, Column::Barcode, code, "barcode").await?;
            }
            if let Some(category) = new.category {
                check_open(&*tx, category, "categoryId").await?;
            }
            let now = ctx.now();
            let row = ActiveModel {
                id: Set(ProductId::new()),
                sku: Set(sku.clone()),
                names: Set(json!(names)),
                name_key: Set(name_key.clone()),
                category_id: Set(new.category),
                brand: Set(brand.clone()),
                series: Set(series.clone()),
                barcode: Set(barcode.clone()),
                unit_cost_minor: Set(new.unit_cost_minor),
                introduced_on: Set(new.introduced_on),
                member_only: Set(new.member_only),
                discountable: Set(new.discountable),
                archived_at: Set(None),
                version: Set(1),
                created_at: Set(now),
                updated_at: Set(now),
            }
            .insert(&*tx)
            .await?;
            let first = NewPrice {
                product: row.id,
                list_price_minor: new.list_price_minor,
                from: None,
            };
            prices::insert(&*tx, ctx, &first, now).await?;
            index(&*tx, &row).await?;
            told(("product.created", "product.create"), &row, &[])
                .write(&*tx, ctx)
                .await?;
            Ok(row)
        })
        .await
}

/// Changes a product. Its SKU stays, since receipts name it; its price is changed by [`prices::set`].
///
/// # Errors
/// As [`create`].
pub async fn update(ctx: &Ctx, id: ProductId, change: &ProductChange) -> Result<Model> {
    ctx.require(Action::CatalogManage)?;
    let company = &*organization::settings(ctx).await?;
    let mut errors = UserErrors::new();
    let names = change
        .names
        .as_ref()
        .and_then(|names| parse_names(&mut errors, names));
    let mut label = |field: &str, given: &Option<Option<String>>| {
        given
            .as_ref()
            .map(|text| parse_label(&mut errors, field, text.as_deref()))
    };
    let brand = &label("brand", &change.brand);
    let series = &label("series", &change.series);
    let barcode = &change
        .barcode
        .as_ref()
        .map(|text| parse_barcode(&mut errors, text.as_deref()));
    check_cost(&mut errors, change.unit_cost_minor.flatten());
    check_day(&mut errors, change.introduced_on.flatten());
    errors.check()?;
    let name_key = &names
        .as_ref()
        .map(|names| name_key(company, names))
        .transpose()?;
    let names = &names;
    ctx.db
        .write(|tx| async move {
            let row = locked(&*tx, id, change.version).await?;
            let mut fields = Vec::new();
            let mut active = row.clone().into_active_model();
            let given = names.as_ref().map(|names| json!(names));
            if put(&mut fields, "names", given, &mut active.names)
                && let Some(key) = name_key
            {
                active.name_key = Set(key.clone());
            }
            if put(
                &mut fields,
                "category",
                change.category,
                &mut active.category_id,
            ) && let Some(category) = *active.category_id.as_ref()
            {
                check_open(&*tx, category, "categoryId").await?;
            }
            put(&mut fields, "brand", brand.clone(), &mut active.brand);
            put(&mut fields, "series", series.clone(), &mut active.series);
            if put(&mut fields, "barcode", barcode.clone(), &mut active.barcode)
                && let Some(code) = active.barcode.as_ref()
            {
                check_free::<Entity>(&*tx, Column::Barcode, code, "barcode").await?;
            }
            let cost = change.unit_cost_minor;
            put(&mut fields, "unitCost", cost, &mut active.unit_cost_minor);
            let day = change.introduced_on;
            put(&mut fields, "introducedOn", day, &mut active.introduced_on);
            let only = change.member_only;
            put(&mut fields, "memberOnly", only, &mut active.member_only);
            let may = change.discountable;
            put(&mut fields, "discountable", may, &mut active.discountable);
            if fields.is_empty() {
                return Ok(row);
            }
            active.version = Set(row.version + 1);
            active.updated_at = Set(ctx.now());
            let row = active.update(&*tx).await?;
            index(&*tx, &row).await?;
            told(("product.updated", "product.update"), &row, &fields)
                .write(&*tx, ctx)
                .await?;
            Ok(row)
        })
        .await
}

/// Puts a product away that is sold no longer, or takes it out again.
///
/// # Errors
/// User errors, such as a stale version; as [`Ctx::require`]; those of the database.
pub async fn archive(ctx: &Ctx, id: ProductId, version: i64, archived: bool) -> Result<Model> {
    ctx.require(Action::CatalogManage)?;
    ctx.db
        .write(|tx| async move {
            let row = locked(&*tx, id, version).await?;
            if row.archived_at.is_some() == archived {
                return Ok(row);
            }
            let mut active = row.clone().into_active_model();
            active.archived_at = Set(archived.then(|| ctx.now()));
            active.version = Set(row.version + 1);
            active.updated_at = Set(ctx.now());
            let row = active.update(&*tx).await?;
            let words = if archived {
                ("product.archived", "product.archive")
            } else {
                ("product.restored", "product.restore")
            };
            told(words, &row, &[]).write(&*tx, ctx).await?;
            Ok(row)
        })
        .await
}

/// Products by their ids; what does not exist is left out.
///
/// # Errors
/// As [`Ctx::require`]; those of the database.
pub async fn by_ids(ctx: &Ctx, ids: &[ProductId]) -> Result<Vec<Model>> {
    ctx.require(Action::CatalogRead)?;
    Ok(Entity::find()
        .filter(Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(ctx.db.read())
        .await?)
}

/// Products by their SKUs, as lines of receipts name them; what does not exist is left out.
///
/// # Errors
/// As [`by_ids`].
pub async fn by_skus(ctx: &Ctx, skus: &[String]) -> Result<Vec<Model>> {
    ctx.require(Action::CatalogRead)?;
    Ok(Entity::find()
        .filter(Column::Sku.is_in(skus.iter().map(String::as_str)))
        .all(ctx.db.read())
        .await?)
}

/// What products are found by: their names in all languages, brand, series, SKU and barcode.
pub(super) fn words(row: &Model) -> Result<String> {
    let names = names(row)?;
    let texts = names
        .iter()
        .map(|(_, text)| text)
        .chain(row.brand.as_deref())
        .chain(row.series.as_deref())
        .chain([row.sku.as_str()])
        .chain(row.barcode.as_deref());
    let words: Vec<String> = texts.map(index_tokens).collect();
    Ok(words.join(" "))
}

async fn index(tx: &impl ConnectionTrait, row: &Model) -> Result<()> {
    let mut sql = Sql::for_connection(tx);
    sql.push("insert into product_search (product_id, words) values ")
        .bind_list([sea_orm::Value::from(row.id), words(row)?.into()])
        .push(" on conflict (product_id) do update set words = excluded.words");
    tx.execute_raw(sql.build()).await?;
    Ok(())
}

async fn locked(tx: &impl ConnectionTrait, id: ProductId, version: i64) -> Result<Model> {
    let row = Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?
        .ok_or_else(|| Error::not_found("id", "product"))?;
    check_version(version, row.version)?;
    Ok(row)
}

fn told(words: (&'static str, &'static str), row: &Model, fields: &[&str]) -> Told {
    Told {
        words,
        what: "product",
        id: row.id.into(),
        store: None,
        detail: json!({ "fields": fields }),
    }
}

//! List prices: each holds from a moment on, until the next one does. The past is never rewritten; a price that is still to
//! come may be taken back.

use crate::access::{Action, Ctx};
use crate::db::{Keyset, Page, PageRequest, Sort};
use crate::domain::organization::change::Told;
use crate::domain::organization::{self, fixed};
use crate::error::{Code, Error, Result, UserErrors};
use chrono::{DateTime, Utc};
use entity::ids::{ProductId, ProductPriceId};
use entity::product;
use entity::product_price::{ActiveModel, Column, Entity, Model};
use sea_orm::sea_query::{Expr, ExprTrait, LockType, Order, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ModelTrait,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;
use std::collections::HashMap;

/// The largest price, in minor units: that of a line of a receipt.
const LARGEST_MINOR: i64 = 1_000_000_000_000;
/// Prices of one product that are still to come, at most.
const MOST_TO_COME: u64 = 50;

/// A price to be set.
#[derive(Clone, Debug)]
pub struct NewPrice {
    /// Of which product.
    pub product: ProductId,
    /// The price of one, in minor units.
    pub list_price_minor: i64,
    /// From when on; from now on when absent.
    pub from: Option<DateTime<Utc>>,
}

/// Notes an amount that is no price.
pub(super) fn check_amount(errors: &mut UserErrors, field: &str, minor: Option<i64>) {
    if minor.is_some_and(|minor| !(0..=LARGEST_MINOR).contains(&minor)) {
        errors.push(
            Code::OutOfRange,
            field,
            format!("{field} must be 0 or more, and at most {LARGEST_MINOR} of the currency's smallest units"),
        );
    }
}

/// The prices of products at this moment; a product without one is left out.
///
/// # Errors
/// As [`Ctx::require`]; those of the database.
pub async fn present(ctx: &Ctx, ids: &[ProductId]) -> Result<HashMap<ProductId, i64>> {
    ctx.require(Action::CatalogRead)?;
    at(ctx.db.read(), ids, ctx.now()).await
}

/// The prices of products at a moment. One look into an index for each, however often a price has changed.
///
/// # Errors
/// Those of the database.
pub async fn at(
    connection: &impl ConnectionTrait,
    ids: &[ProductId],
    moment: DateTime<Utc>,
) -> Result<HashMap<ProductId, i64>> {
    let of_product = Expr::col((Entity, Column::ProductId))
        .eq(Expr::col((product::Entity, product::Column::Id)));
    let latest = Query::select()
        .column((Entity, Column::ListPriceMinor))
        .from(Entity)
        .and_where(of_product)
        .and_where(Expr::col((Entity, Column::ValidFrom)).lte(moment))
        .order_by((Entity, Column::ValidFrom), Order::Desc)
        .limit(1)
        .to_owned();
    let rows: Vec<(ProductId, Option<i64>)> = product::Entity::find()
        .select_only()
        .column(product::Column::Id)
        .expr_as(Expr::SubQuery(None, Box::new(latest.into())), "price")
        .filter(product::Column::Id.is_in(ids.iter().map(|id| id.0)))
        .into_tuple()
        .all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|(id, price)| Some((id, price?)))
        .collect())
}

/// A page of a product's prices, those to come among them, the latest first.
///
/// # Errors
/// As [`present`].
pub async fn history(ctx: &Ctx, product: ProductId, page: &PageRequest) -> Result<Page<Model>> {
    ctx.require(Action::CatalogRead)?;
    Keyset::new(
        Expr::col((Entity, Column::ValidFrom)),
        Expr::col((Entity, Column::Id)),
        Sort::Descending,
    )
    .page(
        ctx.db.read(),
        Entity::find().filter(Column::ProductId.eq(product)),
        page,
    )
    .await
}

/// How many prices a product has had and will have.
///
/// # Errors
/// As [`present`].
pub async fn count(ctx: &Ctx, product: ProductId) -> Result<u64> {
    ctx.require(Action::CatalogRead)?;
    Ok(Entity::find()
        .filter(Column::ProductId.eq(product))
        .count(ctx.db.read())
        .await?)
}

/// Prices by their ids; what does not exist is left out.
///
/// # Errors
/// As [`present`].
pub async fn by_ids(ctx: &Ctx, ids: &[ProductPriceId]) -> Result<Vec<Model>> {
    ctx.require(Action::CatalogRead)?;
    Ok(Entity::find()
        .filter(Column::Id.is_in(ids.iter().map(|id| id.0)))
        .all(ctx.db.read())
        .await?)
}

/// Sets a price from a moment on. One that holds then already is no change, and is given back.
///
/// # Errors
/// User errors, such as a moment that has passed; as [`Ctx::require`]; those of the database.
pub async fn set(ctx: &Ctx, new: &NewPrice) -> Result<Model> {
    ctx.require(Action::CatalogManage)?;
    let currency = organization::settings(ctx).await?.currency;
    let mut errors = UserErrors::new();
    check_amount(&mut errors, "listPrice", Some(new.list_price_minor));
    errors.check()?;
    ctx.db
        .write(|tx| async move {
            let now = ctx.now();
            let from = new.from.unwrap_or(now);
            if from < now {
                return Err(Error::user(
                    Code::OutOfRange,
                    "validFrom",
                    "a price holds from now or from later on; what was paid in the past is not rewritten",
                ));
            }
            fixed::hold_currency(&*tx, ctx, currency).await?;
            hold_product(&*tx, new.product, "productId").await?;
            let of_product = || Entity::find().filter(Column::ProductId.eq(new.product));
            let before = of_product()
                .filter(Column::ValidFrom.lte(from))
                .order_by_desc(Column::ValidFrom)
                .one(&*tx)
                .await?;
            match before {
                Some(before) if before.list_price_minor == new.list_price_minor => {
                    return Ok(before);
                }
                Some(before) if before.valid_from == from => {
                    return Err(Error::user(
                        Code::Taken,
                        "validFrom",
                        "another price holds from that moment on; cancel it first, or choose another moment",
                    ));
                }
                _ => {}
            }
            let to_come = of_product()
                .filter(Column::ValidFrom.gt(now))
                .count(&*tx)
                .await?;
            if to_come >= MOST_TO_COME {
                return Err(Error::user(
                    Code::TooMany,
                    "validFrom",
                    format!("{MOST_TO_COME} prices of this product are still to come; cancel one first"),
                ));
            }
            let row = insert(&*tx, ctx, new, from).await?;
            told(("product.price_set", "product.price_set"), &row)
                .write(&*tx, ctx)
                .await?;
            Ok(row)
        })
        .await
}

/// Takes back a price that is still to come; gives its product.
///
/// # Errors
/// User errors when it is unknown or holds already; as [`Ctx::require`]; those of the database.
pub async fn cancel(ctx: &Ctx, id: ProductPriceId) -> Result<product::Model> {
    ctx.require(Action::CatalogManage)?;
    ctx.db
        .write(|tx| async move {
            let found = Entity::find_by_id(id).one(&*tx).await?;
            let row = found.ok_or_else(|| Error::not_found("id", "price"))?;
            let product = hold_product(&*tx, row.product_id, "id").await?;
            if row.valid_from <= ctx.now() {
                return Err(Error::user(
                    Code::WrongState,
                    "id",
                    "this price holds already, or has held; set another one from now on",
                ));
            }
            told(("product.price_cancelled", "product.price_cancel"), &row)
                .write(&*tx, ctx)
                .await?;
            row.delete(&*tx).await?;
            Ok(product)
        })
        .await
}

/// Locks the product, under which its prices are changed.
async fn hold_product(
    tx: &impl ConnectionTrait,
    id: ProductId,
    field: &str,
) -> Result<product::Model> {
    product::Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?
        .ok_or_else(|| Error::not_found(field, "product"))
}

pub(super) async fn insert(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    new: &NewPrice,
    from: DateTime<Utc>,
) -> Result<Model> {
    let row = ActiveModel {
        id: Set(ProductPriceId::new()),
        product_id: Set(new.product),
        list_price_minor: Set(new.list_price_minor),
        valid_from: Set(from),
        set_by: Set(ctx.viewer.staff_id()),
        set_at: Set(ctx.now()),
    };
    Ok(row.insert(tx).await?)
}

fn told(words: (&'static str, &'static str), row: &Model) -> Told {
    Told {
        words,
        what: "product",
        id: row.product_id.into(),
        store: None,
        detail: json!({
            "price": row.id,
            "listPriceMinor": row.list_price_minor,
            "validFrom": row.valid_from,
        }),
    }
}

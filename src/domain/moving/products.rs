//! Products that a file brings, with their list prices: one that is known is filled in, and a price from another moment
//! on is one more price.

use super::batches::{Fate, Take, Taken};
use super::categories::{Categories, Place};
use super::open;
use super::options::MoveOptions;
use crate::access::{Ctx, audit};
use crate::db::{Batch, Engine, Sql, Tx, among, prefer_indexes};
use crate::domain::catalog::arrivals;
use crate::domain::catalog::categories::own_language;
use crate::domain::organization::{CompanySettings, fixed};
use crate::error::Result;
use crate::events::{self, NewEvent};
use crate::intake::Placed;
use crate::intake::products::{ProductField, ProductRow};
use entity::enums::OpenReferenceKind;
use entity::ids::ProductId;
use entity::values::LanguageTag;
use entity::{open_reference, product, product_price};
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;

mod rules;

/// Takes products in.
#[derive(Debug)]
pub(super) struct Taker {
    source: String,
    file: String,
    company: Arc<CompanySettings>,
    categories: Option<Categories>,
}

/// A product as it is, and as it will be.
#[derive(Clone, Debug)]
struct Standing {
    row: product::Model,
    /// As read; none of a new one.
    before: Option<product::Model>,
    prices: Vec<product_price::Model>,
    /// How many prices there were before.
    known_prices: usize,
    /// The category that it waits for.
    open: Option<open_reference::Model>,
    /// Did it wait before?
    was_open: bool,
}

/// What the rows of a batch meet.
struct Around<'a> {
    ctx: &'a Ctx,
    taker: &'a Taker,
    own: LanguageTag,
    places: &'a [Option<Place>],
    /// Who has which barcode.
    barcodes: HashMap<String, ProductId>,
}

impl Taker {
    /// For one file.
    pub fn new(options: &MoveOptions, company: Arc<CompanySettings>) -> Self {
        Self {
            source: options.source.clone(),
            file: options.file.clone(),
            company,
            categories: None,
        }
    }

    /// Where the rows' products belong, as far as it can be told.
    async fn places(
        &mut self,
        ctx: &Ctx,
        rows: &[Placed<ProductRow>],
        makes: impl Fn(usize) -> bool,
    ) -> Result<Vec<Option<Place>>> {
        let mut categories = match self.categories.take() {
            Some(categories) => categories,
            None => Categories::read(ctx, &self.company).await?,
        };
        let mut places = Vec::with_capacity(rows.len());
        for (place, Placed { row, .. }) in rows.iter().enumerate() {
            places.push(match &row.category {
                Some(code) => categories.of_code(code).map(Place::In),
                None if row.category_path.is_empty() => None,
                None => {
                    let path = &row.category_path;
                    let dry_run = !makes(place);
                    let found = categories.of_path(ctx, &self.company, path, dry_run);
                    Some(found.await?)
                }
            });
        }
        self.categories = Some(categories);
        Ok(places)
    }

    async fn compute(
        &self,
        connection: &impl ConnectionTrait,
        ctx: &Ctx,
        rows: &[Placed<ProductRow>],
        places: &[Option<Place>],
    ) -> Result<(Taken<ProductField>, Vec<Standing>)> {
        let (mut standings, barcodes) = read(connection, rows).await?;
        let mut around = Around {
            ctx,
            taker: self,
            own: own_language(&self.company.locale)?,
            places,
            barcodes,
        };
        let (mut taken, mut order) = (Taken::new(), Vec::new());
        for (place, placed) in rows.iter().enumerate() {
            let known = standings.get(&placed.row.sku);
            let is_new = known.is_none();
            let mut standing = match known {
                Some(known) => known.clone(),
                None => match around.stranger(&placed.row) {
                    Ok(standing) => standing,
                    Err(fault) => {
                        taken.fates.push(Err(fault));
                        continue;
                    }
                },
            };
            let was = (
                standing.row.clone(),
                standing.prices.len(),
                standing.open.is_some(),
            );
            let fate = around.apply(&mut standing, placed, place)?.map(|()| {
                let is = (
                    standing.row.clone(),
                    standing.prices.len(),
                    standing.open.is_some(),
                );
                match (is_new, is == was) {
                    (true, _) => Fate::Made,
                    (false, true) => Fate::Known,
                    (false, false) => Fate::Changed,
                }
            });
            if fate.is_ok() {
                if let Some(code) = &standing.row.barcode {
                    around.barcodes.insert(code.clone(), standing.row.id);
                }
                if standings.insert(placed.row.sku.clone(), standing).is_none()
                    || fate == Ok(Fate::Changed)
                {
                    order.push(placed.row.sku.clone());
                }
            }
            taken.fates.push(fate);
        }
        // One that was made and filled in by several rows is written once.
        let touched = order
            .into_iter()
            .filter_map(|sku| standings.remove(&sku))
            .collect();
        Ok((taken, touched))
    }

    async fn write(&self, tx: &Tx, ctx: &Ctx, touched: Vec<Standing>) -> Result<()> {
        if touched.is_empty() {
            return Ok(());
        }
        fixed::hold_currency(&**tx, ctx, self.company.currency).await?;
        fixed::hold_locale(&**tx, ctx, &self.company.locale).await?;
        let made = touched
            .iter()
            .filter(|standing| standing.before.is_none())
            .count();
        let payload = json!({
            "source": self.source,
            "made": made,
            "filled": touched.len() - made,
        });
        let mut batch = Batch::new();
        let changed = touched.iter().filter_map(|standing| {
            let mut row = standing.row.clone();
            match &standing.before {
                Some(before) if *before == row => return None,
                Some(before) => {
                    row.version = before.version + 1;
                    row.updated_at = ctx.now();
                }
                None => {}
            }
            Some(row)
        });
        let changed: Vec<product::Model> = changed.collect();
        arrivals::gather(&mut batch, &changed)?;
        for standing in &touched {
            let prices = standing.prices.iter().skip(standing.known_prices);
            arrivals::gather_prices(&mut batch, prices);
            if !standing.was_open {
                open::gather(&mut batch, &standing.open);
            }
        }
        let entry = audit::Entry::new(ctx, "product.import").detail(payload.clone());
        audit::gather(&mut batch, &[entry]);
        batch.write(&**tx).await?;
        let event = NewEvent {
            kind: "products.imported",
            customer: None,
            store: None,
            subject: ProductId::new().into(),
            payload,
        };
        events::record(&**tx, ctx, &[event]).await
    }
}

/// Reads, and locks, the known products of a batch, with who has the barcodes that it names.
async fn read(
    connection: &impl ConnectionTrait,
    rows: &[Placed<ProductRow>],
) -> Result<(HashMap<String, Standing>, HashMap<String, ProductId>)> {
    let all = |texts: Vec<String>, column: &str, lock: bool| {
        let mut sql = Sql::for_connection(connection);
        sql.push("select * from product where ")
            .push(column)
            .bind_any_text(texts);
        if lock {
            // In the order of their ids, so that two imports wait for each other and do not lock each other out.
            sql.push(" order by id").postgres(" for no key update");
        }
        product::Entity::find()
            .from_raw_sql(sql.build())
            .all(connection)
    };
    let skus = rows.iter().map(|placed| placed.row.sku.clone());
    let known = all(skus.collect(), "sku", true).await?;
    let codes = rows.iter().filter_map(|placed| placed.row.barcode.clone());
    let codes: Vec<String> = codes.collect();
    let barcodes = if codes.is_empty() {
        Vec::new()
    } else {
        all(codes, "barcode", false).await?
    };
    let barcodes = barcodes
        .into_iter()
        .filter_map(|row| Some((row.barcode?, row.id)))
        .collect();
    if known.is_empty() {
        return Ok((HashMap::new(), barcodes));
    }
    let ids = known.iter().map(|row| row.id);
    let prices = product_price::Entity::find()
        .filter(among(
            Engine::of(connection),
            product_price::Column::ProductId,
            ids.clone(),
        ))
        .all(connection)
        .await?;
    let mut open = open::of_subjects(connection, ids.map(|id| id.to_string()).collect()).await?;
    let mut by_product: HashMap<ProductId, Vec<product_price::Model>> = HashMap::new();
    for price in prices {
        by_product.entry(price.product_id).or_default().push(price);
    }
    let standings = known
        .into_iter()
        .map(|row| {
            let prices = by_product.remove(&row.id).unwrap_or_default();
            let open = open.remove(&(OpenReferenceKind::Category, row.id.to_string()));
            let standing = Standing {
                before: Some(row.clone()),
                known_prices: prices.len(),
                prices,
                was_open: open.is_some(),
                open,
                row,
            };
            (standing.row.sku.clone(), standing)
        })
        .collect();
    Ok((standings, barcodes))
}

impl Take for Taker {
    type Row = ProductRow;

    async fn take(
        &mut self,
        ctx: &Ctx,
        rows: &[Placed<ProductRow>],
        dry_run: bool,
    ) -> Result<Taken<ProductField>> {
        let mut places = self.places(ctx, rows, |_| false).await?;
        let is_missing = places.contains(&Some(Place::WouldBeMade));
        if dry_run || is_missing {
            let (taken, _) = self.compute(ctx.db.read(), ctx, rows, &places).await?;
            if dry_run {
                return Ok(taken);
            }
            // What a rejected row names is not made.
            let comes_in = |place: usize| taken.fates.get(place).is_some_and(|fate| fate.is_ok());
            places = self.places(ctx, rows, comes_in).await?;
        }
        let (taker, places) = (&*self, &places);
        ctx.db
            .write(|tx| async move {
                prefer_indexes(&*tx).await?;
                let (taken, touched) = taker.compute(&*tx, ctx, rows, places).await?;
                taker.write(&tx, ctx, touched).await?;
                Ok(taken)
            })
            .await
    }

    fn identity(row: &ProductRow) -> &str {
        &row.sku
    }
}

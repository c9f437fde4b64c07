//! What becomes of a product when a row tells of it: the rules by which it is filled in, and gets one more price.

use super::{Around, Standing};
use crate::domain::catalog::arrivals;
use crate::domain::catalog::products::names;
use crate::domain::moving::batches::{Fault, contradiction, fill};
use crate::domain::moving::categories::Place;
use crate::domain::moving::open;
use crate::error::Result;
use crate::intake::products::{PlainField, ProductField, ProductRow};
use crate::intake::table::fault;
use crate::intake::{Placed, RejectCode};
use chrono::{DateTime, Utc};
use entity::enums::OpenReferenceKind;
use entity::ids::{ProductId, ProductPriceId};
use entity::values::LocalizedText;
use entity::values::business_date::local_midnight;
use entity::{product, product_price};
use serde_json::json;

/// Characters of a name.
const LONGEST_NAME: usize = 200;

fn plain(field: PlainField) -> ProductField {
    ProductField::Plain(field)
}

impl Around<'_> {
    /// A product that nobody has brought yet, without a price.
    pub(super) fn stranger(&self, row: &ProductRow) -> Result<Standing, Fault<ProductField>> {
        let names = self.names(row, None)?.unwrap_or_else(|| json!({}));
        let now = self.ctx.now();
        let row = product::Model {
            id: ProductId::new(),
            sku: row.sku.clone(),
            names,
            name_key: Vec::new(),
            category_id: None,
            brand: None,
            series: None,
            barcode: None,
            unit_cost_minor: None,
            introduced_on: None,
            member_only: row.member_only.unwrap_or(false),
            discountable: row.discountable.unwrap_or(true),
            archived_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        Ok(Standing {
            row,
            before: None,
            prices: Vec::new(),
            known_prices: 0,
            open: None,
            was_open: false,
        })
    }

    /// The names with those that the row adds; nothing when it adds none.
    fn names(
        &self,
        row: &ProductRow,
        known: Option<&LocalizedText>,
    ) -> Result<Option<serde_json::Value>, Fault<ProductField>> {
        let mut all: Vec<(&str, &str)> = known
            .into_iter()
            .flat_map(LocalizedText::iter)
            .map(|(tag, text)| (tag.as_str(), text))
            .collect();
        let before = all.len();
        for (language, text) in &row.names {
            let field = || ProductField::Name(language.clone());
            let tag = language.as_ref().unwrap_or(&self.own);
            match all.iter().find(|(known, _)| *known == tag.as_str()) {
                Some((_, known)) if known == text => {}
                Some(_) => return Err(contradiction(field())),
                None => all.push((tag.as_str(), text)),
            }
        }
        if all.is_empty() {
            return Err(fault(
                ProductField::Name(None),
                RejectCode::Missing,
                "is empty; a new product needs a name, in one language at least",
            ));
        }
        if all.len() == before {
            return Ok(None);
        }
        let names = LocalizedText::parse(all, LONGEST_NAME).map_err(|error| {
            fault(
                ProductField::Name(None),
                RejectCode::BadValue,
                &error.to_string(),
            )
        })?;
        Ok(Some(json!(names)))
    }

    /// Takes a row into a product; when it fails, the standing is not to be used.
    pub(super) fn apply(
        &self,
        standing: &mut Standing,
        placed: &Placed<ProductRow>,
        place: usize,
    ) -> Result<Result<(), Fault<ProductField>>> {
        let kept = names(&standing.row)?;
        Ok(self
            .names(&placed.row, Some(&kept))
            .map(|names| {
                if let Some(names) = names {
                    standing.row.names = names;
                }
            })
            .and_then(|()| self.fields(standing, placed, place))
            .and_then(|()| self.price(standing, &placed.row)))
        .and_then(|applied| {
            let names = names(&standing.row)?;
            standing.row.name_key = arrivals::name_key(&self.taker.company, &names)?;
            Ok(applied)
        })
    }

    fn fields(
        &self,
        standing: &mut Standing,
        placed: &Placed<ProductRow>,
        place: usize,
    ) -> Result<(), Fault<ProductField>> {
        use PlainField as P;
        let (told, row) = (&placed.row, &mut standing.row);
        for (field, known, told) in [
            (P::Brand, &mut row.brand, &told.brand),
            (P::Series, &mut row.series, &told.series),
            (P::Barcode, &mut row.barcode, &told.barcode),
        ] {
            fill(plain(field), known, told.as_ref(), false)?;
        }
        let code = told.barcode.as_ref();
        if code
            .and_then(|code| self.barcodes.get(code))
            .is_some_and(|owner| *owner != row.id)
        {
            return Err(fault(
                plain(P::Barcode),
                RejectCode::Taken,
                "is another product's; correct one of the two",
            ));
        }
        let cost = told.unit_cost_minor.as_ref();
        fill(plain(P::UnitCost), &mut row.unit_cost_minor, cost, false)?;
        let day = told.introduced_on.as_ref();
        fill(plain(P::IntroducedOn), &mut row.introduced_on, day, false)?;
        if told.member_only.is_some_and(|told| told != row.member_only) {
            return Err(contradiction(plain(P::MemberOnly)));
        }
        if told
            .discountable
            .is_some_and(|told| told != row.discountable)
        {
            return Err(contradiction(plain(P::Discountable)));
        }
        self.category(standing, placed, place)
    }

    fn category(
        &self,
        standing: &mut Standing,
        placed: &Placed<ProductRow>,
        place: usize,
    ) -> Result<(), Fault<ProductField>> {
        let told = &placed.row;
        let field = if told.category.is_some() {
            plain(PlainField::Category)
        } else {
            plain(PlainField::CategoryPath)
        };
        match self.places.get(place).copied().flatten() {
            Some(Place::In(id)) => {
                fill(field, &mut standing.row.category_id, Some(&id), false)?;
            }
            Some(Place::NoRoom) => {
                let reason = "cannot be made: there are 1000 categories already, or one like it was put away";
                return Err(fault(field, RejectCode::TooMany, reason));
            }
            Some(Place::WouldBeMade) => {
                if standing.row.category_id.is_some() {
                    return Err(contradiction(field));
                }
            }
            None => {
                let Some(code) = &told.category else {
                    return Ok(());
                };
                let waits = standing.open.as_ref().map(|open| open.wanted == *code);
                if standing.row.category_id.is_some() || waits == Some(false) {
                    return Err(contradiction(field));
                }
                if waits.is_none() {
                    let origin = open::Origin {
                        source: &self.taker.source,
                        file: &self.taker.file,
                        line: placed.line,
                        at: self.ctx.now(),
                    };
                    let kind = OpenReferenceKind::Category;
                    standing.open = Some(open::new(origin, kind, standing.row.id, code));
                }
            }
        }
        Ok(())
    }

    /// One more price, where the row tells of one that is not known. Without a day it holds from now on, if another one
    /// holds now.
    fn price(&self, standing: &mut Standing, told: &ProductRow) -> Result<(), Fault<ProductField>> {
        let Some(minor) = told.list_price_minor else {
            return Ok(());
        };
        let now = self.ctx.now();
        let from: DateTime<Utc> = match told.price_from {
            Some(day) => local_midnight(self.taker.company.time_zone, day),
            None => now,
        };
        let before = standing
            .prices
            .iter()
            .filter(|price| price.valid_from <= from)
            .max_by_key(|price| price.valid_from);
        match before {
            Some(before) if before.list_price_minor == minor => return Ok(()),
            Some(before) if before.valid_from == from => {
                return Err(contradiction(plain(PlainField::ListPrice)));
            }
            _ => {}
        }
        standing.prices.push(product_price::Model {
            id: ProductPriceId::new(),
            product_id: standing.row.id,
            list_price_minor: minor,
            valid_from: from,
            set_by: self.ctx.viewer.staff_id(),
            set_at: now,
        });
        Ok(())
    }
}

//! Whole products with their prices, many at once: made, or filled in.
//!
//! Called by the import of another system's catalogue inside its transaction. Writes no events and no audit entries:
//! whoever brings thousands in leaves one entry for all of them.

use super::products;
use crate::db::{Batch, Table};
use crate::domain::organization::CompanySettings;
use crate::error::Result;
use entity::values::LocalizedText;
use entity::{product, product_price};

static PRODUCT: Table = Table {
    name: "product",
    columns: &[
        ("id", "uuid"),
        ("sku", "text"),
        ("names", "jsonb"),
        ("name_key", "bytea"),
        ("category_id", "uuid"),
        ("brand", "text"),
        ("series", "text"),
        ("barcode", "text"),
        ("unit_cost_minor", "bigint"),
        ("introduced_on", "date"),
        ("member_only", "boolean"),
        ("discountable", "boolean"),
        ("version", "bigint"),
        ("created_at", "timestamptz"),
        ("updated_at", "timestamptz"),
    ],
    conflict: "on conflict (id) do update set names = excluded.names, name_key = excluded.name_key, \
        category_id = excluded.category_id, brand = excluded.brand, series = excluded.series, \
        barcode = excluded.barcode, unit_cost_minor = excluded.unit_cost_minor, \
        introduced_on = excluded.introduced_on, version = excluded.version, updated_at = excluded.updated_at",
};

static PRICE: Table = Table {
    name: "product_price",
    columns: &[
        ("id", "uuid"),
        ("product_id", "uuid"),
        ("list_price_minor", "bigint"),
        ("valid_from", "timestamptz"),
        ("set_by", "uuid"),
        ("set_at", "timestamptz"),
    ],
    conflict: "",
};

static SEARCH: Table = Table {
    name: "product_search",
    columns: &[("product_id", "uuid"), ("words", "text")],
    conflict: "on conflict (product_id) do update set words = excluded.words",
};

/// The collation key of a name in the company's own language.
///
/// # Errors
/// An internal one when the company's locale is no language.
pub fn name_key(company: &CompanySettings, names: &LocalizedText) -> Result<Vec<u8>> {
    products::name_key(company, names)
}

/// Adds products to a batch, with the version that they are to have, and what they are found by.
///
/// # Errors
/// An internal one when stored names are none.
pub fn gather<'a>(
    batch: &mut Batch,
    rows: impl IntoIterator<Item = &'a product::Model>,
) -> Result<()> {
    for row in rows {
        batch.insert(
            &PRODUCT,
            [vec![
                row.id.into(),
                row.sku.clone().into(),
                row.names.clone().into(),
                row.name_key.clone().into(),
                row.category_id.into(),
                row.brand.clone().into(),
                row.series.clone().into(),
                row.barcode.clone().into(),
                row.unit_cost_minor.into(),
                row.introduced_on.into(),
                row.member_only.into(),
                row.discountable.into(),
                row.version.into(),
                row.created_at.into(),
                row.updated_at.into(),
            ]],
        );
        let words = products::words(row)?;
        batch.insert(&SEARCH, [vec![row.id.into(), words.into()]]);
    }
    Ok(())
}

/// Adds prices to a batch.
pub fn gather_prices<'a>(
    batch: &mut Batch,
    rows: impl IntoIterator<Item = &'a product_price::Model>,
) {
    batch.insert(
        &PRICE,
        rows.into_iter().map(|row| {
            vec![
                row.id.into(),
                row.product_id.into(),
                row.list_price_minor.into(),
                row.valid_from.into(),
                row.set_by.into(),
                row.set_at.into(),
            ]
        }),
    );
}

//! Holds what is in the shop against what must be there: rejects, open references, exports, sums, catalogue, accounts.

use super::model::{CARD_COLUMNS, CUSTOMER_COLUMNS, FILES, Model, PURCHASE_COLUMNS_OUT};
use super::retailer::{Exported, House, Retailer, SOURCE};
use super::sheet::{Cells, Open, Sheet};
use super::target::Imported;
use crate::failure::{During, Result};
use crate::prove::client::{Client, list, text_at};
use crate::prove::measured::{self, Measured};
use crate::prove::place::Place;
use crate::prove::shop::{self, Sums};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Every row came in or is reported, and none of those that are reported is another one than those that were spoiled.
pub fn rows(kind: &str, sheet: &Sheet, imported: &Imported) -> Result<()> {
    let counts = imported.counts;
    let mut expected = sheet.rejects.clone();
    expected.sort();
    if let Some((expected, found)) = first_difference(&expected, &imported.rejects) {
        fail!("{kind}: the rejects should have {expected} and have {found}");
    }
    ensure!(
        counts.rows == sheet.rows,
        "{kind}: {} rows of {} were read",
        counts.rows,
        sheet.rows
    );
    let rejected = sheet.rejects.len() as u64 - sheet.left_out;
    ensure!(
        (counts.rejected, counts.left_out) == (rejected, sheet.left_out),
        "{kind}: {counts:?} instead of {rejected} rejected rows and {} details",
        sheet.left_out
    );
    // Receipts have several rows.
    if kind != "purchases" {
        let taken = counts.made + counts.filled + counts.known;
        ensure!(
            taken + rejected == sheet.rows,
            "{kind}: {counts:?} are not {} rows",
            sheet.rows
        );
    }
    Ok(())
}

/// The first place at which two sorted lists differ, in words.
fn first_difference<T: Ord + std::fmt::Debug>(
    expected: &[T],
    found: &[T],
) -> Option<(String, String)> {
    if expected == found {
        return None;
    }
    let word = |row: Option<&T>| row.map_or("nothing more".to_owned(), |row| format!("{row:?}"));
    let mut pairs = expected.iter().zip(found);
    let place = pairs.position(|(one, other)| one != other);
    let place = place.unwrap_or(expected.len().min(found.len()));
    Some((word(expected.get(place)), word(found.get(place))))
}

/// `import open` tells every reference that must be open, and no other.
pub async fn open(place: &Place, model: &Model) -> Result<usize> {
    let said = measured::run(place, &["import", "open"].map(str::to_owned))
        .await?
        .said;
    let mut found = Vec::new();
    for line in said.lines() {
        let parsed = line.split_once(", line ").and_then(|(file, rest)| {
            let (line, rest) = rest.split_once(": ")?;
            let (kind, rest) = rest.split_once(' ')?;
            let (wanted, _) = rest.split_once(": ")?;
            Some(Open {
                file: file.to_owned(),
                line: line.parse().ok()?,
                kind: kind.to_owned(),
                wanted: wanted.to_owned(),
            })
        });
        found.extend(parsed);
    }
    found.sort();
    let expected = model.all_open();
    if let Some((expected, found)) = first_difference(&expected, &found) {
        fail!("open should be {expected} and is {found}");
    }
    Ok(expected.len())
}

/// What the exports of the shop took.
pub struct Taken {
    /// Each with its kind.
    pub exports: Vec<(&'static str, Measured)>,
    /// Customers who were in no row that came in, brought by a receipt.
    pub strangers: usize,
}

/// Exports the shop, and holds each line against what must be in it.
pub async fn exports(place: &Place, retailer: &Retailer) -> Result<Taken> {
    let mut exports = Vec::new();
    for kind in ["customers", "cards", "purchases"] {
        let out = place
            .scratch
            .join(format!("{kind}.back"))
            .display()
            .to_string();
        let arguments = ["export", kind, "--source", SOURCE, "--out", &out];
        exports.push((
            kind,
            measured::run(place, &arguments.map(str::to_owned)).await?,
        ));
    }
    let exported = |kind: &str| Exported::open(&place.scratch.join(format!("{kind}.back")));
    let model = &retailer.model;
    let strangers = customers(exported("customers")?, model)?;
    cards(exported("cards")?, model, &retailer.house)?;
    purchases(exported("purchases")?, model)?;
    Ok(Taken { exports, strangers })
}

fn customers(exported: Exported, model: &Model) -> Result<usize> {
    let mut expected = model.customers_out();
    let mut strangers = 0;
    exported.each(CUSTOMER_COLUMNS, |values| {
        let number = values.first().cloned().unwrap_or_default();
        match expected.remove(number.as_str()) {
            Some(row) => {
                for ((column, must), is) in CUSTOMER_COLUMNS.iter().zip(&row).zip(&values) {
                    ensure!(
                        must.as_ref().is_none_or(|must| must == is),
                        "customer {number}: {column} went in as {must:?} and comes out as {is:?}"
                    );
                }
            }
            None => {
                strangers += 1;
                ensure!(
                    model.paid.contains_key(&number) && !model.customers.contains_key(&number),
                    "customer {number} should not be there, or is there twice"
                );
            }
        }
        Ok(())
    })?;
    if let Some(number) = expected.keys().next() {
        fail!("{} customers are missing, such as {number}", expected.len());
    }
    ensure!(
        model.customers.len() + strangers == model.people().len(),
        "{strangers} customers whom only receipts have brought"
    );
    Ok(strangers)
}

fn cards(exported: Exported, model: &Model, house: &House) -> Result<()> {
    let zone = text_at(&house.company, "/timeZone").parse()?;
    let mut expected = model.cards_out(&house.ladder, zone)?;
    let (mut must, mut is) = (BTreeMap::new(), BTreeMap::new());
    for row in expected.values() {
        *must.entry(row.get(5).cloned().flatten()).or_insert(0) += 1;
    }
    exported.each(CARD_COLUMNS, |values| {
        *is.entry(values.get(5).cloned()).or_insert(0) += 1;
        let number = values.first().cloned().unwrap_or_default();
        let row = expected.remove(number.as_str());
        let row = row.during(format_args!(
            "card {number} should not be there, or is there twice"
        ))?;
        let same = row
            .iter()
            .zip(&values)
            .all(|(must, is)| must.as_ref().is_none_or(|must| must == is));
        ensure!(
            same,
            "a card went in as {row:?} and comes out as {values:?}"
        );
        Ok(())
    })?;
    if let Some(number) = expected.keys().next() {
        fail!("{} cards are missing, such as {number}", expected.len());
    }
    ensure!(
        must == is,
        "cards by status should be {must:?} and are {is:?}"
    );
    Ok(())
}

fn purchases(exported: Exported, model: &Model) -> Result<()> {
    let mut left = model.lines.clone();
    exported.each(PURCHASE_COLUMNS_OUT, |values| {
        let line = values.join("\t");
        let count = left.get_mut(&line).filter(|count| **count > 0);
        *count.during(format_args!("no line of a receipt went in as {values:?}"))? -= 1;
        Ok(())
    })?;
    if let Some((line, _)) = left.iter().find(|(_, count)| **count > 0) {
        let count: i64 = left.values().sum();
        fail!("{count} lines of receipts are missing, such as {line:?}");
    }
    Ok(())
}

/// Asks the API: sums, catalogue, accounts.
pub async fn asked(client: &Client, token: &str, model: &Model) -> Result<Sums> {
    let sums = shop::sums(client, token).await?;
    let expected = Sums {
        customers: i64::try_from(model.people().len())?,
        receipts: model.receipts,
        cents: model.cents,
    };
    ensure!(
        sums == expected,
        "the files have {expected:?} and the server tells {sums:?}"
    );
    products(client, token, model).await?;
    staff(client, token, model).await?;
    Ok(sums)
}

/// Asks for a list page by page.
async fn pages(
    client: &Client,
    token: &str,
    field: &str,
    node: &str,
    mut take: impl FnMut(&Value) -> Result<()>,
) -> Result<()> {
    let query = format!(
        "query($after: String) {{ {field}(first: 100, after: $after) {{ nodes {{ {node} }} \
         pageInfo {{ hasNextPage endCursor }} }} }}"
    );
    let mut after = Value::Null;
    loop {
        let data = client
            .ask(Some(token), &query, &json!({ "after": after }))
            .await?;
        for node in list(&data, &format!("/{field}/nodes")) {
            take(node)?;
        }
        let page = data
            .pointer(&format!("/{field}/pageInfo"))
            .during("no page")?;
        if page["hasNextPage"] != Value::Bool(true) {
            return Ok(());
        }
        after = page["endCursor"].clone();
    }
}

const PRODUCT: &str = "sku names { language text } category { name parent { name } } brand series barcode \
    unitCost { amount } listPrice { amount } introducedOn memberOnly discountable";

async fn products(client: &Client, token: &str, model: &Model) -> Result<()> {
    let mut count = 0;
    pages(client, token, "products", PRODUCT, |node| {
        count += 1;
        let sku = text_at(node, "/sku");
        let cells = model.products.get(sku);
        let cells = cells.during(format_args!("the product {sku} should not be there"))?;
        let names: Vec<&str> = list(node, "/names")
            .iter()
            .map(|name| text_at(name, "/text"))
            .collect();
        let path = [
            text_at(node, "/category/parent/name"),
            text_at(node, "/category/name"),
        ];
        let yes = |name: &str| {
            if node[name] == Value::Bool(true) {
                "yes"
            } else {
                "no"
            }
        };
        let told = [
            names.join("|"),
            path.join(" > "),
            text_at(node, "/brand").to_owned(),
            text_at(node, "/series").to_owned(),
            text_at(node, "/barcode").to_owned(),
            text_at(node, "/unitCost/amount").to_owned(),
            text_at(node, "/listPrice/amount").to_owned(),
            text_at(node, "/introducedOn").to_owned(),
            yes("memberOnly").to_owned(),
            yes("discountable").to_owned(),
        ];
        let must = product(cells);
        ensure!(
            told == must,
            "the product {sku} should be {must:?} and is {told:?}"
        );
        Ok(())
    })
    .await?;
    ensure!(
        count == model.products.len(),
        "{count} products of {}",
        model.products.len()
    );
    Ok(())
}

fn product(cells: &Cells) -> [String; 10] {
    let mut names = vec![cells.get("name_en"), cells.get("name")];
    names.retain(|name| !name.is_empty());
    // A code goes before a path, and here it leads nowhere.
    let path = match cells.get("category") {
        "" => cells.get("category_path"),
        _ => " > ",
    };
    [
        names.join("|"),
        path.to_owned(),
        cells.get("brand").to_owned(),
        cells.get("series").to_owned(),
        cells.get("barcode").to_owned(),
        cells.get("unit_cost").to_owned(),
        cells.get("list_price").to_owned(),
        cells.get("introduced_on").to_owned(),
        cells.get("member_only").to_owned(),
        cells.get("discountable").to_owned(),
    ]
}

async fn staff(client: &Client, token: &str, model: &Model) -> Result<()> {
    let mut expected = model.staff.clone();
    let node = "email name enabled grants { role store { code } }";
    pages(client, token, "staff", node, |node| {
        let email = text_at(node, "/email");
        if email == shop::ADMIN {
            return Ok(());
        }
        let cells = expected.remove(email);
        let cells = cells.during(format_args!("the account {email} should not be there"))?;
        let mut roles: Vec<String> = list(node, "/grants")
            .iter()
            .map(|grant| match text_at(grant, "/store/code") {
                "" => text_at(grant, "/role").to_owned(),
                store => format!("{}@{store}", text_at(grant, "/role")),
            })
            .collect();
        roles.sort();
        let disabled = if node["enabled"] == Value::Bool(true) {
            "no"
        } else {
            "yes"
        };
        let told = [text_at(node, "/name"), &roles.join(";"), disabled];
        let must = [cells.get("name"), cells.get("roles"), cells.get("disabled")];
        ensure!(
            told == must,
            "the account {email} should be {must:?} and is {told:?}"
        );
        Ok(())
    })
    .await?;
    ensure!(
        expected.is_empty(),
        "{} accounts are missing",
        expected.len()
    );
    Ok(())
}

/// The sheet of a kind.
pub fn sheet<'r>(retailer: &'r Retailer, kind: &str) -> Result<&'r Sheet> {
    let place = FILES.iter().position(|file| *file == kind);
    let sheet = place.and_then(|place| retailer.sheets.get(place));
    sheet.during(format_args!("no file of {kind}"))
}

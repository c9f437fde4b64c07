//! The retailer that moves: the demonstration, its exports, and the two files that no export writes.

use super::damage;
use super::model::{
    CARD_COLUMNS, CUSTOMER_COLUMNS, Model, PRODUCT_COLUMNS, PURCHASE_COLUMNS, STAFF_COLUMNS,
};
use super::sheet::{Cells, Sheet};
use crate::failure::{During, Result};
use crate::prove::chance::Chance;
use crate::prove::client::{cents_at, list, text_at};
use crate::prove::measured;
use crate::prove::node::Node;
use crate::prove::place::Place;
use crate::prove::shop::sign_in_as;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

/// By whose numbers the demonstration calls its customers.
pub const SOURCE: &str = "demo";
/// Accounts that move.
const STAFF: usize = 60;
/// One row in so many is spoiled; in small files more, so that there are some of most kinds.
const ONE_IN: u64 = 100;
const AT_LEAST: u64 = 15;

/// How large it is.
#[derive(Clone, Copy, Debug)]
pub struct Scale {
    /// Customers.
    pub customers: u64,
    /// Receipts, about.
    pub receipts: u64,
}

impl Scale {
    fn stores(self) -> u64 {
        (self.customers / 500).clamp(3, 100)
    }

    fn products(self) -> u64 {
        (self.customers / 10).max(150)
    }
}

/// A tier.
#[derive(Clone, Debug)]
pub struct Rung {
    /// Its name.
    pub name: String,
    /// The spend from which it is reached.
    pub cents: i64,
}

/// What is set up by hand before anything moves.
#[derive(Clone, Debug)]
pub struct House {
    /// The company, as the API tells it.
    pub company: Value,
    /// Regions.
    pub regions: Vec<Value>,
    /// Stores.
    pub stores: Vec<Value>,
    /// The programme.
    pub programme: Value,
    /// Its tiers, the lowest first.
    pub ladder: Vec<Rung>,
}

/// Everything that moves.
pub struct Retailer {
    /// Its house.
    pub house: House,
    /// The files, in the order of [`super::model::FILES`].
    pub sheets: Vec<Sheet>,
    /// What must come of them.
    pub model: Model,
}

const HOUSE: &str = "{ company { name currencyCode country locale timeZone } regions { id code name } \
    stores(first: 100) { nodes { code name timeZone region { code } openingHours { weekday opens closes } } } \
    programmes { code name cardPrefix cardValidMonths tiers { name discountPercent spendThreshold { amount currencyCode } } } }";

/// Makes a retailer of this size in a place, and its files in a directory.
pub async fn make(place: &Place, scale: Scale, seed: u64, directory: &Path) -> Result<Retailer> {
    let demo = |more: &[&str]| -> Vec<String> {
        let numbers = [
            ("--customers", scale.customers),
            // Some visits end without a receipt.
            ("--visits", scale.receipts + scale.receipts / 12),
            ("--stores", scale.stores()),
            ("--seed", seed),
        ];
        let numbers = numbers
            .iter()
            .flat_map(|(name, n)| [(*name).to_owned(), n.to_string()]);
        let command = std::iter::once("demo".to_owned()).chain(numbers);
        command
            .chain(more.iter().map(|&more| more.to_owned()))
            .collect()
    };
    measured::run(place, &demo(&["--no-serve"]))
        .await
        .during("the demonstration")?;
    for kind in ["customers", "cards", "purchases"] {
        let out = directory.join(format!("{kind}.out")).display().to_string();
        let arguments = ["export", kind, "--source", SOURCE, "--out", &out];
        measured::run(place, &arguments.map(str::to_owned)).await?;
    }
    let house = house(place, &demo(&["--listen", "127.0.0.1:0"])).await?;
    let mut model = Model::default();
    let writer = Writer {
        directory,
        scale,
        seed,
        house: &house,
    };
    let keepers = writer.keepers()?;
    let sheets = vec![
        writer.staff(&keepers, &mut model)?,
        writer.customers(&keepers, &mut model)?,
        writer.cards(&mut model)?,
        writer.purchases(&mut model)?,
        writer.products(&mut model)?,
    ];
    Ok(Retailer {
        house,
        sheets,
        model,
    })
}

async fn house(place: &Place, arguments: &[String]) -> Result<House> {
    let node = Node::start_as(place, place.command(), arguments).await?;
    let token = sign_in_as(&node.client, "admin@demo.example", "regulars-demo").await?;
    let data = node.client.ask(Some(&token), HOUSE, &Value::Null).await?;
    let programme = list(&data, "/programmes")
        .first()
        .cloned()
        .during("no programme")?;
    let ladder = list(&programme, "/tiers").iter().map(|tier| {
        Ok(Rung {
            name: text_at(tier, "/name").to_owned(),
            cents: cents_at(tier, "/spendThreshold/amount")?,
        })
    });
    let mut ladder: Vec<Rung> = ladder.collect::<Result<_>>()?;
    ladder.sort_by_key(|rung| rung.cents);
    Ok(House {
        company: data.pointer("/company").cloned().during("no company")?,
        regions: list(&data, "/regions").to_vec(),
        stores: list(&data, "/stores/nodes").to_vec(),
        programme,
        ladder,
    })
}

/// Writes the files.
struct Writer<'a> {
    directory: &'a Path,
    scale: Scale,
    seed: u64,
    house: &'a House,
}

/// An export that is read row by row.
pub struct Exported {
    reader: csv::Reader<File>,
    header: Vec<String>,
}

impl Exported {
    /// Opens one.
    pub fn open(path: &PathBuf) -> Result<Self> {
        let mut reader = csv::Reader::from_path(path).during(path.display())?;
        let header = reader.headers()?.iter().map(str::to_owned).collect();
        Ok(Self { reader, header })
    }

    /// Goes through its rows with the cells of these columns.
    pub fn each(
        mut self,
        columns: &[&str],
        mut take: impl FnMut(Vec<String>) -> Result<()>,
    ) -> Result<()> {
        let place = |name: &&str| self.header.iter().position(|column| column == name);
        let places: Option<Vec<usize>> = columns.iter().map(place).collect();
        let places = places.during(format_args!("an export without one of {columns:?}"))?;
        for record in self.reader.records() {
            let record = record?;
            let cell = |place: &usize| record.get(*place).unwrap_or_default().to_owned();
            take(places.iter().map(cell).collect())?;
        }
        Ok(())
    }
}

impl Writer<'_> {
    fn exported(&self, kind: &str) -> Result<Exported> {
        Exported::open(&self.directory.join(format!("{kind}.out")))
    }

    fn sheet(
        &self,
        kind: &str,
        columns: &'static [&'static str],
        damages: &'static [damage::Damage],
        rows: u64,
    ) -> Result<Sheet> {
        let one_in = (rows / AT_LEAST).clamp(4, ONE_IN);
        let seed = self.seed.wrapping_mul(31).wrapping_add(kind.len() as u64);
        Sheet::new(
            self.directory,
            &format!("{kind}.csv"),
            columns,
            damages,
            one_in,
            seed,
        )
    }

    fn store(&self, n: usize) -> &str {
        let store = self
            .house
            .stores
            .iter()
            .cycle()
            .nth(n % self.house.stores.len().max(1));
        store
            .map(|store| text_at(store, "/code"))
            .unwrap_or_default()
    }

    /// Who of the demonstration keeps customers, as many as move at most; new ones where these are fewer.
    fn keepers(&self) -> Result<Vec<String>> {
        let mut found = BTreeSet::new();
        self.exported("customers")?.each(&["keeper"], |cells| {
            found.extend(cells.into_iter().filter(|keeper| !keeper.is_empty()));
            Ok(())
        })?;
        let invented = (0..STAFF).map(|n| format!("new.{n}@staff.shop.example"));
        Ok(found.into_iter().chain(invented).take(STAFF).collect())
    }

    fn staff(&self, keepers: &[String], model: &mut Model) -> Result<Sheet> {
        let mut sheet = self.sheet("staff", STAFF_COLUMNS, damage::STAFF, STAFF as u64)?;
        for (n, address) in keepers.iter().enumerate() {
            let roles = match n % 10 {
                // Somebody who looks after no customers: whoever they were to keep is kept by nobody.
                7 => "ANALYST".to_owned(),
                8 => format!("ASSOCIATE@{};MARKETER", self.store(n)),
                _ => format!("ASSOCIATE@{}", self.store(n)),
            };
            let disabled = if n % 20 == 13 { "yes" } else { "no" };
            let values = [
                address.as_str(),
                &format!("Kim Keeper {n}"),
                &roles,
                disabled,
            ];
            let cells = Cells::new(STAFF_COLUMNS, values.map(str::to_owned).to_vec());
            model.staff(sheet.put(cells)?);
        }
        sheet.finish()?;
        Ok(sheet)
    }

    fn customers(&self, keepers: &[String], model: &mut Model) -> Result<Sheet> {
        let mut sheet = self.sheet(
            "customers",
            CUSTOMER_COLUMNS,
            damage::CUSTOMERS,
            self.scale.customers,
        )?;
        let mut n = 0;
        self.exported("customers")?
            .each(CUSTOMER_COLUMNS, |values| {
                let mut cells = Cells::new(CUSTOMER_COLUMNS, values);
                n += 1;
                // A large demonstration has more keepers than move: others take over from those who do not.
                let keeper = cells.get("keeper");
                if !keeper.is_empty() && !keepers.iter().any(|known| known == keeper) {
                    let other = keepers.get(n % keepers.len().max(1));
                    cells.set("keeper", other.cloned().unwrap_or_default());
                }
                model.customer(sheet.put(cells)?);
                Ok(())
            })?;
        sheet.finish()?;
        Ok(sheet)
    }

    /// All cards of the demonstration are in use; here some are not any more.
    fn cards(&self, model: &mut Model) -> Result<Sheet> {
        let mut sheet = self.sheet("cards", CARD_COLUMNS, damage::CARDS, self.scale.customers)?;
        let mut n = 0;
        self.exported("cards")?.each(CARD_COLUMNS, |values| {
            let mut cells = Cells::new(CARD_COLUMNS, values);
            n += 1;
            if n % 17 == 3 {
                cells.set("status", "FROZEN");
            } else if n % 29 == 5 {
                cells.set("status", "LOST");
            } else if n % 41 == 7 {
                cells.set("status", "EXPIRED");
                let issued = cells.get("issued_on").to_owned();
                cells.set("valid_until", issued);
            }
            model.card(sheet.put(cells)?);
            Ok(())
        })?;
        sheet.finish()?;
        Ok(sheet)
    }

    /// The demonstration takes little back; here one line in some hundred receipts more.
    fn purchases(&self, model: &mut Model) -> Result<Sheet> {
        let mut sheet = self.sheet(
            "purchases",
            PURCHASE_COLUMNS,
            damage::PURCHASES,
            self.scale.receipts,
        )?;
        let mut chance = Chance::new(self.seed);
        let mut columns = PURCHASE_COLUMNS.to_vec();
        columns.push("at");
        let mut last: Option<(Cells, String)> = None;
        let mut put = |cells: Cells, at: &str| model.purchase(sheet.put(cells)?, at);
        self.exported("purchases")?.each(&columns, |mut values| {
            let at = values.pop().unwrap_or_default();
            let cells = Cells::new(PURCHASE_COLUMNS, values);
            if let Some((mut before, at)) = last.replace((cells.clone(), at.clone()))
                && before.get("receipt") != cells.get("receipt")
                && chance.once_in(200)
                && !before.get("amount").starts_with(['0', '-'])
            {
                before.set("receipt", format!("{}-R", before.get("receipt")));
                before.set("quantity", format!("-{}", before.get("quantity")));
                before.set("amount", format!("-{}", before.get("amount")));
                put(before, &at)?;
            }
            put(cells, &at)
        })?;
        sheet.finish()?;
        Ok(sheet)
    }

    fn products(&self, model: &mut Model) -> Result<Sheet> {
        let mut sheet = self.sheet(
            "products",
            PRODUCT_COLUMNS,
            damage::PRODUCTS,
            self.scale.products(),
        )?;
        let columns = [
            "sku",
            "name",
            "category",
            "brand",
            "list_price",
            "unit_cost",
        ];
        let mut sold = BTreeMap::new();
        self.exported("purchases")?.each(&columns, |values| {
            sold.entry(values.first().cloned().unwrap_or_default())
                .or_insert(values);
            Ok(())
        })?;
        let shelves: BTreeSet<String> = sold.values().filter_map(|v| v.get(2).cloned()).collect();
        let shelves: Vec<String> = shelves.into_iter().collect();
        let mut chance = Chance::new(self.seed);
        for n in 0..usize::try_from(self.scale.products())? {
            let known = sold.pop_first().map(|(_, values)| values);
            let shelf = shelves
                .get(n % shelves.len().max(1))
                .cloned()
                .unwrap_or_default();
            let cents = i64::try_from(chance.between(100, 90_000))?;
            let amount = crate::prove::client::amount;
            let values = known.unwrap_or_else(|| {
                vec![
                    format!("NEW-{n:05}"),
                    format!("Article {n}"),
                    shelf,
                    format!("Brand {}", n % 40),
                    amount(cents),
                    amount(cents / 2),
                ]
            });
            let [sku, name, shelf, brand, price, cost] = values.as_slice() else {
                fail!("an export of {} columns", values.len());
            };
            let path = format!("{shelf} > Part {}", n % 12);
            let values = [
                sku.as_str(),
                name,
                "",
                "",
                &path,
                brand,
                &format!("Series {}", n % 7),
                &barcode(n),
                cost,
                price,
                "2024-01-01",
                "2023-12-01",
                if n % 9 == 0 { "yes" } else { "no" },
                if n % 11 == 0 { "no" } else { "yes" },
            ];
            let mut cells = Cells::new(PRODUCT_COLUMNS, values.map(str::to_owned).to_vec());
            if n % 3 == 0 {
                cells.set("name_en", format!("{name} (export)"));
            }
            model.product(sheet.put(cells)?);
        }
        sheet.finish()?;
        Ok(sheet)
    }
}

/// A number of thirteen digits for use within a shop, with its check digit.
fn barcode(n: usize) -> String {
    let digits = format!("29{n:010}");
    let sum: u32 = digits
        .chars()
        .filter_map(|digit| digit.to_digit(10))
        .zip([1, 3].into_iter().cycle())
        .map(|(digit, weight)| digit * weight)
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

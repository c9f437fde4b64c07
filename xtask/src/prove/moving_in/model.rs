//! What must be in the shop when all files have come in: kept while the files are written.

use super::damage::Fate;
use super::retailer::Rung;
use super::sheet::{Cells, Open};
use crate::failure::{During, Result};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Columns of customers that an export tells as the import was told them.
pub const CUSTOMER_COLUMNS: &[&str] = &[
    "customer",
    "kind",
    "name",
    "salutation",
    "gender",
    "birth_date",
    "language",
    "region",
    "mobile",
    "landline",
    "email",
    "wechat",
    "qq",
    "consent_service",
    "consent_service_at",
    "consent_service_evidence",
    "consent_care",
    "consent_care_at",
    "consent_care_evidence",
    "consent_marketing",
    "consent_marketing_at",
    "consent_marketing_evidence",
    "employer",
    "position",
    "occupation",
    "acquisition_source",
    "referred_by",
    "gift_from",
    "keeper",
    "home_store",
    "importance",
];
/// Columns of cards.
pub const CARD_COLUMNS: &[&str] = &[
    "number",
    "customer",
    "programme",
    "tier",
    "tier_since",
    "status",
    "issued_on",
    "valid_until",
];
/// Columns of purchases in the file.
pub const PURCHASE_COLUMNS: &[&str] = &[
    "customer", "date", "time", "receipt", "store", "name", "quantity", "amount", "currency",
];
/// Columns of purchases that must come out as they went in.
pub const PURCHASE_COLUMNS_OUT: &[&str] = &[
    "customer", "date", "time", "receipt", "store", "name", "quantity", "amount", "currency",
    "line", "at",
];
/// Columns of products.
pub const PRODUCT_COLUMNS: &[&str] = &[
    "sku",
    "name",
    "name_en",
    "category",
    "category_path",
    "brand",
    "series",
    "barcode",
    "unit_cost",
    "list_price",
    "price_from",
    "introduced_on",
    "member_only",
    "discountable",
];
/// Columns of staff.
pub const STAFF_COLUMNS: &[&str] = &["email", "name", "roles", "disabled"];

/// The names of the files.
pub const FILES: [&str; 5] = ["staff", "customers", "cards", "purchases", "products"];

/// All that must be there.
#[derive(Debug, Default)]
pub struct Model {
    /// Rows of customers that come in, by number, with their lines.
    pub customers: HashMap<String, (u64, Cells)>,
    /// Rows of cards that do not stay away for a reason of their own, with their lines.
    pub cards: Vec<(u64, Cells)>,
    /// Lines of receipts as they must come out, and how often.
    pub lines: HashMap<String, i64>,
    /// Receipts.
    pub receipts: i64,
    /// What all of them sum up to.
    pub cents: i64,
    /// What each customer with a receipt has paid.
    pub paid: HashMap<String, i64>,
    /// Products by SKU.
    pub products: BTreeMap<String, Cells>,
    /// Accounts by address.
    pub staff: BTreeMap<String, Cells>,
    /// References that stay open because of how a row was spoiled.
    pub open: Vec<Open>,
    last_receipt: (String, u32),
}

impl Model {
    fn waits(&mut self, file: &str, line: u64, fate: &Fate) {
        if let Fate::Waits(kind, wanted) = fate {
            self.open.push(Open {
                file: format!("{file}.csv"),
                line,
                kind: (*kind).to_owned(),
                wanted: wanted.clone(),
            });
        }
    }

    /// Notes a row of staff.
    pub fn staff(&mut self, (_, cells, fate): (u64, Cells, Fate)) {
        if !matches!(fate, Fate::Rejected(_)) {
            self.staff.insert(cells.get("email").to_owned(), cells);
        }
    }

    /// Notes a row of products.
    pub fn product(&mut self, (line, cells, fate): (u64, Cells, Fate)) {
        self.waits("products", line, &fate);
        if !matches!(fate, Fate::Rejected(_)) {
            self.products.insert(cells.get("sku").to_owned(), cells);
        }
    }

    /// Notes a row of customers.
    pub fn customer(&mut self, (line, mut cells, fate): (u64, Cells, Fate)) {
        self.waits("customers", line, &fate);
        match fate {
            Fate::Rejected(_) => return,
            // What was left out is nowhere.
            Fate::LeftOut(_) => {
                for column in ["consent_care", "consent_care_at", "consent_care_evidence"] {
                    cells.set(column, "");
                }
            }
            Fate::Waits(kind, _) => cells.set(&kind.to_lowercase(), ""),
            Fate::Sound => {}
        }
        self.customers
            .insert(cells.get("customer").to_owned(), (line, cells));
    }

    /// Notes a row of cards.
    pub fn card(&mut self, (line, cells, fate): (u64, Cells, Fate)) {
        self.waits("cards", line, &fate);
        if fate == Fate::Sound {
            self.cards.push((line, cells));
        }
    }

    /// Notes a line of a receipt, which was booked at this moment.
    pub fn purchase(&mut self, (_, cells, fate): (u64, Cells, Fate), at: &str) -> Result<()> {
        if fate != Fate::Sound {
            return Ok(());
        }
        let receipt = format!("{}/{}", cells.get("store"), cells.get("receipt"));
        if self.last_receipt.0 == receipt {
            self.last_receipt.1 += 1;
        } else {
            self.last_receipt = (receipt, 1);
            self.receipts += 1;
        }
        let mut line = cells.values.join("\t");
        line.push_str(&format!("\t{}\t{at}", self.last_receipt.1));
        *self.lines.entry(line).or_default() += 1;
        let cents = cents(cells.get("amount"))?;
        self.cents += cents;
        *self
            .paid
            .entry(cells.get("customer").to_owned())
            .or_default() += cents;
        Ok(())
    }

    /// Everybody who must be there: whom the file of customers or a receipt brings.
    pub fn people(&self) -> HashSet<&str> {
        let brought = self.customers.keys().chain(self.paid.keys());
        brought.map(String::as_str).collect()
    }

    /// Whether an account may keep customers.
    fn keeps(&self, address: &str) -> bool {
        self.staff.get(address).is_some_and(|cells| {
            cells.get("disabled") != "yes" && cells.get("roles").contains("ASSOCIATE@")
        })
    }

    /// The references that must be open in the end, in order.
    pub fn all_open(&self) -> Vec<Open> {
        let people = self.people();
        let mut open = self.open.clone();
        let mut add = |file: &str, line: u64, kind: &str, wanted: &str| {
            open.push(Open {
                file: file.to_owned(),
                line,
                kind: kind.to_owned(),
                wanted: wanted.to_owned(),
            });
        };
        for (line, cells) in self.customers.values() {
            let (referrer, keeper) = (cells.get("referred_by"), cells.get("keeper"));
            if !referrer.is_empty() && !people.contains(referrer) {
                add("customers.csv", *line, "REFERRED_BY", referrer);
            }
            if !keeper.is_empty() && !self.keeps(keeper) {
                add("customers.csv", *line, "KEEPER", keeper);
            }
        }
        for (line, cells) in &self.cards {
            if !people.contains(cells.get("customer")) {
                add("cards.csv", *line, "CARD", cells.get("customer"));
            }
        }
        open.sort();
        open
    }

    /// The files of customers as an export must tell them, by number. A cell that depends on which receipt came first is
    /// none.
    pub fn customers_out(&self) -> HashMap<&str, Vec<Option<String>>> {
        let people = self.people();
        let row = |cells: &Cells| {
            CUSTOMER_COLUMNS
                .iter()
                .map(|column| {
                    let text = cells.get(column);
                    let is_open = match *column {
                        "referred_by" => !people.contains(text),
                        "keeper" => !self.keeps(text),
                        // A receipt tells of a store, until the customer's own is there.
                        "home_store" if text.is_empty() => return None,
                        _ => false,
                    };
                    Some(if is_open {
                        String::new()
                    } else {
                        text.to_owned()
                    })
                })
                .collect()
        };
        self.customers
            .iter()
            .map(|(number, (_, cells))| (number.as_str(), row(cells)))
            .collect()
    }

    /// The cards as an export must tell them, by number. A cell that depends on when they came in is none.
    pub fn cards_out(
        &self,
        ladder: &[Rung],
        zone: Tz,
    ) -> Result<HashMap<&str, Vec<Option<String>>>> {
        let people = self.people();
        let mut cards = HashMap::new();
        for (_, cells) in &self.cards {
            if people.contains(cells.get("customer")) {
                let (tier, since) = self.tier(cells, ladder, zone)?;
                let row = CARD_COLUMNS.iter().map(|column| match *column {
                    "tier" => Some(tier.clone()),
                    "tier_since" => since.clone(),
                    column => Some(cells.get(column).to_owned()),
                });
                cards.insert(cells.get("number"), row.collect());
            }
        }
        Ok(cards)
    }

    /// The tier of a holder, and since when: the one that the card stands for, if it is in use, or a higher one that was
    /// earned.
    fn tier(&self, cells: &Cells, ladder: &[Rung], zone: Tz) -> Result<(String, Option<String>)> {
        let paid = self.paid.get(cells.get("customer")).copied();
        let paid = paid.unwrap_or_default();
        let earned = ladder.iter().rposition(|rung| rung.cents <= paid.max(0));
        let earned = earned.during("no lowest tier")?;
        let issued: NaiveDate = cells.get("issued_on").parse()?;
        let since = DateTime::parse_from_rfc3339(cells.get("tier_since"))?;
        let since = since.with_timezone(&zone).date_naive();
        let name = |place: usize| {
            let rung = ladder.get(place).map(|rung| rung.name.clone());
            rung.unwrap_or_default()
        };
        if cells.get("status") == "EXPIRED" {
            return Ok((name(earned), Some(noon(issued.min(since), zone)?)));
        }
        let told = ladder
            .iter()
            .position(|rung| rung.name == cells.get("tier"));
        let told = told.during("a tier that is not on the ladder")?;
        if earned > told {
            // The row by which something was given back is among the spoiled ones.
            return Ok((name(earned), None));
        }
        Ok((name(told), Some(noon(since, zone)?)))
    }
}

/// Where only a day is known, noon stands for it.
fn noon(day: NaiveDate, zone: Tz) -> Result<String> {
    let noon = day.and_time(NaiveTime::from_hms_opt(12, 0, 0).unwrap_or_default());
    let at = zone
        .from_local_datetime(&noon)
        .earliest()
        .during("no noon on that day")?;
    Ok(at
        .with_timezone(&Utc)
        .format("%Y-%m-%dT%H:%M:%SZ")
        .to_string())
}

/// An amount in cents.
pub fn cents(text: &str) -> Result<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{part:0<2}")
        .parse()
        .during(format_args!("the amount {text:?}"))
}

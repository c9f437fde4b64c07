//! What a visit writes: computed here, from facts that were read under the customer's lock, and written by one
//! batch. Recording one visit and moving in a million rows of history go through the same computation.

use super::facts::{LineFacts, VisitFacts};
use crate::db::{Batch, Table};
use crate::domain::cards::tiering::{Spend, Standing};
use crate::error::{Error, Result};
use crate::events::NewEvent;
use chrono::{DateTime, NaiveDate, Utc};
use entity::enums::VisitChannel;
use entity::ids::{CustomerId, PurchaseId, PurchaseLineId, StoreId, VisitId};
use entity::{tier_change, visit};
use sea_orm::Value;
use serde_json::json;
use std::collections::HashMap;

static VISITS: Table = Table {
    name: "visit",
    columns: &[
        ("id", "uuid"),
        ("customer_id", "uuid"),
        ("store_id", "uuid"),
        ("channel", "text"),
        ("at", "timestamptz"),
        ("business_date", "date"),
        ("served_by_id", "uuid"),
        ("outcome", "text"),
        ("no_purchase_reason", "text"),
        ("note", "text"),
        ("history", "boolean"),
        ("recorded_at", "timestamptz"),
    ],
    conflict: "",
};

static PURCHASES: Table = Table {
    name: "purchase",
    columns: &[
        ("id", "uuid"),
        ("visit_id", "uuid"),
        ("customer_id", "uuid"),
        ("source", "text"),
        ("receipt_number", "text"),
        ("content_hash", "bytea"),
        ("bought_minor", "bigint"),
        ("returned_minor", "bigint"),
    ],
    conflict: "",
};

static LINES: Table = Table {
    name: "purchase_line",
    columns: &[
        ("id", "uuid"),
        ("purchase_id", "uuid"),
        ("line", "integer"),
        ("sku", "text"),
        ("name", "text"),
        ("category", "text"),
        ("brand", "text"),
        ("quantity_milli", "bigint"),
        ("list_price_minor", "bigint"),
        ("amount_minor", "bigint"),
        ("unit_cost_minor", "bigint"),
        ("discount_reason", "text"),
        ("returns_line_id", "uuid"),
    ],
    conflict: "",
};

/// A visit in the order of its columns.
fn values(row: visit::Model) -> Vec<Value> {
    vec![
        row.id.into(),
        row.customer_id.into(),
        row.store_id.into(),
        row.channel.as_str().into(),
        row.at.into(),
        row.business_date.into(),
        row.served_by_id.map(uuid::Uuid::from).into(),
        row.outcome.as_str().into(),
        row.no_purchase_reason.map(|reason| reason.as_str()).into(),
        row.note.into(),
        row.history.into(),
        row.recorded_at.into(),
    ]
}

/// Totals are written whole: they were read under the customer's lock.
pub(super) static TOTALS: Table = Table {
    name: "customer_total",
    columns: &[
        ("customer_id", "uuid"),
        ("visits", "bigint"),
        ("receipts", "bigint"),
        ("bought_minor", "bigint"),
        ("returned_minor", "bigint"),
        ("first_visit_on", "date"),
        ("last_visit_on", "date"),
        ("last_visit_at", "timestamptz"),
        ("last_purchase_on", "date"),
    ],
    conflict: "on conflict (customer_id) do update set visits = excluded.visits, receipts = excluded.receipts, \
               bought_minor = excluded.bought_minor, returned_minor = excluded.returned_minor, \
               first_visit_on = excluded.first_visit_on, last_visit_on = excluded.last_visit_on, \
               last_visit_at = excluded.last_visit_at, last_purchase_on = excluded.last_purchase_on",
};

/// What a customer's visits add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Visits.
    pub visits: i64,
    /// Receipts.
    pub receipts: i64,
    /// Sum of amounts bought, in minor units.
    pub bought_minor: i64,
    /// Sum of amounts given back, in minor units.
    pub returned_minor: i64,
    /// Business day of the first visit.
    pub first_visit_on: Option<NaiveDate>,
    /// Business day of the last visit.
    pub last_visit_on: Option<NaiveDate>,
    /// Time of the last visit.
    pub last_visit_at: Option<DateTime<Utc>>,
    /// Business day on which something was last bought.
    pub last_purchase_on: Option<NaiveDate>,
}

impl Totals {
    fn net(&self) -> i64 {
        self.bought_minor.saturating_sub(self.returned_minor)
    }

    /// Adds a visit; history may come in any order.
    fn add(&mut self, visit: &VisitFacts, bought: i64, returned: i64) -> Option<()> {
        self.visits = self.visits.checked_add(1)?;
        self.bought_minor = self.bought_minor.checked_add(bought)?;
        self.returned_minor = self.returned_minor.checked_add(returned)?;
        let day = Some(visit.business_date);
        self.first_visit_on = self
            .first_visit_on
            .map_or(day, |first| Some(first.min(visit.business_date)));
        self.last_visit_on = self.last_visit_on.max(day);
        self.last_visit_at = self.last_visit_at.max(Some(visit.at));
        if let Some(purchase) = &visit.purchase {
            self.receipts = self.receipts.checked_add(1)?;
            if !purchase.lines.is_empty() {
                self.last_purchase_on = self.last_purchase_on.max(day);
            }
        }
        Some(())
    }

    /// The values of a row, in the order of [`TOTALS`].
    pub(super) fn row(&self, customer: CustomerId) -> Vec<Value> {
        vec![
            customer.into(),
            self.visits.into(),
            self.receipts.into(),
            self.bought_minor.into(),
            self.returned_minor.into(),
            self.first_visit_on.into(),
            self.last_visit_on.into(),
            self.last_visit_at.into(),
            self.last_purchase_on.into(),
        ]
    }
}

impl From<entity::customer_total::Model> for Totals {
    fn from(row: entity::customer_total::Model) -> Self {
        Self {
            visits: row.visits,
            receipts: row.receipts,
            bought_minor: row.bought_minor,
            returned_minor: row.returned_minor,
            first_visit_on: row.first_visit_on,
            last_visit_on: row.last_visit_on,
            last_visit_at: row.last_visit_at,
            last_purchase_on: row.last_purchase_on,
        }
    }
}

/// The largest sum that a customer's totals hold: far above what anybody spends, and far from where sums
/// over all customers would overflow.
pub const LARGEST_MINOR: i64 = 1_000_000_000_000_000;

/// Books visits of customers who are locked.
#[derive(Debug)]
pub struct Booking {
    batch: Batch,
    totals: HashMap<CustomerId, Totals>,
    touched: HashMap<CustomerId, ()>,
    standing: Standing,
    tier_changes: Vec<tier_change::Model>,
    events: Vec<NewEvent>,
    history: bool,
    now: DateTime<Utc>,
}

/// What was booked of one visit.
#[derive(Clone, Copy, Debug)]
pub struct Booked {
    /// The visit.
    pub visit: VisitId,
    /// Its customer.
    pub customer: CustomerId,
    /// Its store.
    pub store: StoreId,
}

impl Booking {
    /// Begins with what was read under the lock: totals and standing of every customer concerned. `history`
    /// marks visits that are moved in from another system.
    pub fn new(
        totals: HashMap<CustomerId, Totals>,
        standing: Standing,
        history: bool,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            batch: Batch::new(),
            totals,
            touched: HashMap::new(),
            standing,
            tier_changes: Vec::new(),
            events: Vec::new(),
            history,
            now,
        }
    }

    /// Would the customer's totals stay within [`LARGEST_MINOR`]?
    pub fn has_room(&self, visit: &VisitFacts) -> bool {
        let totals = self.totals.get(&visit.customer);
        let (had, gave) = totals.map_or((0, 0), |had| (had.bought_minor, had.returned_minor));
        sums(visit).is_some_and(|(bought, returned)| {
            total([had, bought].into_iter()).is_some()
                && total([gave, returned].into_iter()).is_some()
        })
    }

    /// Books a visit.
    ///
    /// # Errors
    /// [`Error::Internal`] when a total would leave [`LARGEST_MINOR`]; callers check amounts before.
    pub fn add(&mut self, visit: &VisitFacts) -> Result<Booked> {
        self.add_as(VisitId::new(), visit)
    }

    /// Books a visit under an id that it has already.
    ///
    /// # Errors
    /// As [`Booking::add`].
    pub fn add_as(&mut self, id: VisitId, visit: &VisitFacts) -> Result<Booked> {
        let (bought, returned) = sums(visit).ok_or_else(overflow)?;
        let mut totals = self
            .totals
            .get(&visit.customer)
            .cloned()
            .unwrap_or_default();
        let before = totals.net();
        totals.add(visit, bought, returned).ok_or_else(overflow)?;
        if totals.bought_minor > LARGEST_MINOR || totals.returned_minor > LARGEST_MINOR {
            return Err(overflow());
        }
        let after = totals.net();
        self.totals.insert(visit.customer, totals);
        self.touched.insert(visit.customer, ());
        let row = visit.row(id, self.history, self.now);
        let outcome = row.outcome;
        self.batch.insert(&VISITS, [values(row)]);
        let purchase = visit
            .purchase
            .as_ref()
            .map(|_| self.add_purchase(visit, id, bought, returned));
        if let Some(purchase) = purchase {
            let spend = Spend {
                before,
                after,
                at: visit.at,
                purchase,
            };
            self.tier_changes
                .extend(self.standing.follow(visit.customer, spend));
        }
        if !self.history {
            self.events.push(NewEvent {
                kind: "visit.recorded",
                customer: Some(visit.customer),
                store: Some(visit.store),
                subject: id.into(),
                payload: json!({
                    "channel": visit.channel,
                    "outcome": outcome,
                    "businessDate": visit.business_date,
                    "purchase": purchase,
                    "boughtMinor": bought,
                    "returnedMinor": returned,
                }),
            });
            if visit.channel == VisitChannel::InStore && !visit.arrival_told {
                self.events.push(NewEvent {
                    kind: "customer.arrived",
                    customer: Some(visit.customer),
                    store: Some(visit.store),
                    subject: visit.customer.into(),
                    payload: json!({ "visit": id }),
                });
            }
        }
        Ok(Booked {
            visit: id,
            customer: visit.customer,
            store: visit.store,
        })
    }

    fn add_purchase(
        &mut self,
        visit: &VisitFacts,
        id: VisitId,
        bought: i64,
        returned: i64,
    ) -> PurchaseId {
        let purchase_id = PurchaseId::new();
        let Some(purchase) = &visit.purchase else {
            return purchase_id;
        };
        self.batch.insert(
            &PURCHASES,
            [vec![
                purchase_id.into(),
                id.into(),
                visit.customer.into(),
                purchase.source.as_str().into(),
                purchase.number.as_str().into(),
                purchase.content_hash.clone().into(),
                bought.into(),
                returned.into(),
            ]],
        );
        let mut place = 0;
        let mut row =
            |line: &LineFacts, quantity: i64, amount: i64, undoes: Option<PurchaseLineId>| {
                place += 1;
                vec![
                    PurchaseLineId::new().into(),
                    purchase_id.into(),
                    place.into(),
                    line.sku.clone().into(),
                    line.name.clone().into(),
                    line.category.clone().into(),
                    line.brand.clone().into(),
                    quantity.into(),
                    line.list_price_minor.into(),
                    amount.into(),
                    line.unit_cost_minor.into(),
                    line.discount_reason.clone().into(),
                    undoes.map(uuid::Uuid::from).into(),
                ]
            };
        let mut rows: Vec<Vec<Value>> = purchase
            .lines
            .iter()
            .map(|line| row(line, line.quantity_milli, line.amount_minor, None))
            .collect();
        rows.extend(purchase.returns.iter().map(|back| {
            row(
                &back.line,
                -back.quantity_milli,
                -back.amount_minor,
                back.undoes,
            )
        }));
        self.batch.insert(&LINES, rows);
        purchase_id
    }

    /// Adds everything to a batch, and gives the events that tell of it.
    pub fn finish(mut self, batch: &mut Batch) -> Vec<NewEvent> {
        let totals = &self.totals;
        let mut touched: Vec<CustomerId> = self.touched.into_keys().collect();
        touched.sort_unstable();
        let rows: Vec<_> = touched
            .iter()
            .filter_map(|id| totals.get(id).map(|totals| totals.row(*id)))
            .collect();
        self.batch.insert(&TOTALS, rows);
        let moved = self.standing.write(&mut self.batch, &self.tier_changes);
        self.events.extend(moved);
        batch.append(self.batch);
        self.events
    }
}

/// The sum of amounts; `None` beyond [`LARGEST_MINOR`].
pub(super) fn total(mut amounts: impl Iterator<Item = i64>) -> Option<i64> {
    let add = |sum: i64, amount: i64| sum.checked_add(amount).filter(|sum| *sum <= LARGEST_MINOR);
    amounts.try_fold(0, add)
}

fn overflow() -> Error {
    Error::internal("a customer's totals are beyond what can be kept")
}

/// The sums of a visit's lines, bought and given back; `None` beyond [`LARGEST_MINOR`].
pub(super) fn sums(visit: &VisitFacts) -> Option<(i64, i64)> {
    let Some(purchase) = &visit.purchase else {
        return Some((0, 0));
    };
    let bought = total(purchase.lines.iter().map(|line| line.amount_minor))?;
    let returned = total(purchase.returns.iter().map(|back| back.amount_minor))?;
    Some((bought, returned))
}

//! Receipts with their lines: in CSV a row for each line, in JSON an object for each receipt.
//!
//! The lines of a receipt stand together, as `import purchases` wants them.

use super::writer::Record;
use super::{Export, PAGE, moment};
use crate::access::Action;
use crate::domain::customers::walk::numbers;
use crate::domain::visits::{lookup, walk};
use crate::error::Result;
use entity::ids::{CustomerId, PurchaseId, PurchaseLineId, VisitId};
use entity::values::{Quantity, money};
use entity::{purchase, purchase_line, visit};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// The columns of a CSV file.
pub const COLUMNS: &[&str] = &[
    "source",
    "receipt",
    "date",
    "time",
    "store",
    "customer",
    "line",
    "sku",
    "name",
    "category",
    "brand",
    "quantity",
    "list_price",
    "amount",
    "currency",
    "unit_cost",
    "discount_reason",
    "returns_receipt",
    "returns_line",
    "channel",
    "at",
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PurchaseRecord {
    source: String,
    receipt: String,
    date: String,
    time: String,
    store: Option<String>,
    customer: String,
    channel: &'static str,
    at: String,
    currency: &'static str,
    bought: String,
    returned: String,
    lines: Vec<LineRecord>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LineRecord {
    line: i32,
    sku: Option<String>,
    name: Option<String>,
    category: Option<String>,
    brand: Option<String>,
    quantity: String,
    list_price: Option<String>,
    amount: String,
    unit_cost: Option<String>,
    discount_reason: Option<String>,
    returns: Option<ReturnRecord>,
}

/// The line that a line undoes.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReturnRecord {
    receipt: String,
    line: i32,
}

impl Record for PurchaseRecord {
    fn rows(&self) -> Vec<Vec<String>> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        self.lines
            .iter()
            .map(|line| {
                let (undone, place) = match &line.returns {
                    Some(undone) => (undone.receipt.clone(), undone.line.to_string()),
                    None => Default::default(),
                };
                vec![
                    self.source.clone(),
                    self.receipt.clone(),
                    self.date.clone(),
                    self.time.clone(),
                    text(&self.store),
                    self.customer.clone(),
                    line.line.to_string(),
                    text(&line.sku),
                    text(&line.name),
                    text(&line.category),
                    text(&line.brand),
                    line.quantity.clone(),
                    text(&line.list_price),
                    line.amount.clone(),
                    self.currency.to_owned(),
                    text(&line.unit_cost),
                    text(&line.discount_reason),
                    undone,
                    place,
                    self.channel.to_owned(),
                    self.at.clone(),
                ]
            })
            .collect()
    }
}

/// What a receipt is called so that an import under `source` knows it again: an import puts the store's code before the
/// number, and a receipt of another source has that source before it, so that no two have one name.
pub(super) fn receipt_name(source: &str, receipt: &purchase::Model, store: Option<&str>) -> String {
    let number = receipt.receipt_number.as_str();
    if receipt.source != source {
        return format!("{}/{number}", receipt.source);
    }
    store
        .and_then(|code| number.strip_prefix(code)?.strip_prefix('/'))
        .unwrap_or(number)
        .to_owned()
}

/// What belongs to the receipts of a page.
struct Around {
    visits: HashMap<VisitId, visit::Model>,
    lines: HashMap<PurchaseId, Vec<purchase_line::Model>>,
    undone: HashMap<PurchaseLineId, ReturnRecord>,
    numbers: HashMap<CustomerId, String>,
    with_costs: HashSet<PurchaseId>,
}

impl Export {
    /// Writes the next receipts; gives their ids.
    pub(super) async fn purchases(&mut self) -> Result<Vec<Uuid>> {
        let after = self.after.map(PurchaseId);
        let page = walk::walk_purchases(&self.ctx, self.plan.since, after, PAGE).await?;
        if page.is_empty() {
            return Ok(Vec::new());
        }
        let mut around = self.around_purchases(&page).await?;
        for row in &page {
            let record = self.purchase(row, &mut around)?;
            self.writer.write(&record)?;
        }
        Ok(page.into_iter().map(|row| row.id.into()).collect())
    }

    async fn visits_of(&self, page: &[purchase::Model]) -> Result<HashMap<VisitId, visit::Model>> {
        let ids: Vec<VisitId> = page.iter().map(|row| row.visit_id).collect();
        let visits = lookup::by_ids(&self.ctx, &ids).await?;
        Ok(visits.into_iter().map(|row| (row.id, row)).collect())
    }

    async fn around_purchases(&self, page: &[purchase::Model]) -> Result<Around> {
        let ctx = &self.ctx;
        let ids: Vec<PurchaseId> = page.iter().map(|row| row.id).collect();
        let mut lines: HashMap<PurchaseId, Vec<purchase_line::Model>> = HashMap::new();
        let mut undone = Vec::new();
        for line in lookup::lines_of(ctx, &ids).await? {
            undone.extend(line.returns_line_id);
            lines.entry(line.purchase_id).or_default().push(line);
        }
        let buyers: BTreeSet<CustomerId> = page.iter().map(|row| row.customer_id).collect();
        let buyers: Vec<CustomerId> = buyers.into_iter().collect();
        let with_costs = if ctx.viewer.may(Action::CostRead) {
            lookup::with_costs(ctx, &ids).await?
        } else {
            Vec::new()
        };
        Ok(Around {
            visits: self.visits_of(page).await?,
            lines,
            undone: self.undone(&undone).await?,
            numbers: numbers(ctx, &self.plan.source, &buyers).await?,
            with_costs: with_costs.into_iter().collect(),
        })
    }

    /// How lines that are undone are called.
    async fn undone(
        &self,
        ids: &[PurchaseLineId],
    ) -> Result<HashMap<PurchaseLineId, ReturnRecord>> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let lines = lookup::lines_by_ids(&self.ctx, ids).await?;
        let receipts: BTreeSet<PurchaseId> = lines.iter().map(|line| line.purchase_id).collect();
        let receipts: Vec<PurchaseId> = receipts.into_iter().collect();
        let receipts = lookup::purchases_by_ids(&self.ctx, &receipts).await?;
        let visits = self.visits_of(&receipts).await?;
        let names: HashMap<PurchaseId, String> = receipts
            .iter()
            .map(|receipt| {
                let store = visits.get(&receipt.visit_id).map(|visit| visit.store_id);
                let name = receipt_name(&self.plan.source, receipt, self.store_code(store));
                (receipt.id, name)
            })
            .collect();
        Ok(lines
            .into_iter()
            .filter_map(|line| {
                let receipt = names.get(&line.purchase_id)?.clone();
                let line_number = line.line;
                Some((
                    line.id,
                    ReturnRecord {
                        receipt,
                        line: line_number,
                    },
                ))
            })
            .collect())
    }

    fn purchase(&self, row: &purchase::Model, around: &mut Around) -> Result<PurchaseRecord> {
        let currency = self.company.currency;
        let amount = |minor: i64| money::format_minor(minor, currency);
        let shows_cost = around.with_costs.contains(&row.id);
        let visit = around.visits.get(&row.visit_id).ok_or_else(|| {
            crate::error::Error::internal("a receipt in sight has no visit in sight")
        })?;
        let local = self.zone(visit.store_id)?.local(visit.at);
        let store = self.store_code(Some(visit.store_id));
        let lines = around.lines.remove(&row.id).unwrap_or_default();
        Ok(PurchaseRecord {
            source: row.source.clone(),
            receipt: receipt_name(&self.plan.source, row, store),
            date: visit.business_date.to_string(),
            time: local.format("%H:%M:%S").to_string(),
            store: store.map(str::to_owned),
            customer: around
                .numbers
                .get(&row.customer_id)
                .cloned()
                .unwrap_or_default(),
            channel: visit.channel.as_str(),
            at: moment(visit.at),
            currency: currency.code(),
            bought: amount(row.bought_minor),
            returned: amount(row.returned_minor),
            lines: lines
                .into_iter()
                .map(|line| LineRecord {
                    line: line.line,
                    sku: line.sku,
                    name: line.name,
                    category: line.category,
                    brand: line.brand,
                    quantity: Quantity::from_thousandths(line.quantity_milli).to_string(),
                    list_price: line.list_price_minor.map(amount),
                    amount: amount(line.amount_minor),
                    unit_cost: line.unit_cost_minor.filter(|_| shows_cost).map(amount),
                    discount_reason: line.discount_reason,
                    returns: line
                        .returns_line_id
                        .and_then(|id| around.undone.get(&id).cloned()),
                })
                .collect(),
        })
    }
}

//! Visits, with or without a purchase.

use super::purchases::receipt_name;
use super::writer::Record;
use super::{Export, PAGE, moment};
use crate::domain::customers::walk::numbers;
use crate::domain::visits::{lookup, walk};
use crate::error::Result;
use entity::ids::{CustomerId, VisitId};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// The columns of a CSV file.
pub const COLUMNS: &[&str] = &[
    "id",
    "customer",
    "store",
    "date",
    "time",
    "at",
    "channel",
    "served_by",
    "outcome",
    "no_purchase_reason",
    "note",
    "history",
    "receipts",
    "recorded_at",
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VisitRecord {
    id: Uuid,
    customer: String,
    store: Option<String>,
    date: String,
    time: String,
    at: String,
    channel: &'static str,
    served_by: Option<String>,
    outcome: &'static str,
    no_purchase_reason: Option<&'static str>,
    note: Option<String>,
    history: bool,
    receipts: Vec<String>,
    recorded_at: String,
}

impl Record for VisitRecord {
    fn rows(&self) -> Vec<Vec<String>> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        vec![vec![
            self.id.to_string(),
            self.customer.clone(),
            text(&self.store),
            self.date.clone(),
            self.time.clone(),
            self.at.clone(),
            self.channel.to_owned(),
            text(&self.served_by),
            self.outcome.to_owned(),
            self.no_purchase_reason.unwrap_or_default().to_owned(),
            text(&self.note),
            self.history.to_string(),
            self.receipts.join("; "),
            self.recorded_at.clone(),
        ]]
    }
}

impl Export {
    /// Writes the next visits; gives their ids.
    pub(super) async fn visits(&mut self) -> Result<Vec<Uuid>> {
        let after = self.after.map(VisitId);
        let page = walk::walk_visits(&self.ctx, self.plan.since, after, PAGE).await?;
        if page.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<VisitId> = page.iter().map(|row| row.id).collect();
        let mut receipts: HashMap<VisitId, Vec<(Uuid, String)>> = HashMap::new();
        let stores: HashMap<VisitId, _> = page.iter().map(|row| (row.id, row.store_id)).collect();
        for receipt in lookup::purchases_of(&self.ctx, &ids).await? {
            let store = self.store_code(stores.get(&receipt.visit_id).copied());
            let name = receipt_name(&self.plan.source, &receipt, store);
            receipts
                .entry(receipt.visit_id)
                .or_default()
                .push((receipt.id.into(), name));
        }
        let guests: BTreeSet<CustomerId> = page.iter().map(|row| row.customer_id).collect();
        let guests: Vec<CustomerId> = guests.into_iter().collect();
        let numbers = numbers(&self.ctx, &self.plan.source, &guests).await?;
        let staff = self
            .staff_addresses(page.iter().filter_map(|row| row.served_by_id))
            .await?;
        for row in page {
            let local = self.zone(row.store_id)?.local(row.at);
            let mut of_visit = receipts.remove(&row.id).unwrap_or_default();
            of_visit.sort();
            let record = VisitRecord {
                id: row.id.into(),
                customer: numbers.get(&row.customer_id).cloned().unwrap_or_default(),
                store: self.store_code(Some(row.store_id)).map(str::to_owned),
                date: row.business_date.to_string(),
                time: local.format("%H:%M:%S").to_string(),
                at: moment(row.at),
                channel: row.channel.as_str(),
                served_by: row.served_by_id.and_then(|id| staff.get(&id).cloned()),
                outcome: row.outcome.as_str(),
                no_purchase_reason: row.no_purchase_reason.map(|reason| reason.as_str()),
                note: row.note,
                history: row.history,
                receipts: of_visit.into_iter().map(|(_, name)| name).collect(),
                recorded_at: moment(row.recorded_at),
            };
            self.writer.write(&record)?;
        }
        Ok(ids.into_iter().map(Uuid::from).collect())
    }
}

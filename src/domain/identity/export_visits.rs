//! The visits' part of an export: what was announced, who came, what came of it, and what was said.
//!
//! Called by [`super::export`] only.

use crate::db::Db;
use crate::error::Result;
use entity::ids::{CustomerId, PurchaseId, StoreId, VisitId};
use entity::{announced_visit, arrival, enquiry_entry, purchase, purchase_line, store, visit};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use std::collections::HashMap;

async fn stores(db: &Db) -> Result<HashMap<StoreId, String>> {
    let stores = store::Entity::find().all(db.read()).await?;
    Ok(stores
        .into_iter()
        .map(|store| (store.id, store.name))
        .collect())
}

pub(super) async fn announced(db: &Db, all: &[CustomerId]) -> Result<Vec<Value>> {
    let rows = announced_visit::Entity::find()
        .filter(announced_visit::Column::CustomerId.is_in(all.iter().copied()))
        .order_by_asc(announced_visit::Column::ExpectedAt)
        .order_by_asc(announced_visit::Column::Id)
        .all(db.read())
        .await?;
    let stores = stores(db).await?;
    let value = |row: &announced_visit::Model| {
        json!({
            "store": stores.get(&row.store_id),
            "expectedAt": row.expected_at,
            "note": row.note,
            "state": row.state,
            "cancelReason": row.cancel_reason,
            "announcedAt": row.announced_at,
        })
    };
    Ok(rows.iter().map(value).collect())
}

pub(super) async fn arrivals(db: &Db, all: &[CustomerId]) -> Result<Vec<Value>> {
    let rows = arrival::Entity::find()
        .filter(arrival::Column::CustomerId.is_in(all.iter().copied()))
        .order_by_asc(arrival::Column::At)
        .order_by_asc(arrival::Column::Id)
        .all(db.read())
        .await?;
    let stores = stores(db).await?;
    let value = |row: &arrival::Model| {
        json!({
            "store": stores.get(&row.store_id),
            "at": row.at,
            "businessDate": row.business_date,
        })
    };
    Ok(rows.iter().map(value).collect())
}

async fn transcripts(db: &Db, visits: &[visit::Model]) -> Result<HashMap<VisitId, Vec<Value>>> {
    let rows = enquiry_entry::Entity::find()
        .filter(enquiry_entry::Column::VisitId.is_in(visits.iter().map(|visit| visit.id)))
        .order_by_asc(enquiry_entry::Column::VisitId)
        .order_by_asc(enquiry_entry::Column::Place)
        .all(db.read())
        .await?;
    let mut found: HashMap<VisitId, Vec<Value>> = HashMap::new();
    for row in rows {
        let told = json!({ "author": row.author, "at": row.at, "text": row.text });
        found.entry(row.visit_id).or_default().push(told);
    }
    Ok(found)
}

/// Visits read at once.
const CHUNK: usize = 500;

pub(super) async fn visits(db: &Db, id: CustomerId) -> Result<Vec<Value>> {
    let rows = visit::Entity::find()
        .filter(visit::Column::CustomerId.eq(id))
        .order_by_asc(visit::Column::At)
        .order_by_asc(visit::Column::Id)
        .all(db.read())
        .await?;
    let stores = stores(db).await?;
    let mut told = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(CHUNK) {
        let mut receipts = receipts(db, chunk).await?;
        let mut said = transcripts(db, chunk).await?;
        told.extend(chunk.iter().map(|row| {
            json!({
                "store": stores.get(&row.store_id),
                "channel": row.channel,
                "at": row.at,
                "businessDate": row.business_date,
                "outcome": row.outcome,
                "noPurchaseReason": row.no_purchase_reason,
                "note": row.note,
                "transcript": said.remove(&row.id).unwrap_or_default(),
                "purchases": receipts.remove(&row.id).unwrap_or_default(),
            })
        }));
    }
    Ok(told)
}

async fn receipts(db: &Db, visits: &[visit::Model]) -> Result<HashMap<VisitId, Vec<Value>>> {
    let receipts = purchase::Entity::find()
        .filter(purchase::Column::VisitId.is_in(visits.iter().map(|visit| visit.id)))
        .order_by_asc(purchase::Column::Id)
        .all(db.read())
        .await?;
    let ids = receipts.iter().map(|receipt| receipt.id);
    let lines = purchase_line::Entity::find()
        .filter(purchase_line::Column::PurchaseId.is_in(ids))
        .order_by_asc(purchase_line::Column::Line)
        .all(db.read())
        .await?;
    let mut by_receipt: HashMap<PurchaseId, Vec<Value>> = HashMap::new();
    for line in lines {
        let told = json!({
            "sku": line.sku,
            "name": line.name,
            "category": line.category,
            "brand": line.brand,
            "quantityMilli": line.quantity_milli,
            "listPriceMinor": line.list_price_minor,
            "amountMinor": line.amount_minor,
            "discountReason": line.discount_reason,
        });
        by_receipt.entry(line.purchase_id).or_default().push(told);
    }
    let mut found: HashMap<VisitId, Vec<Value>> = HashMap::new();
    for receipt in receipts {
        let told = json!({
            "source": receipt.source,
            "number": receipt.receipt_number,
            "boughtMinor": receipt.bought_minor,
            "returnedMinor": receipt.returned_minor,
            "lines": by_receipt.remove(&receipt.id).unwrap_or_default(),
        });
        found.entry(receipt.visit_id).or_default().push(told);
    }
    Ok(found)
}

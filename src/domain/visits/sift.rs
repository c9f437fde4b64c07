//! What of a batch of history is new: customers and receipts that the database knows already are told from those that it
//! does not.

use super::history::{HistoryReceipt, Outcome, hash_of};
use crate::db::{Engine, Sql, among};
use crate::error::Result;
use entity::ids::{CustomerId, VisitId};
use entity::visit;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The customers of a batch whom the source has named before.
pub(super) async fn known_customers(
    connection: &impl ConnectionTrait,
    source: &str,
    receipts: &[HistoryReceipt],
) -> Result<BTreeMap<String, CustomerId>> {
    let names: HashSet<&String> = receipts
        .iter()
        .map(|receipt| &receipt.customer.external_id)
        .collect();
    let mut sql = Sql::for_connection(connection);
    sql.push("select external_id, customer_id from customer_reference where source = ")
        .bind(source);
    sql.push(" and external_id")
        .bind_any_text(names.into_iter().cloned().collect());
    let rows = connection.query_all_raw(sql.build()).await?;
    rows.iter()
        .map(|row| {
            Ok((
                row.try_get("", "external_id")?,
                row.try_get("", "customer_id")?,
            ))
        })
        .collect()
}

/// Parts the receipts that are new from those that are known; gives the places of the new ones.
pub(super) async fn sift(
    connection: &impl ConnectionTrait,
    source: &str,
    receipts: &[HistoryReceipt],
    customers: &BTreeMap<String, CustomerId>,
) -> Result<(Outcome, Vec<usize>)> {
    let mut sql = Sql::for_connection(connection);
    sql.push("select receipt_number, content_hash from purchase where source = ")
        .bind(source);
    sql.push(" and receipt_number").bind_any_text(
        receipts
            .iter()
            .map(|receipt| receipt.number.clone())
            .collect(),
    );
    let mut known: HashMap<String, Vec<u8>> = HashMap::new();
    for row in connection.query_all_raw(sql.build()).await? {
        known.insert(
            row.try_get("", "receipt_number")?,
            row.try_get("", "content_hash")?,
        );
    }
    // Somebody else may have brought in both customer and receipt since the customers were read.
    let late = receipts.iter().any(|receipt| {
        known.contains_key(&receipt.number)
            && !customers.contains_key(&receipt.customer.external_id)
    });
    let read_again;
    let customers = if late {
        read_again = known_customers(connection, source, receipts).await?;
        &read_again
    } else {
        customers
    };
    let bare = known_bare(connection, source, receipts).await?;
    let mut outcome = Outcome::default();
    let mut fresh = Vec::new();
    // Within the batch a number may come twice; the first one counts, and the same once more is known by then.
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (n, receipt) in receipts.iter().enumerate() {
        if let Some(first) = seen.insert(&receipt.number, n) {
            seen.insert(&receipt.number, first);
            match receipts.get(first) {
                Some(first) if first.says_the_same(receipt) => outcome.known += 1,
                _ => outcome.conflicts.push(n),
            }
            continue;
        }
        if !receipt.is_bookable() {
            outcome.beyond.push(n);
            continue;
        }
        if receipt.is_bare() {
            if bare.contains(&receipt.bare_id(source)) {
                outcome.known += 1;
            } else {
                fresh.push(n);
            }
            continue;
        }
        let same = known.get(&receipt.number).map(|hash| {
            customers
                .get(&receipt.customer.external_id)
                .is_some_and(|customer| *hash == hash_of(receipt, *customer))
        });
        match same {
            None => fresh.push(n),
            Some(true) => outcome.known += 1,
            Some(false) => outcome.conflicts.push(n),
        }
    }
    Ok((outcome, fresh))
}

/// The visits without purchase that are known already.
async fn known_bare(
    connection: &impl ConnectionTrait,
    source: &str,
    receipts: &[HistoryReceipt],
) -> Result<HashSet<VisitId>> {
    let ids: Vec<VisitId> = receipts
        .iter()
        .filter(|receipt| receipt.is_bare())
        .map(|receipt| receipt.bare_id(source))
        .collect();
    let mut known = HashSet::new();
    if !ids.is_empty() {
        let found: Vec<VisitId> = visit::Entity::find()
            .select_only()
            .column(visit::Column::Id)
            .filter(among(Engine::of(connection), visit::Column::Id, ids))
            .into_tuple()
            .all(connection)
            .await?;
        known.extend(found);
    }
    Ok(known)
}

//! What of a batch of history is new: customers and receipts that the database knows already are told from those that it
//! does not.

use super::history::{HistoryReceipt, Outcome, hash_of};
use crate::access::{Ctx, Secrets};
use crate::db::{Engine, Sql, among};
use crate::domain::customers::alias;
use crate::error::Result;
use entity::ids::{CustomerId, VisitId};
use entity::visit;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use sha2::{Digest, Sha256};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What stands before the hash that has taken the place of an erased customer's name in another system.
const ERASED: &str = "erased:";

/// What takes the place of the name that another system has for a customer who is erased: whoever has the secret key
/// and the name knows it again, so that an import brings no erased person back; nobody can read the name from it.
pub fn erased_name(secrets: &Secrets, source: &str, external_id: &str) -> String {
    let hash = Sha256::new()
        .chain_update(secrets.erased)
        .chain_update((source.len() as u64).to_le_bytes())
        .chain_update(source)
        .chain_update(external_id)
        .finalize();
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{ERASED}{hex}")
}

/// The customers of a batch whom the source has named before, those who were erased since among them.
pub(super) async fn known_customers(
    connection: &impl ConnectionTrait,
    ctx: &Ctx,
    source: &str,
    receipts: &[HistoryReceipt],
) -> Result<BTreeMap<String, CustomerId>> {
    let names: HashSet<&String> = receipts
        .iter()
        .map(|receipt| &receipt.customer.external_id)
        .collect();
    let mut known = named(connection, source, names.iter().map(|name| (*name).clone())).await?;
    let strangers = names.into_iter().filter(|name| !known.contains_key(*name));
    let strangers: Vec<&str> = strangers.map(String::as_str).collect();
    known.extend(erased_among(connection, ctx, source, &strangers).await?);
    Ok(known)
}

/// Those of the names that a source had for customers who are erased by now, with their nameless files.
///
/// # Errors
/// Those of the database.
pub async fn erased_among(
    connection: &impl ConnectionTrait,
    ctx: &Ctx,
    source: &str,
    names: &[&str],
) -> Result<BTreeMap<String, CustomerId>> {
    if names.is_empty() || !any_erased(connection, source).await? {
        return Ok(BTreeMap::new());
    }
    let hashed: HashMap<String, &str> = names
        .iter()
        .map(|name| (erased_name(&ctx.secrets, source, name), *name))
        .collect();
    let found = named(connection, source, hashed.keys().cloned()).await?;
    Ok(found
        .into_iter()
        .filter_map(|(hash, customer)| Some(((*hashed.get(&hash)?).to_owned(), customer)))
        .collect())
}

/// Was anybody erased whom this source has named?
async fn any_erased(connection: &impl ConnectionTrait, source: &str) -> Result<bool> {
    let mut sql = Sql::for_connection(connection);
    // `;` comes right behind `:`, so the key's own order finds them.
    sql.push("select 1 as here from customer_reference where source = ")
        .bind(source)
        .push(" and external_id >= 'erased:' and external_id < 'erased;' limit 1");
    Ok(connection.query_one_raw(sql.build()).await?.is_some())
}

async fn named(
    connection: &impl ConnectionTrait,
    source: &str,
    names: impl Iterator<Item = String>,
) -> Result<BTreeMap<String, CustomerId>> {
    let mut sql = Sql::for_connection(connection);
    sql.push("select external_id, customer_id from customer_reference where source = ")
        .bind(source);
    sql.push(" and external_id").bind_any_text(names.collect());
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
    ctx: &Ctx,
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
        read_again = known_customers(connection, ctx, source, receipts).await?;
        &read_again
    } else {
        customers
    };
    let bare = known_bare(connection, source, receipts).await?;
    let mut outcome = Outcome::default();
    let mut fresh = Vec::new();
    let mut kin = Kin::default();
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
            Some(false) => {
                let customer = customers.get(&receipt.customer.external_id);
                let hash = known.get(&receipt.number);
                if kin.booked(connection, receipt, customer, hash).await? {
                    outcome.known += 1;
                } else {
                    outcome.conflicts.push(n);
                }
            }
        }
    }
    Ok((outcome, fresh))
}

/// Everyone with whom customers of a batch ever shared a file, asked for once each.
#[derive(Default)]
struct Kin(HashMap<CustomerId, Vec<CustomerId>>);

impl Kin {
    /// Was the same receipt booked for the same person under another id, before their files were merged?
    async fn booked(
        &mut self,
        connection: &impl ConnectionTrait,
        receipt: &HistoryReceipt,
        customer: Option<&CustomerId>,
        hash: Option<&Vec<u8>>,
    ) -> Result<bool> {
        let Some(customer) = customer else {
            return Ok(false);
        };
        let kin = match self.0.entry(*customer) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(alias::kin(connection, *customer).await?),
        };
        Ok(kin
            .iter()
            .any(|other| hash == Some(&hash_of(receipt, *other))))
    }
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

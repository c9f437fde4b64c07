//! History of another system, booked in bulk (rule V4).
//!
//! Called by the import and by the demonstration with receipts whose values were checked before. A batch is one
//! transaction: customers who are not known yet are made, receipts that are known already are passed over, and
//! totals and tiers move as of the receipts' own dates. History starts no tasks and no messages; one event and one
//! audit entry tell of the whole batch.

use super::booking::{Booking, Totals};
use super::facts::{LineFacts, PurchaseFacts, ReturnClaim, ReturnFacts, VisitFacts, content_hash};
use crate::access::{Action, Ctx, audit, sight};
use crate::db::Sql;
use crate::domain::cards::tiering::Standing;
use crate::domain::customers::bulk::{self, NewCustomer};
use crate::domain::organization::company;
use crate::error::{Error, Result};
use crate::events::{self, NewEvent};
use chrono::{DateTime, NaiveDate, Utc};
use entity::enums::{AcquisitionSource, NoPurchaseReason, VisitChannel};
use entity::ids::{CustomerId, StaffId, StoreId, VisitId};
use entity::values::ContactValue;
use entity::{customer_total, visit};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What the file tells of a customer.
#[derive(Clone, Debug)]
pub struct HistoryCustomer {
    /// The customer's name in the other system.
    pub external_id: String,
    /// The full name.
    pub name: Option<String>,
    /// Ways to reach them.
    pub contact_points: Vec<ContactValue>,
}

/// A receipt of the past; without any line, a visit on which nothing was bought.
#[derive(Clone, Debug)]
pub struct HistoryReceipt {
    /// Its number within the source, which makes it known when it comes again.
    pub number: String,
    /// Whose.
    pub customer: HistoryCustomer,
    /// In which store.
    pub store: StoreId,
    /// By which way.
    pub channel: VisitChannel,
    /// When.
    pub at: DateTime<Utc>,
    /// The store's business day.
    pub business_date: NaiveDate,
    /// Who served.
    pub served_by: Option<StaffId>,
    /// Why nothing was bought, where there is no line.
    pub no_purchase_reason: Option<NoPurchaseReason>,
    /// Lines bought.
    pub lines: Vec<LineFacts>,
    /// Lines given back, of purchases that are not known.
    pub returned: Vec<LineFacts>,
}

impl HistoryReceipt {
    /// Was nothing bought and nothing brought back?
    fn is_bare(&self) -> bool {
        self.lines.is_empty() && self.returned.is_empty()
    }

    /// The id of a bare visit: made of source and number, since no receipt makes it known. The length stands
    /// before the source, so that no two pairs run together.
    fn bare_id(&self, source: &str) -> VisitId {
        let mut hash = Sha256::new();
        hash.update((source.len() as u64).to_le_bytes());
        hash.update(source);
        hash.update(&self.number);
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(hash.finalize()) {
            *to = from;
        }
        VisitId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Receipts booked.
    pub booked: u64,
    /// Receipts that were known already.
    pub known: u64,
    /// Customers made.
    pub customers: u64,
    /// Places in the batch of receipts whose number is known with other content.
    pub conflicts: Vec<usize>,
}

/// Books a batch of receipts from one source. Running it again changes nothing.
///
/// # Errors
/// Those of the database; then nothing of the batch is booked.
pub async fn book(ctx: &Ctx, source: &str, receipts: &[HistoryReceipt]) -> Result<Outcome> {
    ctx.require(Action::VisitRecord)?;
    // One process's batches do not overtake each other; other nodes' batches meet at the rows they share.
    ctx.db
        .write_for(&[source], |tx| async move {
            book_in(&*tx, ctx, source, receipts).await
        })
        .await
}

/// What a batch would do, without doing it.
///
/// # Errors
/// Those of the database.
pub async fn preview(
    ctx: &Ctx,
    source: &str,
    receipts: &[HistoryReceipt],
) -> Result<(Outcome, Vec<String>)> {
    ctx.require(Action::VisitRecord)?;
    let connection = ctx.db.read();
    let customers = known_customers(connection, source, receipts).await?;
    let (outcome, _) = sift(connection, source, receipts, &customers).await?;
    let strangers: HashSet<&String> = receipts
        .iter()
        .map(|receipt| &receipt.customer.external_id)
        .filter(|id| !customers.contains_key(*id))
        .collect();
    Ok((outcome, strangers.into_iter().cloned().collect()))
}

/// As [`book`], within the caller's transaction.
///
/// # Errors
/// As [`book`].
pub async fn book_within(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    source: &str,
    receipts: &[HistoryReceipt],
) -> Result<Outcome> {
    ctx.require(Action::VisitRecord)?;
    book_in(tx, ctx, source, receipts).await
}

async fn book_in(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    source: &str,
    receipts: &[HistoryReceipt],
) -> Result<Outcome> {
    let known = known_customers(tx, source, receipts).await?;
    // In the order of their ids, as everyone locks.
    let existing: Vec<CustomerId> = known.values().copied().collect();
    let locked = sight::lock_customers(tx, ctx, Action::VisitRecord, existing).await?;
    let (mut outcome, fresh) = sift(tx, source, receipts, &known).await?;
    let customers = welcome(tx, ctx, source, receipts, &fresh, known, &mut outcome).await?;
    if fresh.is_empty() {
        return Ok(outcome);
    }
    let touched: Vec<CustomerId> = locked.into_iter().map(|customer| customer.id).collect();
    let totals = read_totals(tx, &touched).await?;
    let standing = Standing::read(tx, &touched).await?;
    let mut booking = Booking::new(totals, standing, true, ctx.now());
    let mut in_order: Vec<&HistoryReceipt> =
        fresh.iter().filter_map(|n| receipts.get(*n)).collect();
    in_order.sort_by_key(|receipt| receipt.at);
    for receipt in in_order {
        let Some(customer) = customers.get(&receipt.customer.external_id) else {
            return Err(Error::internal("a customer of history was not made"));
        };
        let facts = facts(source, receipt, *customer);
        if receipt.is_bare() {
            booking.add_as(receipt.bare_id(source), &facts)?;
        } else {
            booking.add(&facts)?;
        }
        outcome.booked += 1;
    }
    let (batch, mut events) = booking.finish();
    batch.write(tx).await?;
    let payload =
        json!({ "source": source, "receipts": outcome.booked, "customers": outcome.customers });
    events.push(NewEvent {
        kind: "history.imported",
        customer: None,
        store: None,
        subject: VisitId::new().into(),
        payload: payload.clone(),
    });
    events::record(tx, ctx, &events).await?;
    let concerned: HashSet<CustomerId> = fresh
        .iter()
        .filter_map(|n| customers.get(&receipts.get(*n)?.customer.external_id))
        .copied()
        .collect();
    audit::write(
        tx,
        &[audit::Entry::new(ctx, "history.import")
            .about(concerned)
            .detail(payload)],
    )
    .await?;
    Ok(outcome)
}

/// The customers of a batch whom the source has named before.
async fn known_customers(
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
async fn sift(
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
    let bare = known_bare(connection, source, receipts).await?;
    let mut outcome = Outcome::default();
    let mut fresh = Vec::new();
    // Within the batch a number may come twice; the first one counts.
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (n, receipt) in receipts.iter().enumerate() {
        if let Some(first) = seen.insert(&receipt.number, n) {
            seen.insert(&receipt.number, first);
            outcome.conflicts.push(n);
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
    for chunk in ids.chunks(10_000) {
        let found: Vec<VisitId> = visit::Entity::find()
            .select_only()
            .column(visit::Column::Id)
            .filter(visit::Column::Id.is_in(chunk.iter().map(|id| id.0)))
            .into_tuple()
            .all(connection)
            .await?;
        known.extend(found);
    }
    Ok(known)
}

/// Makes the customers of new receipts who are not known yet; gives all customers of the batch by their name in
/// the source.
async fn welcome(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    source: &str,
    receipts: &[HistoryReceipt],
    fresh: &[usize],
    known: BTreeMap<String, CustomerId>,
    outcome: &mut Outcome,
) -> Result<BTreeMap<String, CustomerId>> {
    let mut customers = known;
    let mut strangers: Vec<NewCustomer> = Vec::new();
    for receipt in fresh.iter().filter_map(|n| receipts.get(*n)) {
        let told = &receipt.customer;
        if customers.contains_key(&told.external_id) {
            continue;
        }
        let name = told
            .name
            .clone()
            .unwrap_or_else(|| format!("Customer {}", told.external_id));
        let new = NewCustomer {
            home_store_id: Some(receipt.store),
            acquisition_source: Some(AcquisitionSource::Import),
            reference: Some((source.to_owned(), told.external_id.clone())),
            contact_points: told.contact_points.clone(),
            ..NewCustomer::named(name, ctx.now())
        };
        customers.insert(told.external_id.clone(), new.id);
        strangers.push(new);
    }
    outcome.customers = u64::try_from(strangers.len()).unwrap_or(u64::MAX);
    if !strangers.is_empty() {
        bulk::insert(tx, &*company::settings(ctx).await?, &strangers).await?;
    }
    Ok(customers)
}

async fn read_totals(
    tx: &impl ConnectionTrait,
    customers: &[CustomerId],
) -> Result<HashMap<CustomerId, Totals>> {
    let mut totals = HashMap::new();
    for chunk in customers.chunks(10_000) {
        let select = customer_total::Entity::find()
            .filter(customer_total::Column::CustomerId.is_in(chunk.to_vec()));
        totals.extend(
            select
                .all(tx)
                .await?
                .into_iter()
                .map(|row| (row.customer_id, row.into())),
        );
    }
    Ok(totals)
}

fn claims(receipt: &HistoryReceipt) -> Vec<ReturnClaim> {
    let claim = |line: &LineFacts| ReturnClaim {
        undoes: None,
        quantity_milli: Some(line.quantity_milli),
        amount_minor: Some(line.amount_minor),
    };
    receipt.returned.iter().map(claim).collect()
}

fn hash_of(receipt: &HistoryReceipt, customer: CustomerId) -> Vec<u8> {
    content_hash(
        customer,
        receipt.store,
        receipt.channel,
        &receipt.lines,
        &claims(receipt),
    )
}

fn facts(source: &str, receipt: &HistoryReceipt, customer: CustomerId) -> VisitFacts {
    let back = |line: &LineFacts| ReturnFacts {
        undoes: None,
        quantity_milli: line.quantity_milli,
        amount_minor: line.amount_minor,
        line: line.clone(),
    };
    VisitFacts {
        customer,
        store: receipt.store,
        channel: receipt.channel,
        at: receipt.at,
        business_date: receipt.business_date,
        served_by: receipt.served_by,
        no_purchase_reason: receipt.no_purchase_reason.filter(|_| receipt.is_bare()),
        note: None,
        purchase: (!receipt.is_bare()).then(|| PurchaseFacts {
            source: source.to_owned(),
            number: receipt.number.clone(),
            content_hash: hash_of(receipt, customer),
            lines: receipt.lines.clone(),
            returns: receipt.returned.iter().map(back).collect(),
        }),
    }
}

//! History of another system, booked in bulk (rule V4).
//!
//! Called by the import and by the demonstration with receipts whose values were checked before. A batch is one
//! transaction: customers who are not known yet are made, receipts that are known already are passed over, and
//! totals and tiers move as of the receipts' own dates. History starts no tasks and no messages; one event and one
//! audit entry tell of the whole batch.

use super::booking::{Booking, Totals, total};
use super::facts::{LineFacts, PurchaseFacts, ReturnClaim, ReturnFacts, VisitFacts, content_hash};
use super::sift::{known_customers, sift};
use crate::access::{Action, Ctx, audit, sight};
use crate::db::{Batch, Engine, among, prefer_indexes};
use crate::domain::cards::tiering::Standing;
use crate::domain::customers::bulk::{self, NewCustomer};
use crate::domain::organization::{CompanySettings, company, fixed};
use crate::error::{Error, Result};
use crate::events::{self, NewEvent};
use chrono::{DateTime, NaiveDate, Utc};
use entity::customer_total;
use entity::enums::{AcquisitionSource, NoPurchaseReason, VisitChannel};
use entity::ids::{CustomerId, StaffId, StoreId, VisitId};
use entity::values::ContactValue;
use futures_util::future::try_join_all;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// What the file tells of a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryCustomer {
    /// The customer's name in the other system.
    pub external_id: String,
    /// The full name.
    pub name: Option<String>,
    /// Ways to reach them.
    pub contact_points: Vec<ContactValue>,
}

/// A receipt of the past; without any line, a visit on which nothing was bought.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    pub(super) fn is_bare(&self) -> bool {
        self.lines.is_empty() && self.returned.is_empty()
    }

    /// Are its sums such as can be kept?
    pub(super) fn is_bookable(&self) -> bool {
        [&self.lines, &self.returned].into_iter().all(|lines| {
            let amounts = lines.iter().map(|line| line.amount_minor);
            total(amounts).is_some()
        })
    }

    /// Does the other receipt say the same of the same customer?
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        (&self.customer.external_id, self.store, self.channel)
            == (&other.customer.external_id, other.store, other.channel)
            && self.lines == other.lines
            && self.returned == other.returned
    }

    /// The id of a bare visit: made of source and number, since no receipt makes it known. The length stands
    /// before the source, so that no two pairs run together.
    pub(super) fn bare_id(&self, source: &str) -> VisitId {
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
    /// Places in the batch of receipts that are not booked, since sums would be beyond what can be kept.
    pub beyond: Vec<usize>,
}

/// Books a batch of receipts from one source. Running it again changes nothing.
///
/// Where the engine writes side by side, the batch is parted by customers and its parts are booked at once: no two of
/// them touch the same customer. Each part is one transaction.
///
/// # Errors
/// Those of the database; then what is booked of the batch is whole receipts.
pub async fn book(ctx: &Ctx, source: &str, receipts: &[HistoryReceipt]) -> Result<Outcome> {
    ctx.require(Action::VisitRecord)?;
    // Before the transactions: inside, each would wait for another connection while it holds one.
    let company = &*company::settings(ctx).await?;
    let lanes = ctx.db.lanes();
    if lanes == 1 {
        return book_lane(ctx, company, source, 0, receipts).await;
    }
    let mut parts: Vec<(Vec<usize>, Vec<HistoryReceipt>)> = vec![Default::default(); lanes];
    for (place, receipt) in receipts.iter().enumerate() {
        let lane = lane_of(&receipt.customer.external_id, lanes);
        if let Some((places, part)) = parts.get_mut(lane) {
            places.push(place);
            part.push(receipt.clone());
        }
    }
    let booked = parts
        .iter()
        .enumerate()
        .map(|(lane, (_, part))| book_lane(ctx, company, source, lane, part));
    let mut outcome = Outcome::default();
    for (part, (places, _)) in try_join_all(booked).await?.into_iter().zip(&parts) {
        outcome.booked += part.booked;
        outcome.known += part.known;
        outcome.customers += part.customers;
        let in_batch = |part: &[usize]| -> Vec<usize> {
            part.iter()
                .filter_map(|n| places.get(*n))
                .copied()
                .collect()
        };
        outcome.conflicts.extend(in_batch(&part.conflicts));
        outcome.beyond.extend(in_batch(&part.beyond));
    }
    outcome.conflicts.sort_unstable();
    outcome.beyond.sort_unstable();
    Ok(outcome)
}

/// Which part of a batch a customer belongs to.
fn lane_of(customer: &str, lanes: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    customer.hash(&mut hasher);
    usize::try_from(hasher.finish() % lanes.max(1) as u64).unwrap_or(0)
}

async fn book_lane(
    ctx: &Ctx,
    company: &CompanySettings,
    source: &str,
    lane: usize,
    receipts: &[HistoryReceipt],
) -> Result<Outcome> {
    // One process's batches do not overtake each other; other nodes' batches meet at the rows they share.
    ctx.db
        .write_for(&[(source, lane)], |tx| async move {
            book_in(&*tx, ctx, company, source, receipts).await
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
    let customers = known_customers(connection, ctx, source, receipts).await?;
    let (outcome, _) = sift(connection, ctx, source, receipts, &customers).await?;
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
    company: &CompanySettings,
    source: &str,
    receipts: &[HistoryReceipt],
) -> Result<Outcome> {
    ctx.require(Action::VisitRecord)?;
    book_in(tx, ctx, company, source, receipts).await
}

async fn book_in(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    company: &CompanySettings,
    source: &str,
    receipts: &[HistoryReceipt],
) -> Result<Outcome> {
    prefer_indexes(tx).await?;
    let (known, touched) = lock_known(tx, ctx, source, receipts).await?;
    let (mut outcome, fresh) = sift(tx, ctx, source, receipts, &known).await?;
    if fresh.is_empty() {
        return Ok(outcome);
    }
    fixed::hold_currency(tx, ctx, company.currency).await?;
    fixed::hold_locale(tx, ctx, company.locale.as_str()).await?;
    let (customers, strangers) = welcome(ctx, source, receipts, &fresh, known);
    outcome.customers = u64::try_from(strangers.len()).unwrap_or(u64::MAX);
    let totals = read_totals(tx, &touched).await?;
    let standing = Standing::read(tx, &touched).await?;
    let mut booking = Booking::new(totals, standing, true, ctx.now());
    let mut in_order: Vec<(usize, &HistoryReceipt)> = fresh
        .iter()
        .filter_map(|n| Some((*n, receipts.get(*n)?)))
        .collect();
    in_order.sort_by_key(|(_, receipt)| receipt.at);
    let mut concerned: HashSet<CustomerId> = HashSet::new();
    for (place, receipt) in in_order {
        let Some(customer) = customers.get(&receipt.customer.external_id) else {
            return Err(Error::internal("a customer of history was not made"));
        };
        let facts = facts(source, receipt, *customer);
        if !booking.has_room(&facts) {
            outcome.beyond.push(place);
            continue;
        }
        concerned.insert(*customer);
        if receipt.is_bare() {
            booking.add_as(receipt.bare_id(source), &facts)?;
        } else {
            booking.add(&facts)?;
        }
        outcome.booked += 1;
    }
    let payload =
        json!({ "source": source, "receipts": outcome.booked, "customers": outcome.customers });
    let mut batch = Batch::new();
    bulk::gather_without_totals(&mut batch, company, &strangers);
    let mut events = booking.finish(&mut batch);
    let entry = audit::Entry::new(ctx, "history.import")
        .about(concerned)
        .detail(payload.clone());
    audit::gather(&mut batch, &[entry]);
    events.push(NewEvent {
        kind: "history.imported",
        customer: None,
        store: None,
        subject: VisitId::new().into(),
        payload,
    });
    events::gather(&mut batch, ctx, events);
    batch.write(tx).await?;
    Ok(outcome)
}

/// Times that customers of a batch may be merged into others while it waits for them.
const MOST_MOVES: u32 = 5;

/// The known customers of a batch, locked in the order of their ids, as everyone locks.
async fn lock_known(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    source: &str,
    receipts: &[HistoryReceipt],
) -> Result<(BTreeMap<String, CustomerId>, Vec<CustomerId>)> {
    for _ in 0..MOST_MOVES {
        let known = known_customers(tx, ctx, source, receipts).await?;
        let locked = sight::lock_named(tx, known.values().copied()).await?;
        let all: HashSet<CustomerId> = locked.iter().copied().collect();
        // A file that was merged away while its lock was waited for: the source's name leads to the kept one now.
        if known.values().all(|id| all.contains(id)) {
            return Ok((known, locked));
        }
    }
    Err(Error::internal(
        "customers of a batch were merged into others again and again",
    ))
}

/// The customers of new receipts who are not known yet, and all customers of the batch by their name in the source.
fn welcome(
    ctx: &Ctx,
    source: &str,
    receipts: &[HistoryReceipt],
    fresh: &[usize],
    known: BTreeMap<String, CustomerId>,
) -> (BTreeMap<String, CustomerId>, Vec<NewCustomer>) {
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
            .unwrap_or_else(|| bulk::placeholder(&told.external_id));
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
    (customers, strangers)
}

async fn read_totals(
    tx: &impl ConnectionTrait,
    customers: &[CustomerId],
) -> Result<HashMap<CustomerId, Totals>> {
    let rows = customer_total::Entity::find()
        .filter(among(
            Engine::of(tx),
            customer_total::Column::CustomerId,
            customers.iter().copied(),
        ))
        .all(tx)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.customer_id, row.into()))
        .collect())
}

fn claims(receipt: &HistoryReceipt) -> Vec<ReturnClaim> {
    let claim = |line: &LineFacts| ReturnClaim {
        undoes: None,
        quantity_milli: Some(line.quantity_milli),
        amount_minor: Some(line.amount_minor),
    };
    receipt.returned.iter().map(claim).collect()
}

pub(super) fn hash_of(receipt: &HistoryReceipt, customer: CustomerId) -> Vec<u8> {
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
        arrival_told: false,
    }
}

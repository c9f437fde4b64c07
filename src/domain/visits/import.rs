//! Bringing in a till system's export (rule V4): rows are read on a thread of their own, gathered into receipts, put in
//! order and booked batch by batch.
//!
//! Called by the command line, later by jobs. Killed at any moment and begun again it makes neither a double nor a
//! gap: each batch is one transaction, and every receipt has an identity that the file gives it. A file that cannot be
//! read to its end leaves nothing behind.

use super::chronology::{Chronology, InOrder};
use super::gather::{Chunk, Gathered, Gatherer};
use super::history::{self, Outcome};
use crate::access::Ctx;
use crate::error::{Error, Result};
use crate::intake::{Progress, PurchaseRows, Reject, RejectCode, Report};
use entity::ids::StoreId;
use entity::store;
use entity::values::{PhoneRegion, TimeZone};
use futures_util::TryStreamExt;
use futures_util::stream;
use iso_currency::Currency;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::pin::pin;
use tokio::sync::mpsc;

/// Receipts booked at once.
const BATCH: u32 = 4000;
/// Batches that are booked at once, at most: one's slower part does not keep the next one waiting.
const AT_ONCE: usize = 2;
/// Chunks read ahead of the one that is put in order.
const AHEAD: usize = 2;

/// Where the rows belong.
#[derive(Clone, Debug)]
pub struct Target {
    /// The name of the till system: receipts and customers are known by it and their number.
    pub source: String,
    /// The code of the store of rows that name none.
    pub store: String,
    /// The company's currency; rows in another one are rejected.
    pub currency: Currency,
    /// Where phone numbers without a country code are.
    pub phone_region: PhoneRegion,
    /// Only tell what would happen.
    pub dry_run: bool,
}

/// Imports an opened file.
///
/// # Errors
/// A user error when the store of rows without one does not exist; those of reading and of the database. Nothing is
/// booked of a file that cannot be read to its end; what was booked before the database failed stays booked: running the
/// import again goes on from there.
pub async fn run<R: Read + Send + 'static>(
    ctx: &Ctx,
    target: Target,
    rows: PurchaseRows<R>,
    mut tell: impl FnMut(Progress<'_>) -> Result<()>,
) -> Result<Report> {
    ctx.require(crate::access::Action::VisitRecord)?;
    let stores = stores(ctx).await?;
    if !stores.contains_key(&target.store) {
        return Err(Error::user(
            crate::error::Code::NotFound,
            "store",
            format!("no store has the code {}", target.store),
        ));
    }
    let gatherer = Gatherer {
        target: target.clone(),
        stores,
    };
    let mut report = Report::default();
    let in_order = read(gatherer, rows, &mut report, &mut tell).await?;
    let batches = stream::try_unfold((in_order, 1), |(mut in_order, n)| async move {
        let next = in_order.next(BATCH).await?;
        Ok::<_, Error>((!next.is_empty()).then_some(((n, next), (in_order, n + 1))))
    });
    let settled = batches
        .map_ok(|(n, gathered)| settle(ctx, &target, n, gathered))
        .try_buffered(AT_ONCE.min(ctx.db.lanes()));
    let mut settled = pin!(settled);
    let mut strangers: HashSet<u64> = HashSet::new();
    while let Some(batch) = settled.try_next().await? {
        for reject in &batch.rejects {
            report.rejected += 1;
            tell(Progress::Rejected(reject))?;
        }
        report.settled += batch.receipts;
        report.made += batch.outcome.booked;
        report.known += batch.outcome.known;
        report.customers += batch.outcome.customers;
        report.customers += batch
            .unknown
            .iter()
            .filter(|name| strangers.insert(short_hash(name)))
            .count() as u64;
        tell(Progress::Booked(&report))?;
    }
    Ok(report)
}

/// Reads the file to its end and puts its receipts in order.
async fn read<R: Read + Send + 'static>(
    gatherer: Gatherer,
    rows: PurchaseRows<R>,
    report: &mut Report,
    tell: &mut impl FnMut(Progress<'_>) -> Result<()>,
) -> Result<InOrder> {
    let (sender, mut chunks) = mpsc::channel(AHEAD);
    let reader = tokio::task::spawn_blocking(move || gatherer.read(rows, &sender));
    let mut chronology = Chronology::new();
    while let Some(chunk) = chunks.recv().await {
        let Chunk {
            receipts,
            rejects,
            rows,
            bytes,
        } = chunk;
        for reject in &rejects {
            tell(Progress::Rejected(reject))?;
        }
        report.rows += rows;
        report.rejected += rejects.len() as u64;
        report.bytes = bytes;
        chronology.add(receipts).await?;
        report.items = chronology.count();
        tell(Progress::Read(report))?;
    }
    reader
        .await
        .map_err(|error| Error::internal(format!("the reading thread failed: {error}")))??;
    chronology.finish().await
}

/// What became of a batch.
struct Settled {
    receipts: u64,
    outcome: Outcome,
    /// Rows of receipts that are known with other content, or that have no room.
    rejects: Vec<Reject>,
    /// Customers who would be made by a dry run; other batches may name them too.
    unknown: Vec<String>,
}

/// Books the batch that comes at place `n`, from 1 on.
async fn settle(ctx: &Ctx, target: &Target, n: u32, gathered: Vec<Gathered>) -> Result<Settled> {
    let (receipts, mut origins): (Vec<_>, Vec<_>) = gathered
        .into_iter()
        .map(|Gathered { receipt, rows }| (receipt, rows))
        .unzip();
    let count = receipts.len() as u64;
    let (outcome, unknown) = if target.dry_run {
        let (mut outcome, unknown) = history::preview(ctx, &target.source, &receipts).await?;
        let refused = outcome.conflicts.len() + outcome.beyond.len();
        outcome.booked = count - refused as u64 - outcome.known;
        (outcome, unknown)
    } else {
        let outcome = history::book(ctx, &target.source, &receipts).await?;
        // Plans made while the tables were empty would read them from end to end for ever. Here and not behind the
        // stream, where the transaction of the next batch would stand open meanwhile.
        if matches!(n, 2 | 16 | 128 | 1024) {
            ctx.db.refresh_statistics().await?;
        }
        (outcome, Vec::new())
    };
    let mut rejects = Vec::new();
    let conflicts = outcome.conflicts.iter().map(|place| (*place, CONFLICT));
    let beyond = outcome.beyond.iter().map(|place| (*place, BEYOND));
    for (place, (code, reason)) in conflicts.chain(beyond) {
        let rows = origins.get_mut(place).map(std::mem::take);
        let rows = rows.into_iter().flatten();
        rejects.extend(rows.map(|(line, original)| Reject {
            line,
            column: None,
            code,
            reason: reason.to_owned(),
            original,
        }));
    }
    Ok(Settled {
        receipts: count,
        outcome,
        rejects,
        unknown,
    })
}

fn short_hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

const CONFLICT: (RejectCode, &str) = (
    RejectCode::ReceiptConflict,
    "the receipt is known with other content; lines of one receipt stand together, and a receipt is never \
     changed: record a return instead",
);
const BEYOND: (RejectCode, &str) = (
    RejectCode::BadAmount,
    "with it the receipt's or the customer's sum is larger than anything that is sold; correct it",
);

/// Stores by their code, with their zones.
async fn stores(ctx: &Ctx) -> Result<HashMap<String, (StoreId, TimeZone)>> {
    let rows = store::Entity::find()
        .filter(store::Column::ArchivedAt.is_null())
        .all(ctx.db.read())
        .await?;
    rows.into_iter()
        .map(|row| {
            let zone = TimeZone::parse(&row.time_zone)
                .map_err(|error| Error::internal(format!("store's time zone {error}")))?;
            Ok((row.code, (row.id, zone)))
        })
        .collect()
}

//! Bringing in a till system's export (rule V4): rows are read on a thread of their own, gathered into receipts, put in
//! order and booked batch by batch.
//!
//! Called by the command line, later by jobs. Killed at any moment and begun again it makes neither a double nor a
//! gap: each batch is one transaction, and every receipt has an identity that the file gives it. A file that cannot be
//! read to its end leaves nothing behind.

use super::chronology::Chronology;
use super::gather::{Chunk, Gathered, Gatherer};
use super::history;
use crate::access::Ctx;
use crate::error::{Error, Result};
use crate::intake::{PurchaseRows, Reject, RejectCode};
use entity::ids::StoreId;
use entity::store;
use entity::values::{PhoneRegion, TimeZone};
use iso_currency::Currency;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use tokio::sync::mpsc;

/// Receipts booked at once.
const BATCH: u32 = 4000;
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

/// What came of an import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows read, without the header.
    pub rows: u64,
    /// Receipts that they make.
    pub receipts: u64,
    /// Those of them that are booked, known or rejected by now.
    pub settled: u64,
    /// Receipts booked, or that would be.
    pub booked: u64,
    /// Receipts that were known already.
    pub known: u64,
    /// Customers made, or that would be.
    pub customers: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Bytes of the file read.
    pub bytes: u64,
}

/// What the importer tells while it works.
#[derive(Debug)]
pub enum Progress<'a> {
    /// A row was rejected.
    Rejected(&'a Reject),
    /// More of the file was read.
    Read(&'a Report),
    /// A batch is safe.
    Booked(&'a Report),
}

/// Imports an opened file.
///
/// # Errors
/// A user error when the store of rows without one does not exist; those of reading and of the database. Nothing is booked of a file that
/// cannot be read to its end; what was booked before the database failed stays booked: running the import again goes on
/// from there.
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
    let (sender, mut chunks) = mpsc::channel(AHEAD);
    let gather = Gatherer {
        target: target.clone(),
        stores,
    };
    let reader = tokio::task::spawn_blocking(move || gather.read(rows, &sender));
    let (mut report, mut batches) = (Report::default(), 0_u32);
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
        report.receipts = chronology.count();
        tell(Progress::Read(&report))?;
    }
    reader
        .await
        .map_err(|error| Error::internal(format!("the reading thread failed: {error}")))??;
    let mut in_order = chronology.finish().await?;
    let mut strangers: HashSet<u64> = HashSet::new();
    loop {
        let gathered = in_order.next(BATCH).await?;
        if gathered.is_empty() {
            return Ok(report);
        }
        let (receipts, origins): (Vec<_>, Vec<_>) = gathered
            .into_iter()
            .map(|Gathered { receipt, rows }| (receipt, rows))
            .unzip();
        let outcome = if target.dry_run {
            let (mut outcome, unknown) = history::preview(ctx, &target.source, &receipts).await?;
            outcome.customers = unknown
                .iter()
                .filter(|name| strangers.insert(short_hash(name)))
                .count() as u64;
            outcome.booked = (receipts.len() - outcome.conflicts.len()) as u64 - outcome.known;
            outcome
        } else {
            history::book(ctx, &target.source, &receipts).await?
        };
        for (line, original) in outcome
            .conflicts
            .iter()
            .filter_map(|place| origins.get(*place))
            .flatten()
        {
            report.rejected += 1;
            tell(Progress::Rejected(&conflict(*line, original)))?;
        }
        batches += 1;
        // Plans made while the tables were empty would read them from end to end for ever.
        if !target.dry_run && matches!(batches, 2 | 16 | 128 | 1024) {
            ctx.db.refresh_statistics().await?;
        }
        report.settled += receipts.len() as u64;
        report.booked += outcome.booked;
        report.known += outcome.known;
        report.customers += outcome.customers;
        tell(Progress::Booked(&report))?;
    }
}

fn short_hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn conflict(line: u64, original: &str) -> Reject {
    Reject {
        line,
        column: None,
        code: RejectCode::ReceiptConflict,
        reason: "the receipt is known with other content; lines of one receipt stand together, and a receipt is never \
                 changed: record a return instead"
            .to_owned(),
        original: original.to_owned(),
    }
}

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

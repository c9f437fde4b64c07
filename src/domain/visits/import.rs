//! Bringing in a till system's export (rule V4): rows are read on a thread of their own, gathered into receipts
//! and booked batch by batch.
//!
//! Called by the command line, later by jobs. Killed at any moment and begun again it makes neither a double nor a
//! gap: each batch is one transaction, and every receipt has an identity that the file gives it.

use super::facts::LineFacts;
use super::history::{self, HistoryCustomer, HistoryReceipt};
use crate::access::Ctx;
use crate::error::{Error, Result};
use crate::intake::{PurchaseRow, PurchaseRows, Reject, RejectCode, Row};
use chrono::NaiveTime;
use entity::enums::{ContactKind, VisitChannel};
use entity::ids::StoreId;
use entity::store;
use entity::values::{ContactValue, PhoneRegion, TimeZone};
use iso_currency::Currency;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use tokio::sync::mpsc;

/// Receipts booked at once.
const BATCH: usize = 4000;
/// Batches read ahead of the one that is booked.
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
    /// A batch is safe.
    Booked(&'a Report),
}

/// A receipt with the rows that it was gathered from.
struct Gathered {
    receipt: HistoryReceipt,
    rows: Vec<(u64, String)>,
}

/// What the reading thread sends.
struct Chunk {
    receipts: Vec<Gathered>,
    rejects: Vec<Reject>,
    rows: u64,
    bytes: u64,
}

/// Imports an opened file.
///
/// # Errors
/// A user error when the store of rows without one does not exist; those of reading and of the database. What was booked before stays booked: running the import again goes on from there.
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
    let mut strangers: HashSet<u64> = HashSet::new();
    while let Some(chunk) = chunks.recv().await {
        let Chunk {
            receipts,
            mut rejects,
            rows,
            bytes,
        } = chunk;
        let (receipts, origins): (Vec<_>, Vec<_>) = receipts
            .into_iter()
            .map(|one| (one.receipt, one.rows))
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
        for place in &outcome.conflicts {
            rejects.extend(
                origins
                    .get(*place)
                    .into_iter()
                    .flatten()
                    .map(|(line, original)| conflict(*line, original)),
            );
        }
        rejects.sort_by_key(|reject| reject.line);
        for reject in &rejects {
            tell(Progress::Rejected(reject))?;
        }
        batches += 1;
        // Plans made while the tables were empty would read them from end to end for ever.
        if !target.dry_run && matches!(batches, 2 | 16 | 128 | 1024) {
            ctx.db.refresh_statistics().await?;
        }
        report.rows += rows;
        report.booked += outcome.booked;
        report.known += outcome.known;
        report.customers += outcome.customers;
        report.rejected += rejects.len() as u64;
        report.bytes = bytes;
        tell(Progress::Booked(&report))?;
    }
    reader
        .await
        .map_err(|error| Error::internal(format!("the reading thread failed: {error}")))??;
    Ok(report)
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

/// Gathers rows into receipts, on the reading thread.
struct Gatherer {
    target: Target,
    stores: HashMap<String, (StoreId, TimeZone)>,
}

impl Gatherer {
    fn read<R: Read>(&self, mut rows: PurchaseRows<R>, sender: &mpsc::Sender<Chunk>) -> Result<()> {
        let mut chunk = Chunk {
            receipts: Vec::with_capacity(BATCH),
            rejects: Vec::new(),
            rows: 0,
            bytes: 0,
        };
        while let Some(row) = rows.next() {
            let row =
                row.map_err(|error| Error::internal(format!("cannot read the file: {error}")))?;
            // A receipt's further lines belong to it, so a chunk ends only in front of another receipt.
            let full = chunk.receipts.len() >= BATCH || chunk.rejects.len() >= BATCH;
            if full && !continues(&chunk.receipts, &row, &self.target.store) {
                chunk.bytes = rows.bytes_read();
                let next = Chunk {
                    receipts: Vec::with_capacity(BATCH),
                    rejects: Vec::new(),
                    rows: 0,
                    bytes: 0,
                };
                if sender
                    .blocking_send(std::mem::replace(&mut chunk, next))
                    .is_err()
                {
                    // The one who books has given up, and says why.
                    return Ok(());
                }
            }
            chunk.rows += 1;
            match row {
                Row::Reject(reject) => chunk.rejects.push(reject),
                Row::Purchase(row) => {
                    if let Err(reject) = self.add(&mut chunk.receipts, *row) {
                        chunk.rejects.push(*reject);
                    }
                }
            }
        }
        chunk.bytes = rows.bytes_read();
        // A closed channel means the same as above.
        let _ = sender.blocking_send(chunk);
        Ok(())
    }

    fn add(&self, receipts: &mut Vec<Gathered>, row: PurchaseRow) -> Result<(), Box<Reject>> {
        let reject = |code: RejectCode, reason: String| {
            Box::new(Reject {
                line: row.line,
                column: None,
                code,
                reason,
                original: describe(&row),
            })
        };
        if row.currency != self.target.currency {
            let reason = format!(
                "is in {}, and the company keeps its books in {}",
                row.currency.code(),
                self.target.currency.code()
            );
            return Err(reject(RejectCode::BadCurrency, reason));
        }
        let code = row.store_ref.as_deref().unwrap_or(&self.target.store);
        let Some((store, zone)) = self.stores.get(code) else {
            return Err(reject(
                RejectCode::UnknownStore,
                format!("no store has the code {code}; create it first"),
            ));
        };
        let quantity = row.quantity.thousandths();
        let back = row.amount_minor < 0 || (row.amount_minor == 0 && quantity < 0);
        if row.amount_minor > 0 && quantity < 0 {
            return Err(reject(
                RejectCode::BadQuantity,
                "is below zero while the amount is above".to_owned(),
            ));
        }
        let line = LineFacts {
            name: row.product.clone(),
            quantity_milli: quantity.saturating_abs(),
            amount_minor: row.amount_minor.saturating_abs(),
            ..LineFacts::default()
        };
        let number = number(&row, code);
        let original = (row.line, describe(&row));
        if let Some(last) = receipts.last_mut()
            && row.receipt.is_some()
            && last.receipt.number == number
        {
            if last.receipt.customer.external_id != row.customer_ref || last.receipt.store != *store
            {
                return Err(reject(
                    RejectCode::ReceiptConflict,
                    "belongs to a receipt of another customer or store".to_owned(),
                ));
            }
            if back {
                last.receipt.returned.push(line)
            } else {
                last.receipt.lines.push(line)
            }
            last.rows.push(original);
            return Ok(());
        }
        // Where only the day is known, noon stands for it: it is the same day in every zone the shop may have.
        let time = row
            .local_time
            .or(NaiveTime::from_hms_opt(12, 0, 0))
            .unwrap_or_default();
        let (lines, returned) = if back {
            (Vec::new(), vec![line])
        } else {
            (vec![line], Vec::new())
        };
        receipts.push(Gathered {
            receipt: HistoryReceipt {
                number,
                customer: HistoryCustomer {
                    external_id: row.customer_ref.clone(),
                    name: row.name.clone(),
                    contact_points: self.contacts(&row),
                },
                store: *store,
                channel: VisitChannel::InStore,
                at: zone.instant(row.local_date.and_time(time)),
                business_date: row.local_date,
                served_by: None,
                no_purchase_reason: None,
                lines,
                returned,
            },
            rows: vec![original],
        });
        Ok(())
    }

    fn contacts(&self, row: &PurchaseRow) -> Vec<ContactValue> {
        let phone = row
            .phone
            .as_ref()
            .map(|phone| (ContactKind::Mobile, phone.as_str()));
        let email = row
            .email
            .as_ref()
            .map(|email| (ContactKind::Email, email.as_given()));
        // They were parsed as such before, so that none is lost here.
        [phone, email]
            .into_iter()
            .flatten()
            .filter_map(|(kind, text)| {
                ContactValue::parse(kind, text, self.target.phone_region).ok()
            })
            .collect()
    }
}

/// The number of a row's receipt within the source: each store numbers its own, and a row without a receipt is known
/// by what it says. Its day stands in front, so that the rows of a day stand together in the index of receipts.
fn number(row: &PurchaseRow, store: &str) -> String {
    if let Some(receipt) = &row.receipt {
        return format!("{store}/{receipt}");
    }
    let hex: String = row
        .identity
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{store}/{}/row:{hex}", row.local_date)
}

fn continues(receipts: &[Gathered], row: &Row, usual: &str) -> bool {
    match (receipts.last(), row) {
        (Some(last), Row::Purchase(row)) => {
            row.receipt.is_some()
                && last.receipt.number == number(row, row.store_ref.as_deref().unwrap_or(usual))
        }
        _ => false,
    }
}

/// The row as the reject file shows it, where the original text is no longer at hand.
fn describe(row: &PurchaseRow) -> String {
    let receipt = row.receipt.as_deref().unwrap_or_default();
    format!(
        "{},{},{},{},{receipt}",
        row.customer_ref, row.local_date, row.quantity, row.amount_minor
    )
}

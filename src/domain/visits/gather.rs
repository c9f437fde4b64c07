//! Gathering the rows of a till system's export into receipts, on the thread that reads the file.

use super::booking::LARGEST_MINOR;
use super::facts::LineFacts;
use super::history::{HistoryCustomer, HistoryReceipt};
use super::import::Target;
use crate::error::{Error, Result};
use crate::intake::{PurchaseRow, PurchaseRows, Reject, RejectCode, Row};
use chrono::NaiveTime;
use entity::enums::{ContactKind, VisitChannel};
use entity::ids::StoreId;
use entity::values::{ContactValue, TimeZone};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::Read;
use tokio::sync::mpsc;

/// Receipts, or rejected rows, sent at once at most.
const CHUNK: usize = 4000;

/// Bytes of the file that what is sent at once was read from, about: memory is bounded however many lines receipts have.
const CHUNK_BYTES: usize = 512 * 1024;

/// A receipt with the rows that it was gathered from.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Gathered {
    /// The receipt.
    pub receipt: HistoryReceipt,
    /// The number of each row's line in the file, and what it says.
    pub rows: Vec<(u64, String)>,
}

/// What the reading thread sends.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// Whole receipts.
    pub receipts: Vec<Gathered>,
    /// Rows that are none.
    pub rejects: Vec<Reject>,
    /// How many rows these are.
    pub rows: u64,
    /// Bytes of the file read so far.
    pub bytes: u64,
}

/// What is told when a file cannot be read to its end.
fn unreadable(error: &std::io::Error) -> String {
    format!("the file cannot be read: {error}; nothing of it was taken in")
}

/// Gathers rows into receipts, on the reading thread.
#[derive(Debug)]
pub(super) struct Gatherer {
    /// Where the rows belong.
    pub target: Target,
    /// Stores by their code, with their zones.
    pub stores: HashMap<String, (StoreId, TimeZone)>,
}

impl Gatherer {
    /// Reads everything; ends early when nobody receives any more.
    ///
    /// # Errors
    /// Those of reading.
    pub fn read<R: Read>(
        &self,
        mut rows: PurchaseRows<R>,
        sender: &mpsc::Sender<Chunk>,
    ) -> Result<()> {
        let mut chunk = Chunk::default();
        let mut held = 0;
        while let Some(row) = rows.next() {
            let row = row.map_err(|error| Error::BadRequest(unreadable(&error).into()))?;
            chunk.rows += 1;
            match row {
                Row::Reject(reject) => {
                    held += reject.original.len();
                    chunk.rejects.push(reject);
                }
                Row::Purchase(row) => {
                    held += row.original.len();
                    if let Err(reject) = self.add(&mut chunk.receipts, *row) {
                        chunk.rejects.push(*reject);
                    }
                }
            }
            let is_full =
                chunk.receipts.len() > CHUNK || chunk.rejects.len() >= CHUNK || held >= CHUNK_BYTES;
            if !is_full {
                continue;
            }
            // The last receipt is not over before another one has begun: further lines of it may follow, whatever rows
            // that are rejected stand in between.
            let next = Chunk {
                receipts: chunk.receipts.pop().into_iter().collect(),
                ..Chunk::default()
            };
            held = 0;
            chunk.bytes = rows.bytes_read();
            if sender
                .blocking_send(std::mem::replace(&mut chunk, next))
                .is_err()
            {
                // The one who books has given up, and says why.
                return Ok(());
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
                original: row.original.clone(),
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
        if row.amount_minor.saturating_abs() > LARGEST_MINOR {
            return Err(reject(
                RejectCode::BadAmount,
                "is larger than anything that is sold; correct it".to_owned(),
            ));
        }
        let line = LineFacts {
            name: row.product.clone(),
            quantity_milli: quantity.saturating_abs(),
            amount_minor: row.amount_minor.saturating_abs(),
            ..LineFacts::default()
        };
        let number = number(&row, code);
        let original = (row.line, row.original.clone());
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

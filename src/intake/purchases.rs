//! Rows of purchases, read one at a time from a till system's export.
//!
//! Called by the command line's import and by import jobs. Every row is either a checked
//! [`PurchaseRow`] or a [`Reject`] that says where and why; one row never spoils another. A file
//! read twice with the same options gives the same rows with the same identities, also when the
//! first reading was killed: nothing is remembered but how often each content came.

use std::io::{self, Read};

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use entity::values::email::Email;
use entity::values::money::parse_currency;
use entity::values::phone::Phone;
use entity::values::quantity::{Quantity, QuantityError};
use iso_currency::Currency;

use super::IntakeError;
use super::encoding::FileEncoding;
use super::formats::parse_time;
use super::identity::{Identity, Occurrences, Parts};
use super::mapping::Field;
use super::records::{Flaw, LARGEST_FIELD};
use super::reject::{Reject, RejectCode};
use super::table::{LONGEST_REFERENCE, Options, Table, fault, missing};

/// Characters of a name and of a product.
pub const LONGEST_NAME: usize = 200;

/// How a file of purchases is to be read.
pub type PurchaseOptions = Options<Field>;

/// One row of purchases that passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurchaseRow {
    /// The physical line on which it begins, from 1.
    pub line: u64,
    /// The customer's number in the shop's till system.
    pub customer_ref: String,
    /// The customer's full name, on one line.
    pub name: Option<String>,
    /// The customer's phone.
    pub phone: Option<Phone>,
    /// The customer's email address.
    pub email: Option<Email>,
    /// The receipt's number. Rows of the same store with the same number are lines of one receipt
    /// and share their identity. Tills write them one after the other, and this reader does not
    /// bring together what stands apart: the consumer groups neighbors, and adds a later line to
    /// the receipt it finds.
    pub receipt: Option<String>,
    /// The store's code.
    pub store_ref: Option<String>,
    /// The product's code or name, on one line.
    pub product: Option<String>,
    /// The day, by the shop's own calendar.
    pub local_date: NaiveDate,
    /// The time of day by the shop's own clock; of the time column, else of the date's.
    pub local_time: Option<NaiveTime>,
    /// How much; negative where the till counts returns so; never zero.
    pub quantity: Quantity,
    /// What was paid, in minor units of `currency`; negative for returns.
    pub amount_minor: i64,
    /// The currency.
    pub currency: Currency,
    /// The same whenever the same file is read, see [`super::identity`].
    pub identity: Identity,
    /// The row as it stands in the file.
    pub original: String,
}

/// What a row turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A purchase, or a line of one.
    Purchase(Box<PurchaseRow>),
    /// Not usable.
    Reject(Reject),
}

/// Reads a file row by row. The iterator ends with the file, or after an error of reading.
#[derive(Debug)]
pub struct PurchaseRows<R> {
    table: Table<R, Field>,
    occurrences: Occurrences,
}

/// What is wrong with a row.
type Fault = super::table::Fault<Field>;

impl<R: Read> PurchaseRows<R> {
    /// Opens a file: recognizes its encoding, reads its header, finds the mapped columns.
    ///
    /// # Errors
    /// See [`IntakeError`].
    pub fn open(file: R, options: PurchaseOptions) -> Result<Self, IntakeError> {
        Ok(Self {
            table: Table::open(file, options)?,
            occurrences: Occurrences::default(),
        })
    }

    /// The encoding that was given or recognized.
    pub fn encoding(&self) -> FileEncoding {
        self.table.encoding()
    }

    /// How many bytes of the file were read; for a progress bar.
    pub fn bytes_read(&self) -> u64 {
        self.table.bytes_read()
    }

    fn row(&mut self, shape: Result<(), Flaw>) -> Row {
        match self.check(shape) {
            Ok(purchase) => Row::Purchase(Box::new(purchase)),
            Err(fault) => Row::Reject(self.table.reject(fault)),
        }
    }

    fn check(&mut self, shape: Result<(), Flaw>) -> Result<PurchaseRow, Fault> {
        let table = &self.table;
        table.sound(shape)?;
        let options = &table.options;
        let customer_ref = table.required(Field::Customer, LONGEST_REFERENCE)?;
        let (local_date, date_time) = table
            .past_date(Field::Date)?
            .ok_or_else(|| missing(Field::Date))?;
        let local_time = match table.line(Field::Time, LONGEST_REFERENCE)? {
            None => date_time,
            Some(text) => Some(parse_time(&text).ok_or_else(|| {
                fault(
                    Field::Time,
                    RejectCode::BadTime,
                    "is not a time of day; write it like 14:03",
                )
            })?),
        };
        let currency = match table.line(Field::Currency, LONGEST_REFERENCE)? {
            None => options.currency,
            Some(code) => parse_currency(&code.to_ascii_uppercase()).map_err(|error| {
                fault(Field::Currency, RejectCode::BadCurrency, &error.to_string())
            })?,
        };
        let amount_minor = table
            .amount(Field::Amount, currency)?
            .ok_or_else(|| missing(Field::Amount))?;
        let quantity = self.quantity()?;
        let phone =
            match table.line(Field::Phone, LONGEST_REFERENCE)? {
                None => None,
                Some(text) => Some(Phone::parse(&text, options.phone_region).map_err(|error| {
                    fault(Field::Phone, RejectCode::BadPhone, &error.to_string())
                })?),
            };
        let email =
            match table.line(Field::Email, LARGEST_FIELD)? {
                None => None,
                Some(text) => Some(Email::parse(&text).map_err(|error| {
                    fault(Field::Email, RejectCode::BadEmail, &error.to_string())
                })?),
            };
        let mut row = PurchaseRow {
            line: table.line_number(),
            customer_ref,
            name: table.folded_line(Field::Name, LONGEST_NAME)?,
            phone,
            email,
            receipt: table.line(Field::Receipt, LONGEST_REFERENCE)?,
            store_ref: table.line(Field::Store, LONGEST_REFERENCE)?,
            product: table.folded_line(Field::Product, LONGEST_NAME)?,
            local_date,
            local_time,
            quantity,
            amount_minor,
            currency,
            identity: Identity::default(),
            original: table.raw().to_owned(),
        };
        row.identity = self.identity(&row);
        Ok(row)
    }

    fn identity(&mut self, row: &PurchaseRow) -> Identity {
        let store = row.store_ref.as_deref().map(str::as_bytes);
        if let Some(receipt) = &row.receipt {
            let mut parts = Parts::new("receipt");
            parts.push_optional(store);
            parts.push(receipt.as_bytes());
            return parts.finish();
        }
        let mut parts = Parts::new("row");
        parts.push(row.customer_ref.as_bytes());
        parts.push(&row.local_date.num_days_from_ce().to_le_bytes());
        let seconds = row
            .local_time
            .map(|time| time.num_seconds_from_midnight().to_le_bytes());
        parts.push_optional(seconds.as_ref().map(<[u8; 4]>::as_slice));
        parts.push(&row.quantity.thousandths().to_le_bytes());
        parts.push(&row.amount_minor.to_le_bytes());
        parts.push(row.currency.code().as_bytes());
        parts.push_optional(store);
        parts.push_optional(row.product.as_deref().map(str::as_bytes));
        let content = parts.finish();
        let occurrence = self.occurrences.next(content);
        let mut parts = Parts::new("occurrence");
        parts.push(&content);
        parts.push(&occurrence.to_le_bytes());
        parts.finish()
    }

    fn quantity(&self) -> Result<Quantity, Fault> {
        let Some(text) = self.table.line(Field::Quantity, LONGEST_REFERENCE)? else {
            return Ok(Quantity::ONE);
        };
        let bad = |reason: &str| fault(Field::Quantity, RejectCode::BadQuantity, reason);
        let decimals = &self.table.options.decimals;
        let quantity = decimals
            .plain(&text)
            .map_err(QuantityError::Decimal)
            .and_then(|plain| Quantity::parse(&plain))
            .map_err(|error| match error {
                QuantityError::Decimal(error) => bad(&decimals.explain(&error)),
                other => bad(&other.to_string()),
            })?;
        if quantity.thousandths() == 0 {
            Err(bad("must not be zero"))
        } else {
            Ok(quantity)
        }
    }
}

impl<R: Read> Iterator for PurchaseRows<R> {
    type Item = io::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        let shape = self.table.advance()?;
        Some(shape.map(|shape| self.row(shape)))
    }
}

#[cfg(test)]
mod tests;

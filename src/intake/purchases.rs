//! Rows of purchases, read one at a time from a till system's export.
//!
//! Called by the command line's import and by import jobs. Every row is either a checked
//! [`PurchaseRow`] or a [`Reject`] that says where and why; one row never spoils another. A file
//! read twice with the same options gives the same rows with the same identities, also when the
//! first reading was killed: nothing is remembered but how often each content came.

use std::io::{self, Read};

use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use entity::values::decimal::parse_scaled;
use entity::values::email::Email;
use entity::values::money::{exponent, parse_currency};
use entity::values::phone::{Phone, PhoneRegion};
use entity::values::quantity::{Quantity, QuantityError};
use entity::values::text::{TextError, clean_optional_line};
use iso_currency::Currency;

use super::IntakeError;
use super::encoding::{FileEncoding, Utf8Reader};
use super::formats::{DateFormats, DecimalFormat, parse_time};
use super::identity::{Identity, Occurrences, Parts};
use super::mapping::{Columns, Field, Mapping};
use super::records::{Flaw, LARGEST_FIELD, Record, Records};
use super::reject::{Reject, RejectCode};

/// Characters of a customer's or receipt's number and of a store's code.
pub const LONGEST_REFERENCE: usize = 100;
/// Characters of a name and of a product.
pub const LONGEST_NAME: usize = 200;

/// How a file is to be read.
#[derive(Debug, Clone)]
pub struct PurchaseOptions {
    /// Which column holds what.
    pub mapping: Mapping,
    /// The encoding, or `None` to have it recognized.
    pub encoding: Option<FileEncoding>,
    /// Between fields, an ASCII character; `b','` as a rule.
    pub delimiter: u8,
    /// How dates are written.
    pub dates: DateFormats,
    /// How numbers are written.
    pub decimals: DecimalFormat,
    /// The currency of amounts where no column says another.
    pub currency: Currency,
    /// Where phone numbers without country code are.
    pub phone_region: PhoneRegion,
    /// The shop's present day: later rows are rejected.
    pub today: NaiveDate,
}

impl PurchaseOptions {
    /// Comma, ISO dates, decimal point, encoding recognized.
    #[must_use]
    pub fn new(
        mapping: Mapping,
        currency: Currency,
        phone_region: PhoneRegion,
        today: NaiveDate,
    ) -> Self {
        Self {
            mapping,
            encoding: None,
            delimiter: b',',
            dates: DateFormats::default(),
            decimals: DecimalFormat::default(),
            currency,
            phone_region,
            today,
        }
    }
}

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
    records: Records<Utf8Reader<R>>,
    record: Record,
    columns: Columns,
    options: PurchaseOptions,
    occurrences: Occurrences,
    failed: bool,
}

/// What is wrong with a row: the field to blame, the code and the words.
type Fault = (Option<Field>, RejectCode, String);

impl<R: Read> PurchaseRows<R> {
    /// Opens a file: recognizes its encoding, reads its header, finds the mapped columns.
    ///
    /// # Errors
    /// See [`IntakeError`].
    pub fn open(file: R, options: PurchaseOptions) -> Result<Self, IntakeError> {
        if !options.delimiter.is_ascii() || matches!(options.delimiter, b'"' | b'\n' | b'\r' | 0) {
            return Err(super::FormatError::BadDelimiter.into());
        }
        let reader = Utf8Reader::open(file, options.encoding)?;
        let mut records = Records::new(reader, options.delimiter);
        let columns = options.mapping.resolve(&records.header()?)?;
        Ok(Self {
            records,
            record: Record::default(),
            columns,
            options,
            occurrences: Occurrences::default(),
            failed: false,
        })
    }

    /// The encoding that was given or recognized.
    pub fn encoding(&self) -> FileEncoding {
        self.records.inner().encoding()
    }

    /// How many bytes of the file were read; for a progress bar.
    pub fn bytes_read(&self) -> u64 {
        self.records.inner().bytes_read()
    }

    fn row(&mut self, shape: Result<(), Flaw>) -> Row {
        match self.check(shape) {
            Ok(purchase) => Row::Purchase(Box::new(purchase)),
            Err((field, code, reason)) => Row::Reject(Reject {
                line: self.record.line,
                column: field
                    .and_then(|field| self.columns.name(field))
                    .map(str::to_owned),
                code,
                reason,
                original: self.record.raw.clone(),
            }),
        }
    }

    fn check(&mut self, shape: Result<(), Flaw>) -> Result<PurchaseRow, Fault> {
        // Bytes that are no text may also be why the shape is wrong.
        if self.record.raw.contains('\u{FFFD}') {
            let reason = format!(
                "has bytes that are no text in {}; save the file in UTF-8, or give its encoding",
                self.encoding()
            );
            return Err((self.broken_column(), RejectCode::Encoding, reason));
        }
        shape.map_err(flaw)?;
        let options = &self.options;
        let customer_ref = self.required(Field::Customer, LONGEST_REFERENCE)?;
        let (local_date, date_time) = self.date()?;
        let local_time = match self.line(Field::Time, LONGEST_REFERENCE)? {
            None => date_time,
            Some(text) => Some(parse_time(&text).ok_or_else(|| {
                fault(
                    Field::Time,
                    RejectCode::BadTime,
                    "is not a time of day; write it like 14:03",
                )
            })?),
        };
        let currency = match self.line(Field::Currency, LONGEST_REFERENCE)? {
            None => options.currency,
            Some(code) => parse_currency(&code.to_ascii_uppercase()).map_err(|error| {
                fault(Field::Currency, RejectCode::BadCurrency, &error.to_string())
            })?,
        };
        let amount_minor = self.amount(currency)?;
        let quantity = self.quantity()?;
        let phone =
            match self.line(Field::Phone, LONGEST_REFERENCE)? {
                None => None,
                Some(text) => Some(Phone::parse(&text, options.phone_region).map_err(|error| {
                    fault(Field::Phone, RejectCode::BadPhone, &error.to_string())
                })?),
            };
        let email =
            match self.line(Field::Email, LARGEST_FIELD)? {
                None => None,
                Some(text) => Some(Email::parse(&text).map_err(|error| {
                    fault(Field::Email, RejectCode::BadEmail, &error.to_string())
                })?),
            };
        let mut row = PurchaseRow {
            line: self.record.line,
            customer_ref,
            name: self.folded_line(Field::Name)?,
            phone,
            email,
            receipt: self.line(Field::Receipt, LONGEST_REFERENCE)?,
            store_ref: self.line(Field::Store, LONGEST_REFERENCE)?,
            product: self.folded_line(Field::Product)?,
            local_date,
            local_time,
            quantity,
            amount_minor,
            currency,
            identity: Identity::default(),
            original: self.record.raw.clone(),
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

    /// The mapped column that holds bytes that are no text.
    fn broken_column(&self) -> Option<Field> {
        Field::ALL.into_iter().find(|field| {
            self.text(*field)
                .is_some_and(|text| text.contains('\u{FFFD}'))
        })
    }

    fn text(&self, field: Field) -> Option<&str> {
        self.columns
            .place(field)
            .map(|place| self.record.field(place))
    }

    /// A field of one line; `None` when it is empty or not mapped.
    fn line(&self, field: Field, max_chars: usize) -> Result<Option<String>, Fault> {
        let Some(text) = self.text(field) else {
            return Ok(None);
        };
        clean(field, text, max_chars)
    }

    /// A field whose line breaks do not matter.
    fn folded_line(&self, field: Field) -> Result<Option<String>, Fault> {
        let Some(text) = self.text(field) else {
            return Ok(None);
        };
        if text.contains(['\n', '\r', '\t']) {
            let words: Vec<&str> = text
                .split(['\n', '\r', '\t', ' '])
                .filter(|word| !word.is_empty())
                .collect();
            clean(field, &words.join(" "), LONGEST_NAME)
        } else {
            clean(field, text, LONGEST_NAME)
        }
    }

    fn required(&self, field: Field, max_chars: usize) -> Result<String, Fault> {
        self.line(field, max_chars)?
            .ok_or_else(|| fault(field, RejectCode::Missing, "is empty; every row needs it"))
    }

    fn date(&self) -> Result<(NaiveDate, Option<NaiveTime>), Fault> {
        let text = self.required(Field::Date, LONGEST_REFERENCE)?;
        let (date, time) = self.options.dates.parse(&text).ok_or_else(|| {
            fault(
                Field::Date,
                RejectCode::BadDate,
                "is not a date in the given format; correct it or give its format",
            )
        })?;
        if date > self.options.today {
            return Err(fault(
                Field::Date,
                RejectCode::FutureDate,
                "is in the future; correct it, or the date format",
            ));
        }
        Ok((date, time))
    }

    fn amount(&self, currency: Currency) -> Result<i64, Fault> {
        let text = self.required(Field::Amount, LONGEST_REFERENCE)?;
        let decimals = &self.options.decimals;
        let digits = exponent(currency);
        let parsed = decimals
            .plain(&text)
            .and_then(|plain| parse_scaled(&plain, digits));
        parsed.map_err(|error| {
            let (why, code) = (decimals.explain(&error), currency.code());
            fault(
                Field::Amount,
                RejectCode::BadAmount,
                &format!("{why} ({code} has {digits} decimals)"),
            )
        })
    }

    fn quantity(&self) -> Result<Quantity, Fault> {
        let Some(text) = self.line(Field::Quantity, LONGEST_REFERENCE)? else {
            return Ok(Quantity::ONE);
        };
        let bad = |reason: &str| fault(Field::Quantity, RejectCode::BadQuantity, reason);
        let decimals = &self.options.decimals;
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
        if self.failed {
            return None;
        }
        match self.records.next(&mut self.record) {
            Ok(None) => None,
            Ok(Some(shape)) => Some(Ok(self.row(shape))),
            Err(error) => {
                self.failed = true;
                Some(Err(error))
            }
        }
    }
}

fn fault(field: Field, code: RejectCode, reason: &str) -> Fault {
    (Some(field), code, format!("{field} {reason}"))
}

fn clean(field: Field, text: &str, max_chars: usize) -> Result<Option<String>, Fault> {
    if text.len() > LARGEST_FIELD {
        return Err(fault(
            field,
            RejectCode::TooLong,
            "is longer than 64 KiB; shorten it",
        ));
    }
    clean_optional_line(text, max_chars).map_err(|error| {
        let code = match error {
            TextError::TooLong { .. } => RejectCode::TooLong,
            TextError::ControlCharacter { .. } => RejectCode::ControlCharacter,
            TextError::DirectionMark { .. } => RejectCode::DirectionMark,
            TextError::Empty => RejectCode::Missing,
        };
        fault(field, code, &error.to_string())
    })
}

fn flaw(flaw: Flaw) -> Fault {
    let (code, reason) = match flaw {
        Flaw::UnterminatedQuote => (
            RejectCode::UnterminatedQuote,
            "has a quote that is not closed in this row; close it, or double quotes within a field",
        ),
        Flaw::BadQuote => (
            RejectCode::BadQuote,
            "has text behind a closing quote; double quotes within a field",
        ),
        Flaw::TooLong => (
            RejectCode::TooLong,
            "is longer than 1 MiB; check the quotes and line breaks around it",
        ),
        Flaw::FieldCount => (
            RejectCode::FieldCount,
            "has not as many fields as the header; quote fields that contain the delimiter",
        ),
    };
    (None, code, reason.to_owned())
}

#[cfg(test)]
mod tests;

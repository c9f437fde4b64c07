//! The rows of a file as a table: what all kinds of rows have in common.
//!
//! Called by the readers of each kind ([`super::purchases`], [`super::customers`] and so on). A row is checked cell by
//! cell; what is wrong is told with the column to blame, and one row never spoils another.

use std::fmt::Display;
use std::io::{self, Read};

use chrono::{NaiveDate, NaiveTime};
use entity::values::TimeZone;
use entity::values::decimal::parse_scaled;
use entity::values::money::exponent;
use entity::values::phone::PhoneRegion;
use entity::values::text::{TextError, clean_optional_line, clean_optional_text};
use iso_currency::Currency;
use serde::{Deserialize, Serialize};

use super::IntakeError;
use super::encoding::{FileEncoding, Utf8Reader};
use super::formats::{DateFormats, DecimalFormat, FormatError};
use super::mapping::{Columns, MappedField, Mapping};
use super::records::{Flaw, LARGEST_FIELD, Record, Records};
use super::reject::{Reject, RejectCode};

/// Characters of a number or code in another system, and of dates and amounts.
pub const LONGEST_REFERENCE: usize = 100;

/// How a file is to be read.
#[derive(Debug, Clone)]
pub struct Options<F> {
    /// Which column holds what.
    pub mapping: Mapping<F>,
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
    /// The shop's present day: what cannot have happened yet is rejected.
    pub today: NaiveDate,
    /// The company's clock, on which moments are read that name their distance to UTC; without it they are no dates.
    pub zone: Option<TimeZone>,
}

impl<F> Options<F> {
    /// Comma, ISO dates, decimal point, encoding recognized.
    #[must_use]
    pub fn new(
        mapping: Mapping<F>,
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
            zone: None,
        }
    }
}

/// What is wrong with a row: the field to blame, the code and the words.
pub type Fault<F> = (Option<F>, RejectCode, String);

/// A fault of one field, whose name goes before the words.
pub fn fault<F: MappedField>(field: F, code: RejectCode, reason: &str) -> Fault<F> {
    let reason = format!("{} {reason}", field.name());
    (Some(field), code, reason)
}

/// The fault of a field that every row needs.
pub fn missing<F: MappedField>(field: F) -> Fault<F> {
    fault(field, RejectCode::Missing, "is empty; every row needs it")
}

/// A file that is read row by row.
#[derive(Debug)]
pub struct Table<R, F> {
    records: Records<Utf8Reader<R>>,
    record: Record,
    columns: Columns<F>,
    /// How it is read.
    pub options: Options<F>,
    failed: bool,
}

impl<R: Read, F: MappedField> Table<R, F> {
    /// Opens a file: recognizes its encoding, reads its header, finds the mapped columns.
    ///
    /// # Errors
    /// See [`IntakeError`].
    pub fn open(file: R, options: Options<F>) -> Result<Self, IntakeError> {
        if !options.delimiter.is_ascii() || matches!(options.delimiter, b'"' | b'\n' | b'\r' | 0) {
            return Err(FormatError::BadDelimiter.into());
        }
        let reader = Utf8Reader::open(file, options.encoding)?;
        let mut records = Records::new(reader, options.delimiter);
        let columns = options.mapping.resolve(&records.header()?)?;
        Ok(Self {
            records,
            record: Record::default(),
            columns,
            options,
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

    /// Where the mapped columns are.
    pub fn columns(&self) -> &Columns<F> {
        &self.columns
    }

    /// Goes to the next row and tells whether its shape is right; nothing at the end, and after an error of reading.
    pub fn advance(&mut self) -> Option<io::Result<Result<(), Flaw>>> {
        if self.failed {
            return None;
        }
        match self.records.next(&mut self.record) {
            Ok(None) => None,
            Ok(Some(shape)) => Some(Ok(shape)),
            Err(error) => {
                self.failed = true;
                Some(Err(error))
            }
        }
    }

    /// The physical line on which the row begins, from 1.
    pub fn line_number(&self) -> u64 {
        self.record.line
    }

    /// The row as it stands in the file.
    pub fn raw(&self) -> &str {
        &self.record.raw
    }

    /// Is the row text in the file's encoding, and in shape?
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn sound(&self, shape: Result<(), Flaw>) -> Result<(), Fault<F>> {
        // Bytes that are no text may also be why the shape is wrong.
        if self.record.raw.contains('\u{FFFD}') {
            let reason = format!(
                "has bytes that are no text in {}; save the file in UTF-8, or give its encoding",
                self.encoding()
            );
            return Err((self.broken_column(), RejectCode::Encoding, reason));
        }
        shape.map_err(flaw)
    }

    /// The row as one that cannot be used.
    pub fn reject(&self, (field, code, reason): Fault<F>) -> Reject {
        Reject {
            line: self.record.line,
            column: field
                .and_then(|field| self.columns.name(&field))
                .map(str::to_owned),
            code,
            reason,
            original: self.record.raw.clone(),
        }
    }

    /// The mapped column that holds bytes that are no text.
    fn broken_column(&self) -> Option<F> {
        self.columns
            .fields()
            .find(|field| {
                self.text(field)
                    .is_some_and(|text| text.contains('\u{FFFD}'))
            })
            .cloned()
    }

    fn text(&self, field: &F) -> Option<&str> {
        self.columns
            .place(field)
            .map(|place| self.record.field(place))
    }

    /// A field of one line; `None` when it is empty or not mapped.
    ///
    /// # Errors
    /// What is wrong with it; so do the following.
    pub fn line(&self, field: F, max_chars: usize) -> Result<Option<String>, Fault<F>> {
        match self.text(&field) {
            Some(text) => clean(field, text, max_chars),
            None => Ok(None),
        }
    }

    /// A field whose line breaks do not matter.
    ///
    /// # Errors
    /// As [`Table::line`].
    pub fn folded_line(&self, field: F, max_chars: usize) -> Result<Option<String>, Fault<F>> {
        let Some(text) = self.text(&field) else {
            return Ok(None);
        };
        if text.contains(['\n', '\r', '\t']) {
            let words: Vec<&str> = text
                .split(['\n', '\r', '\t', ' '])
                .filter(|word| !word.is_empty())
                .collect();
            clean(field, &words.join(" "), max_chars)
        } else {
            clean(field, text, max_chars)
        }
    }

    /// A field of several lines.
    ///
    /// # Errors
    /// As [`Table::line`].
    pub fn lines(&self, field: F, max_chars: usize) -> Result<Option<String>, Fault<F>> {
        let Some(text) = self.text(&field) else {
            return Ok(None);
        };
        short(&field, text)?;
        clean_optional_text(text, max_chars).map_err(|error| bad_text(field, &error))
    }

    /// A field of one line that must not be empty.
    ///
    /// # Errors
    /// As [`Table::line`].
    pub fn required(&self, field: F, max_chars: usize) -> Result<String, Fault<F>> {
        self.line(field.clone(), max_chars)?
            .ok_or_else(|| missing(field))
    }

    /// A field that a parser reads.
    ///
    /// # Errors
    /// As [`Table::line`]; what the parser says, under this code.
    pub fn parsed<T, E: Display>(
        &self,
        field: F,
        code: RejectCode,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Fault<F>> {
        read(self.line(field.clone(), LARGEST_FIELD)?, field, code, parse)
    }

    /// As [`Table::parsed`], of a field that is short.
    ///
    /// # Errors
    /// As [`Table::parsed`].
    pub fn parsed_short<T, E: Display>(
        &self,
        field: F,
        code: RejectCode,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Fault<F>> {
        read(
            self.line(field.clone(), LONGEST_REFERENCE)?,
            field,
            code,
            parse,
        )
    }

    /// A date in one of the given formats, with its time where it has one.
    ///
    /// # Errors
    /// As [`Table::line`].
    pub fn date(&self, field: F) -> Result<Option<(NaiveDate, Option<NaiveTime>)>, Fault<F>> {
        self.parsed_short(field, RejectCode::BadDate, |text| {
            self.options
                .dates
                .parse(text)
                .ok_or("is not a date in the given format; correct it or give its format")
        })
    }

    /// A day that has come.
    ///
    /// # Errors
    /// As [`Table::line`].
    pub fn past_date(&self, field: F) -> Result<Option<(NaiveDate, Option<NaiveTime>)>, Fault<F>> {
        match self.date(field.clone())? {
            Some((date, _)) if date > self.options.today => Err(fault(
                field,
                RejectCode::FutureDate,
                "is in the future; correct it, or the date format",
            )),
            date => Ok(date),
        }
    }

    /// An amount of this currency, in minor units.
    ///
    /// # Errors
    /// As [`Table::line`].
    pub fn amount(&self, field: F, currency: Currency) -> Result<Option<i64>, Fault<F>> {
        self.parsed_short(field, RejectCode::BadAmount, |text| {
            let (decimals, digits) = (&self.options.decimals, exponent(currency));
            let parsed = decimals
                .plain(text)
                .and_then(|plain| parse_scaled(&plain, digits));
            parsed.map_err(|error| {
                let (why, code) = (decimals.explain(&error), currency.code());
                format!("{why} ({code} has {digits} decimals)")
            })
        })
    }

    /// One of a closed set of words, in either case, with blanks and dashes for underscores.
    ///
    /// # Errors
    /// As [`Table::line`]; `words` are named to whoever wrote another one.
    pub fn word<T: std::str::FromStr>(&self, field: F, words: &str) -> Result<Option<T>, Fault<F>> {
        self.parsed_short(field, RejectCode::UnknownWord, |text| {
            text.to_uppercase()
                .replace([' ', '-'], "_")
                .parse()
                .map_err(|_| format!("is none of {words}"))
        })
    }

    /// Yes or no.
    ///
    /// # Errors
    /// As [`Table::line`].
    pub fn yes_or_no(&self, field: F) -> Result<Option<bool>, Fault<F>> {
        self.parsed_short(field, RejectCode::UnknownWord, |text| {
            match text.to_lowercase().as_str() {
                "yes" | "y" | "true" | "1" | "是" => Ok(true),
                "no" | "n" | "false" | "0" | "否" => Ok(false),
                _ => Err("is neither yes nor no; write yes, true or 1, or no, false or 0"),
            }
        })
    }
}

/// A kind of rows.
pub trait RowKind: Sized {
    /// What such a row can tell.
    type Field: MappedField;

    /// Reads the row at which the table stands.
    ///
    /// # Errors
    /// What is wrong with it.
    fn read<R: Read>(table: &Table<R, Self::Field>) -> Result<Self, Fault<Self::Field>>;
}

/// A row with its place in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Placed<T> {
    /// The physical line on which it begins, from 1.
    pub line: u64,
    /// The row as it stands in the file.
    pub original: String,
    /// What it says.
    pub row: T,
}

/// Reads a file of one kind of rows. The iterator ends with the file, or after an error of reading.
#[derive(Debug)]
pub struct Rows<R, T: RowKind>(Table<R, T::Field>);

impl<R: Read, T: RowKind> Rows<R, T> {
    /// Opens a file; see [`Table::open`].
    ///
    /// # Errors
    /// See [`IntakeError`].
    pub fn open(file: R, options: Options<T::Field>) -> Result<Self, IntakeError> {
        Table::open(file, options).map(Self)
    }

    /// How many bytes of the file were read; for a progress bar.
    pub fn bytes_read(&self) -> u64 {
        self.0.bytes_read()
    }

    /// Where the mapped columns are.
    pub fn columns(&self) -> &Columns<T::Field> {
        self.0.columns()
    }
}

impl<R: Read, T: RowKind> Iterator for Rows<R, T> {
    type Item = io::Result<Result<Placed<T>, Reject>>;

    fn next(&mut self) -> Option<Self::Item> {
        let table = &mut self.0;
        let shape = match table.advance()? {
            Ok(shape) => shape,
            Err(error) => return Some(Err(error)),
        };
        let row = table.sound(shape).and_then(|()| T::read(table));
        Some(Ok(match row {
            Ok(row) => Ok(Placed {
                line: table.line_number(),
                original: table.raw().to_owned(),
                row,
            }),
            Err(fault) => Err(table.reject(fault)),
        }))
    }
}

fn read<F: MappedField, T, E: Display>(
    text: Option<String>,
    field: F,
    code: RejectCode,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, Fault<F>> {
    match text {
        None => Ok(None),
        Some(text) => parse(&text)
            .map(Some)
            .map_err(|error| fault(field, code, &error.to_string())),
    }
}

fn short<F: MappedField>(field: &F, text: &str) -> Result<(), Fault<F>> {
    if text.len() > LARGEST_FIELD {
        return Err(fault(
            field.clone(),
            RejectCode::TooLong,
            "is longer than 64 KiB; shorten it",
        ));
    }
    Ok(())
}

fn clean<F: MappedField>(
    field: F,
    text: &str,
    max_chars: usize,
) -> Result<Option<String>, Fault<F>> {
    short(&field, text)?;
    clean_optional_line(text, max_chars).map_err(|error| bad_text(field, &error))
}

fn bad_text<F: MappedField>(field: F, error: &TextError) -> Fault<F> {
    let code = match error {
        TextError::TooLong { .. } => RejectCode::TooLong,
        TextError::ControlCharacter { .. } => RejectCode::ControlCharacter,
        TextError::DirectionMark { .. } => RejectCode::DirectionMark,
        TextError::Empty => RejectCode::Missing,
    };
    fault(field, code, &error.to_string())
}

fn flaw<F>(flaw: Flaw) -> Fault<F> {
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

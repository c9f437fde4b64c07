//! From UTF-8 text to records of fields (CSV, RFC 4180), with the physical line of each.
//!
//! Called by [`super::purchases`]. Differs from the `csv` crate, which it therefore does not use,
//! in what hostile or broken files need: a record has a largest size, a quote that is never closed
//! is seen, and such a quote costs its own line only: what it would have swallowed is read again
//! from the next line on.

use std::io::{self, Read};

use thiserror::Error;

/// Bytes of one record, quoted line breaks included.
pub const LARGEST_RECORD: usize = 1024 * 1024;
/// Bytes of the header, and of one field.
pub const LARGEST_FIELD: usize = 64 * 1024;
/// Columns of a file.
pub const MOST_COLUMNS: usize = 1000;
/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;
/// What is kept of a line that is too long, to be shown.
const SHOWN: usize = 1000;

/// Why a file's header is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HeaderError {
    /// The file is empty.
    #[error("the file is empty; it must begin with a line of column names")]
    Missing,
    /// Beyond the limits.
    #[error(
        "the first line of the file is too long; it must hold the column names, at most 64 KiB"
    )]
    TooLong,
    /// Too many columns.
    #[error("the file has {0} columns, at most {MOST_COLUMNS} are read; export fewer columns")]
    TooManyColumns(usize),
    /// Quotes that do not close, bytes that are no text, or control characters.
    #[error(
        "the first line of the file is broken; it must hold the column names, and lines must end with LF or CRLF"
    )]
    Broken,
}

/// What is wrong with the shape of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A quote that opens a field is never closed, or only in another record.
    UnterminatedQuote,
    /// Something stands between a closing quote and the next delimiter.
    BadQuote,
    /// More than [`LARGEST_RECORD`] bytes.
    TooLong,
    /// Another number of fields than the header has.
    FieldCount,
}

/// Where a record is in the file and what was there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Record {
    /// The physical line on which it begins, from 1.
    pub line: u64,
    /// Its text as it stood, without the line break at its end.
    pub raw: String,
    /// The fields' text, one after the other.
    text: String,
    /// Where in `text` each field ends.
    ends: Vec<usize>,
}

impl Record {
    /// How many fields.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// A field by its place, from 0; empty beyond the end.
    pub fn field(&self, index: usize) -> &str {
        let begin = index
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or(0);
        let end = self.ends.get(index).copied().unwrap_or(begin);
        self.text.get(begin..end).unwrap_or_default()
    }
}

/// Reads records one after the other.
#[derive(Debug)]
pub struct Records<R> {
    inner: R,
    delimiter: u8,
    /// Fields of the header; 0 until it is read.
    columns: usize,
    /// The next physical line.
    line: u64,
    /// What was read of the file: the present record is `buffer[start..at]`.
    buffer: Vec<u8>,
    start: usize,
    at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Bare,
    Quoted,
    /// A quote within a quoted field: its end, or the first of two.
    Quote,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Complete,
    /// The record is larger than it may be, and the line may go on.
    TooLong,
    EndOfFile,
}

impl<R: Read> Records<R> {
    /// Reads records from UTF-8 text.
    pub fn new(inner: R, delimiter: u8) -> Self {
        Self {
            inner,
            delimiter,
            columns: 0,
            line: 1,
            buffer: Vec::new(),
            start: 0,
            at: 0,
        }
    }

    /// What the records are read from.
    pub fn inner(&self) -> &R {
        &self.inner
    }

    /// Reads the first record as column names, trimmed.
    ///
    /// # Errors
    /// [`HeaderError`], and what reading gives.
    pub fn header(&mut self) -> Result<Vec<String>, super::IntakeError> {
        let mut record = Record::default();
        match self.next(&mut record)? {
            None => return Err(HeaderError::Missing.into()),
            Some(Err(Flaw::TooLong)) => return Err(HeaderError::TooLong.into()),
            Some(Err(_)) => return Err(HeaderError::Broken.into()),
            Some(Ok(())) => {}
        }
        if record.len() > MOST_COLUMNS {
            return Err(HeaderError::TooManyColumns(record.len()).into());
        }
        if record.raw.len() > LARGEST_FIELD {
            return Err(HeaderError::TooLong.into());
        }
        let names: Vec<String> = (0..record.len())
            .map(|index| record.field(index).trim().to_owned())
            .collect();
        if names
            .iter()
            .any(|name| name.contains(|c: char| c.is_control() || c == '\u{FFFD}'))
        {
            return Err(HeaderError::Broken.into());
        }
        self.columns = names.len();
        Ok(names)
    }

    /// Reads the next record into `record`; empty lines are passed over. `None` at the end of the
    /// file. A flawed record has its line and raw text, and no fields.
    ///
    /// # Errors
    /// What reading gives.
    pub fn next(&mut self, record: &mut Record) -> io::Result<Option<Result<(), Flaw>>> {
        record.raw.clear();
        record.text.clear();
        record.ends.clear();
        let first = loop {
            self.begin();
            record.line = self.line;
            match self.read_line()? {
                Line::EndOfFile => return Ok(None),
                Line::Complete if trim_line_end(self.present()).is_empty() => {}
                line => break line,
            }
        };
        let first_line = self.at - self.start;
        let mut flaw = if first == Line::TooLong {
            Some(Flaw::TooLong)
        } else {
            self.complete()?
        };
        if flaw.is_none() {
            self.split(record);
            if self.columns > 0 && record.len() != self.columns {
                flaw = Some(Flaw::FieldCount);
            }
        }
        let Some(mut flaw) = flaw else {
            record.raw.push_str(text(trim_line_end(self.present())));
            return Ok(Some(Ok(())));
        };
        record.text.clear();
        record.ends.clear();
        if self.at - self.start > first_line {
            // The quote on the first line took in lines that may well be good: read them again.
            flaw = Flaw::UnterminatedQuote;
            self.at = self.start + first_line;
            self.line = record.line + 1;
        }
        let mut shown = text(trim_line_end(self.present()));
        if flaw == Flaw::TooLong {
            shown = shown
                .char_indices()
                .nth(SHOWN)
                .and_then(|(end, _)| shown.get(..end))
                .unwrap_or(shown);
        }
        record.raw.push_str(shown);
        if first == Line::TooLong {
            self.drop_line()?;
        }
        Ok(Some(Err(flaw)))
    }

    /// Reads on until every quote that the record opened is closed.
    fn complete(&mut self) -> io::Result<Option<Flaw>> {
        let mut state = State::FieldStart;
        let mut bad = false;
        let mut scanned = self.start;
        loop {
            if self.at - self.start > LARGEST_RECORD {
                return Ok(Some(Flaw::TooLong));
            }
            (state, bad) = self.scan(scanned, state, bad);
            scanned = self.at;
            if state != State::Quoted {
                return Ok(bad.then_some(Flaw::BadQuote));
            }
            match self.read_line()? {
                Line::Complete => {}
                Line::TooLong => return Ok(Some(Flaw::TooLong)),
                Line::EndOfFile => return Ok(Some(Flaw::UnterminatedQuote)),
            }
        }
    }

    /// The bytes of the record being read.
    fn present(&self) -> &[u8] {
        self.buffer.get(self.start..self.at).unwrap_or_default()
    }

    /// Begins a record where the last one ended, and forgets what is before now and then.
    fn begin(&mut self) {
        self.start = self.at;
        if self.start == self.buffer.len() {
            self.buffer.clear();
            (self.start, self.at) = (0, 0);
        } else if self.start > LARGEST_RECORD {
            self.buffer.drain(..self.start);
            (self.start, self.at) = (0, 0);
        }
    }

    /// Appends to the buffer; false at the end of the file.
    fn fill(&mut self) -> io::Result<bool> {
        let before = self.buffer.len();
        self.buffer.resize(before + CHUNK, 0);
        let count = loop {
            match self
                .inner
                .read(self.buffer.get_mut(before..).unwrap_or_default())
            {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer
            .truncate(before + count.as_ref().copied().unwrap_or(0));
        Ok(count? > 0)
    }

    /// Moves `at` behind the next physical line and its line break.
    fn read_line(&mut self) -> io::Result<Line> {
        let mut from = self.at;
        loop {
            let ahead = self.buffer.get(from..).unwrap_or_default();
            if let Some(place) = ahead.iter().position(|b| *b == b'\n') {
                self.at = from + place + 1;
                self.line += 1;
                return Ok(Line::Complete);
            }
            from = self.buffer.len();
            if from - self.start > LARGEST_RECORD {
                self.at = from;
                return Ok(Line::TooLong);
            }
            if !self.fill()? {
                if self.at == from {
                    return Ok(Line::EndOfFile);
                }
                self.at = from;
                self.line += 1;
                return Ok(Line::Complete);
            }
        }
    }

    /// Passes over the rest of a line that is too long, in constant memory.
    fn drop_line(&mut self) -> io::Result<()> {
        self.line += 1;
        loop {
            self.begin();
            if !self.fill()? {
                return Ok(());
            }
            if let Some(place) = self.buffer.iter().position(|b| *b == b'\n') {
                self.at = place + 1;
                return Ok(());
            }
            self.at = self.buffer.len();
        }
    }

    /// Walks over the record from a place on and tells whether a quoted field is open at its end, and
    /// whether something stands behind a closing quote.
    fn scan(&self, from: usize, mut state: State, mut bad: bool) -> (State, bool) {
        for byte in self.buffer.get(from..self.at).unwrap_or_default() {
            state = match (state, *byte) {
                (State::Quoted, b'"') => State::Quote,
                (State::Quoted, _) => State::Quoted,
                (State::Quote, b'"') => State::Quoted,
                (State::FieldStart, b'"') => State::Quoted,
                (_, byte) if byte == self.delimiter || byte == b'\n' => State::FieldStart,
                (State::Quote, b'\r') => State::Quote,
                (State::Quote, _) => {
                    bad = true;
                    State::Bare
                }
                _ => State::Bare,
            };
        }
        (state, bad)
    }

    /// Takes the record, which is well-formed, apart.
    fn split(&self, record: &mut Record) {
        let mut rest = text(trim_line_end(self.present()));
        let delimiter = char::from(self.delimiter);
        loop {
            if let Some(mut quoted) = rest.strip_prefix('"') {
                while let Some((before, after)) = quoted.split_once('"') {
                    record.text.push_str(before);
                    quoted = after;
                    match after.strip_prefix('"') {
                        Some(after) => {
                            record.text.push('"');
                            quoted = after;
                        }
                        None => break,
                    }
                }
                record.ends.push(record.text.len());
                match quoted.split_once(delimiter) {
                    Some((_, next)) => rest = next,
                    None => return,
                }
            } else {
                let (field, next) = match rest.split_once(delimiter) {
                    Some((field, next)) => (field, Some(next)),
                    None => (rest, None),
                };
                record.text.push_str(field);
                record.ends.push(record.text.len());
                match next {
                    Some(next) => rest = next,
                    None => return,
                }
            }
        }
    }
}

fn trim_line_end(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

/// The longest part from the beginning that is UTF-8: all of it, but for a record that was cut
/// at its largest size.
fn text(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => bytes
            .get(..error.valid_up_to())
            .and_then(|valid| std::str::from_utf8(valid).ok())
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;

//! Two ways to write a record: as a JSON object on a line of its own, and as rows of CSV.
//!
//! CSV is as RFC 4180 has it, in UTF-8, with the values exactly as they are: a file that is to be imported again must
//! not have apostrophes in front of phone numbers. Who opens it with a spreadsheet program asks for a disarmed one.

use crate::error::{Error, Result};
use entity::enums::FileFormat;
use serde::Serialize;

/// Something that is exported.
pub(super) trait Record: Serialize {
    /// The values of its rows, in the order of the columns.
    fn rows(&self) -> Vec<Vec<String>>;
}

/// Gathers what is written.
pub(super) struct Writer {
    form: Form,
    for_spreadsheet: bool,
}

enum Form {
    Csv(Box<csv::Writer<Vec<u8>>>, &'static [&'static str], bool),
    Jsonl(Vec<u8>),
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::internal(format!("a record could not be written: {error}"))
}

fn csv_writer() -> Box<csv::Writer<Vec<u8>>> {
    Box::new(csv::Writer::from_writer(Vec::new()))
}

impl Writer {
    pub fn new(
        format: FileFormat,
        for_spreadsheet: bool,
        columns: &'static [&'static str],
    ) -> Self {
        Self {
            form: match format {
                FileFormat::Csv => Form::Csv(csv_writer(), columns, false),
                FileFormat::Jsonl => Form::Jsonl(Vec::new()),
            },
            for_spreadsheet,
        }
    }

    pub fn write<R: Record>(&mut self, record: &R) -> Result<()> {
        match &mut self.form {
            Form::Jsonl(bytes) => {
                serde_json::to_writer(&mut *bytes, record).map_err(failed)?;
                bytes.push(b'\n');
            }
            Form::Csv(csv, columns, _) => {
                for row in record.rows() {
                    if row.len() != columns.len() {
                        return Err(failed("it has not as many values as there are columns"));
                    }
                    for value in row {
                        let value = if self.for_spreadsheet {
                            disarmed(value)
                        } else {
                            value
                        };
                        csv.write_field(value).map_err(failed)?;
                    }
                    csv.write_record(None::<&[u8]>).map_err(failed)?;
                }
            }
        }
        Ok(())
    }

    /// What was written since the last time; the first time with the header, also when there is nothing else.
    pub fn take(&mut self) -> Result<Vec<u8>> {
        match &mut self.form {
            Form::Jsonl(bytes) => Ok(std::mem::take(bytes)),
            Form::Csv(csv, columns, is_begun) => {
                let written = std::mem::replace(csv, csv_writer());
                let rows = written.into_inner().map_err(failed)?;
                if *is_begun {
                    return Ok(rows);
                }
                *is_begun = true;
                let mut first = csv_writer();
                first.write_record(*columns).map_err(failed)?;
                let mut bytes = first.into_inner().map_err(failed)?;
                bytes.extend(rows);
                Ok(bytes)
            }
        }
    }
}

/// The text with an apostrophe in front where a spreadsheet would run it. Numbers, days and phone numbers are left alone.
fn disarmed(text: String) -> String {
    let is_plain = || {
        text.trim_start_matches(['+', '-'])
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | ' '))
    };
    let is_risky = text
        .trim_start()
        .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || text.starts_with(['\t', '\r', '\n']);
    if is_risky && !is_plain() {
        format!("'{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Pair(&'static str, &'static str);

    impl Record for Pair {
        fn rows(&self) -> Vec<Vec<String>> {
            vec![vec![self.0.to_owned(), self.1.to_owned()]]
        }
    }

    fn written(format: FileFormat, for_spreadsheet: bool, pairs: &[Pair]) -> String {
        let mut writer = Writer::new(format, for_spreadsheet, &["a", "b"]);
        let mut bytes = Vec::new();
        for pair in pairs {
            writer.write(pair).unwrap();
            bytes.extend(writer.take().unwrap());
        }
        bytes.extend(writer.take().unwrap());
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_header_comes_once_and_without_rows_too() {
        assert_eq!(written(FileFormat::Csv, false, &[]), "a,b\n");
        let rows = [Pair("1", "2\n\"3\""), Pair("", "")];
        assert_eq!(
            written(FileFormat::Csv, false, &rows),
            "a,b\n1,\"2\n\"\"3\"\"\"\n,\n"
        );
        assert_eq!(written(FileFormat::Jsonl, false, &[]), "");
        assert_eq!(
            written(FileFormat::Jsonl, true, &[Pair("=1", "é")]),
            "[\"=1\",\"é\"]\n"
        );
    }

    #[test]
    fn formulas_are_disarmed_only_when_asked_and_numbers_never() {
        let rows = [Pair("=HYPERLINK(\"x\")", "-1+cmd|' /C calc'!A0")];
        assert_eq!(
            written(FileFormat::Csv, false, &rows),
            "a,b\n\"=HYPERLINK(\"\"x\"\")\",-1+cmd|' /C calc'!A0\n"
        );
        for (text, safe) in [
            ("=1", "'=1"),
            (" @x", "' @x"),
            ("＝1", "'＝1"),
            ("\t1", "'\t1"),
            ("-1+1", "'-1+1"),
            ("-12.50", "-12.50"),
            ("+8613812345678", "+8613812345678"),
            ("Lin Wei", "Lin Wei"),
            ("", ""),
        ] {
            assert_eq!(disarmed(text.to_owned()), safe);
        }
    }
}

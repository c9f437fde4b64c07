//! The file of rejected rows, for whoever puts them right.
//!
//! CSV in UTF-8: `line,column,code,reason,row`, where `row` is the whole original row as one
//! field. People open such files in spreadsheet programs, which run what begins with `=`, `+`, `-`
//! or `@` as a formula: a field that begins so (or with a tab or line break before it) gets an
//! apostrophe in front. Whoever takes rows out again by a program removes one leading apostrophe.

use std::io::{self, Write};

use super::reject::Reject;

/// Writes rejected rows; each is handed to the system at once, so that a killed import leaves
/// every rejected row that it has seen.
pub struct RejectsWriter<W: Write> {
    inner: csv::Writer<W>,
}

impl<W: Write> std::fmt::Debug for RejectsWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RejectsWriter(..)")
    }
}

impl<W: Write> RejectsWriter<W> {
    /// Begins the file with its header.
    ///
    /// # Errors
    /// What writing gives.
    pub fn new(out: W) -> io::Result<Self> {
        let mut inner = csv::Writer::from_writer(out);
        inner.write_record(["line", "column", "code", "reason", "row"])?;
        inner.flush()?;
        Ok(Self { inner })
    }

    /// Writes one row.
    ///
    /// # Errors
    /// What writing gives.
    pub fn write(&mut self, reject: &Reject) -> io::Result<()> {
        let line = reject.line.to_string();
        let fields = [
            line.as_str(),
            &harmless(reject.column.as_deref().unwrap_or_default()),
            reject.code.as_str(),
            &harmless(&reject.reason),
            &harmless(&reject.original),
        ];
        self.inner.write_record(fields)?;
        self.inner.flush()
    }

    /// Ends the file.
    ///
    /// # Errors
    /// What writing gives.
    pub fn finish(self) -> io::Result<W> {
        self.inner
            .into_inner()
            .map_err(csv::IntoInnerError::into_error)
    }
}

/// The text with an apostrophe in front where a spreadsheet would run it.
fn harmless(text: &str) -> String {
    let risky = text
        .trim_start()
        .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || text.starts_with(['\t', '\r', '\n']);
    // Zero bytes end the field in some programs.
    let text = text.replace('\0', "\u{FFFD}");
    if risky { format!("'{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::RejectCode;

    #[test]
    fn writes_rows_that_do_no_harm() {
        let mut writer = RejectsWriter::new(Vec::new()).unwrap();
        for original in [
            "1,2\n,\"3\"",
            "=HYPERLINK(\"x\")",
            " +1",
            "@a",
            "\t=1",
            "-5,x",
            "a\0b",
            "＝1",
            "plain",
            "'quoted",
        ] {
            let reject = Reject {
                line: 7,
                column: Some("=cmd".into()),
                code: RejectCode::BadDate,
                reason: "is not a date".into(),
                original: original.into(),
            };
            writer.write(&reject).unwrap();
        }
        let bytes = writer.finish().unwrap();
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        assert_eq!(
            reader.headers().unwrap(),
            vec!["line", "column", "code", "reason", "row"]
        );
        let rows: Vec<String> = reader
            .records()
            .map(|row| row.unwrap()[4].to_owned())
            .collect();
        assert_eq!(
            rows,
            [
                "1,2\n,\"3\"",
                "'=HYPERLINK(\"x\")",
                "' +1",
                "'@a",
                "'\t=1",
                "'-5,x",
                "a\u{FFFD}b",
                "'＝1",
                "plain",
                "'quoted"
            ]
        );
        let text = String::from_utf8(bytes).unwrap();
        assert!(
            text.lines()
                .nth(1)
                .unwrap()
                .starts_with("7,'=cmd,BAD_DATE,is not a date,")
        );
    }

    #[test]
    fn a_full_disk_is_seen() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert!(RejectsWriter::new(Full).is_err());
    }
}

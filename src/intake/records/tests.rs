//! Records whole, quoted, broken and cut off.

use super::*;
use proptest::prelude::*;

type Got = (u64, Result<Vec<String>, Flaw>);

fn read(text: &str) -> Vec<Got> {
    let mut records = Records::new(text.as_bytes(), b',');
    records.header().unwrap();
    let mut record = Record::default();
    let mut got = Vec::new();
    while let Some(result) = records.next(&mut record).unwrap() {
        let fields = result.map(|()| {
            (0..record.len())
                .map(|index| record.field(index).to_owned())
                .collect()
        });
        got.push((record.line, fields));
    }
    got
}

fn good(line: u64, fields: &[&str]) -> Got {
    (
        line,
        Ok(fields.iter().map(|field| (*field).to_owned()).collect()),
    )
}

#[test]
fn plain_and_quoted() {
    let text = "a,b\r\n1,2\r\n\"x,\"\"y\"\"\r\nz\",\"\"\r\n\r\n,\r\n5\" pipe,\"6\"";
    assert_eq!(
        read(text),
        [
            good(2, &["1", "2"]),
            good(3, &["x,\"y\"\r\nz", ""]),
            good(6, &["", ""]),
            good(7, &["5\" pipe", "6"])
        ]
    );
    let mut records = Records::new(text.as_bytes(), b',');
    records.header().unwrap();
    let mut record = Record::default();
    records.next(&mut record).unwrap();
    records.next(&mut record).unwrap();
    assert_eq!(record.raw, "\"x,\"\"y\"\"\r\nz\",\"\"");
    assert_eq!(
        (record.len(), record.field(9), record.is_empty()),
        (2, "", false)
    );
}

#[test]
fn an_open_quote_costs_its_own_line_only() {
    let cut_off = "a,b\n1,2\n3,\"four\n5,6\n7,8\n";
    assert_eq!(
        read(cut_off),
        [
            good(2, &["1", "2"]),
            (3, Err(Flaw::UnterminatedQuote)),
            good(4, &["5", "6"]),
            good(5, &["7", "8"])
        ]
    );
    let between = "a,b\n\"1,2\n3,4\n\"5\",6\n7,8\n";
    assert_eq!(
        read(between),
        [
            (2, Err(Flaw::UnterminatedQuote)),
            good(3, &["3", "4"]),
            good(4, &["5", "6"]),
            good(5, &["7", "8"])
        ]
    );
    assert_eq!(read("a,b\n1,\"2"), [(2, Err(Flaw::UnterminatedQuote))]);
    assert_eq!(
        read("a,b\n\"1\"2,3\n4,5"),
        [(2, Err(Flaw::BadQuote)), good(3, &["4", "5"])]
    );
}

#[test]
fn wrong_numbers_of_fields() {
    assert_eq!(
        read("a,b\n1\n1,2,3\n1,2\n"),
        [
            (2, Err(Flaw::FieldCount)),
            (3, Err(Flaw::FieldCount)),
            good(4, &["1", "2"])
        ]
    );
}

#[test]
fn a_record_has_a_largest_size() {
    let giant = "x".repeat(3 * LARGEST_RECORD);
    let got = read(&format!("a,b\n1,{giant}\n3,4\n"));
    assert_eq!(got, [(2, Err(Flaw::TooLong)), good(3, &["3", "4"])]);
    // An open quote before very many good lines: all of them are read.
    let rows: String = (0..300_000).map(|n| format!("{n},x\n")).collect();
    let got = read(&format!("a,b\n\"1,2\n{rows}"));
    assert_eq!(got.len(), 300_001);
    assert_eq!(got[0], (2, Err(Flaw::UnterminatedQuote)));
    assert_eq!(got[300_000], good(300_002, &["299999", "x"]));
    // And before a giant one.
    let got = read(&format!("a,b\n\"1,2\n1,{giant}\n3,4\n"));
    assert_eq!(
        got,
        [
            (2, Err(Flaw::UnterminatedQuote)),
            (3, Err(Flaw::TooLong)),
            good(4, &["3", "4"])
        ]
    );
}

#[test]
fn many_open_quotes_do_not_take_long() {
    // Every line opens a quote that the next one closes: each pair is looked at twice, no more.
    let rows = "1,\"2\n".repeat(400_000);
    let begun = std::time::Instant::now();
    let got = read(&format!("a,b\n{rows}"));
    assert_eq!(got.len(), 400_000);
    assert!(
        got.iter()
            .all(|(_, result)| *result == Err(Flaw::UnterminatedQuote))
    );
    assert!(begun.elapsed().as_secs() < 20, "quadratic");
}

#[test]
fn headers() {
    let header = |text: &str| {
        Records::new(text.as_bytes(), b',')
            .header()
            .map_err(|error| match error {
                super::super::IntakeError::Header(error) => error,
                other => panic!("{other}"),
            })
    };
    assert_eq!(header(" a ,\"b,c\"\n"), Ok(vec!["a".into(), "b,c".into()]));
    assert_eq!(header(""), Err(HeaderError::Missing));
    assert_eq!(header("\n\r\n"), Err(HeaderError::Missing));
    assert_eq!(header("a,\"b\n1,2"), Err(HeaderError::Broken));
    assert_eq!(header("a,b\0\n"), Err(HeaderError::Broken));
    assert_eq!(header("a,b\r1,2\r3,4\r"), Err(HeaderError::Broken));
    assert_eq!(
        header(&"x".repeat(LARGEST_FIELD + 1)),
        Err(HeaderError::TooLong)
    );
    assert_eq!(
        header(&"x".repeat(2 * LARGEST_RECORD)),
        Err(HeaderError::TooLong)
    );
    let wide: Vec<String> = (0..10_000).map(|n| format!("c{n}")).collect();
    assert_eq!(
        header(&wide.join(",")),
        Err(HeaderError::TooManyColumns(10_000))
    );
}

proptest! {
    #[test]
    fn agrees_with_the_csv_crate(rows in prop::collection::vec(prop::collection::vec("[a\",\r\n王 ]{0,6}", 3), 1..8)) {
        let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
        writer.write_record(["a", "b", "c"]).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let got: Vec<Vec<String>> = read(&text).into_iter().map(|(_, fields)| fields.unwrap()).collect();
        prop_assert_eq!(got, rows);
    }

    #[test]
    fn every_line_is_accounted_for(text in "[a\",\n\r王]{0,80}", piece in 1usize..5) {
        struct Pieces<'a>(&'a [u8], usize);
        impl Read for Pieces<'_> {
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                let count = self.1.min(buf.len()).min(self.0.len());
                buf[..count].copy_from_slice(&self.0[..count]);
                self.0 = &self.0[count..];
                Ok(count)
            }
        }
        let text = format!("h,h\n{text}");
        let whole = read(&text);
        let mut records = Records::new(Pieces(text.as_bytes(), piece), b',');
        records.header().unwrap();
        let mut record = Record::default();
        let mut last = 1;
        let mut raw = String::new();
        let mut count = 0;
        while records.next(&mut record).unwrap().is_some() {
            prop_assert!(record.line > last);
            last = record.line;
            raw.push_str(&record.raw);
            count += 1;
        }
        prop_assert_eq!(count, whole.len());
        let squeeze = |text: &str| text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect::<String>();
        prop_assert_eq!(squeeze(&raw), squeeze(&text[4..]));
    }
}

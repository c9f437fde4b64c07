//! Whole files: good, spoiled, hostile, and the reference data.

use super::*;
use crate::intake::{DateFormats, DecimalFormat, Mapping};
use entity::values::PhoneRegion;
use std::collections::HashSet;

const MAP: &str = "customer=customer_id,date=date,quantity=quantity,amount=amount";

fn options(map: &str) -> PurchaseOptions {
    let today = NaiveDate::from_ymd_opt(2026, 6, 1).unwrap();
    PurchaseOptions::new(
        Mapping::parse(map).unwrap(),
        Currency::CNY,
        PhoneRegion::CHINA,
        today,
    )
}

fn read_with(bytes: &[u8], options: PurchaseOptions) -> Vec<Row> {
    PurchaseRows::open(bytes, options)
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

fn read(text: &str, map: &str) -> Vec<Row> {
    read_with(text.as_bytes(), options(map))
}

fn purchases(rows: &[Row]) -> Vec<&PurchaseRow> {
    rows.iter()
        .filter_map(|row| {
            if let Row::Purchase(row) = row {
                Some(row.as_ref())
            } else {
                None
            }
        })
        .collect()
}

fn rejects(rows: &[Row]) -> Vec<(u64, Option<&str>, RejectCode)> {
    rows.iter()
        .filter_map(|row| {
            if let Row::Reject(r) = row {
                Some((r.line, r.column.as_deref(), r.code))
            } else {
                None
            }
        })
        .collect()
}

#[test]
fn reads_rows() {
    let text = "\u{FEFF}customer_id,date,quantity,amount\r\n00001,1997-01-01,1,11.77\r\n00002,1997-01-12,,-12.00\r\n";
    let rows = read(text, MAP);
    let rows = purchases(&rows);
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (
            rows[0].line,
            rows[0].customer_ref.as_str(),
            rows[0].amount_minor
        ),
        (2, "00001", 1177)
    );
    assert_eq!(
        (rows[1].line, rows[1].quantity, rows[1].amount_minor),
        (3, Quantity::ONE, -1200)
    );
    assert_eq!(rows[0].local_date.to_string(), "1997-01-01");
}

#[test]
fn reads_every_field() {
    let map = "customer=c,date=d,amount=a,quantity=q,receipt=r,store=s,time=t,name=n,phone=p,email=e,product=x,currency=y";
    let text = "x,unused,c,d,a,q,r,s,t,n,p,e,y\n\"Blue\r\nshirt\",\"?\",C1,2024-01-02 08:00,1200,0.25,R1,S1,14:03,\"김\n민수\",010-1234-5678,Kim@Example.com,krw\n";
    let mut options = options(map);
    options.phone_region = PhoneRegion::SOUTH_KOREA;
    let rows = read_with(text.as_bytes(), options);
    let rows = purchases(&rows);
    let row = rows[0];
    assert_eq!(
        (row.amount_minor, row.currency, row.quantity.thousandths()),
        (1200, Currency::KRW, 250)
    );
    assert_eq!(row.product.as_deref(), Some("Blue shirt"));
    assert_eq!(row.name.as_deref(), Some("김 민수"));
    assert_eq!(row.phone.as_ref().map(Phone::as_str), Some("+821012345678"));
    assert_eq!(
        row.email.as_ref().map(Email::normal),
        Some("kim@example.com")
    );
    assert_eq!(row.local_time, NaiveTime::from_hms_opt(14, 3, 0));
    assert_eq!(
        (row.receipt.as_deref(), row.store_ref.as_deref()),
        (Some("R1"), Some("S1"))
    );
}

#[test]
fn each_fault_has_its_line_column_and_code() {
    use RejectCode as C;
    let map = "customer=c,date=d,amount=a,quantity=q,name=n,phone=p,email=e,time=t,currency=y";
    let long = "x".repeat(LONGEST_REFERENCE + 1);
    let huge = "x".repeat(LARGEST_FIELD + 1);
    let cases: Vec<(String, Option<&str>, C)> = vec![
        (",2024-01-01,1,1,,,,,".into(), Some("c"), C::Missing),
        ("1,,1,1,,,,,".into(), Some("d"), C::Missing),
        ("1,2024-01-01, ,1,,,,,".into(), Some("a"), C::Missing),
        ("1,2024-02-30,1,1,,,,,".into(), Some("d"), C::BadDate),
        ("1,01/02/2024,1,1,,,,,".into(), Some("d"), C::BadDate),
        ("1,2026-06-02,1,1,,,,,".into(), Some("d"), C::FutureDate),
        ("1,2024-01-01,1e3,1,,,,,".into(), Some("a"), C::BadAmount),
        ("1,2024-01-01,1.005,1,,,,,".into(), Some("a"), C::BadAmount),
        (
            "1,2024-01-01,99999999999999999999,1,,,,,".into(),
            Some("a"),
            C::BadAmount,
        ),
        ("1,2024-01-01,NaN,1,,,,,".into(), Some("a"), C::BadAmount),
        ("1,2024-01-01,1,0,,,,,".into(), Some("q"), C::BadQuantity),
        ("1,2024-01-01,1,two,,,,,".into(), Some("q"), C::BadQuantity),
        (
            "1,2024-01-01,1,0.0001,,,,,".into(),
            Some("q"),
            C::BadQuantity,
        ),
        (
            "1,2024-01-01,1,1,a\0b,,,,".into(),
            Some("n"),
            C::ControlCharacter,
        ),
        (
            "1\0,2024-01-01,1,1,,,,,".into(),
            Some("c"),
            C::ControlCharacter,
        ),
        (
            "1,2024-01-01,1,1,a\u{202E}b,,,,".into(),
            Some("n"),
            C::DirectionMark,
        ),
        ("1,2024-01-01,1,1,,12,,,".into(), Some("p"), C::BadPhone),
        ("1,2024-01-01,1,1,,,a@b,,".into(), Some("e"), C::BadEmail),
        ("1,2024-01-01,1,1,,,,25:00,".into(), Some("t"), C::BadTime),
        ("1,2024-01-01,1,1,,,,,XXX".into(), Some("y"), C::BadCurrency),
        (format!("{long},2024-01-01,1,1,,,,,"), Some("c"), C::TooLong),
        (
            format!("1,2024-01-01,1,1,{huge},,,,"),
            Some("n"),
            C::TooLong,
        ),
        ("1,2024-01-01,1,1".into(), None, C::FieldCount),
        ("1,2024-01-01,1,1,\"a\"b,,,,".into(), None, C::BadQuote),
        (
            "1,2024-01-01,1,1,\u{FFFD},,,,".into(),
            Some("n"),
            C::Encoding,
        ),
        (
            "1,2024-01-01,1,1,\"open,,,,".into(),
            None,
            C::UnterminatedQuote,
        ),
    ];
    let good = "1,2024-01-01,1,1,王小明,13812345678,a@b.co,10:00,USD";
    let mut text = "c,d,a,q,n,p,e,t,y\n".to_owned();
    for (row, _, _) in &cases {
        text.push_str(&format!("{row}\n{good}\n"));
    }
    let rows = read(&text, map);
    let expected: Vec<_> = cases
        .iter()
        .enumerate()
        .map(|(n, (_, column, code))| (n as u64 * 2 + 2, *column, *code))
        .collect();
    assert_eq!(rejects(&rows), expected);
    assert_eq!(purchases(&rows).len(), cases.len());
    for row in &rows {
        if let Row::Reject(reject) = row {
            assert!(
                !reject.reason.is_empty()
                    && !reject.reason.ends_with('.')
                    && !reject.reason.contains(char::is_control)
            );
            assert!(text.contains(&reject.original));
        }
    }
}

#[test]
fn a_few_malformed_bytes_cost_their_rows_only() {
    let mut bytes = "customer_id,date,quantity,amount\n王,2024-01-01,1,1\n"
        .as_bytes()
        .to_vec();
    bytes.extend_from_slice(b"\xC3\x28,2024-01-01,1,1\n3,2024-01-01,1,1\n4,2024-01-01,1,\xFF\n");
    let rows = read_with(&bytes, options(MAP));
    assert_eq!(
        rejects(&rows),
        [
            (3, Some("customer_id"), RejectCode::Encoding),
            (5, Some("amount"), RejectCode::Encoding)
        ]
    );
    assert_eq!(purchases(&rows).len(), 2);
}

#[test]
fn spoiled_rows_of_a_plain_file_are_each_reported() {
    let mut bytes = b"customer_id,date,quantity,amount\n".to_vec();
    let mut spoiled = Vec::new();
    for n in 0u64..20_000 {
        if n % 100 == 7 {
            spoiled.push(n + 2);
            let bad: &[u8] = [
                b"\xFF".as_slice(),
                b"\xC3\x28",
                b"\xD0\xD1",
                b"\xB0\xA1",
                b"\x80",
            ][spoiled.len() % 5];
            bytes.extend_from_slice(bad);
        }
        bytes.extend_from_slice(format!("{n},2024-01-01,1,1\n").as_bytes());
    }
    for encoding in [None, Some(FileEncoding::Utf8)] {
        let mut options = options(MAP);
        options.encoding = encoding;
        let rows = read_with(&bytes, options);
        let lines: Vec<u64> = rejects(&rows).iter().map(|(line, _, _)| *line).collect();
        assert_eq!(lines, spoiled);
        assert!(rejects(&rows).iter().all(
            |(_, column, code)| (*column, *code) == (Some("customer_id"), RejectCode::Encoding)
        ));
        assert_eq!(purchases(&rows).len(), 20_000 - spoiled.len());
    }
}

#[test]
fn legacy_encodings() {
    for (encoding, name) in [
        (encoding_rs::GB18030, "王小明"),
        (encoding_rs::EUC_KR, "김민수"),
    ] {
        let text = format!("고객客,date,amount,n\n1,2024-01-01,1.00,{name}\n").replace(
            if encoding == encoding_rs::GB18030 {
                "고객"
            } else {
                "客"
            },
            "",
        );
        let given = if encoding == encoding_rs::GB18030 {
            FileEncoding::Gb18030
        } else {
            FileEncoding::EucKr
        };
        let column = text.split(',').next().unwrap().to_owned();
        let mut options = options(&format!("customer={column},date=date,amount=amount,name=n"));
        options.encoding = Some(given);
        let rows = read_with(&encoding.encode(&text).0, options);
        assert_eq!(purchases(&rows)[0].name.as_deref(), Some(name));
    }
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let open = |bytes: &[u8]| {
        PurchaseRows::open(bytes, options(MAP))
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    assert!(open(b"").contains("empty"));
    assert!(open(b"a,b\n").contains("no column 'customer_id'"));
    assert!(open(b"\xFF\xFEa").contains("UTF-16"));
    let wide: Vec<String> = (0..10_000).map(|n| format!("c{n}")).collect();
    assert!(open(wide.join(",").as_bytes()).contains("10000 columns"));
    for delimiter in [b'"', b'\n', 0, 0xFF] {
        let mut options = options(MAP);
        options.delimiter = delimiter;
        assert!(PurchaseRows::open(b"a".as_slice(), options).is_err());
    }
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("gone"))
        }
    }
    let text = format!(
        "customer_id,date,quantity,amount\n{}",
        "1,2024-01-01,1,1\n".repeat(20_000)
    );
    let mut rows = PurchaseRows::open(text.as_bytes().chain(Failing), options(MAP)).unwrap();
    assert!(rows.any(|row| row.is_err()));
    assert!(rows.next().is_none());
}

#[test]
fn other_formats() {
    let mut options = options("customer=c,date=d,amount=a");
    options.delimiter = b';';
    options.dates = DateFormats::new(&["%d.%m.%Y"]).unwrap();
    options.decimals = DecimalFormat::new(',', Some('.')).unwrap();
    let rows = read_with(b"c;d;a\n1;31.12.2024;1.234,50\n2;12/31/2024;1,5\n", options);
    assert_eq!(purchases(&rows)[0].amount_minor, 123_450);
    assert_eq!(rejects(&rows), [(3, Some("d"), RejectCode::BadDate)]);
}

#[test]
fn advice_is_given_in_the_format_that_was_asked_for() {
    let told = |thousands: Option<char>, row: &str| -> String {
        let mut options = options("customer=c,date=d,amount=a,quantity=q");
        options.delimiter = b';';
        options.decimals = DecimalFormat::new(',', thousands).unwrap();
        let text = format!("c;d;a;q\n{row}\n");
        match read_with(text.as_bytes(), options).pop() {
            Some(Row::Reject(reject)) => reject.reason,
            other => panic!("{other:?}"),
        }
    };
    for (thousands, row, advice) in [
        (None, "1;2024-12-31;12.50;1", "write it like 1234,50"),
        (None, "1;2024-12-31;x;1", "write it like 1234,50"),
        (Some('.'), "1;2024-12-31;1.5;1", "write it like 1.234,50"),
        (Some(' '), "1;2024-12-31;2,5;one", "write it like 1 234,50"),
    ] {
        let said = told(thousands, row);
        assert!(said.contains(advice) && !said.contains("point"), "{said}");
    }
}

#[test]
fn identities_are_distinct_and_the_same_again() {
    let text = "customer_id,date,quantity,amount\n1,2024-01-01,1,5.00\n1,2024-01-01,1,5.00\n1,2024-01-01,1,5\n1,2024-01-01,2,5\n";
    let first = read(text, MAP);
    let second = read(text, MAP);
    assert_eq!(first, second);
    let distinct: HashSet<Identity> = purchases(&first).iter().map(|row| row.identity).collect();
    assert_eq!(distinct.len(), 4);
    // How it is written, and in which order the columns stand, does not matter.
    let other = read(
        "amount,x,customer_id,quantity,date\n5.0,?,1,1.0,2024-1-1\n",
        MAP,
    );
    assert_eq!(purchases(&other)[0].identity, purchases(&first)[0].identity);
}

#[test]
fn lines_of_a_receipt_share_their_identity() {
    let map = "customer=c,date=d,amount=a,receipt=r,store=s";
    let rows = read(
        "c,d,a,r,s\n1,2024-01-01,5,R1,S1\n1,2024-01-01,5,R1,S1\n1,2024-01-01,5,R1,S2\n1,2024-01-01,5,,S1\n1,2024-01-01,5,,S1\n",
        map,
    );
    let of: Vec<Identity> = purchases(&rows).iter().map(|row| row.identity).collect();
    assert_eq!(of[0], of[1]);
    assert_eq!(of.iter().collect::<HashSet<_>>().len(), 4);
}

#[test]
#[ignore = "needs the reference data beside the project"]
fn the_reference_data() {
    let folder =
        std::env::var("REGULARS_REFERENCE_DATA").expect("REGULARS_REFERENCE_DATA names the folder");
    let open = || {
        let file = std::fs::File::open(std::path::Path::new(&folder).join("cdnow.csv")).unwrap();
        PurchaseRows::open(file, options(MAP)).unwrap()
    };
    let begun = std::time::Instant::now();
    let rows: Vec<Row> = open().map(Result::unwrap).collect();
    println!(
        "{:.0} rows/s",
        rows.len() as f64 / begun.elapsed().as_secs_f64()
    );
    assert!(rejects(&rows).is_empty());
    let rows = purchases(&rows);
    assert_eq!(rows.len(), 69_659);
    assert_eq!(
        rows.iter().map(|row| row.amount_minor).sum::<i64>(),
        250_031_563
    );
    assert_eq!(rows.iter().filter(|row| row.amount_minor == 0).count(), 80);
    assert_eq!(
        rows.iter()
            .map(|row| &row.customer_ref)
            .collect::<HashSet<_>>()
            .len(),
        23_570
    );
    let identities: HashSet<Identity> = rows.iter().map(|row| row.identity).collect();
    assert_eq!(identities.len(), rows.len());
    let contents: HashSet<_> = rows
        .iter()
        .map(|row| {
            (
                &row.customer_ref,
                row.local_date,
                row.quantity,
                row.amount_minor,
            )
        })
        .collect();
    assert_eq!(rows.len() - contents.len(), 255);
    let again: HashSet<Identity> = open()
        .map(|row| match row.unwrap() {
            Row::Purchase(row) => row.identity,
            Row::Reject(r) => panic!("{r:?}"),
        })
        .collect();
    assert_eq!(again, identities);
}

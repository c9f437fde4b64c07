//! Moving in with files that are not as they should be: refused with what to do, and nothing half-applied.

use crate::support::Mover;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

const MAP: &str = "customer=no,name=name";

fn pack(text: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

fn many(rows: usize) -> String {
    let rows = (0..rows).map(|n| format!("{n},Customer No {n} {:x}\n", n * 7919));
    std::iter::once("no,name\n".to_owned())
        .chain(rows)
        .collect()
}

async fn count(mover: &Mover) -> u64 {
    let data = mover.ask("{ customers { totalCount } }").await;
    data["customers"]["totalCount"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_cannot_be_read_are_refused_and_leave_nothing() {
    let mover = Mover::new().await;
    let packed = pack(many(5000).as_bytes());
    let half: &[u8] = &packed[..packed.len() / 2];
    let columns: Vec<String> = (0..10_000).map(|n| format!("column{n}")).collect();
    let wide = format!("{}\n", columns.join(","));
    let mut long = b"no,name\n".to_vec();
    long.resize(64 << 20, b'1');
    let bomb = pack(&long);
    for (name, content, map, hint) in [
        ("half.csv.gz", half, MAP, "cut off"),
        ("bomb.csv.gz", bomb.as_slice(), MAP, "unpack it yourself"),
        ("wide.csv", wide.as_bytes(), MAP, "10000 columns"),
        (
            "empty.csv",
            b"".as_slice(),
            MAP,
            "must begin with a line of column names",
        ),
        (
            "other.csv",
            b"kunde,name\n1,Ann Lee\n".as_slice(),
            MAP,
            "'kunde'",
        ),
        (
            "utf16.csv",
            b"\xff\xfen\0o\0".as_slice(),
            MAP,
            "save it again as CSV UTF-8",
        ),
        (
            "book.xlsx",
            b"PK\x03\x04\x14\0\0\0".as_slice(),
            MAP,
            "spreadsheet",
        ),
        (
            "good.csv",
            b"no,name\n1,Ann Lee\n".as_slice(),
            "customer=no,nmae=name",
            "known fields are customer",
        ),
        (
            "good.csv",
            b"no,name\n1,Ann Lee\n".as_slice(),
            "name=name",
            "customer=COLUMN",
        ),
    ] {
        mover.file(name, content);
        let output = mover.try_import("customers", name, map, &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && said.contains(hint),
            "{name}: {said}"
        );
        assert_eq!(count(&mover).await, 0, "{name}");
    }
    mover.file("half.csv.gz", &packed[..packed.len() - 4]);
    let till = "customer=no,date=name,amount=no";
    let output = mover.try_import("purchases", "half.csv.gz", till, &["--store", "bund"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("cut off"),
        "{said}"
    );
    // Whole, it comes in as if it were not packed.
    mover.file("whole.csv.gz", &packed);
    let said = mover.import("customers", "whole.csv.gz", MAP, &[]);
    assert!(said.contains("5000 customers made"), "{said}");
    assert_eq!(count(&mover).await, 5000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spoiled_rows_are_rejected_one_by_one() {
    let mover = Mover::new().await;
    mover.file(
        "spoiled.csv",
        b"no,name\n1,Ann Lee\n2,\xff\xfe\xff\n3,Bob,Kim\n,Nobody\n4,X\n5,Cho\x01Min\n6,Dan Kim\n7,\"Open quote\n".as_slice(),
    );
    let output = mover.try_import("customers", "spoiled.csv", MAP, &["--encoding", "utf-8"]);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    for line in [
        "line 3, name: ENCODING",
        "line 4: FIELD_COUNT",
        "line 5, no: MISSING",
        "line 6, name: BAD_VALUE",
        "line 7, name: CONTROL_CHARACTER",
        "line 9: UNTERMINATED_QUOTE",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert_eq!(count(&mover).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_of_customers_works_where_there_is_nothing() {
    use crate::support::program::succeed;
    use crate::support::{Engine, Place};
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("customers.csv");
    std::fs::write(&file, many(2500)).unwrap();
    let place = match Engine::of_this_run() {
        Engine::Sqlite => Place::empty().await,
        Engine::Postgres => Place::new().await,
    };
    let entries = || std::fs::read_dir(&place.data).map_or(0, Iterator::count);
    let before = entries();
    let file = file.display().to_string();
    let said = succeed(
        &place,
        ["import", "customers", &file, "--map", MAP, "--dry-run"],
    );
    assert!(
        said.contains("2500 customers would be made, 0 known already"),
        "{said}"
    );
    assert_eq!(entries(), before, "no file was made");
}

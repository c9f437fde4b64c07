//! Moving in: a till system's export, killed while it comes in, spoiled, brought in again, that does not fit its map.

use crate::support::program::{command, run, succeed};
use crate::support::{Place, World};
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

const MAP: &str = "customer=customer_id,date=date,quantity=quantity,amount=amount";

/// A file of purchases: many customers, rows alike to the letter, zero amounts.
fn export(folder: &Path, rows: u32, spoiled: impl Fn(u32) -> bool) -> (PathBuf, u64) {
    let mut text = String::from("customer_id,date,quantity,amount\n");
    let mut sum = 0;
    for n in 0..rows {
        let cents = u64::from(n * 7919 % 10_000);
        // Every fifth row is the same as the one before it.
        let n = n - n % 5 / 4;
        let cents = if n.is_multiple_of(5) {
            cents
        } else {
            u64::from(n) % 97 * 100
        };
        if spoiled(n) {
            writeln!(text, "{},2025-13-45,1,{cents}", n % 1000).unwrap();
            continue;
        }
        sum += cents;
        writeln!(
            text,
            "{},2025-{:02}-{:02},1,{}.{:02}",
            n % 1000,
            n % 12 + 1,
            n % 28 + 1,
            cents / 100,
            cents % 100
        )
        .unwrap();
    }
    let path = folder.join("export.csv");
    std::fs::write(&path, text).unwrap();
    (path, sum)
}

fn arguments(file: &Path) -> Vec<String> {
    let file = file.display().to_string();
    [
        "import",
        "purchases",
        &file,
        "--map",
        MAP,
        "--store",
        "bund",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// What the API says of all that came in.
async fn totals(world: &World) -> (i64, i64, u64) {
    let client = &world.server.client;
    let (mut visits, mut cents, mut after) = (0, 0, None::<String>);
    let query = "query($after: String) { customers(first: 100, after: $after) { totalCount nodes { totals { receipts net { amount } } } \
        pageInfo { hasNextPage endCursor } } }";
    loop {
        let answer = client
            .gql(Some(world.token("ADMIN")), query, json!({ "after": after }))
            .await;
        let list = &answer.data()["customers"];
        for node in list["nodes"].as_array().unwrap() {
            visits += node["totals"]["receipts"].as_i64().unwrap();
            let amount = node["totals"]["net"]["amount"].as_str().unwrap();
            cents += amount.replace('.', "").parse::<u64>().unwrap();
        }
        if list["pageInfo"]["hasNextPage"] == json!(false) {
            return (visits, list["totalCount"].as_i64().unwrap(), cents);
        }
        after = list["pageInfo"]["endCursor"].as_str().map(str::to_owned);
    }
}

/// Beside a server that has the same database open. `cargo xtask prove import-killed` does it more often, at work.
///
/// The server's own tasks need a thread while this one waits for the command: one that stands still within a write
/// holds the lock of the embedded engine, and no longer hears of revocations.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_killed_goes_on_without_a_double_or_a_gap() {
    let (world, folder) = (World::new().await, tempfile::tempdir().unwrap());
    let place = &world.server.place;
    let (file, sum) = export(folder.path(), 12_000, |_| false);
    // A batch has 4,000 receipts: the kills meet the next one, wherever it is.
    for booked in [1, 4001, 8001] {
        let mut child = command(place)
            .args(arguments(&file))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while totals(&world).await.0 < booked && child.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // SIGKILL; it may be through already on a fast machine.
        let _ = child.kill();
        child.wait().unwrap();
        assert!(totals(&world).await.0 >= booked);
    }
    succeed(place, arguments(&file));
    // Of every five numbers, the last one is that of the customer before.
    let expected = (12_000, 800, sum);
    assert_eq!(totals(&world).await, expected);
    let said = succeed(place, arguments(&file));
    assert!(
        said.contains("0 receipts booked, 12000 known already"),
        "{said}"
    );
    assert_eq!(totals(&world).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spoiled_rows_are_reported_by_line_and_the_rest_comes_in() {
    let (world, folder) = (World::new().await, tempfile::tempdir().unwrap());
    let place = &world.server.place;
    let spoiled = |n: u32| n % 100 == 42;
    let (file, sum) = export(folder.path(), 2000, spoiled);
    let rejects = folder.path().join("rejects.csv");
    let mut with_rejects = arguments(&file);
    with_rejects.extend(["--rejects".to_owned(), rejects.display().to_string()]);
    let mut dry = with_rejects.clone();
    dry.push("--dry-run".to_owned());
    let said = succeed(place, dry);
    assert!(said.contains("would be booked"), "{said}");
    assert_eq!(totals(&world).await.0, 0, "a dry run writes nothing");
    succeed(place, with_rejects);
    let lines: Vec<u32> = std::fs::read_to_string(&rejects)
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap().parse().unwrap())
        .collect();
    let expected: Vec<u32> = (0..2000)
        .filter(|n| spoiled(n - n % 5 / 4))
        .map(|n| n + 2)
        .collect();
    assert_eq!(lines, expected);
    let (receipts, _, cents) = totals(&world).await;
    assert_eq!((receipts, cents), (2000 - expected.len() as i64, sum));
}

/// Receipts are read in chunks of 4,000: a rejected row stands where one ends, amid the lines of a receipt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejected_row_within_a_receipt_spoils_no_other_line_of_it() {
    let (world, folder) = (World::new().await, tempfile::tempdir().unwrap());
    let place = &world.server.place;
    let file = folder.path().join("till.csv");
    // One that cannot be read, and one that can but belongs nowhere.
    for (year, spoiled) in [
        ("2024", "0,2024-13-02,1,2.00,R4000,bund"),
        ("2025", "0,2025-01-02,1,2.00,R4000,moon"),
    ] {
        let mut text = String::from("customer_id,date,quantity,amount,receipt,store\n");
        let receipt = |n: u32| format!("{year}-R{n}");
        for n in 1..=4000 {
            writeln!(text, "{},{year}-01-02,1,1.00,{},bund", n % 50, receipt(n)).unwrap();
        }
        writeln!(text, "{}", spoiled.replace("R4000", &receipt(4000))).unwrap();
        writeln!(text, "0,{year}-01-02,1,4.00,{},bund", receipt(4000)).unwrap();
        writeln!(text, "1,{year}-01-03,1,8.00,{},bund", receipt(4001)).unwrap();
        std::fs::write(&file, text).unwrap();
        let mut arguments = arguments(&file);
        if let Some(map) = arguments.iter_mut().find(|argument| *argument == MAP) {
            map.push_str(",receipt=receipt,store=store");
        }
        let said = succeed(place, arguments);
        assert!(said.contains("1 rows rejected"), "{spoiled}: {said}");
        assert!(said.contains("4001 receipts booked"), "{spoiled}: {said}");
    }
    assert_eq!(totals(&world).await, (8002, 50, 802_400));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_does_not_fit_its_map_is_refused_with_what_to_do() {
    let (world, folder) = (World::new().await, tempfile::tempdir().unwrap());
    let place = &world.server.place;
    let file = folder.path().join("other.csv");
    std::fs::write(&file, "kunde,datum,betrag\n1,2025-01-01,1\n").unwrap();
    let output = run(place, arguments(&file));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(
        said.contains("customer_id") && said.contains("kunde"),
        "{said}"
    );
    assert_eq!(totals(&world).await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejected_rows_stand_in_their_file_as_they_were() {
    let (world, folder) = (World::new().await, tempfile::tempdir().unwrap());
    let place = &world.server.place;
    let file = folder.path().join("till.csv");
    let rows = [
        "1,2024-03-01,1,1.00,A1",
        "2,2024-03-01,-1,12.34,A2",
        "7,2024-03-01,1,1.50,A1",
        "3,2024-03-02,1,92233720368547758.07,A3",
        "4,2024-03-02,1,9999999999999.99,A4",
        "4,2024-03-03,1,9999999999999.99,A5",
        "5,2024-03-03,1,2.00,A6",
    ];
    let text = format!(
        "customer_id,date,quantity,amount,receipt\n{}\n",
        rows.join("\n")
    );
    std::fs::write(&file, &text).unwrap();
    let rejects = folder.path().join("rejects.csv");
    let arguments = |rejects: &Path| {
        let mut arguments = arguments(&file);
        if let Some(map) = arguments.iter_mut().find(|argument| *argument == MAP) {
            map.push_str(",receipt=receipt");
        }
        arguments.extend(["--rejects".to_owned(), rejects.display().to_string()]);
        arguments
    };
    // The rejects do not take the place of what is read, whatever it is called.
    let other_name = folder.path().join(".").join("till.csv");
    let said = run(place, arguments(&other_name));
    let error = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(
        !said.status.success() && error.contains("name another one"),
        "{error}"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    assert_eq!(totals(&world).await.0, 0);
    succeed(place, arguments(&rejects));
    let found = std::fs::read_to_string(&rejects).unwrap();
    for (line, code, row) in [
        (3, "BAD_QUANTITY", rows[1]),
        (4, "RECEIPT_CONFLICT", rows[2]),
        (5, "BAD_AMOUNT", rows[3]),
        (7, "BAD_AMOUNT", rows[5]),
    ] {
        let told = found
            .lines()
            .find(|told| told.starts_with(&format!("{line},")))
            .unwrap_or_else(|| panic!("line {line} is not told of: {found}"));
        assert!(told.contains(code) && told.contains(row), "{told}");
    }
    assert_eq!(found.lines().count(), 5, "{found}");
    let (receipts, _, cents) = totals(&world).await;
    assert_eq!((receipts, cents), (3, 100 + 999_999_999_999_999 + 200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_at_once_into_an_empty_shop_take_each_other_for_what_is_known() {
    let (place, folder) = (Place::new().await, tempfile::tempdir().unwrap());
    let (file, _) = export(folder.path(), 6000, |_| false);
    let both: Vec<_> = (0..2)
        .map(|_| {
            command(&place)
                .args(arguments(&file))
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for one in both {
        let output = one.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{error}");
        assert!(said.contains("no row rejected"), "{said}{error}");
    }
    let said = succeed(&place, arguments(&file));
    assert!(said.contains("6000 known already"), "{said}");
}

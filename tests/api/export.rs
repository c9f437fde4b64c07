//! Data on their way out by the command: taken back as they were, as of one moment, whole or not at all.

use crate::support::program::{command, command_with_small_files, fail, succeed};
use crate::support::{Client, Place, World};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How `import purchases` takes an export back.
const TAKE_BACK: &str = "customer=customer,date=date,time=time,receipt=receipt,store=store,product=name,\
    quantity=quantity,amount=amount,currency=currency";

/// A till system's export with receipts of several lines, returns, names that need quotes, and days without a time.
fn till(rows: u32) -> String {
    let mut text = String::from("member,day,receipt,item,qty,total\n");
    for n in 0..rows {
        let (receipt, line) = (n / 3, n % 3);
        let sign = if receipt % 10 == 9 { "-" } else { "" };
        writeln!(
            text,
            "{},2025-{:02}-{:02},{receipt},\"=Tea, \"\"{line}\"\"\",{sign}{},{sign}{}.{:02}",
            receipt % 400,
            receipt % 12 + 1,
            receipt % 28 + 1,
            line + 1,
            n % 300,
            n % 100
        )
        .unwrap();
    }
    text
}

fn import(place: &Place, file: &Path, map: &str) -> String {
    let file = file.display().to_string();
    let arguments = [
        "import",
        "purchases",
        &file,
        "--map",
        map,
        "--store",
        "bund",
    ];
    succeed(place, arguments)
}

fn rows(text: &str) -> Vec<csv_line::Row> {
    csv_line::read(text)
}

/// Reading CSV as a client would.
mod csv_line {
    use std::collections::BTreeMap;

    pub type Row = BTreeMap<String, String>;

    pub fn read(text: &str) -> Vec<Row> {
        let mut lines = fields(text).into_iter();
        let header = lines.next().unwrap();
        lines
            .map(|line| {
                assert_eq!(line.len(), header.len(), "{line:?}");
                header.iter().cloned().zip(line).collect()
            })
            .collect()
    }

    fn fields(text: &str) -> Vec<Vec<String>> {
        let (mut lines, mut line, mut field) = (Vec::new(), Vec::new(), String::new());
        let (mut quoted, mut chars) = (false, text.chars().peekable());
        while let Some(c) = chars.next() {
            match c {
                '"' if quoted && chars.peek() == Some(&'"') => {
                    field.push('"');
                    chars.next();
                }
                '"' => quoted = !quoted,
                ',' if !quoted => line.push(std::mem::take(&mut field)),
                '\n' if !quoted => {
                    line.push(std::mem::take(&mut field));
                    lines.push(std::mem::take(&mut line));
                }
                _ => field.push(c),
            }
        }
        assert!(
            field.is_empty() && line.is_empty(),
            "the last line has an end"
        );
        lines
    }
}

fn sum(rows: &[csv_line::Row]) -> i64 {
    rows.iter()
        .map(|row| row["amount"].replace('.', "").parse::<i64>().unwrap())
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn purchases_go_out_and_come_back_as_they_were() {
    let (one, other) = (Place::new().await, Place::new().await);
    let folder = tempfile::tempdir().unwrap();
    let (first, out, again) =
        ("till.csv", "out.csv", "again.csv").map_all(|name| folder.path().join(name));
    std::fs::write(&first, till(12_000)).unwrap();
    let map = "customer=member,date=day,receipt=receipt,product=item,quantity=qty,amount=total";
    import(&one, &first, map);
    let export = |place: &Place, file: &Path| {
        let file = file.display().to_string();
        succeed(place, ["export", "purchases", "--out", &file]);
        std::fs::read_to_string(file).unwrap()
    };
    let text = export(&one, &out);
    let written = rows(&text);
    assert_eq!(written.len(), 12_000);
    let expected: i64 = (0..12_000_i64)
        .map(|n| (n % 300 * 100 + n % 100) * if n / 3 % 10 == 9 { -1 } else { 1 })
        .sum();
    assert_eq!(sum(&written), expected);
    // The lines of a receipt stand together, in their order.
    for three in written.chunks(3) {
        let receipts: BTreeSet<&String> = three.iter().map(|row| &row["receipt"]).collect();
        assert_eq!(receipts.len(), 1, "{three:?}");
        let lines: Vec<&str> = three.iter().map(|row| row["line"].as_str()).collect();
        assert_eq!(lines, ["1", "2", "3"]);
    }
    assert_eq!(
        export(&one, &again),
        text,
        "the same database, the same file"
    );
    // Into an empty shop: every row is there again, to the letter.
    let said = import(&other, &out, TAKE_BACK);
    assert!(said.contains("no row rejected"), "{said}");
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&export(&other, &again)), sorted(&text));
    // Into the shop that it came from: everything is known.
    let said = import(&one, &out, TAKE_BACK);
    assert!(
        said.contains("0 receipts booked, 4000 known already"),
        "{said}"
    );
    whole_or_not_at_all(&one, &out, &text, folder.path());
}

/// A file that does not fit on the disk leaves the old one in its place, and nothing beside it.
fn whole_or_not_at_all(place: &Place, out: &Path, before: &str, folder: &Path) {
    let names = || -> BTreeSet<_> {
        std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect()
    };
    let there = names();
    assert!(before.len() > 700 * 1024);
    let file = out.display().to_string();
    let output = command_with_small_files(place, 600)
        .args(["export", "purchases", "--out", &file])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{said}");
    assert_eq!(std::fs::read_to_string(out).unwrap(), before);
    assert_eq!(names(), there);
    let nowhere = folder.join("missing").join("out.csv");
    let said = fail(
        place,
        ["export", "cards", "--out", &nowhere.display().to_string()],
    );
    assert!(said.contains("cannot write"), "{said}");
}

trait MapAll<T> {
    type Mapped;
    fn map_all(self, f: impl Fn(&str) -> T) -> Self::Mapped;
}

impl<T> MapAll<T> for (&str, &str, &str) {
    type Mapped = (T, T, T);
    fn map_all(self, f: impl Fn(&str) -> T) -> (T, T, T) {
        (f(self.0), f(self.1), f(self.2))
    }
}

const RECORD: &str = "mutation($input: VisitRecordInput!) { visitRecord(input: $input) { visit { id } userErrors { code field message } } }";

/// Writers who record receipts of three lines one after the other, until they are told to stop.
struct Writers(tokio::task::JoinSet<()>, Arc<AtomicBool>);

async fn writers(world: &World, count: usize) -> Writers {
    let stop = Arc::new(AtomicBool::new(false));
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..count {
        let made = world
            .server
            .client
            .gql(
                Some(world.token("ADMIN")),
                "mutation($input: CustomerCreateInput!) { customerCreate(input: $input) { customer { id } userErrors { message } } }",
                json!({ "input": { "fullName": format!("Customer {writer}") } }),
            )
            .await;
        let customer = made.payload()["customer"]["id"].clone();
        let (client, token): (Client, String) =
            (world.server.client.clone(), world.token("ADMIN").to_owned());
        let (store, stop) = (world.store.clone(), Arc::clone(&stop));
        writers.spawn(async move {
            for number in 0.. {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let line = |n: usize| json!({ "name": format!("part {n}"), "amount": { "amount": format!("{}.00", number % 90 + n), "currencyCode": "USD" } });
                let input = json!({ "customerId": customer, "storeId": store, "purchase": {
                    "receipt": { "source": format!("till-{writer}"), "number": number.to_string() },
                    "lines": [line(1), line(2), line(3)] } });
                client
                    .gql(Some(&token), RECORD, json!({ "input": input }))
                    .await
                    .payload();
            }
        });
    }
    Writers(writers, stop)
}

impl Writers {
    async fn stop(mut self) {
        self.1.store(true, Ordering::Relaxed);
        while let Some(ended) = self.0.join_next().await {
            ended.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_as_of_one_moment_while_eight_tills_go_on() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let place = &world.server.place;
    // Enough that reading takes a while.
    let file = folder.path().join("till.csv");
    std::fs::write(&file, till(9000)).unwrap();
    let map = "customer=member,date=day,receipt=receipt,product=item,quantity=qty,amount=total";
    import(place, &file, map);
    let writers = writers(&world, 8).await;
    let mut seen = 0;
    for round in 0..3 {
        let export = |kind: &str| {
            command(place)
                .args(["export", kind, "--format", "jsonl"])
                .stdin(Stdio::null())
                .stderr(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let child = export("purchases");
        let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap())
            .await
            .unwrap();
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        let mut of_till: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for line in text.lines() {
            let receipt: Value = serde_json::from_str(line).unwrap();
            let lines = receipt["lines"].as_array().unwrap();
            assert_eq!(lines.len(), 3, "{receipt}");
            if !receipt["source"].as_str().unwrap().starts_with("till-") {
                continue;
            }
            let total: i64 = lines
                .iter()
                .map(|line| {
                    line["amount"]
                        .as_str()
                        .unwrap()
                        .replace('.', "")
                        .parse::<i64>()
                        .unwrap()
                })
                .sum();
            let bought = receipt["bought"].as_str().unwrap().replace('.', "");
            assert_eq!(bought.parse::<i64>().unwrap(), total);
            let name = receipt["receipt"].as_str().unwrap();
            let (till, number) = name.split_once('/').unwrap();
            of_till
                .entry(till.to_owned())
                .or_default()
                .push(number.parse().unwrap());
        }
        // Each till wrote one receipt after the other: what is seen of it is its first ones, without a gap.
        for (till, mut numbers) in of_till {
            numbers.sort_unstable();
            let first: Vec<u64> = (0..numbers.len() as u64).collect();
            assert_eq!(numbers, first, "{till} in round {round}");
        }
        let now = text.lines().count();
        assert!(now > seen, "the tills go on meanwhile");
        seen = now;
        // The bar's length was counted at the beginning of the same moment.
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(&format!("{now} records")), "{said}");
    }
    writers.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customers_go_out_with_what_hangs_on_them_and_it_is_written_down() {
    let world = World::new().await;
    let admin = world.token("ADMIN");
    let client = &world.server.client;
    let run = async |query: &str, input: Value| {
        let answer = client
            .gql(Some(admin), query, json!({ "input": input }))
            .await;
        answer.payload().clone()
    };
    let made = run(
        "mutation($input: CustomerCreateInput!) { customerCreate(input: $input) { customer { id contactPoints { id value } } userErrors { code field message } } }",
        json!({ "fullName": "林 \"Wei\", Ann", "birthDate": "L1990-05-23", "homeStoreId": world.store,
            "address": { "lines": ["1 Long Road"], "postalCode": "200000", "city": "Shanghai", "country": "CN" },
            "contactPoints": [{ "kind": "MOBILE", "value": "+8613812345678" }, { "kind": "EMAIL", "value": "wei@example.com" }] }),
    )
    .await;
    let customer = made["customer"]["id"].as_str().unwrap().to_owned();
    for (n, granted) in [(0, true), (1, false)] {
        let point = &made["customer"]["contactPoints"][n]["id"];
        run(
            "mutation($input: ConsentRecordInput!) { consentRecord(input: $input) { userErrors { code field message } } }",
            json!({ "contactPointId": point, "purpose": "MARKETING", "granted": granted, "method": "PAPER", "evidence": "sheet 7" }),
        )
        .await;
    }
    let place = &world.server.place;
    let text = succeed(place, ["export", "customers", "--format", "jsonl"]);
    let record: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(text.lines().count(), 1);
    assert_eq!(record["birthDate"], "L1990-05-23");
    assert_eq!(record["homeStore"], "bund");
    assert_eq!(record["address"]["lines"][0], "1 Long Road");
    assert_eq!(record["masked"], json!(false));
    let points = record["contactPoints"].as_array().unwrap();
    let values: BTreeSet<&str> = points
        .iter()
        .map(|point| point["value"].as_str().unwrap())
        .collect();
    assert_eq!(
        values,
        BTreeSet::from(["+8613812345678", "wei@example.com"])
    );
    for point in points {
        assert_eq!(point["consents"][0]["purpose"], "MARKETING");
        assert_eq!(point["consents"][0]["evidence"], "sheet 7");
    }
    let row = rows(&succeed(place, ["export", "customers"])).remove(0);
    assert_eq!(row["mobile"], "+8613812345678");
    assert_eq!(row["email"], "wei@example.com");
    assert_eq!(row["postal_code"], "200000");
    // One point says yes and another one no: a file that can say one thing says no.
    assert_eq!(row["consent_marketing"], "WITHDRAWN");
    assert_eq!(row["consent_care"], "");
    assert!(row["name"].starts_with("林 \"Wei\""), "{row:?}");
    let query = "query($customer: ID!) { auditEntries(filter: { customer: $customer, action: \"customer.read_contact\" }) { nodes { actorKind customerIds detail } } }";
    let entries = client
        .gql(Some(admin), query, json!({ "customer": customer }))
        .await;
    let by_command: Vec<Value> = entries.data()["auditEntries"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["actorKind"] == "SYSTEM")
        .cloned()
        .collect();
    assert_eq!(by_command.len(), 2, "one for each export");
    assert_eq!(by_command[0]["customerIds"], json!([customer]));
    // What changed before a day is not in a file of what changed since.
    let later = succeed(place, ["export", "customers", "--since", "2026-03-03"]);
    assert_eq!(later.lines().count(), 1, "the header only");
}

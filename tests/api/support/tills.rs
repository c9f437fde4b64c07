//! Tills that record visits at once, send again whatever was not answered, and know in the end what must be there.
//!
//! The larger sister is in `xtask`, for the proofs that take too long here.

use super::{Client, World};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const RECORD: &str = "mutation($input: VisitRecordInput!) { visitRecord(input: $input) { \
    visit { purchases { lines { name } } } userErrors { code field message } } }";
const VISITS: &str = "query($id: ID!, $after: String) { customer(id: $id) { totals { visits receipts net { amount } } \
    visits(first: 40, after: $after) { nodes { purchases { lines { name amount { amount } } } } \
    pageInfo { hasNextPage endCursor } } } }";

/// Tills at work.
#[derive(Debug)]
pub struct Tills {
    running: JoinSet<()>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    token: String,
    store: String,
    customers: Vec<String>,
    server: Mutex<Client>,
    stop: AtomicBool,
    answered: AtomicU32,
    failed: AtomicU32,
    book: Mutex<Book>,
}

/// What the tills know.
#[derive(Debug, Default)]
pub struct Book {
    /// Names of visits that were acknowledged, with their amounts in cents.
    acknowledged: BTreeMap<String, i64>,
    /// How many attempts failed, by code; `no answer` where none came.
    pub failures: BTreeMap<String, u32>,
}

impl Tills {
    /// Makes some customers and opens four tills that ask this server.
    pub async fn open(world: &World, server: &Client) -> Self {
        let query = "mutation($input: CustomerCreateInput!) { customerCreate(input: $input) { customer { id } userErrors { code field message } } }";
        let mut customers = Vec::new();
        for n in 0..5 {
            let variables = json!({ "input": { "fullName": format!("Customer {n}") } });
            let answer = world
                .server
                .client
                .gql(Some(world.token("ADMIN")), query, variables)
                .await;
            customers.push(
                answer.payload()["customer"]["id"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            );
        }
        let shared = Arc::new(Shared {
            // A process goes by the real clock, and a token by that of the server that gave it.
            token: super::world::sign_in(server, &super::world::email("ADMIN")).await,
            store: world.store.clone(),
            customers,
            server: Mutex::new(server.clone()),
            stop: AtomicBool::new(false),
            answered: AtomicU32::new(0),
            failed: AtomicU32::new(0),
            book: Mutex::new(Book::default()),
        });
        let mut running = JoinSet::new();
        for till in 0..4 {
            let shared = Arc::clone(&shared);
            running.spawn(async move { shared.work(till).await });
        }
        Self { running, shared }
    }

    /// Lets them ask another server from now on.
    pub fn turn_to(&self, server: &Client) {
        *self.shared.server.lock().unwrap() = server.clone();
    }

    /// Attempts that failed so far.
    pub fn failed(&self) -> u32 {
        self.shared.failed.load(Ordering::Relaxed)
    }

    /// Waits until this many more visits were acknowledged.
    pub async fn wait_for(&self, more: u32) {
        let (began, goal) = (
            Instant::now(),
            self.shared.answered.load(Ordering::Relaxed) + more,
        );
        while self.shared.answered.load(Ordering::Relaxed) < goal {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "no more visits are recorded: {:?}",
                self.shared.book.lock().unwrap().failures
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Asks a server for customers, which must be answered.
    pub async fn read(&self, server: &Client) {
        let list = "{ customers(first: 5) { nodes { id totals { visits } } } }";
        let answer = server.gql(Some(&self.shared.token), list, json!({})).await;
        let nodes = answer.data()["customers"]["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), self.shared.customers.len());
    }

    /// Waits until an attempt fails.
    pub async fn wait_for_failure(&self) {
        let began = Instant::now();
        while self.failed() == 0 {
            assert!(began.elapsed() < Duration::from_secs(60), "nothing fails");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Lets each till finish what it is at, and holds the books against the server: every visit is there once and
    /// whole, no other is, and the totals agree.
    pub async fn close(mut self, server: &Client) -> Book {
        self.shared.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.running.join_next().await {
            ended.unwrap();
        }
        let book = std::mem::take(&mut *self.shared.book.lock().unwrap());
        let mut seen = BTreeSet::new();
        for id in &self.shared.customers {
            self.check(server, id, &book, &mut seen).await;
        }
        assert_eq!(seen, book.acknowledged.keys().cloned().collect());
        book
    }

    async fn check(&self, server: &Client, id: &str, book: &Book, seen: &mut BTreeSet<String>) {
        let (mut visits, mut cents, mut after) = (0, 0, Value::Null);
        loop {
            let variables = json!({ "id": id, "after": after });
            let answer = server
                .gql(Some(&self.shared.token), VISITS, variables)
                .await;
            let customer = &answer.data()["customer"];
            for visit in customer["visits"]["nodes"].as_array().unwrap() {
                let lines = visit["purchases"][0]["lines"].as_array().unwrap();
                let name = lines[0]["name"].as_str().unwrap();
                let sum: i64 = lines.iter().map(|line| in_cents(&line["amount"])).sum();
                assert_eq!(book.acknowledged.get(name), Some(&sum), "{visit}");
                assert!(seen.insert(name.to_owned()), "{name} is there twice");
                visits += 1;
                cents += sum;
            }
            if customer["visits"]["pageInfo"]["hasNextPage"] == json!(true) {
                after = customer["visits"]["pageInfo"]["endCursor"].clone();
                continue;
            }
            let totals = &customer["totals"];
            assert_eq!(
                (
                    &totals["visits"],
                    &totals["receipts"],
                    in_cents(&totals["net"])
                ),
                (&json!(visits), &json!(visits), cents)
            );
            return;
        }
    }
}

fn in_cents(money: &Value) -> i64 {
    money["amount"]
        .as_str()
        .unwrap()
        .replace('.', "")
        .parse()
        .unwrap()
}

impl Shared {
    async fn work(&self, till: usize) {
        for number in 0.. {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let name = format!("till-{till}/{number}");
            let customer = &self.customers[(till + number) % self.customers.len()];
            let amount = |cents: usize| json!({ "amount": format!("{}.{:02}", cents / 100, cents % 100), "currencyCode": "USD" });
            let mut purchase = json!({ "lines": [
                { "name": name, "quantity": "1", "amount": amount(100 + number) },
                { "name": "Oolong", "quantity": "2", "amount": amount(till) },
            ] });
            // The others have nothing but their key to protect them from doubles.
            if till.is_multiple_of(2) {
                purchase["receipt"] =
                    json!({ "source": format!("till-{till}"), "number": number.to_string() });
            }
            let input = json!({
                "customerId": customer, "storeId": self.store, "purchase": purchase, "idempotencyKey": name,
            });
            self.send(&name, &json!({ "input": input })).await;
            let cents = i64::try_from(100 + number + till).unwrap();
            self.book.lock().unwrap().acknowledged.insert(name, cents);
            self.answered.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sends a visit until it is acknowledged.
    async fn send(&self, name: &str, variables: &Value) {
        let began = Instant::now();
        loop {
            let server = self.server.lock().unwrap().clone();
            let code = match server.try_gql(&self.token, RECORD, variables).await {
                None => "no answer".to_owned(),
                Some(answer) => match answer.codes().into_iter().next() {
                    Some(code) => code,
                    None => {
                        let visit = &answer.payload()["visit"];
                        assert_eq!(visit["purchases"][0]["lines"][0]["name"], json!(name));
                        return;
                    }
                },
            };
            self.failed.fetch_add(1, Ordering::Relaxed);
            *self.book.lock().unwrap().failures.entry(code).or_default() += 1;
            assert!(
                began.elapsed() < Duration::from_secs(90),
                "{name} is not taken"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

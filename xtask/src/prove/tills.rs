//! Many tills that record visits at once and send again whatever was not answered, and the book they keep of it.
//!
//! Each sale has an idempotency key, and on every other till a receipt's number too. Its name stands in its first line,
//! so that it is found again however it came in.

use super::chance::Chance;
use super::client::{Client, Trouble, amount, list, text_at};
use super::shop::Shop;
use crate::failure::Result;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;

const RECORD: &str = "mutation($input: VisitRecordInput!) { visitRecord(input: $input) { visit { id \
    purchases { lines { name amount { amount } } } } userErrors { code field message } } }";

/// Between a failure and the next try.
const AGAIN: Duration = Duration::from_millis(40);
/// How long a sale is tried once the tills are told to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// How tills work.
#[derive(Clone, Debug)]
pub struct Habits {
    /// How many.
    pub tills: u64,
    /// What their chance begins with.
    pub seed: u64,
    /// How many sales they make together at most.
    pub sales: u64,
    /// Once in how many unanswered attempts somebody gives up and never sends that sale again; 0 for never.
    pub gives_up: u64,
    /// The wait between two sales.
    pub rest: Duration,
}

/// A sale as it was sent.
#[derive(Clone, Debug)]
pub struct Sale {
    /// Its name in its first line.
    pub name: String,
    /// The customer's id.
    pub customer: String,
    /// What each line cost, in cents.
    pub lines: Vec<i64>,
    /// When it was sent for the first time: an attempt that was never answered may have been the one that was taken.
    pub sent: Instant,
    /// When it was answered well; none when somebody gave up on it.
    pub answered: Option<Instant>,
}

/// What came of all sales.
#[derive(Debug, Default)]
pub struct Book {
    /// Sales that were sent at least once.
    pub sales: Vec<Sale>,
    /// Attempts that failed, by their codes; `no answer` for those that were lost.
    pub failures: BTreeMap<String, u64>,
    /// Examples of answers with a code, one for each.
    pub examples: BTreeMap<String, String>,
    /// Answers that were wrong in themselves.
    pub wrong: Vec<String>,
}

impl Book {
    /// Sales that were acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.sales
            .iter()
            .filter(|sale| sale.answered.is_some())
            .count()
    }

    /// The failures in words.
    pub fn failures_in_words(&self) -> String {
        in_words(&self.failures)
    }

    /// The codes of failures other than these.
    pub fn codes_beyond(&self, foreseen: &[&str]) -> Vec<&str> {
        self.failures
            .keys()
            .map(String::as_str)
            .filter(|code| !foreseen.contains(code))
            .collect()
    }
}

/// Failed attempts by their codes, in words.
pub fn in_words(failures: &BTreeMap<String, u64>) -> String {
    if failures.is_empty() {
        return "no attempt failed".to_owned();
    }
    let each: Vec<String> = failures
        .iter()
        .map(|(code, count)| format!("{count} {code}"))
        .collect();
    format!("failed attempts: {}", each.join(", "))
}

/// Tills at work.
#[derive(Debug)]
pub struct Tills {
    running: JoinSet<()>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    shop: Shop,
    habits: Habits,
    servers: watch::Receiver<Vec<Client>>,
    stop: AtomicBool,
    begun: AtomicU64,
    acknowledged: AtomicU64,
    failed: AtomicU64,
    book: Mutex<Book>,
}

impl Tills {
    /// Opens them. `servers` tells whom to ask; one of them for each attempt.
    pub fn open(shop: &Shop, habits: Habits, servers: watch::Receiver<Vec<Client>>) -> Self {
        let shared = Arc::new(Shared {
            shop: shop.clone(),
            servers,
            stop: AtomicBool::new(false),
            begun: AtomicU64::new(0),
            acknowledged: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            book: Mutex::new(Book::default()),
            habits,
        });
        let mut running = JoinSet::new();
        for till in 0..shared.habits.tills {
            let shared = Arc::clone(&shared);
            running.spawn(async move { shared.work(till).await });
        }
        Self { running, shared }
    }

    /// Sales acknowledged so far.
    pub fn acknowledged(&self) -> u64 {
        self.shared.acknowledged.load(Ordering::Relaxed)
    }

    /// Attempts that failed so far.
    pub fn failed(&self) -> u64 {
        self.shared.failed.load(Ordering::Relaxed)
    }

    /// Waits until that many more sales were acknowledged; gives how long it took.
    pub async fn wait_for(&self, more: u64, within: Duration) -> Result<Duration> {
        let (began, goal) = (Instant::now(), self.acknowledged() + more);
        while self.acknowledged() < goal {
            ensure!(
                began.elapsed() < within,
                "no {more} more sales within {within:?}; {}",
                self.shared.with_book(|book| format!(
                    "{}; {:?}",
                    book.failures_in_words(),
                    book.examples
                ))
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(began.elapsed())
    }

    /// Waits until all sales are made.
    pub async fn wait_for_all(mut self) -> Book {
        while self.running.join_next().await.is_some() {}
        self.shared.with_book(std::mem::take)
    }

    /// Lets each till finish the sale it is at and closes it; there must be a server that answers.
    pub async fn close(self) -> Book {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.wait_for_all().await
    }
}

impl Shared {
    fn with_book<T>(&self, work: impl FnOnce(&mut Book) -> T) -> T {
        work(&mut self.book.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn work(&self, till: u64) {
        let mut chance = Chance::new(self.habits.seed.wrapping_mul(1_000_003).wrapping_add(till));
        for number in 0.. {
            let stopped = self.stop.load(Ordering::Relaxed);
            if stopped || self.begun.fetch_add(1, Ordering::Relaxed) >= self.habits.sales {
                return;
            }
            let (mut sale, input) = self.think_up(till, number, &mut chance);
            self.send(&mut sale, &input, &mut chance).await;
            self.with_book(|book| book.sales.push(sale));
            tokio::time::sleep(self.habits.rest).await;
        }
    }

    fn think_up(&self, till: u64, number: u64, chance: &mut Chance) -> (Sale, Value) {
        let name = format!("till-{till}/{number}");
        let place = chance.below(self.shop.customers.len() as u64);
        let customer = usize::try_from(place)
            .ok()
            .and_then(|place| self.shop.customers.get(place))
            .cloned()
            .unwrap_or_default();
        let lines: Vec<i64> = (0..chance.between(1, 4))
            .map(|_| i64::try_from(chance.between(1, 20_000)).unwrap_or(1))
            .collect();
        let told: Vec<Value> = lines
            .iter()
            .enumerate()
            .map(|(n, cents)| {
                let name = if n == 0 { name.as_str() } else { "Oolong" };
                json!({ "name": name, "quantity": "1", "amount": { "amount": amount(*cents), "currencyCode": "USD" } })
            })
            .collect();
        let mut purchase = json!({ "lines": told });
        // The others have nothing but their key to protect them from doubles.
        if till.is_multiple_of(2)
            && let Some(purchase) = purchase.as_object_mut()
        {
            let receipt = json!({ "source": format!("till-{till}"), "number": number.to_string() });
            purchase.insert("receipt".to_owned(), receipt);
        }
        let input = json!({
            "customerId": customer, "storeId": self.shop.store, "purchase": purchase,
            "idempotencyKey": format!("{}-{name}", self.habits.seed),
        });
        let sale = Sale {
            name,
            customer,
            lines,
            sent: Instant::now(),
            answered: None,
        };
        (sale, input)
    }

    /// Sends a sale until it is answered well, or somebody gives up.
    async fn send(&self, sale: &mut Sale, input: &Value, chance: &mut Chance) {
        let variables = json!({ "input": input });
        let mut stopped: Option<Instant> = None;
        loop {
            let servers = self.servers.borrow().clone();
            let place = usize::try_from(chance.below(servers.len() as u64)).unwrap_or_default();
            let Some(server) = servers.get(place) else {
                tokio::time::sleep(AGAIN).await;
                continue;
            };
            let answer = server.ask(Some(&self.shop.token), RECORD, &variables).await;
            match answer {
                Ok(data) => {
                    sale.answered = Some(Instant::now());
                    if let Err(wrong) = check(sale, &data) {
                        self.with_book(|book| book.wrong.push(wrong.to_string()));
                    }
                    self.acknowledged.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                Err(trouble) => self.note(trouble),
            }
            if self.habits.gives_up > 0 && chance.once_in(self.habits.gives_up) {
                return;
            }
            if self.stop.load(Ordering::Relaxed)
                && stopped.get_or_insert_with(Instant::now).elapsed() > PATIENCE
            {
                let name = &sale.name;
                self.with_book(|book| {
                    book.wrong.push(format!(
                        "{name} was not taken in {PATIENCE:?} after all was well again"
                    ));
                });
                return;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    fn note(&self, trouble: Trouble) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.with_book(|book| match trouble {
            Trouble::Lost(why) => {
                *book.failures.entry("no answer".to_owned()).or_default() += 1;
                book.examples.entry("no answer".to_owned()).or_insert(why);
            }
            Trouble::Refused { codes, text } => {
                for code in codes {
                    *book.failures.entry(code.clone()).or_default() += 1;
                    book.examples.entry(code).or_insert_with(|| text.clone());
                }
            }
        });
    }
}

/// Does the answer tell of the sale that was sent?
fn check(sale: &Sale, data: &Value) -> Result<()> {
    let payload = data.pointer("/visitRecord").unwrap_or(&Value::Null);
    ensure!(
        list(payload, "/userErrors").is_empty(),
        "{} was refused: {payload}",
        sale.name
    );
    let lines = list(payload, "/visit/purchases/0/lines");
    ensure!(
        lines.len() == sale.lines.len()
            && lines
                .first()
                .is_some_and(|line| text_at(line, "/name") == sale.name),
        "{} was answered with {payload}",
        sale.name
    );
    Ok(())
}

//! Programs that follow the visits of a store: they keep the last position, and go on behind it on any node that lives
//! whenever they are cut off.
//!
//! Used by `live_killed.rs`. Each keeps notes of what it was told and of what went wrong; it judges nothing.

use super::chance::Chance;
use super::client::{Client, Trouble, text_at};
use super::event_stream::{EventStream, Said};
use super::shop::Shop;
use crate::failure::{During, Result};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;

const VISITS: &str = "subscription($store: ID!, $after: EventPosition) { visitRecorded(storeId: $store, after: $after) { \
    position visit { customer { id } purchases { lines { name } } } } }";

/// Between a failure and the next try.
const AGAIN: Duration = Duration::from_millis(50);
/// Once in how many visits one of them hangs up by itself, and for how many milliseconds at most.
const HANGS_UP: u64 = 500;
const AWAY_MS: u64 = 3000;

/// A visit as it was told.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its place in the order of events.
    pub position: i64,
    /// The name of the sale.
    pub name: String,
    /// The customer's id.
    pub customer: String,
    /// When it was told.
    pub at: Instant,
}

/// What one of them noted.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// What it was told, in the order in which it was.
    pub told: Vec<Told>,
    /// Connections that were cut off.
    pub cut_off: u64,
    /// Times that it hung up by itself.
    pub hung_up: u64,
    /// Refusals and failures to connect, by their codes.
    pub failures: BTreeMap<String, u64>,
    /// Answers that were wrong in themselves.
    pub wrong: Vec<String>,
}

impl Notes {
    /// The longest time between two visits that were told.
    pub fn longest_silence(&self) -> Duration {
        let pairs = self.told.iter().zip(self.told.iter().skip(1));
        pairs
            .map(|(one, next)| next.at.saturating_duration_since(one.at))
            .max()
            .unwrap_or_default()
    }

    /// The most visits that were told within a second.
    pub fn most_in_a_second(&self) -> usize {
        let mut first = 0;
        let mut most = 0;
        for (last, told) in self.told.iter().enumerate() {
            let is_older =
                |older: &Told| told.at.saturating_duration_since(older.at) > Duration::from_secs(1);
            while self.told.get(first).is_some_and(is_older) {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        most
    }
}

/// How they follow.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// How many.
    pub count: usize,
    /// What their chance begins with.
    pub seed: u64,
    /// The position behind which all of them begin.
    pub start: i64,
    /// How late the last of them comes.
    pub late: Duration,
}

/// Programs that follow.
#[derive(Debug)]
pub struct Subscribers {
    _running: JoinSet<()>,
    notes: Vec<Arc<Mutex<Notes>>>,
}

impl Subscribers {
    /// Has them begin. `servers` tells whom to ask.
    pub fn begin(shop: &Shop, manner: Manner, servers: &watch::Receiver<Vec<Client>>) -> Self {
        let (mut running, mut all) = (JoinSet::new(), Vec::new());
        for number in 0..manner.count {
            let notes = Arc::new(Mutex::new(Notes::default()));
            all.push(Arc::clone(&notes));
            let subscriber = Subscriber {
                token: shop.token.clone(),
                store: shop.store.clone(),
                servers: servers.clone(),
                chance: Chance::new(manner.seed.wrapping_mul(7919).wrapping_add(number as u64)),
                after: manner.start,
                notes,
            };
            let late = if number + 1 == manner.count {
                manner.late
            } else {
                Duration::ZERO
            };
            running.spawn(async move {
                tokio::time::sleep(late).await;
                subscriber.follow().await;
            });
        }
        Self {
            _running: running,
            notes: all,
        }
    }

    /// Waits until each has been told of a position, or until it is too late for that, and a moment more for what must not
    /// come; gives their notes.
    pub async fn finish(self, position: i64, within: Duration) -> Vec<Notes> {
        let began = Instant::now();
        let all_there = || {
            self.notes.iter().all(|notes| {
                let last = with(notes, |notes| notes.told.last().map(|told| told.position));
                last.is_some_and(|last| last >= position)
            })
        };
        while !all_there() && began.elapsed() < within {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.notes
            .iter()
            .map(|notes| with(notes, std::mem::take))
            .collect()
    }
}

fn with<T>(notes: &Mutex<Notes>, work: impl FnOnce(&mut Notes) -> T) -> T {
    work(&mut notes.lock().unwrap_or_else(PoisonError::into_inner))
}

struct Subscriber {
    token: String,
    store: String,
    servers: watch::Receiver<Vec<Client>>,
    chance: Chance,
    after: i64,
    notes: Arc<Mutex<Notes>>,
}

impl Subscriber {
    async fn follow(mut self) {
        loop {
            let servers = self.servers.borrow().clone();
            let place = usize::try_from(self.chance.below(servers.len() as u64)).unwrap_or(0);
            let Some(server) = servers.get(place) else {
                tokio::time::sleep(AGAIN).await;
                continue;
            };
            let variables = json!({ "store": self.store, "after": self.after.to_string() });
            match server.follow(&self.token, VISITS, &variables).await {
                Ok(stream) => self.listen(stream).await,
                Err(trouble) => self.note(trouble),
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Listens until it is cut off, or hangs up.
    async fn listen(&mut self, mut stream: EventStream) {
        loop {
            match stream.next().await {
                Said::Next(Ok(data)) => match told(&data) {
                    Ok(told) => {
                        self.after = told.position;
                        with(&self.notes, |notes| notes.told.push(told));
                    }
                    Err(wrong) => {
                        with(&self.notes, |notes| notes.wrong.push(wrong.to_string()));
                        return;
                    }
                },
                // What is told after an error is that there is no more.
                Said::Next(Err(trouble)) => return self.note(trouble),
                Said::Complete => {
                    let wrong = "a subscription without an end was called complete".to_owned();
                    return with(&self.notes, |notes| notes.wrong.push(wrong));
                }
                Said::CutOff => return with(&self.notes, |notes| notes.cut_off += 1),
            }
            if self.chance.once_in(HANGS_UP) {
                with(&self.notes, |notes| notes.hung_up += 1);
                drop(stream);
                let away = Duration::from_millis(self.chance.below(AWAY_MS));
                return tokio::time::sleep(away).await;
            }
        }
    }

    fn note(&self, trouble: Trouble) {
        let codes = match trouble {
            Trouble::Lost(_) => vec!["no answer".to_owned()],
            Trouble::Refused { codes, .. } => codes,
        };
        with(&self.notes, |notes| {
            for code in codes {
                *notes.failures.entry(code).or_default() += 1;
            }
        });
    }
}

fn told(data: &Value) -> Result<Told> {
    let visit = data.pointer("/visitRecorded").during("no visit was told")?;
    Ok(Told {
        position: text_at(visit, "/position")
            .parse()
            .during(format!("no position in {visit:.300}"))?,
        name: text_at(visit, "/visit/purchases/0/lines/0/name").to_owned(),
        customer: text_at(visit, "/visit/customer/id").to_owned(),
        at: Instant::now(),
    })
}

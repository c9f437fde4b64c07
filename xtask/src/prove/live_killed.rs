//! Whoever follows the visits of a store hears of each once and in order, though the nodes that tell of them are killed.
//!
//! On PostgreSQL two nodes, one of which lives; on SQLite the only one, which is started again at once.

use super::chance::Chance;
use super::client::{Client, text_at};
use super::node::Node;
use super::order::{self, Sequenced};
use super::place::{Engine, Place};
use super::shop::Shop;
use super::subscribers::{Manner, Notes, Subscribers, Told};
use super::tills::{Book, Habits, Sale, Tills, in_words};
use super::{Site, Verdict, books, tell};
use crate::failure::{During, Result};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};
use tokio::sync::watch;

const TILLS: u64 = 16;
const SUBSCRIBERS: usize = 6;
/// Milliseconds from one kill to the next, and for how many the killed one stays away on PostgreSQL.
const PAUSE_MS: (u64, u64) = (5_000, 15_000);
const AWAY_MS: u64 = 3_000;
/// How long tills may need beyond the time of the kills.
const TILLS_WITHIN: Duration = Duration::from_secs(300);
/// Once every visit has its position: within which time everybody must have been told of it.
const TOLD_WITHIN: Duration = Duration::from_secs(60);

/// Proves it.
pub async fn prove(site: &Site, engine: Engine) -> Result<Verdict> {
    site.in_place(engine, async |place| prove_in(site, place).await)
        .await?;
    Ok(Verdict::Proved(Vec::new()))
}

async fn prove_in(site: &Site, place: &Place) -> Result<()> {
    let engine = place.engine;
    let mut nodes = vec![place.serve().await?];
    if engine == Engine::Postgres {
        nodes.push(place.serve().await?);
    }
    let (servers, seen) = watch::channel(clients(&nodes));
    let first = servers.borrow().first().cloned().during("no node")?;
    let shop = Shop::open(place, &first, 50).await?;
    let time = Duration::from_secs(site.seconds);
    let manner = Manner {
        count: SUBSCRIBERS,
        seed: site.seed,
        start: position(&shop, &first).await?,
        late: time / 2,
    };
    let subscribers = Subscribers::begin(&shop, manner, &seen);
    // Spread over the time of the kills, of which answers and second attempts take a part.
    let rest = site.seconds * 1000 * TILLS * 4 / 5 / site.visits.max(1);
    let habits = Habits {
        tills: TILLS,
        seed: site.seed,
        sales: site.visits,
        gives_up: 0,
        rest: Duration::from_millis(rest),
    };
    let tills = Tills::open(&shop, habits, seen);
    let kills = kill_in_turn(site, place, &mut nodes, &servers).await?;
    let book = tokio::time::timeout(TILLS_WITHIN, tills.wait_for_all())
        .await
        .during(format!("the tills are not through {TILLS_WITHIN:?} later"))?;
    let look = place.look().await?;
    order::settled(&look).await?;
    let order = order::of(&look).await?;
    let last = order.last().map_or(0, |event| event.position);
    let notes = subscribers.finish(last, TOLD_WITHIN).await;
    tell_figures(engine, nodes.len(), &kills, &book, &notes);
    let beyond = book.codes_beyond(&["no answer", "UNAVAILABLE"]);
    ensure!(
        beyond.is_empty(),
        "visits failed with {beyond:?}: {:?}",
        book.examples
    );
    let found = books::check(&shop, &clients(&nodes).pop().during("no node")?, &book).await?;
    tell(engine, found);
    let pairs = order::check(&book, &order)?;
    for (number, notes) in notes.iter().enumerate() {
        check_failures(notes).during(format!("subscriber {number}"))?;
        check_told(&notes.told, &order, &book).during(format!("subscriber {number}"))?;
    }
    tell(
        engine,
        format!(
            "each of {SUBSCRIBERS} subscribers was told of all {} visits, none missing, doubled or unknown, by their \
             positions; those of one customer as they were recorded, as acknowledgments say in {pairs} cases",
            order.len()
        ),
    );
    nodes.iter_mut().try_for_each(Node::still_runs)
}

fn clients(nodes: &[Node]) -> Vec<Client> {
    nodes.iter().map(|node| node.client.clone()).collect()
}

async fn position(shop: &Shop, client: &Client) -> Result<i64> {
    let data = client
        .ask(Some(&shop.token), "{ eventPosition }", &Value::Null)
        .await?;
    Ok(text_at(&data, "/eventPosition").parse()?)
}

/// What killing came to.
#[derive(Debug, Default)]
struct Kills {
    count: u32,
    starts: Duration,
}

/// Kills one node after another, any of them, and starts it again, until the time is up.
async fn kill_in_turn(
    site: &Site,
    place: &Place,
    nodes: &mut Vec<Node>,
    servers: &watch::Sender<Vec<Client>>,
) -> Result<Kills> {
    let mut chance = Chance::new(site.seed);
    let mut kills = Kills::default();
    let end = Instant::now() + Duration::from_secs(site.seconds);
    loop {
        let pause = Duration::from_millis(chance.between(PAUSE_MS.0, PAUSE_MS.1));
        let left = end.saturating_duration_since(Instant::now());
        tokio::time::sleep(pause.min(left)).await;
        if pause >= left {
            break;
        }
        let which = usize::try_from(chance.below(nodes.len() as u64)).unwrap_or(0);
        nodes.swap_remove(which).kill().await?;
        // Whoever asked it finds out for themselves, and by then is told who lives.
        servers.send_replace(clients(nodes));
        if !nodes.is_empty() {
            tokio::time::sleep(Duration::from_millis(chance.below(AWAY_MS))).await;
        }
        let began = Instant::now();
        nodes.push(place.serve().await?);
        kills.starts += began.elapsed();
        kills.count += 1;
        servers.send_replace(clients(nodes));
    }
    ensure!(
        kills.count > 0,
        "{} s leave no time to kill anything: give more --seconds",
        site.seconds
    );
    Ok(kills)
}

fn tell_figures(engine: Engine, nodes: usize, kills: &Kills, book: &Book, notes: &[Notes]) {
    let whom = match nodes {
        1 => "the only node".to_owned(),
        nodes => format!("one of {nodes} nodes"),
    };
    tell(
        engine,
        format!(
            "{} visits by {TILLS} tills while {whom} was killed, {} times; {}; started again in {:.0} ms on average",
            book.acknowledged(),
            kills.count,
            book.failures_in_words(),
            kills.starts.as_secs_f64() * 1000.0 / f64::from(kills.count.max(1)),
        ),
    );
    let sum = |of: fn(&Notes) -> u64| notes.iter().map(of).sum::<u64>();
    let (cut_off, hung_up) = (sum(|notes| notes.cut_off), sum(|notes| notes.hung_up));
    let mut failures: BTreeMap<String, u64> = BTreeMap::new();
    for (code, count) in notes.iter().flat_map(|notes| &notes.failures) {
        *failures.entry(code.clone()).or_default() += count;
    }
    let most = notes.iter().map(Notes::most_in_a_second).max().unwrap_or(0);
    let silence = notes.iter().map(Notes::longest_silence).max();
    let (longest, half) = delays(book, notes);
    tell(
        engine,
        format!(
            "{} subscribers went on {} times behind their position: {cut_off} times cut off, {hung_up} times after they \
             had hung up; {}; the longest gap between two visits told was {:.1} s; half were told within {:.0} ms of the \
             till's answer, the last after {:.1} s; one was told of {most} in a second at most",
            notes.len(),
            cut_off + hung_up,
            in_words(&failures),
            silence.unwrap_or_default().as_secs_f64(),
            half.as_secs_f64() * 1000.0,
            longest.as_secs_f64(),
        ),
    );
}

/// How long after the till's answer a visit was told: at most, and half of them. The one who comes late does not count.
fn delays(book: &Book, notes: &[Notes]) -> (Duration, Duration) {
    let sales = by_name(book);
    let in_time = notes.iter().take(notes.len().saturating_sub(1));
    let mut delays: Vec<Duration> = in_time
        .flat_map(|notes| &notes.told)
        .filter_map(|told| {
            let answered = sales.get(told.name.as_str())?.answered?;
            Some(told.at.saturating_duration_since(answered))
        })
        .collect();
    delays.sort_unstable();
    (
        delays.last().copied().unwrap_or_default(),
        delays.get(delays.len() / 2).copied().unwrap_or_default(),
    )
}

fn by_name(book: &Book) -> HashMap<&str, &Sale> {
    let named = book.sales.iter().map(|sale| (sale.name.as_str(), sale));
    named.collect()
}

/// Nothing may go wrong but what a kill explains.
fn check_failures(notes: &Notes) -> Result<()> {
    if let Some(wrong) = notes.wrong.first() {
        fail!("{} wrong answers, the first: {wrong}", notes.wrong.len());
    }
    let beyond: Vec<&String> = notes
        .failures
        .keys()
        .filter(|code| !["no answer", "UNAVAILABLE"].contains(&code.as_str()))
        .collect();
    ensure!(beyond.is_empty(), "it was refused with {beyond:?}");
    Ok(())
}

/// Was each visit told once, with its own position and customer, those before it first, and no other?
fn check_told(told: &[Told], order: &[Sequenced], book: &Book) -> Result<()> {
    let sales = by_name(book);
    let recorded: HashMap<i64, &str> = order
        .iter()
        .map(|event| (event.position, event.name.as_str()))
        .collect();
    let mut seen = HashSet::new();
    for told in told {
        let Told { position, name, .. } = told;
        ensure!(
            recorded.get(position) == Some(&name.as_str()),
            "it was told of {name} at position {position}, which was not recorded there"
        );
        let customer = sales.get(name.as_str()).map(|sale| sale.customer.as_str());
        ensure!(
            customer == Some(told.customer.as_str()),
            "it was told that {name} is of {}, and it is of {customer:?}",
            told.customer
        );
        ensure!(
            seen.insert(*position),
            "it was told of {name} at position {position} twice"
        );
    }
    let lost: Vec<i64> = order
        .iter()
        .map(|event| event.position)
        .filter(|position| !seen.contains(position))
        .collect();
    ensure!(
        lost.is_empty(),
        "it was never told of {} of {} visits, such as the one at position {:?}",
        lost.len(),
        order.len(),
        lost.first()
    );
    for (one, next) in told.iter().zip(told.iter().skip(1)) {
        ensure!(
            one.position < next.position,
            "it was told of position {} after {}",
            next.position,
            one.position
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(position: i64) -> Told {
        Told {
            position,
            name: format!("till/{position}"),
            customer: "ann".to_owned(),
            at: Instant::now(),
        }
    }

    fn judge(positions: &[i64], change: impl FnOnce(&mut Vec<Told>)) -> String {
        let all = [2, 5, 9];
        let order: Vec<Sequenced> = all
            .iter()
            .map(|position| Sequenced::new(*position, format!("till/{position}")))
            .collect();
        let sale = |position: &i64| Sale {
            name: format!("till/{position}"),
            customer: "ann".to_owned(),
            lines: Vec::new(),
            sent: Instant::now(),
            answered: None,
        };
        let book = Book {
            sales: all.iter().map(sale).collect(),
            ..Book::default()
        };
        let mut told: Vec<Told> = positions.iter().copied().map(told).collect();
        change(&mut told);
        match check_told(&told, &order, &book) {
            Ok(()) => String::new(),
            Err(failure) => failure.to_string(),
        }
    }

    #[test]
    fn each_rule_that_is_broken_is_named() {
        let as_is = |_: &mut Vec<Told>| {};
        assert_eq!(judge(&[2, 5, 9], as_is), "");
        assert!(judge(&[2, 9], as_is).contains("never told of 1 of 3"));
        assert!(judge(&[2, 5, 5, 9], as_is).contains("position 5 twice"));
        assert!(judge(&[2, 5, 7, 9], as_is).contains("not recorded there"));
        assert!(judge(&[5, 2, 9], as_is).contains("position 2 after 5"));
        let swap = |told: &mut Vec<Told>| told[1].customer = "bob".to_owned();
        assert!(judge(&[2, 5, 9], swap).contains("is of bob"));
    }
}

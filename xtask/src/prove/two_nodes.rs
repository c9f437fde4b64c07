//! Two nodes on one database: the order of events, and whoever is switched off on one is out on the other.

use super::books;
use super::client::{Client, Trouble};
use super::place::{Engine, Look, Place};
use super::shop::{Shop, sign_in};
use super::tills::{Book, Habits, Tills};
use super::{Site, Verdict, tell};
use crate::failure::{During, Result};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How many accounts are switched off.
const SWITCHED_OFF: u32 = 20;
/// Within which time each must be out everywhere.
const OUT_WITHIN: Duration = Duration::from_secs(2);
/// The longest that events may wait for their positions once nothing more is written.
const SEQUENCED_WITHIN: Duration = Duration::from_secs(30);

/// Proves it.
pub async fn prove(site: &Site, engine: Engine) -> Result<Verdict> {
    site.in_place(engine, async |place| prove_in(site, place).await)
        .await?;
    Ok(Verdict::Proved(Vec::new()))
}

async fn prove_in(site: &Site, place: &Place) -> Result<()> {
    let (mut one, mut other) = (place.serve().await?, place.serve().await?);
    let shop = Shop::open(place, &one.client, 50).await?;
    events(site, place, &shop, [&one.client, &other.client]).await?;
    switching_off(place.engine, &shop, &one.client, &other.client).await?;
    one.still_runs()?;
    other.still_runs()
}

async fn events(site: &Site, place: &Place, shop: &Shop, nodes: [&Client; 2]) -> Result<()> {
    let engine = place.engine;
    let follower = Follower::start(place.look().await?);
    let (_servers, seen) = watch::channel(nodes.map(Client::clone).to_vec());
    let habits = Habits {
        tills: 16,
        seed: site.seed,
        // Each visit writes two events: that it was recorded, and that the customer is here.
        sales: site.events.div_ceil(2),
        gives_up: 0,
        rest: Duration::ZERO,
    };
    let began = Instant::now();
    let book = Tills::open(shop, habits, seen).wait_for_all().await;
    let seconds = began.elapsed().as_secs_f64();
    tell(
        engine,
        format!(
            "{} visits through both nodes in {seconds:.1} s; {}",
            book.acknowledged(),
            book.failures_in_words()
        ),
    );
    let beyond = book.codes_beyond(&["UNAVAILABLE"]);
    ensure!(
        beyond.is_empty(),
        "visits failed with {beyond:?}: {:?}",
        book.examples
    );
    books::check(shop, nodes[0], &book).await?;
    let look = place.look().await?;
    let waited = Instant::now();
    while look
        .number("select count(*) as number from event where position is null")
        .await?
        > 0
    {
        ensure!(
            waited.elapsed() < SEQUENCED_WITHIN,
            "events still wait for their positions"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let all = look.number("select count(*) as number from event").await?;
    let last = look
        .number("select max(position) as number from event")
        .await?;
    let different = look
        .number("select count(distinct position) as number from event")
        .await?;
    ensure!(
        all == last && all == different,
        "{all} events have {different} positions up to {last}"
    );
    let followed = follower.stop(last).await?;
    ensure!(
        followed == (1..=last).collect::<Vec<_>>(),
        "who read by position while all was written saw {} of {last} events, or not in their order",
        followed.len()
    );
    let order = order(&look).await?;
    let pairs = check_order(&book, &order)?;
    tell(
        engine,
        format!(
            "{all} events at positions 1 to {last}, none missing or twice, none seen late by a reader that followed; each \
             customer's events stand as they were committed, and as their acknowledgments say in {pairs} cases"
        ),
    );
    Ok(())
}

/// A visit's event.
struct Sequenced {
    customer: String,
    position: i64,
    id: i64,
    recorded_at: String,
    name: String,
}

async fn order(look: &Look) -> Result<Vec<Sequenced>> {
    // As they stand in the table: the time of SQLite is a text that sorts as time does, and so does this one.
    let (customer, recorded_at) = match look.engine() {
        Engine::Sqlite => ("hex(e.customer_id)", "v.recorded_at"),
        Engine::Postgres => (
            "cast(e.customer_id as text)",
            "to_char(v.recorded_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",
        ),
    };
    let sql = format!(
        "select {customer} as customer, cast(e.position as text) as position, cast(e.id as text) as id, \
         {recorded_at} as recorded_at, l.name as name from event e join visit v on v.id = e.subject_id \
         join purchase p on p.visit_id = v.id join purchase_line l on l.purchase_id = p.id and l.line = 1 \
         where e.kind = 'visit.recorded' order by e.position"
    );
    let columns = ["customer", "position", "id", "recorded_at", "name"];
    let rows = look.rows(&sql, &columns).await?;
    rows.into_iter()
        .map(|row| {
            let mut texts = row.into_iter().flatten();
            let mut text = || texts.next().during("a column without a value");
            Ok(Sequenced {
                customer: text()?,
                position: text()?.parse()?,
                id: text()?.parse()?,
                recorded_at: text()?,
                name: text()?,
            })
        })
        .collect()
}

/// Holds positions against three witnesses of the order of commits, customer by customer: the ids and the times that
/// were drawn under the customer's lock, and the tills: who was answered before another one was sent was committed
/// before it. Gives how many times a till could bear witness.
fn check_order(book: &Book, order: &[Sequenced]) -> Result<usize> {
    let mut by_customer: HashMap<&str, Vec<&Sequenced>> = HashMap::new();
    for event in order {
        by_customer.entry(&event.customer).or_default().push(event);
    }
    let sales: HashMap<&str, (Instant, Instant)> = book
        .sales
        .iter()
        .filter_map(|sale| Some((sale.name.as_str(), (sale.sent, sale.answered?))))
        .collect();
    ensure!(
        order.len() == sales.len(),
        "{} visits have {} events",
        sales.len(),
        order.len()
    );
    let mut pairs = 0;
    for events in by_customer.values() {
        // Positions rise along `events`; so must everything else.
        for (earlier, later) in events.iter().zip(events.iter().skip(1)) {
            ensure!(
                earlier.id < later.id && earlier.recorded_at <= later.recorded_at,
                "events {} and {} of one customer stand the wrong way round",
                earlier.position,
                later.position
            );
        }
        let mut newest_sent: Option<(Instant, &Sequenced)> = None;
        for event in events {
            let (sent, answered) = *sales.get(event.name.as_str()).during(format!(
                "an event of a visit that nobody sent: {}",
                event.name
            ))?;
            if let Some((newest, before)) = newest_sent {
                ensure!(
                    answered >= newest,
                    "{} was answered before {} was sent, and stands behind it",
                    event.name,
                    before.name
                );
                pairs += 1;
            }
            if newest_sent.is_none_or(|(newest, _)| sent > newest) {
                newest_sent = Some((sent, event));
            }
        }
    }
    Ok(pairs)
}

/// Reads events by position while they are written, as everyone does who lives from them.
struct Follower {
    stop: Arc<AtomicBool>,
    reading: tokio::task::JoinHandle<Result<Vec<i64>>>,
    goal: watch::Sender<i64>,
}

impl Follower {
    fn start(look: Look) -> Self {
        let (goal, reach) = watch::channel(i64::MAX);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let reading = tokio::spawn(async move {
            let mut seen: Vec<i64> = Vec::new();
            loop {
                let last = seen.last().copied().unwrap_or_default();
                if last >= *reach.borrow() || stopped.load(Ordering::Relaxed) {
                    return Ok(seen);
                }
                let sql = format!(
                    "select cast(position as text) as position from event where position > {last} order by event.position limit 500"
                );
                for row in look.rows(&sql, &["position"]).await? {
                    let text = row.into_iter().next().flatten().during("no position")?;
                    seen.push(text.parse()?);
                }
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
        });
        Self {
            stop,
            reading,
            goal,
        }
    }

    /// Lets it read up to a position; gives all positions it has seen, in the order in which it saw them.
    async fn stop(self, last: i64) -> Result<Vec<i64>> {
        self.goal.send_replace(last);
        let stop = self.stop;
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(10)).await;
            stop.store(true, Ordering::Relaxed);
        });
        self.reading.await?
    }
}

async fn switching_off(engine: Engine, shop: &Shop, one: &Client, other: &Client) -> Result<()> {
    let off = "mutation($id: ID!) { staffDisable(input: { id: $id }) { userErrors { code field message } } }";
    let who = "{ viewer { __typename } }";
    let mut longest = Duration::ZERO;
    for n in 0..SWITCHED_OFF {
        let email = format!("ann-{n}@shop.example");
        let id = shop.hire(one, &email).await?;
        let token = sign_in(other, &email).await?;
        other.ask(Some(&token), who, &Value::Null).await?;
        one.ask(Some(&shop.token), off, &json!({ "id": id }))
            .await?;
        let switched_off = Instant::now();
        loop {
            match other.ask(Some(&token), who, &Value::Null).await {
                Ok(_) => {}
                Err(Trouble::Refused { codes, .. }) if codes == ["UNAUTHENTICATED"] => break,
                Err(trouble) => return Err(trouble.into()),
            }
            ensure!(
                switched_off.elapsed() < OUT_WITHIN,
                "somebody switched off on one node is still in on the other after {OUT_WITHIN:?}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        longest = longest.max(switched_off.elapsed());
    }
    tell(
        engine,
        format!(
            "switched off on one node, {SWITCHED_OFF} accounts were out on the other after at most {:.0} ms",
            longest.as_secs_f64() * 1000.0
        ),
    );
    Ok(())
}

//! Two nodes on one database: the order of events, and whoever is switched off on one is out on the other.

use super::client::{Client, Trouble};
use super::place::{Engine, Look, Place};
use super::shop::{Shop, sign_in};
use super::tills::{Habits, Tills};
use super::{Site, Verdict, books, order, tell};
use crate::failure::{During, Result};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How many accounts are switched off.
const SWITCHED_OFF: u32 = 20;
/// Within which time each must be out everywhere.
const OUT_WITHIN: Duration = Duration::from_secs(2);

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
    order::settled(&look).await?;
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
    let pairs = order::check(&book, &order::of(&look).await?)?;
    tell(
        engine,
        format!(
            "{all} events at positions 1 to {last}, none missing or twice, none seen late by a reader that followed; each \
             customer's events stand as they were committed, and as their acknowledgments say in {pairs} cases"
        ),
    );
    Ok(())
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

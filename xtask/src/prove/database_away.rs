//! A database that goes away and comes back, again and again, under load: nothing is lost, nothing doubled, and every
//! error says to try again.

use super::books;
use super::chance::Chance;
use super::node::Node;
use super::place::{Engine, Place};
use super::proxy::{Line, Proxy, split_address};
use super::shop::Shop;
use super::tills::{Habits, Tills};
use super::{Site, Verdict, tell};
use crate::failure::{During, Result};
use std::time::{Duration, Instant};
use tokio::sync::watch;

const ENGINE: Engine = Engine::Postgres;
/// The longest that writes may take to go on once the database is back.
const RESUMED_WITHIN: Duration = Duration::from_secs(30);
/// The longest that /readyz may take to say that it is away.
const NOTICED_WITHIN: Duration = Duration::from_secs(10);

/// Proves it.
pub async fn prove(site: &Site) -> Result<Verdict> {
    site.in_place(ENGINE, async |place| prove_in(site, place).await)
        .await?;
    Ok(Verdict::Proved(Vec::new()))
}

async fn prove_in(site: &Site, place: &Place) -> Result<()> {
    let url = place.url.as_deref().during("no address of a database")?;
    let (target, with) = split_address(url)?;
    let proxy = Proxy::start(target).await?;
    let mut command = place.command();
    command
        .env("DATABASE_URL", with(proxy.address))
        // What hangs is given up soon, so that a line gone silent is an error within the time of this proof.
        .env("REGULARS_OPERATION_TIMEOUT", "5s");
    let mut node = Node::start(place, command).await?;
    let shop = Shop::open(place, &node.client, 40).await?;
    let (_servers, seen) = watch::channel(vec![node.client.clone()]);
    let habits = Habits {
        tills: 12,
        seed: site.seed,
        sales: u64::MAX,
        gives_up: 8,
        rest: Duration::ZERO,
    };
    let tills = Tills::open(&shop, habits, seen);
    let mut chance = Chance::new(site.seed);
    let times = site.times.unwrap_or(10);
    let mut longest = Duration::ZERO;
    for n in 0..times {
        tills.wait_for(20, RESUMED_WITHIN).await?;
        tokio::time::sleep(Duration::from_millis(chance.between(0, 200))).await;
        // Most often the line is cut; each third time it goes silent instead, as when a cable is pulled.
        let away = if n % 3 == 2 { Line::Silent } else { Line::Cut };
        proxy.set(away);
        let began = Instant::now();
        while node.client.get("/readyz").await?.0 == 200 {
            ensure!(
                began.elapsed() < NOTICED_WITHIN,
                "/readyz says ready while the database is away"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        ensure!(
            node.client.get("/healthz").await?.0 == 200,
            "/healthz minds the database"
        );
        tokio::time::sleep(Duration::from_millis(chance.between(1_000, 4_000))).await;
        proxy.set(Line::Up);
        longest = longest.max(tills.wait_for(1, RESUMED_WITHIN).await?);
    }
    tills.wait_for(100, RESUMED_WITHIN).await?;
    let (status, _) = node.client.get("/readyz").await?;
    ensure!(
        status == 200,
        "/readyz says {status} when all is well again"
    );
    let book = tills.close().await;
    tell(
        ENGINE,
        format!(
            "away {times} times while 12 tills recorded {} visits; {}; recorded again at most {:.0} ms after it was back",
            book.acknowledged(),
            book.failures_in_words(),
            longest.as_secs_f64() * 1000.0
        ),
    );
    let found = books::check(&shop, &node.client, &book).await?;
    tell(ENGINE, found);
    let beyond = book.codes_beyond(&["UNAVAILABLE", "TIMEOUT"]);
    ensure!(
        beyond.is_empty(),
        "attempts failed with {beyond:?}, which do not tell a till to try again: {:?}",
        book.examples
    );
    node.still_runs()
}

//! A server that is killed again and again while visits are recorded loses none and doubles none.

use super::books;
use super::chance::Chance;
use super::place::{Engine, Place};
use super::shop::Shop;
use super::tills::{Habits, Tills};
use super::{Site, Verdict, tell};
use crate::failure::Result;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The longest that a server started anew may take until it records visits again.
const RECOVERY: Duration = Duration::from_secs(60);

/// Proves it.
pub async fn prove(site: &Site, engine: Engine) -> Result<Verdict> {
    site.in_place(engine, async |place| prove_in(site, place).await)
        .await?;
    Ok(Verdict::Proved(Vec::new()))
}

async fn prove_in(site: &Site, place: &Place) -> Result<()> {
    let engine = place.engine;
    let mut node = place.serve().await?;
    let shop = Shop::open(place, &node.client, 40).await?;
    let (servers, seen) = watch::channel(vec![node.client.clone()]);
    let habits = Habits {
        tills: 16,
        seed: site.seed,
        sales: u64::MAX,
        gives_up: 8,
        rest: Duration::ZERO,
    };
    let tills = Tills::open(&shop, habits, seen);
    let mut chance = Chance::new(site.seed);
    let times = site.times.unwrap_or(100);
    let (mut starts, mut longest) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..times {
        // At least one visit each time, so that each kill meets a server at work.
        let recovered = tills.wait_for(1, RECOVERY).await?;
        longest = longest.max(recovered);
        tokio::time::sleep(Duration::from_millis(chance.between(20, 400))).await;
        node.kill().await?;
        let began = Instant::now();
        node = place.serve().await?;
        starts += began.elapsed();
        servers.send_replace(vec![node.client.clone()]);
    }
    tills.wait_for(1, RECOVERY).await?;
    let book = tills.close().await;
    tell(
        engine,
        format!(
            "killed {times} times while 16 tills recorded {} visits; {}; started again in {:.0} ms on average, and \
             recorded again at most {:.0} ms after that",
            book.acknowledged(),
            book.failures_in_words(),
            starts.as_secs_f64() * 1000.0 / f64::from(times.max(1)),
            longest.as_secs_f64() * 1000.0
        ),
    );
    let beyond = book.codes_beyond(&["no answer", "UNAVAILABLE"]);
    ensure!(
        beyond.is_empty(),
        "attempts failed with {beyond:?}: {:?}",
        book.examples
    );
    let found = books::check(&shop, &node.client, &book).await?;
    tell(engine, found);
    node.still_runs()
}

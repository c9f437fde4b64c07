//! A full disk makes clear errors and nothing else: no false success, reads go on, and with room again writes do too.

use super::books;
use super::client::{Client, list};
use super::place::{Engine, Place};
use super::shop::Shop;
use super::tills::{Habits, Tills};
use super::tmpfs::{Mounted, SmallDisk};
use super::{Site, Verdict, show_log, tell};
use crate::failure::Result;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::sync::watch;

const ENGINE: Engine = Engine::Sqlite;
// The log of the database alone grows by 16 MB before it begins anew.
const DISK: u64 = 96 << 20;
const BALLAST: usize = 72 << 20;
/// The longest that filling the disk may take.
const FULL_WITHIN: Duration = Duration::from_secs(300);
/// The longest that writes may take to go on once there is room.
const RESUMED_WITHIN: Duration = Duration::from_secs(30);

/// Proves it.
pub async fn prove(site: &Site) -> Result<Verdict> {
    let disk = match SmallDisk::mount(DISK)? {
        Mounted::Here(disk) => disk,
        Mounted::Elsewhere(true) => return Ok(Verdict::Proved(Vec::new())),
        Mounted::Elsewhere(false) => fail!("see above"),
        Mounted::Impossible(why) => return Ok(Verdict::Skipped(why)),
    };
    let place = Place::at(&site.binary, disk.path().join("data")).await?;
    let outcome = prove_in(site, &disk, &place).await;
    if outcome.is_err() {
        show_log(&place);
    }
    outcome.map(|()| Verdict::Proved(Vec::new()))
}

async fn prove_in(site: &Site, disk: &SmallDisk, place: &Place) -> Result<()> {
    let mut node = place.serve().await?;
    let shop = Shop::open(place, &node.client, 40).await?;
    let (_servers, seen) = watch::channel(vec![node.client.clone()]);
    let habits = Habits {
        tills: 8,
        seed: site.seed,
        sales: u64::MAX,
        gives_up: 8,
        rest: Duration::ZERO,
    };
    let tills = Tills::open(&shop, habits, seen);
    tills.wait_for(200, Duration::from_secs(60)).await?;
    let ballast = disk.ballast(BALLAST)?;
    let began = Instant::now();
    while tills.failed() == 0 {
        ensure!(began.elapsed() < FULL_WITHIN, "the disk does not get full");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let before = tills.acknowledged();
    tell(ENGINE, format!("the disk was full after {before} visits"));
    // Small ones may still find a page that is free; in the end none does.
    let (mut reads, mut readiness) = (0, Vec::new());
    let full = Instant::now();
    while full.elapsed() < Duration::from_secs(5) {
        read(&shop, &node.client).await?;
        reads += 1;
        let (status, _) = node.client.get("/readyz").await?;
        if !readiness.contains(&status) {
            readiness.push(status);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tell(
        ENGINE,
        format!(
            "while it was full {} attempts failed, {} went through, {reads} reads of {reads} were answered, /readyz said {readiness:?}",
            tills.failed(),
            tills.acknowledged() - before
        ),
    );
    std::fs::remove_file(ballast)?;
    let resumed = tills.wait_for(50, RESUMED_WITHIN).await?;
    let book = tills.close().await;
    tell(
        ENGINE,
        format!(
            "with room again 50 visits were recorded within {:.0} ms, without a restart; {}",
            resumed.as_secs_f64() * 1000.0,
            book.failures_in_words()
        ),
    );
    let beyond = book.codes_beyond(&["UNAVAILABLE"]);
    ensure!(
        beyond.is_empty(),
        "attempts failed with {beyond:?}: {:?}",
        book.examples
    );
    let found = books::check(&shop, &node.client, &book).await?;
    tell(ENGINE, found);
    // What is on the disk is what was told.
    node.kill().await?;
    node = place.serve().await?;
    books::check(&shop, &node.client, &book).await?;
    node.still_runs()
}

async fn read(shop: &Shop, client: &Client) -> Result<()> {
    let query = "{ customers(first: 5) { nodes { id visits(first: 5) { nodes { id } } } } }";
    let data = client.ask(Some(&shop.token), query, &json!({})).await?;
    ensure!(
        list(&data, "/customers/nodes").len() == 5,
        "a read gave {data:.300}"
    );
    Ok(())
}

//! Purchases come in whole, quickly and in little memory.

use super::measured::{self, Measured};
use super::node::Node;
use super::place::{Engine, Place};
use super::purchases::{self, CDNOW, Kind, Purchases};
use super::shop::{Shop, Sums, sums};
use super::{Site, Verdict, tell};
use crate::failure::Result;

/// The most memory that the importing process may ever have.
const MEMORY: u64 = 150_000_000;

/// Proves it.
pub async fn prove(site: &Site, engine: Engine) -> Result<Verdict> {
    let mut missed = Vec::new();
    let small = async |place: &Place| match &site.file {
        Some(file) => purchases::read(file),
        None => purchases::generate(place.scratch.join("purchases.csv"), CDNOW, site.seed),
    };
    let large = async |place: &Place| {
        let kind = Kind {
            rows: site.rows,
            customers: site.rows.div_ceil(5),
            shuffled: true,
        };
        purchases::generate(place.scratch.join("purchases.csv"), kind, site.seed)
    };
    let (target_small, target_large) = match engine {
        Engine::Sqlite => (20_000.0, 8_000.0),
        Engine::Postgres => (10_000.0, 10_000.0),
    };
    site.in_place(engine, async |place| {
        bring_in(place, small(place).await?, target_small, &mut missed).await
    })
    .await?;
    site.in_place(engine, async |place| {
        bring_in(place, large(place).await?, target_large, &mut missed).await
    })
    .await?;
    Ok(Verdict::Proved(missed))
}

async fn bring_in(
    place: &Place,
    file: Purchases,
    target: f64,
    missed: &mut Vec<String>,
) -> Result<()> {
    let Measured {
        said,
        seconds,
        peak,
    } = measured::run(place, &purchases::arguments(&file.path)).await?;
    #[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
    let speed = file.sums.receipts as f64 / seconds;
    let words = format!(
        "{} rows of {} customers in {seconds:.1} s: {speed:.0} rows/s, {:.2} of the target {target}; at most {} MB",
        file.sums.receipts,
        file.sums.customers,
        speed / target,
        peak / 1_000_000
    );
    tell(place.engine, words);
    if speed < target {
        missed.push(format!(
            "speed missed: {speed:.0} of {target} rows/s for {} rows",
            file.sums.receipts
        ));
    }
    ensure!(peak < MEMORY, "the import took {peak} bytes of memory");
    ensure!(
        said.contains("no row rejected"),
        "rows were rejected: {said}"
    );
    let found = ask(place).await?;
    ensure!(
        found == file.sums,
        "the file has {:?} and the server tells {found:?}",
        file.sums
    );
    Ok(())
}

/// The sums that a server tells of this place.
async fn ask(place: &Place) -> Result<Sums> {
    let node: Node = place.serve().await?;
    let token = Shop::enter(place, &node.client).await?;
    sums(&node.client, &token).await
}

//! An import that is killed again and again, beside a server at work, ends as if it had never been killed.

use super::books;
use super::chance::Chance;
use super::place::{Engine, Place};
use super::purchases::{self, CDNOW};
use super::shop::{Shop, Sums, sums};
use super::tills::{Habits, Tills};
use super::{Site, Verdict, tell};
use crate::failure::{During, Result};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The longest that an import may take which is left alone.
const LIMIT: Duration = Duration::from_secs(600);

/// Proves it.
pub async fn prove(site: &Site, engine: Engine) -> Result<Verdict> {
    site.in_place(engine, async |place| prove_in(site, place).await)
        .await?;
    Ok(Verdict::Proved(Vec::new()))
}

async fn prove_in(site: &Site, place: &Place) -> Result<()> {
    let engine = place.engine;
    let file = match &site.file {
        Some(file) => purchases::read(file)?,
        None => purchases::generate(place.scratch.join("purchases.csv"), CDNOW, site.seed)?,
    };
    let mut node = place.serve().await?;
    let shop = Shop::open(place, &node.client, 20).await?;
    let (_servers, seen) = watch::channel(vec![node.client.clone()]);
    let habits = Habits {
        tills: 2,
        seed: site.seed,
        sales: u64::MAX,
        gives_up: 0,
        rest: Duration::from_millis(50),
    };
    let tills = Tills::open(&shop, habits, seen);
    let mut chance = Chance::new(site.seed);
    let times = site.times.unwrap_or(30);
    let (mut killed, mut through) = (0, 0);
    // Points of its progress, all over the file; the first ones fall into its start.
    let rows = u64::try_from(file.sums.receipts)?;
    let mut points = Vec::new();
    for _ in 0..times {
        points.push(i64::try_from(chance.below(rows))?);
    }
    points.sort_unstable();
    for point in points {
        let moment = Duration::from_millis(chance.between(0, 400));
        let there = async {
            while sums(&node.client, &shop.token).await?.receipts < point {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            tokio::time::sleep(moment).await;
            Ok(())
        };
        let child = start(place, &file.path)?;
        let process = child.id().during("the import has ended")?;
        let mut ending = Box::pin(child.wait_with_output());
        tokio::select! {
            output = &mut ending => {
                finished(&output?)?;
                through += 1;
            }
            reached = there => {
                let reached: Result<()> = reached;
                reached?;
                kill(process).await?;
                let output = ending.await?;
                if output.status.code().is_some() {
                    finished(&output)?;
                    through += 1;
                } else {
                    killed += 1;
                }
            }
        }
    }
    tell(
        engine,
        format!("killed {killed} times of {times}; {through} runs were through before"),
    );
    let began = Instant::now();
    let last = tokio::time::timeout(LIMIT, start(place, &file.path)?.wait_with_output())
        .await
        .during("the last import did not end")??;
    finished(&last)?;
    tell(
        engine,
        format!(
            "left alone it went on to the end in {:.1} s: {}",
            began.elapsed().as_secs_f64(),
            said(&last)
        ),
    );
    let book = tills.close().await;
    tell(
        engine,
        format!(
            "beside it {} visits were recorded; {}",
            book.acknowledged(),
            book.failures_in_words()
        ),
    );
    let beyond = book.codes_beyond(&["UNAVAILABLE"]);
    ensure!(
        beyond.is_empty(),
        "visits beside the import failed with {beyond:?}: {:?}",
        book.examples
    );
    books::check(&shop, &node.client, &book).await?;
    let expected = Sums {
        customers: file.sums.customers + i64::try_from(shop.customers.len())?,
        receipts: file.sums.receipts + i64::try_from(book.sales.len())?,
        cents: file.sums.cents + book.sales.iter().flat_map(|sale| &sale.lines).sum::<i64>(),
    };
    let found = sums(&node.client, &shop.token).await?;
    ensure!(
        found == expected,
        "{expected:?} should be there and {found:?} are"
    );
    let again = tokio::time::timeout(LIMIT, start(place, &file.path)?.wait_with_output())
        .await
        .during("the import did not end when run again")??;
    finished(&again)?;
    ensure!(
        said(&again).contains(&format!(
            "0 receipts booked, {} known already",
            file.sums.receipts
        )),
        "run again it says: {}",
        said(&again)
    );
    let found = sums(&node.client, &shop.token).await?;
    ensure!(
        found == expected,
        "run again it changed {expected:?} to {found:?}"
    );
    node.still_runs()
}

fn start(place: &Place, file: &std::path::Path) -> Result<tokio::process::Child> {
    Ok(place
        .command()
        .args(purchases::arguments(file))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?)
}

/// SIGKILL by the process's number; it may have ended by itself.
async fn kill(process: u32) -> Result<()> {
    tokio::process::Command::new("kill")
        .args(["-KILL", &process.to_string()])
        .stderr(Stdio::null())
        .status()
        .await?;
    Ok(())
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout)
        .trim()
        .replace('\n', ", ")
}

/// An import that was not killed must end well.
fn finished(output: &Output) -> Result<()> {
    ensure!(
        output.status.success(),
        "an import that was not killed ended with {}: {}{}",
        output.status,
        said(output),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

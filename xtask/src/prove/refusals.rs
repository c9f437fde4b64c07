//! What is made to hurt is refused before it costs anything: processor time for each refusal.

use super::hostile::{aliases, bomb, deep, send_body};
use super::node::Node;
use super::place::{Engine, Place};
use super::process::{Spent, peak_memory, spent};
use super::{Site, Verdict, tell};
use crate::failure::{During, Result};
use serde_json::json;
use std::time::{Duration, Instant};

/// The most processor time that one refusal may cost.
const MOST: Duration = Duration::from_millis(10);
/// How often each is sent: the system counts in steps of 10 ms.
const DOCUMENTS: u32 = 300;
const BODIES: u32 = 50;
const BODY: usize = 64 << 20;

/// Proves it.
pub async fn prove(site: &Site, engine: Engine) -> Result<Verdict> {
    site.in_place(engine, async |place| prove_in(site, place).await)
        .await?;
    Ok(Verdict::Proved(Vec::new()))
}

async fn prove_in(site: &Site, place: &Place) -> Result<()> {
    let mut node = place.serve().await?;
    let (mut dear, mut wrong) = (Vec::new(), Vec::new());
    for (name, query) in [
        ("fragments that double 20 times", bomb(20)),
        ("10,000 aliases", aliases(10_000)),
        ("selections 20,000 deep", deep(20_000)),
    ] {
        let times = site.times.unwrap_or(DOCUMENTS);
        let each = measure(&node, times, async || {
            let (status, text) = node.client.post(None, &query, &json!({})).await?;
            ensure!(
                status == 400,
                "{name} were answered with {status}: {text:.300}"
            );
            Ok(())
        })
        .await?;
        say(place, name, each, "", &mut dear);
    }
    for (name, with_length) in [
        ("a body of 64 MB with its length", true),
        ("a body of 64 MB in chunks", false),
    ] {
        let times = site.times.unwrap_or(BODIES);
        let (mut taken, mut unanswered, mut kept_open) = (0, 0, 0);
        let address = node.address;
        let each = measure(&node, times, async || {
            let sent = tokio::task::spawn_blocking(move || send_body(address, BODY, with_length))
                .await??;
            ensure!(
                matches!(sent.status, Some(413) | None),
                "{name} was answered with {sent:?}"
            );
            ensure!(sent.taken < BODY, "{name} was read to its end");
            unanswered += u32::from(sent.status.is_none());
            kept_open += u32::from(sent.kept_open);
            taken = sent.taken.max(taken);
            Ok(())
        })
        .await?;
        let more = format!(
            "; at most {} kB of it left the client, and the answer was lost {unanswered} times of {times}",
            taken / 1024
        );
        say(place, name, each, &more, &mut dear);
        if kept_open > 0 {
            wrong.push(format!(
                "{name} left {kept_open} connections open which nobody read any more"
            ));
        }
    }
    let memory = peak_memory(node.id()).during("the server has ended")?;
    tell(
        place.engine,
        format!("the server's memory was at most {} MB", memory / 1_000_000),
    );
    node.still_runs()?;
    if !dear.is_empty() {
        wrong.push(format!(
            "{} cost more than {MOST:?} each",
            dear.join(" and ")
        ));
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("; "));
    Ok(())
}

fn say(place: &Place, name: &str, each: Spent, more: &str, dear: &mut Vec<String>) {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    tell(
        place.engine,
        format!(
            "{name}: {:.2} ms of processor time each ({:.2} in the program, {:.2} in the system){more}",
            milliseconds(each.all()),
            milliseconds(each.user),
            milliseconds(each.system)
        ),
    );
    if each.all() >= MOST {
        dear.push(name.to_owned());
    }
}

/// Processor time for each of many repetitions, less what the server spends in the same time when nobody asks.
async fn measure(
    node: &Node,
    times: u32,
    mut once: impl AsyncFnMut() -> Result<()>,
) -> Result<Spent> {
    once().await?;
    let (before, began) = (spent(node.id())?, Instant::now());
    for _ in 0..times {
        once().await?;
    }
    let (busy, took) = (spent(node.id())?.since(before), began.elapsed());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = spent(node.id())?;
    let idle_time = took.clamp(Duration::from_secs(2), Duration::from_secs(10));
    tokio::time::sleep(idle_time).await;
    let idle = spent(node.id())?.since(before);
    let share = took.as_secs_f64() / idle_time.as_secs_f64();
    Ok(Spent {
        user: busy.user.saturating_sub(idle.user.mul_f64(share)) / times.max(1),
        system: busy.system.saturating_sub(idle.system.mul_f64(share)) / times.max(1),
    })
}

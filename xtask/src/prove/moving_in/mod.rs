//! A retailer moves in: whatever its files say comes in or is reported, and goes out again as it came.
//!
//! The demonstration stands for the system that the retailer leaves. Its exports, with a file of products and one of
//! accounts, are spoiled in one row of a hundred ([`damage`]); what must become of each row is noted while they are written
//! ([`model`]), from what the documentation promises and not from what the program does. They move into an empty shop by the
//! documented commands ([`target`]), cards first and whom they belong to later, and what is there is held against the notes
//! ([`outcome`]).

mod damage;
mod model;
mod outcome;
mod retailer;
mod sheet;
mod target;
#[cfg(test)]
mod tests;

use super::place::{Engine, Place};
use super::{Site, Verdict, measured, shop, tell};
use crate::failure::Result;
use retailer::{Retailer, Scale};
use std::collections::BTreeMap;
use std::path::Path;

/// The most memory that an import or export may ever have.
const MEMORY: u64 = 150_000_000;

/// In this order the files come: cards wait for their holders, holders for their keepers, and receipts bring customers
/// whom no file has named yet.
const ORDER: [&str; 5] = ["cards", "purchases", "customers", "staff", "products"];

/// Proves it.
pub async fn prove(site: &Site, engine: Engine) -> Result<Verdict> {
    let directory = tempfile::tempdir()?;
    let retailer = made(site, engine, directory.path()).await?;
    site.in_place(engine, async |place| move_in(place, &retailer).await)
        .await?;
    Ok(Verdict::Proved(Vec::new()))
}

async fn made(site: &Site, engine: Engine, directory: &Path) -> Result<Retailer> {
    let scale = Scale {
        customers: site.customers,
        receipts: site.receipts,
    };
    let source = Place::bare(&site.binary)?;
    let retailer = retailer::make(&source, scale, site.seed, directory).await?;
    source.close().await?;
    let files = model::FILES.iter().zip(&retailer.sheets);
    let rows: Vec<String> = files
        .map(|(kind, sheet)| format!("{} {kind} ({} spoiled)", sheet.rows, sheet.spoiled))
        .collect();
    tell(engine, format!("rows: {}", rows.join(", ")));
    Ok(retailer)
}

async fn move_in(place: &Place, retailer: &Retailer) -> Result<()> {
    let engine = place.engine;
    target::set_up(place, &retailer.house).await?;
    for kind in ORDER {
        let sheet = outcome::sheet(retailer, kind)?;
        let imported = target::import(place, kind, sheet).await?;
        tell(
            engine,
            figures(&format!("import {kind}"), sheet.rows, &imported.measured),
        );
        let mut codes: BTreeMap<&str, u32> = BTreeMap::new();
        for (_, code) in &imported.rejects {
            *codes.entry(code).or_default() += 1;
        }
        let codes: Vec<String> = codes
            .iter()
            .map(|(code, n)| format!("{n} {code}"))
            .collect();
        tell(engine, format!("  reported: {}", codes.join(", ")));
        outcome::rows(kind, sheet, &imported)?;
        small(&imported.measured, kind)?;
    }
    let open = outcome::open(place, &retailer.model).await?;
    tell(
        engine,
        format!("{open} references are open, each told with its line"),
    );
    let taken = outcome::exports(place, retailer).await?;
    for (kind, measured) in &taken.exports {
        let rows = match *kind {
            "customers" => retailer.model.people().len(),
            "cards" => retailer.model.cards.len(),
            _ => retailer.model.lines.len(),
        };
        tell(
            engine,
            figures(&format!("export {kind}"), rows as u64, measured),
        );
        small(measured, kind)?;
    }
    again(place, retailer).await?;
    let node = place.serve().await?;
    let token = shop::sign_in(&node.client, shop::ADMIN).await?;
    let sums = outcome::asked(&node.client, &token, &retailer.model).await?;
    tell(
        engine,
        format!(
            "{} customers ({} brought by receipts only), {} receipts, {} in all, {} products and {} accounts, as the files say",
            sums.customers,
            taken.strangers,
            sums.receipts,
            super::client::amount(sums.cents),
            retailer.model.products.len(),
            retailer.model.staff.len()
        ),
    );
    node.kill().await?;
    let looked = measured::run(place, &["doctor", "--thorough"].map(str::to_owned)).await?;
    tell(
        engine,
        format!("doctor --thorough agrees after {:.1} s", looked.seconds),
    );
    Ok(())
}

/// The same files once more change nothing.
async fn again(place: &Place, retailer: &Retailer) -> Result<()> {
    for kind in ["staff", "customers", "cards", "products"] {
        let sheet = outcome::sheet(retailer, kind)?;
        let imported = target::import(place, kind, sheet).await?;
        let counts = imported.counts;
        ensure!(
            counts.made == 0 && counts.filled == 0 && counts.rows == sheet.rows,
            "{kind} once more: {counts:?}"
        );
    }
    outcome::open(place, &retailer.model).await?;
    Ok(())
}

fn figures(what: &str, rows: u64, measured: &measured::Measured) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
    let speed = rows as f64 / measured.seconds;
    format!(
        "{what}: {rows} rows in {:.1} s, {speed:.0} rows/s, at most {} MB",
        measured.seconds,
        measured.peak / 1_000_000
    )
}

fn small(measured: &measured::Measured, kind: &str) -> Result<()> {
    ensure!(
        measured.peak < MEMORY,
        "{kind} took {} bytes of memory",
        measured.peak
    );
    Ok(())
}

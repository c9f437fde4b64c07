//! What `regulars import` says in the end.

use super::terminal::say as line;
use crate::access::Ctx;
use crate::domain::moving::{Kind, open};
use crate::error::Result;
use crate::intake::Report;
use std::path::Path;

/// What the rows of a kind make.
pub(super) struct Words {
    /// In the plural.
    pub items: &'static str,
    /// What becomes of new ones.
    made: &'static str,
}

impl Words {
    /// Those of a kind.
    pub const fn of(kind: Kind) -> Self {
        let (items, made) = match kind {
            Kind::Purchases => ("receipts", "booked"),
            Kind::Customers => ("customers", "made"),
            Kind::Cards => ("cards", "brought in"),
            Kind::Products => ("products", "made"),
            Kind::Staff => ("accounts", "made"),
        };
        Self { items, made }
    }
}

/// Says what came of a file.
pub(super) fn say(
    report: &Report,
    kind: Kind,
    dry_run: bool,
    rejects: Option<&Path>,
    seconds: f64,
) {
    let Words { items, made } = Words::of(kind);
    let would = if dry_run { "would be " } else { "" };
    line(&format!("{} rows read in {seconds:.1} s", report.rows));
    let mut told = format!("{} {items} {would}{made}, ", report.made);
    if report.changed > 0 {
        told.push_str(&format!("{} {would}filled in, ", report.changed));
    }
    told.push_str(&format!("{} known already", report.known));
    line(&told);
    match kind {
        Kind::Purchases => line(&format!("{} new customers", report.customers)),
        Kind::Staff if report.made > 0 && !dry_run => line(
            "new accounts have no password: `regulars staff reset-password EMAIL` sets one, before that nobody signs in \
             with them",
        ),
        _ => {}
    }
    if report.left_out > 0 {
        line(&format!(
            "{} details left out of rows that came in otherwise",
            report.left_out
        ));
    }
    match (rejects, report.rejected) {
        (_, 0) => line("no row rejected"),
        (Some(path), rejected) => {
            line(&format!("{rejected} rows rejected: see {}", path.display()))
        }
        (None, rejected) => line(&format!(
            "{rejected} rows rejected: run again with --rejects FILE to have them all"
        )),
    }
}

/// References read at once.
const PAGE: u64 = 500;

/// Says which references are open, so many at most.
///
/// # Errors
/// Those of the database.
pub(super) async fn say_open(ctx: &Ctx, most: u64) -> Result<()> {
    let count = open::count(ctx).await?;
    if count == 0 {
        line("no reference is open");
        return Ok(());
    }
    line(&format!(
        "{count} references are open, and are looked for again at the end of the next import:"
    ));
    let (mut after, mut left) = (None, most);
    while left > 0 {
        let page = open::page(ctx, None, after, PAGE.min(left)).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        left = left.saturating_sub(page.len() as u64);
        for reference in &page {
            line(&format!(
                "{}, line {}: {} {}: {}",
                reference.file, reference.line, reference.kind, reference.wanted, reference.reason
            ));
        }
    }
    if count > most {
        line("`regulars import open` lists them all");
    }
    Ok(())
}

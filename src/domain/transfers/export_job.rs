//! Doing an export: its pieces go into the database as they are made, and become the result when all are there.

use super::attempt::{self, Beside, End, Figures};
use super::chunks::{self, Cutter};
use super::export::{Export, Plan};
use super::job::rights;
use super::settings::TransferSettings;
use crate::access::{Ctx, audit};
use crate::error::{Error, Result};
use chrono::TimeDelta;
use entity::transfer;
use serde_json::json;

/// Bytes gathered before they are written: a transaction, and on the embedded engine a wait for the disk, for each.
const GATHERED: usize = 4 * chunks::PIECE;
/// Between two events of progress.
const NEWS: TimeDelta = TimeDelta::seconds(1);

/// Runs an attempt as the viewer of the context.
pub(super) async fn run(ctx: &Ctx, row: &transfer::Model) -> Result<()> {
    let plan: Plan = serde_json::from_value(row.options.clone())
        .map_err(|_| Error::internal("the plan of an export cannot be read"))?;
    let mut export = Export::begin(ctx, plan).await?;
    let outcome = write(ctx, row, &mut export).await;
    let closed = export.close().await;
    outcome?;
    closed
}

async fn write(ctx: &Ctx, row: &transfer::Model, export: &mut Export) -> Result<()> {
    let most = ctx.memory.of::<TransferSettings>().total_bytes;
    let others = chunks::stored(ctx.db.read()).await?;
    let mut figures = Figures {
        total: Some(export.total().await?),
        ..Figures::default()
    };
    let mut cutter = Cutter::default();
    let mut shown = Vec::new();
    let mut told = ctx.now();
    while let Some(piece) = export.next().await? {
        cutter.push(&piece.bytes);
        shown.extend(piece.shown);
        figures.done += piece.records;
        figures.stored = cutter.bytes();
        if others.saturating_add(cutter.bytes()) > most {
            return Err(Error::BadRequest(
                format!("no room: all exports and uploads that are kept may have {most} bytes; wait until older ones are deleted, or export less with `since`").into(),
            ));
        }
        let is_news = ctx.now() - told >= NEWS;
        if cutter.waiting() < GATHERED && !is_news {
            continue;
        }
        told = ctx.now();
        let beside = Beside {
            pieces: cutter.cut(false),
            entries: entries(ctx, row, std::mem::take(&mut shown)),
            is_news,
        };
        if !attempt::progress(ctx, row, &figures, &beside).await? {
            return Ok(());
        }
    }
    let beside = Beside {
        pieces: cutter.cut(true),
        entries: entries(ctx, row, shown),
        is_news: false,
    };
    let end = End::Done {
        bytes: cutter.bytes(),
        report: None,
        made_under: rights(&ctx.viewer),
    };
    attempt::end(ctx, row, &figures, &beside, &end).await?;
    Ok(())
}

/// Who is named in full, written down before or with the bytes that do.
fn entries(
    ctx: &Ctx,
    row: &transfer::Model,
    shown: Vec<entity::ids::CustomerId>,
) -> Vec<audit::Entry> {
    if shown.is_empty() {
        return Vec::new();
    }
    vec![
        audit::Entry::new(ctx, "customer.read_contact")
            .about(shown)
            .detail(json!({ "export": row.id })),
    ]
}

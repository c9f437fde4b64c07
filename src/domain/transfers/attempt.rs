//! One attempt at a transfer: begun, told of while it goes on, ended. Every write names the attempt, so that a node that
//! was thought dead, or one that does what was called off meanwhile, changes nothing any more.

use super::chunks;
use crate::access::{Ctx, audit};
use crate::db::{Sql, Tx};
use crate::error::{Error, Result};
use crate::events::{self, NewEvent};
use entity::enums::TransferState;
use entity::ids::TransferId;
use entity::transfer;
use sea_orm::{ConnectionTrait, EntityTrait, FromQueryResult};
use serde_json::json;

/// How far an attempt has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    /// Records done.
    pub done: u64,
    /// Records in all, once that is known.
    pub total: Option<u64>,
    /// Rows rejected.
    pub rejected: u64,
    /// Bytes that are kept for it, the upload included.
    pub stored: u64,
}

/// How an attempt has ended.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// Well, with a result of so many bytes, and the figures of an import.
    Done {
        bytes: u64,
        report: Option<serde_json::Value>,
        made_under: Option<Vec<u8>>,
    },
    /// Not at all, and why.
    Failed(String),
}

/// What is written beside the figures, in the same transaction.
#[derive(Clone, Debug, Default)]
pub(super) struct Beside {
    /// Pieces of the result.
    pub pieces: chunks::Pieces,
    /// Who is named in them in full.
    pub entries: Vec<audit::Entry>,
    /// Is it worth an event?
    pub is_news: bool,
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn event(row: &transfer::Model, kind: &'static str, figures: serde_json::Value) -> NewEvent {
    let mut payload = json!({
        "direction": row.direction.as_str(),
        "kind": row.kind.as_str(),
        "requestedBy": row.requested_by,
    });
    if let (Some(to), serde_json::Value::Object(from)) = (payload.as_object_mut(), figures) {
        to.extend(from);
    }
    NewEvent {
        kind,
        customer: None,
        store: None,
        subject: row.id.into(),
        payload,
    }
}

/// Begins the next attempt; none when the transfer has ended meanwhile.
pub(super) async fn begin(ctx: &Ctx, id: TransferId) -> Result<Option<transfer::Model>> {
    let begun = ctx
        .db
        .write(|tx| async move {
            let now = ctx.now();
            let mut sql = Sql::for_connection(&*tx);
            sql.push("update transfer set state = 'RUNNING', attempt = attempt + 1, rows_done = 0, rows_rejected = 0, started_at = coalesce(started_at, ")
                .bind(now)
                .push(") where id = ")
                .bind(id)
                .push(" and state in ('QUEUED', 'RUNNING') returning *");
            let row = transfer::Model::find_by_statement(sql.build()).one(&*tx).await?;
            if let Some(row) = &row {
                let news = event(row, "transfer.started", json!({ "attempt": row.attempt }));
                events::record(&*tx, ctx, &[news]).await?;
            }
            Ok(row)
        })
        .await?;
    if let Some(row) = &begun
        && row.attempt > 1
    {
        // What an earlier attempt has left.
        chunks::clear(ctx, id, Some(chunks::UPLOAD)).await?;
    }
    Ok(begun)
}

/// Writes down how far the attempt has come, with what goes with it; false when the attempt counts no more, and nothing
/// was written.
pub(super) async fn progress(
    ctx: &Ctx,
    row: &transfer::Model,
    figures: &Figures,
    beside: &Beside,
) -> Result<bool> {
    ctx.db
        .write(|tx| async move {
            if !update(&tx, row, figures, None).await? {
                return Ok(false);
            }
            chunks::write(&tx, row.id, row.attempt, &beside.pieces).await?;
            audit::write(&*tx, &beside.entries).await?;
            if beside.is_news {
                let news = event(row, "transfer.progressed", told(figures));
                events::record(&*tx, ctx, &[news]).await?;
            }
            Ok(true)
        })
        .await
}

/// Ends the transfer, with what goes with it; false when the attempt counts no more, and nothing was written.
pub(super) async fn end(
    ctx: &Ctx,
    row: &transfer::Model,
    figures: &Figures,
    beside: &Beside,
    end: &End,
) -> Result<bool> {
    let is_ended = ctx
        .db
        .write(|tx| async move {
            if !update(&tx, row, figures, Some((end, ctx.now()))).await? {
                return Ok(false);
            }
            chunks::write(&tx, row.id, row.attempt, &beside.pieces).await?;
            audit::write(&*tx, &beside.entries).await?;
            let mut payload = told(figures);
            if let Some(payload) = payload.as_object_mut() {
                let state = match end {
                    End::Done { .. } => TransferState::Done,
                    End::Failed(_) => TransferState::Failed,
                };
                payload.insert("state".to_owned(), state.as_str().into());
            }
            events::record(&*tx, ctx, &[event(row, "transfer.finished", payload)]).await?;
            Ok(true)
        })
        .await?;
    if is_ended {
        let keep = matches!(end, End::Done { .. }).then_some(row.attempt);
        chunks::clear(ctx, row.id, keep).await?;
    }
    Ok(is_ended)
}

fn told(figures: &Figures) -> serde_json::Value {
    json!({ "rows": figures.done, "total": figures.total, "rejected": figures.rejected })
}

async fn update(
    tx: &Tx,
    row: &transfer::Model,
    figures: &Figures,
    end: Option<(&End, chrono::DateTime<chrono::Utc>)>,
) -> Result<bool> {
    let mut sql = Sql::for_connection(&**tx);
    sql.push("update transfer set rows_done = ")
        .bind(signed(figures.done))
        .push(", rows_total = ")
        .bind(figures.total.map(signed))
        .push(", rows_rejected = ")
        .bind(signed(figures.rejected));
    let mut stored = figures.stored;
    if let Some((end, now)) = end {
        sql.push(", finished_at = ").bind(now);
        match end {
            End::Done {
                bytes,
                report,
                made_under,
            } => {
                stored = *bytes;
                sql.push(", state = 'DONE', result_part = ")
                    .bind(row.attempt)
                    .push(", result_bytes = ")
                    .bind(signed(*bytes))
                    .push(", report = ")
                    .bind(report.clone())
                    .push(", made_under = ")
                    .bind(made_under.clone());
            }
            End::Failed(why) => {
                stored = 0;
                sql.push(", state = 'FAILED', error = ").bind(why.as_str());
            }
        }
    }
    sql.push(", stored_bytes = ")
        .bind(signed(stored))
        .push(" where state = 'RUNNING' and id = ")
        .bind(row.id)
        .push(" and attempt = ")
        .bind(row.attempt);
    Ok(tx.execute_raw(sql.build()).await?.rows_affected() > 0)
}

/// The transfer as it is now.
pub(super) async fn reread(
    connection: &impl ConnectionTrait,
    id: TransferId,
) -> Result<transfer::Model> {
    transfer::Entity::find_by_id(id)
        .one(connection)
        .await?
        .ok_or_else(|| Error::internal("a transfer is gone"))
}

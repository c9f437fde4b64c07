//! What becomes of transfers that have served their time, broke off, or lost their job.

use super::{RunTransfer, chunks, receive};
use crate::access::Ctx;
use crate::db::Sql;
use crate::error::Result;
use crate::jobs::{self, Job, JobContext};
use chrono::{DateTime, TimeDelta, Utc};
use entity::ids::TransferId;
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};

/// Deletes the files of a transfer that was called off.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClearTransfer {
    /// Which one.
    pub transfer: TransferId,
}

impl Job for ClearTransfer {
    const NAME: &'static str = "transfer.clear";

    async fn run(self, context: &JobContext) -> Result<()> {
        chunks::clear(&context.ctx, self.transfer, None).await
    }
}

/// Deletes transfers with their files some days after they ended, and puts right what a node that died has left.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ForgetTransfers {
    /// Days after the end.
    pub days: u32,
}

/// An upload that is not there after so long will not come any more.
const LONGEST_UPLOAD: TimeDelta = TimeDelta::days(1);

impl Job for ForgetTransfers {
    const NAME: &'static str = "transfer.forget";

    fn dedup_key(&self) -> Option<String> {
        Some("all".to_owned())
    }

    async fn run(self, context: &JobContext) -> Result<()> {
        let ctx = &context.ctx;
        let now = ctx.now();
        let broken = |sql: &mut Sql| {
            sql.push("state = 'RECEIVING' and created_at <= ")
                .bind(before(now, LONGEST_UPLOAD));
        };
        for id in which(ctx, broken).await? {
            receive::forget(ctx, id).await?;
        }
        give_up_abandoned(ctx, now).await?;
        // What an end could not clear away any more.
        let littered = |sql: &mut Sql| {
            sql.push("finished_at is not null and exists (select 1 from transfer_chunk as chunk where chunk.transfer_id = transfer.id and chunk.part <> coalesce(transfer.result_part, -1))");
        };
        for id in which(ctx, littered).await? {
            let keep = result_part(ctx, id).await?;
            chunks::clear(ctx, id, keep).await?;
        }
        let old = |sql: &mut Sql| {
            sql.push("finished_at <= ")
                .bind(before(now, TimeDelta::days(i64::from(self.days))));
        };
        for id in which(ctx, old).await? {
            chunks::clear(ctx, id, None).await?;
            ctx.db
                .write(|tx| async move {
                    let mut sql = Sql::for_connection(&*tx);
                    sql.push("delete from transfer where id = ").bind(id);
                    tx.execute_raw(sql.build()).await?;
                    Ok(())
                })
                .await?;
        }
        Ok(())
    }
}

fn before(now: DateTime<Utc>, span: TimeDelta) -> DateTime<Utc> {
    now.checked_sub_signed(span)
        .unwrap_or(DateTime::<Utc>::UNIX_EPOCH)
}

async fn which(ctx: &Ctx, condition: impl Fn(&mut Sql)) -> Result<Vec<TransferId>> {
    let mut sql = ctx.db.sql();
    sql.push("select id from transfer where ");
    condition(&mut sql);
    let rows = ctx.db.read().query_all_raw(sql.build()).await?;
    rows.iter()
        .map(|row| Ok(TransferId(row.try_get("", "id")?)))
        .collect()
}

async fn result_part(ctx: &Ctx, id: TransferId) -> Result<Option<i32>> {
    let mut sql = ctx.db.sql();
    sql.push("select result_part from transfer where id = ")
        .bind(id);
    let row = ctx.db.read().query_one_raw(sql.build()).await?;
    Ok(row
        .map(|row| row.try_get("", "result_part"))
        .transpose()?
        .flatten())
}

/// Transfers whose job was given up while its node was away: nobody else would end them.
async fn give_up_abandoned(ctx: &Ctx, now: DateTime<Utc>) -> Result<()> {
    ctx.db
        .write(|tx| async move {
            let mut sql = Sql::for_connection(&*tx);
            sql.push("update transfer set state = 'FAILED', stored_bytes = 0, error = 'it was begun time and again and never ended; ask for it again', finished_at = ")
                .bind(now)
                .push(" where state in ('QUEUED', 'RUNNING') and not exists (select 1 from job where job.id = transfer.job_id and job.state in ('QUEUED', 'RUNNING'))");
            tx.execute_raw(sql.build()).await?;
            Ok(())
        })
        .await
}

/// Forgets the files of every transfer, since somebody was erased who may stand in any of them: results are handed out no
/// more from the moment that the caller's transaction commits, and are deleted soon after. Exports under way begin again,
/// as of a moment after the erasure.
///
/// # Errors
/// Those of the database.
pub async fn forget_files(tx: &impl ConnectionTrait, ctx: &Ctx) -> Result<()> {
    let mut sql = Sql::for_connection(tx);
    sql.push(
        "update transfer set result_part = null, result_bytes = null, stored_bytes = 0
            where finished_at is not null and (result_part is not null or stored_bytes > 0) returning id",
    );
    for row in tx.query_all_raw(sql.build()).await? {
        let job = ClearTransfer {
            transfer: TransferId(row.try_get("", "id")?),
        };
        jobs::enqueue(tx, ctx, &job, ctx.now()).await?;
    }
    // A later attempt is what counts: whatever node is at an earlier one writes nothing any more.
    let mut sql = Sql::for_connection(tx);
    sql.push(
        "update transfer set attempt = attempt + 1, state = 'QUEUED' where direction = 'EXPORT' and state = 'RUNNING'
            returning id",
    );
    for row in tx.query_all_raw(sql.build()).await? {
        let id = TransferId(row.try_get("", "id")?);
        let job = RunTransfer { transfer: id };
        let job_id = jobs::enqueue(tx, ctx, &job, ctx.now()).await?;
        let mut sql = Sql::for_connection(tx);
        sql.push("update transfer set job_id = ")
            .bind(job_id)
            .push(" where id = ")
            .bind(id);
        tx.execute_raw(sql.build()).await?;
    }
    Ok(())
}

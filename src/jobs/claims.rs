//! A node's claims on jobs: taking them, keeping them, doing the work, writing down what came of it.
//!
//! Called by the worker only. A claim is a row set to `RUNNING` with a node and a time until which it counts; a
//! heartbeat moves that time on while the job runs. A claim whose time has passed is abandoned (its node died),
//! and the job is taken up again. Every write about a claim names the node and the attempt, so that a node that
//! was thought dead changes nothing any more.

use super::job::JobContext;
use super::registry::Registry;
use super::worker::JobSettings;
use crate::access::{Ctx, Origin, audit::ReadTrail};
use crate::db::Sql;
use crate::error::{Error, Result};
use chrono::{DateTime, TimeDelta, Utc};
use entity::ids::JobId;
use entity::job;
use futures_util::FutureExt;
use sea_orm::{ConnectionTrait, FromQueryResult};
use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What the worker and its tasks share.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) ctx: Ctx,
    pub(super) registry: Registry,
    pub(super) settings: JobSettings,
    pub(super) node: Uuid,
}

/// How often the end of a job is written down before that is left to the claim's passing.
const CONCLUDE_ATTEMPTS: u32 = 6;
/// What an operator reads of an error at most, in characters.
const LONGEST_ERROR: usize = 500;

impl Claims {
    /// A look that writes nothing while nothing is due.
    pub(super) async fn is_anything_to_do(&self) -> Result<bool> {
        let now = self.ctx.now();
        let mut sql = self.ctx.db.sql();
        sql.push(
            "select 1 as due where exists (select 1 from job where state = 'QUEUED' and run_at <= ",
        )
        .bind(now)
        .push(") or exists (select 1 from job where state = 'RUNNING' and claimed_until <= ")
        .bind(now)
        .push(")");
        let row = self.ctx.db.read().query_one_raw(sql.build()).await?;
        Ok(row.is_some())
    }

    /// Puts abandoned jobs back into the queue; those that were begun as often as they may are given up.
    pub(super) async fn recover(&self) -> Result<()> {
        let now = self.ctx.now();
        let work = |tx: crate::db::Tx| async move {
            let mut sql = Sql::for_connection(&*tx);
            sql.push("update job set state = case when attempts >= max_attempts then 'DEAD' else 'QUEUED' end, finished_at = case when attempts >= max_attempts then ")
                .bind(now)
                .postgres("::timestamptz")
                .push(" end, run_at = ")
                .bind(now)
                .push(", claimed_by = null, claimed_until = null, last_error = 'abandoned: the node that ran it went away' where state = 'RUNNING' and claimed_until <= ")
                .bind(now);
            Ok(tx.execute_raw(sql.build()).await?.rows_affected())
        };
        let found = self.ctx.db.write(work).await?;
        if found > 0 {
            tracing::warn!(jobs = found, "abandoned jobs taken up again");
            metrics::counter!("regulars_jobs_abandoned_total").increment(found);
        }
        Ok(())
    }

    /// Claims due jobs of the kinds that this program knows, at most `room`.
    pub(super) async fn claim(&self, room: usize) -> Result<Vec<job::Model>> {
        if self.registry.names().next().is_none() {
            return Ok(Vec::new());
        }
        let (now, room) = (self.ctx.now(), room.to_string());
        let (until, room) = (self.claim_until(now), room.as_str());
        self.ctx
            .db
            .write(|tx| async move {
                let mut sql = Sql::for_connection(&*tx);
                // A common table is made once: as a plain subquery, PostgreSQL may run it for each row and lock
                // more than the limit. Locked rows are another node's catch, not worth waiting for.
                sql.push("with due as materialized (select id from job where state = 'QUEUED' and run_at <= ")
                    .bind(now)
                    .push(" and name in ")
                    .bind_list(self.registry.names())
                    .push(" order by run_at, id limit ")
                    .push(room)
                    .postgres(" for update skip locked")
                    .push(") update job set state = 'RUNNING', attempts = attempts + 1, claimed_by = ")
                    .bind(self.node)
                    .push(", claimed_until = ")
                    .bind(until)
                    .push(" where id in (select id from due) returning id, name, dedup_key, payload, state, run_at, attempts, max_attempts, claimed_by, claimed_until, last_error, created_at, finished_at");
                Ok(job::Model::find_by_statement(sql.build()).all(&*tx).await?)
            })
            .await
    }

    /// Moves the time of claims on; gives those that this node still holds.
    pub(super) async fn extend(&self, ids: &[JobId]) -> Result<HashSet<JobId>> {
        let until = self.claim_until(self.ctx.now());
        self.ctx
            .db
            .write(|tx| async move {
                let mut sql = Sql::for_connection(&*tx);
                sql.push("update job set claimed_until = ")
                    .bind(until)
                    .push(" where state = 'RUNNING' and claimed_by = ")
                    .bind(self.node)
                    .push(" and id in ")
                    .bind_list(ids.iter().copied())
                    .push(" returning id");
                let rows = tx.query_all_raw(sql.build()).await?;
                let kept = rows
                    .iter()
                    .map(|row| row.try_get::<Uuid>("", "id").map(JobId))
                    .collect::<std::result::Result<_, _>>()?;
                Ok(kept)
            })
            .await
    }

    /// Hands all claims of this node back to the queue, as if they had not been begun.
    pub(super) async fn release(&self) -> Result<()> {
        self.ctx
            .db
            .write(|tx| async move {
                let mut sql = Sql::for_connection(&*tx);
                sql.push("update job set state = 'QUEUED', attempts = attempts - 1, claimed_by = null, claimed_until = null where state = 'RUNNING' and attempts > 0 and claimed_by = ")
                    .bind(self.node);
                tx.execute_raw(sql.build()).await?;
                Ok(())
            })
            .await
    }

    /// Does the work of a claimed job and writes down what came of it.
    pub(super) async fn perform(&self, job: job::Model) {
        let context = JobContext {
            // Each attempt is a request of its own in the log.
            ctx: Ctx {
                origin: Origin::internal(),
                reads: ReadTrail::default(),
                ..self.ctx.clone()
            },
            id: job.id,
            attempt: job.attempts,
            max_attempts: job.max_attempts,
        };
        let (name, request_id) = (job.name, context.ctx.origin.request_id);
        let begun = Instant::now();
        let work = AssertUnwindSafe(self.registry.work(&name, job.payload, context));
        let outcome = work
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err(Error::internal("the job panicked")));
        metrics::histogram!("regulars_job_seconds", "name" => name.clone())
            .record(begun.elapsed().as_secs_f64());
        let end = match outcome {
            Ok(()) => {
                tracing::debug!(job = %job.id, name, %request_id, "job done");
                End::Done
            }
            Err(error) => {
                let dead = job.attempts >= job.max_attempts;
                let attempt = job.attempts;
                if dead {
                    tracing::error!(job = %job.id, name, attempt, %request_id, error = ?error, "job given up");
                } else {
                    tracing::warn!(job = %job.id, name, attempt, %request_id, error = ?error, "job failed");
                }
                let told = told(&error, request_id);
                if dead {
                    End::Dead(told)
                } else {
                    End::Again(told, self.settings.wait_after(attempt))
                }
            }
        };
        metrics::counter!("regulars_jobs_ended_total", "name" => name, "outcome" => end.word())
            .increment(1);
        for attempt in 1..=CONCLUDE_ATTEMPTS {
            match self.conclude(job.id, job.attempts, &end).await {
                Ok(true) => return,
                Ok(false) => {
                    tracing::warn!(job = %job.id, "the claim passed before the job ended");
                    return;
                }
                Err(error) => {
                    tracing::warn!(job = %job.id, error = ?error, "the end of a job could not be written");
                    tokio::time::sleep(Duration::from_millis(200) * 2_u32.pow(attempt)).await;
                }
            }
        }
    }

    /// Writes an end down; false when the claim is this node's no more.
    async fn conclude(&self, id: JobId, attempt: i32, end: &End) -> Result<bool> {
        let now = self.ctx.now();
        self.ctx
            .db
            .write(|tx| async move {
                let mut sql = Sql::for_connection(&*tx);
                sql.push("update job set claimed_by = null, claimed_until = null");
                match end {
                    End::Done => {
                        sql.push(", state = 'DONE', last_error = null, finished_at = ")
                            .bind(now);
                    }
                    End::Dead(error) => {
                        sql.push(", state = 'DEAD', last_error = ")
                            .bind(error.as_str())
                            .push(", finished_at = ")
                            .bind(now);
                    }
                    End::Again(error, wait) => {
                        let at = now.checked_add_signed(*wait).unwrap_or(now);
                        sql.push(", state = 'QUEUED', last_error = ")
                            .bind(error.as_str())
                            .push(", run_at = ")
                            .bind(at);
                    }
                }
                sql.push(" where state = 'RUNNING' and id = ")
                    .bind(id)
                    .push(" and claimed_by = ")
                    .bind(self.node)
                    .push(" and attempts = ")
                    .bind(attempt);
                Ok(tx.execute_raw(sql.build()).await?.rows_affected() > 0)
            })
            .await
    }

    fn claim_until(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let claim = TimeDelta::from_std(self.settings.claim).unwrap_or(TimeDelta::MAX);
        now.checked_add_signed(claim).unwrap_or(now)
    }
}

/// What came of an attempt.
enum End {
    Done,
    Dead(String),
    Again(String, TimeDelta),
}

impl End {
    fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Dead(_) => "dead",
            Self::Again(..) => "failed",
        }
    }
}

/// What an operator reads of an error. A database's own message may quote values of a row, and a user error's
/// may quote the input: neither is repeated; the log has the cause under the request's id.
fn told(error: &Error, request_id: Uuid) -> String {
    let text = match error {
        Error::User(errors) => errors
            .iter()
            .map(|error| format!("{:?} at {}", error.code, error.field.join(".")))
            .collect::<Vec<_>>()
            .join(", "),
        Error::Internal(cause) => cause.to_string(),
        Error::Database(_) => "the database refused a statement".to_owned(),
        other => other.to_string(),
    };
    let text: String = text.chars().take(LONGEST_ERROR).collect();
    format!("{}: {text} (request {request_id})", error.class())
}

//! What a job is, and how one is asked for.

use crate::access::Ctx;
use crate::db::Sql;
use crate::error::{Error, Result};
use chrono::{DateTime, Utc};
use entity::enums::JobState;
use entity::ids::JobId;
use sea_orm::ConnectionTrait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;

/// Work that can be put into the queue. Its fields are its payload: ids and figures, never a name, a phone
/// number or a text.
pub trait Job: Serialize + DeserializeOwned + Send + 'static {
    /// What kind it is, such as `card.expire`; never changed once released.
    const NAME: &'static str;
    /// How often it may be begun before it is given up as dead. With the usual waits, 8 attempts take about an
    /// hour.
    const MAX_ATTEMPTS: u16 = 8;

    /// Of the jobs of one kind with the same key, at most one waits or runs; asking for another does nothing.
    ///
    /// Since a *running* one counts too, a key is for work that looks at everything there is (a sweep), not for
    /// "this row has changed": the run under way may have read the row already.
    fn dedup_key(&self) -> Option<String> {
        None
    }

    /// Does the work. It may be run again after it was done (when the node died before it could say so), and may
    /// be dropped at any `await` (when the node stops).
    ///
    /// # Errors
    /// Whatever kept it from its work; it is run again later, up to [`Job::MAX_ATTEMPTS`] times.
    fn run(self, context: &JobContext) -> impl Future<Output = Result<()>> + Send;
}

/// What a running job is handed.
#[derive(Clone, Debug)]
pub struct JobContext {
    /// The context of services, with the program itself as the viewer.
    pub ctx: Ctx,
    /// The job's id.
    pub id: JobId,
    /// The how-manieth attempt this is, from 1.
    pub attempt: i32,
    /// How many attempts there are.
    pub max_attempts: i32,
}

/// A job that is ready to be put into the queue, whatever its kind.
#[derive(Clone, Debug)]
pub struct NewJob {
    name: &'static str,
    dedup_key: Option<String>,
    payload: serde_json::Value,
    max_attempts: u16,
}

impl NewJob {
    /// Writes a job down.
    ///
    /// # Errors
    /// [`Error::Internal`] when its fields have no form in JSON, which only a defect does.
    pub fn of<J: Job>(job: &J) -> Result<Self> {
        Ok(Self {
            name: J::NAME,
            dedup_key: job.dedup_key(),
            payload: serde_json::to_value(job).map_err(|_| {
                Error::internal(format!("a job {} cannot be written as JSON", J::NAME))
            })?,
            max_attempts: J::MAX_ATTEMPTS,
        })
    }

    /// Puts it into the queue; see [`enqueue`].
    ///
    /// # Errors
    /// Those of the database.
    pub async fn enqueue(
        self,
        tx: &impl ConnectionTrait,
        ctx: &Ctx,
        run_at: DateTime<Utc>,
    ) -> Result<Option<JobId>> {
        let id = JobId::new();
        let mut sql = Sql::for_connection(tx);
        sql.push("insert into job (id, name, dedup_key, payload, state, run_at, attempts, max_attempts, created_at) values (");
        sql.bind(id)
            .push(", ")
            .bind(self.name)
            .push(", ")
            .bind(self.dedup_key)
            .push(", ")
            .bind(self.payload);
        sql.push(", ")
            .bind(JobState::Queued.as_str())
            .push(", ")
            .bind(run_at)
            .push(", 0, ")
            .bind(i32::from(self.max_attempts));
        sql.push(", ")
            .bind(ctx.now())
            .push(") on conflict do nothing");
        let written = tx.execute_raw(sql.build()).await?.rows_affected();
        Ok((written > 0).then_some(id))
    }
}

/// Puts a job into the queue within the transaction of the change that calls for it: it is there once that is
/// committed, and never otherwise. Not begun before `run_at`.
///
/// `None` when a job with the same [`Job::dedup_key`] waits or runs already.
///
/// # Errors
/// Those of the database.
pub async fn enqueue<J: Job>(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    job: &J,
    run_at: DateTime<Utc>,
) -> Result<Option<JobId>> {
    NewJob::of(job)?.enqueue(tx, ctx, run_at).await
}

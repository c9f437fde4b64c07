//! What is kept how long: jobs that delete what has served its time, a little at once.
//!
//! Registered and scheduled by `app` through [`add`]. Each batch is a transaction of its own, so that no writer
//! waits long, and between two batches others get their turn. A job that is cut off goes on where it stood.

use super::job::{Job, JobContext};
use super::registry::Registry;
use super::schedule::Schedule;
use crate::db::{Sql, Tx};
use crate::error::Result;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How many days things are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionSettings {
    /// Entries of the audit log.
    pub audit_days: u32,
    /// Events; one that some listener has not dealt with is kept however old it is.
    pub event_days: u32,
    /// Jobs that are done.
    pub job_days: u32,
    /// Jobs that were given up.
    pub dead_job_days: u32,
    /// Idempotency keys. Tills work offline for days.
    pub idempotency_days: u32,
    /// Deliveries of webhooks that have ended, with their tries.
    pub webhook_days: u32,
    /// Sign-ins, from their last day on; their refresh tokens go with them.
    pub session_days: u32,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        Self {
            audit_days: 730,
            event_days: 90,
            job_days: 14,
            dead_job_days: 90,
            idempotency_days: 7,
            webhook_days: 14,
            session_days: 30,
        }
    }
}

/// A table of which old rows are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Ledger {
    /// `audit_entry` and `audit_customer`.
    Audit,
    /// `event`.
    Events,
    /// `job`, those that are done.
    Jobs,
    /// `job`, those that were given up.
    DeadJobs,
    /// `idempotency`.
    Idempotency,
    /// `attempt`.
    Attempts,
    /// `access_change`.
    AccessChanges,
    /// `session`, and with it `refresh_token`.
    Sessions,
    /// `sight`.
    Sight,
    /// `webhook_delivery`, and with it `webhook_attempt`.
    Webhooks,
}

/// Deletes what is older than some days from a table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Forget {
    /// Where.
    pub ledger: Ledger,
    /// Older than this, in days; 0 for rows that name their own last moment.
    pub days: u32,
}

/// Rows deleted in one transaction: some tens of milliseconds on a slow disk.
const BATCH: u64 = 500;
/// Between two batches, so that writers of the embedded engine, which has one at a time, are not starved.
const BREATH: Duration = Duration::from_millis(20);

impl Job for Forget {
    const NAME: &'static str = "retention.forget";

    fn dedup_key(&self) -> Option<String> {
        Some(format!("{:?}", self.ledger))
    }

    async fn run(self, context: &JobContext) -> Result<()> {
        let now = context.ctx.now();
        let before = now
            .checked_sub_signed(TimeDelta::days(i64::from(self.days)))
            .unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
        let mut forgotten: u64 = 0;
        loop {
            let rows = context
                .ctx
                .db
                .write(|tx| async move { batch(&tx, self.ledger, before).await })
                .await?;
            forgotten = forgotten.saturating_add(rows);
            if rows < BATCH {
                break;
            }
            tokio::time::sleep(BREATH).await;
        }
        if forgotten > 0 {
            tracing::info!(ledger = ?self.ledger, rows = forgotten, "old rows deleted");
        }
        Ok(())
    }
}

/// Deletes one batch of rows that ended before a moment; gives how many.
async fn batch(tx: &Tx, ledger: Ledger, before: DateTime<Utc>) -> Result<u64> {
    let mut sql = Sql::for_connection(&**tx);
    match ledger {
        Ledger::Audit => return audit(tx, before).await,
        Ledger::Events => return events(tx, before).await,
        Ledger::Jobs => finished(&mut sql, "DONE", before),
        Ledger::DeadJobs => finished(&mut sql, "DEAD", before),
        Ledger::Idempotency => aged(
            &mut sql,
            "idempotency",
            "caller, mutation, key",
            "created_at",
            before,
        ),
        Ledger::Attempts => aged(&mut sql, "attempt", "bucket", "expires_at", before),
        Ledger::AccessChanges => aged(&mut sql, "access_change", "id", "expires_at", before),
        Ledger::Sessions => aged(&mut sql, "session", "id", "expires_at", before),
        Ledger::Sight => aged(
            &mut sql,
            "sight",
            "customer_id, scope_id, cause",
            "until",
            before,
        ),
        Ledger::Webhooks => aged(&mut sql, "webhook_delivery", "id", "finished_at", before),
    }
    Ok(tx.execute_raw(sql.build()).await?.rows_affected())
}

/// The oldest rows of a table by a time that has an index.
fn aged(sql: &mut Sql, table: &str, key: &str, time: &str, before: DateTime<Utc>) {
    sql.push(&format!(
        "delete from {table} where ({key}) in (select {key} from {table} where {time} <= "
    ))
    .bind(before)
    .push(&format!(" order by {time} limit {BATCH})"));
}

fn finished(sql: &mut Sql, state: &str, before: DateTime<Utc>) {
    sql.push("delete from job where id in (select id from job where state = ")
        .bind(state)
        .push(" and finished_at <= ")
        .bind(before)
        .push(&format!(" order by finished_at limit {BATCH})"));
}

/// What tells whom an entry is about goes first: an import's entry is about thousands.
async fn audit(tx: &Tx, before: DateTime<Utc>) -> Result<u64> {
    let mut sql = Sql::for_connection(&**tx);
    sql.push(
        "delete from audit_customer where (customer_id, entry_id) in (select concerned.customer_id, concerned.entry_id
            from audit_entry join audit_customer as concerned on concerned.entry_id = audit_entry.id
            where audit_entry.at <= ",
    )
    .bind(before)
    .push(&format!(" order by audit_entry.at limit {BATCH})"));
    let concerned = tx.execute_raw(sql.build()).await?.rows_affected();
    if concerned >= BATCH {
        return Ok(concerned);
    }
    let mut sql = Sql::for_connection(&**tx);
    aged(&mut sql, "audit_entry", "id", "at", before);
    let entries = tx.execute_raw(sql.build()).await?.rows_affected();
    Ok(concerned.saturating_add(entries))
}

/// Events go in order of position, and only below where every listener has come to. A listener whose lease
/// nobody has renewed since `before` belongs to no program that runs any more, and holds nothing back.
async fn events(tx: &Tx, before: DateTime<Utc>) -> Result<u64> {
    let mut sql = Sql::for_connection(&**tx);
    // The oldest are picked first and asked for their age afterwards: a night on which nothing is old enough
    // looks at one batch and not at the whole outbox.
    sql.push("delete from event where id in (select id from (select id, at from event where position <= (select min(position) from lease where name = 'sequencer' or (name like 'listener:%' and until > ")
        .bind(before)
        .push(&format!(")) order by position limit {BATCH}) as oldest where at <= "))
        .bind(before)
        .push(")");
    Ok(tx.execute_raw(sql.build()).await?.rows_affected())
}

/// Adds the jobs and their schedule: at night in most of the world's shops, one after the other; what passes
/// within hours, by the hour.
///
/// # Errors
/// [`crate::error::Error::Internal`] when a name is taken already.
pub fn add(
    registry: &mut Registry,
    schedule: &mut Schedule,
    settings: &RetentionSettings,
) -> Result<()> {
    registry.add::<Forget>();
    let plan = [
        (
            "retention:audit",
            "5 3 * * *",
            Ledger::Audit,
            settings.audit_days,
        ),
        (
            "retention:events",
            "15 3 * * *",
            Ledger::Events,
            settings.event_days,
        ),
        (
            "retention:jobs",
            "25 3 * * *",
            Ledger::Jobs,
            settings.job_days,
        ),
        (
            "retention:dead-jobs",
            "30 3 * * *",
            Ledger::DeadJobs,
            settings.dead_job_days,
        ),
        (
            "retention:idempotency",
            "35 3 * * *",
            Ledger::Idempotency,
            settings.idempotency_days,
        ),
        (
            "retention:sessions",
            "45 3 * * *",
            Ledger::Sessions,
            settings.session_days,
        ),
        (
            "retention:webhooks",
            "55 3 * * *",
            Ledger::Webhooks,
            settings.webhook_days,
        ),
        ("retention:attempts", "10 * * * *", Ledger::Attempts, 0),
        (
            "retention:access-changes",
            "20 * * * *",
            Ledger::AccessChanges,
            0,
        ),
        ("retention:sight", "40 * * * *", Ledger::Sight, 0),
    ];
    for (name, cron, ledger, days) in plan {
        schedule.add(name, cron, move || Forget { ledger, days })?;
    }
    Ok(())
}

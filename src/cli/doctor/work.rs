//! The work beside the requests: does a server run, do events get their positions, do jobs end?

use super::report::Report;
use crate::access::Ctx;
use crate::app::StartError;
use crate::db::Sql;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, QueryResult};

/// Longer than any server that runs leaves something lying.
const PATIENCE: TimeDelta = TimeDelta::minutes(10);
/// The schedule has jobs for every hour.
const SCHEDULE: TimeDelta = TimeDelta::hours(3);
/// A clock that was a little ahead is put right by NTP without anybody noticing.
const AHEAD: TimeDelta = TimeDelta::minutes(5);
/// Events that a listener may be behind without anybody waiting for it.
const LAG: i64 = 10_000;

/// Looks at the queue and the outbox.
pub(super) async fn look(report: &mut Report, ctx: &Ctx) -> Result<(), StartError> {
    let is_served = leases(report, ctx).await?;
    jobs(report, ctx).await?;
    if is_served {
        schedule(report, ctx).await?;
    }
    history_ahead(report, ctx).await
}

async fn one(ctx: &Ctx, sql: Sql) -> Result<Option<QueryResult>, StartError> {
    Ok(ctx.db.read().query_one_raw(sql.build()).await?)
}

/// Does anybody work on events, and how far behind? Tells whether a server runs, as far as the database knows.
async fn leases(report: &mut Report, ctx: &Ctx) -> Result<bool, StartError> {
    let now = ctx.now();
    let mut sql = ctx.db.sql();
    sql.push("select until, position from lease where name = 'sequencer'");
    let Some(row) = one(ctx, sql).await? else {
        report.ok("events", "no server has run yet");
        return Ok(false);
    };
    let until: DateTime<Utc> = row.try_get("", "until")?;
    let position: i64 = row.try_get("", "position")?;
    let is_served = until > now;
    let mut sql = ctx.db.sql();
    sql.push("select at from event where position is null order by id limit 1");
    let waiting: Option<DateTime<Utc>> = one(ctx, sql)
        .await?
        .map(|row| row.try_get("", "at"))
        .transpose()?;
    match waiting.map(|at| now - at).filter(|age| *age > PATIENCE) {
        None if is_served => report.ok("events", "get their positions from a running server"),
        None => report.ok("events", "none waits, and no server runs"),
        Some(age) if is_served => report.fail(
            "events",
            &format!(
                "wait for their positions for {} minutes though a server holds the lease: look for `events wait` in its \
                 log",
                age.num_minutes()
            ),
        ),
        Some(age) => report.warn(
            "events",
            &format!(
                "wait for their positions for {} minutes: nobody has held the lease since {until}; start a server",
                age.num_minutes()
            ),
        ),
    }
    listeners(report, ctx, position).await?;
    Ok(is_served)
}

/// A listener whose lease nobody has renewed for long belongs to no program any more; retention forgets it.
async fn listeners(report: &mut Report, ctx: &Ctx, position: i64) -> Result<(), StartError> {
    let mut sql = ctx.db.sql();
    sql.push("select name, position from lease where name like 'listener:%' and until > ")
        .bind(ctx.now() - TimeDelta::days(1))
        .push(" and position < ")
        .bind(position.saturating_sub(LAG))
        .push(" order by position limit 1");
    if let Some(row) = one(ctx, sql).await? {
        let (name, reached): (String, i64) =
            (row.try_get("", "name")?, row.try_get("", "position")?);
        report.warn(
            "events",
            &format!(
                "{name} is {} events behind: look for `listener stands still` in the log",
                position.saturating_sub(reached)
            ),
        );
    }
    Ok(())
}

async fn jobs(report: &mut Report, ctx: &Ctx) -> Result<(), StartError> {
    let late = ctx.now() - PATIENCE;
    let mut is_well = true;
    let mut sql = ctx.db.sql();
    sql.push("select count(*) as found, min(name) as example from job where state = 'DEAD'");
    if let Some((found, example)) = found(ctx, sql).await? {
        is_well = false;
        report.warn(
            "jobs",
            &format!(
                "{found} were given up, such as {example}: read `lastError` of `jobs(filter: {{state: DEAD}})` in the API, \
                 mend the cause, and run them again by `jobRetry`"
            ),
        );
    }
    let mut sql = ctx.db.sql();
    sql.push(
        "select count(*) as found, min(name) as example from job where state = 'QUEUED' and run_at < ",
    )
    .bind(late);
    if let Some((found, example)) = found(ctx, sql).await? {
        is_well = false;
        report.warn(
            "jobs",
            &format!(
                "{found} should have begun more than {} minutes ago, such as {example}: start a server, or look for `jobs \
                 wait` in its log",
                PATIENCE.num_minutes()
            ),
        );
    }
    let mut sql = ctx.db.sql();
    sql.push(
        "select count(*) as found, min(name) as example from job where state = 'RUNNING' and claimed_until < ",
    )
    .bind(late);
    if let Some((found, example)) = found(ctx, sql).await? {
        is_well = false;
        report.warn(
            "jobs",
            &format!(
                "{found} were left by a node that is gone, such as {example}: any running server takes them up again; \
                 start one"
            ),
        );
    }
    if is_well {
        report.ok("jobs", "none was given up, none waits too long");
    }
    Ok(())
}

async fn found(ctx: &Ctx, sql: Sql) -> Result<Option<(i64, String)>, StartError> {
    let Some(row) = one(ctx, sql).await? else {
        return Ok(None);
    };
    let found: i64 = row.try_get("", "found")?;
    let example: Option<String> = row.try_get("", "example")?;
    Ok((found > 0).then(|| (found, example.unwrap_or_default())))
}

/// Retention and the end of cards hang on the schedule.
async fn schedule(report: &mut Report, ctx: &Ctx) -> Result<(), StartError> {
    let mut sql = ctx.db.sql();
    sql.push("select max(fired_at) as fired from job_schedule");
    let fired: Option<DateTime<Utc>> = match one(ctx, sql).await? {
        Some(row) => row.try_get("", "fired")?,
        None => None,
    };
    if let Some(fired) = fired.filter(|fired| ctx.now() - *fired > SCHEDULE) {
        report.warn(
            "schedule",
            &format!(
                "nothing was fired since {fired}, though a server runs: look for `jobs wait` in its log"
            ),
        );
    }
    Ok(())
}

/// Something was written at a time that has not come yet: the clock was ahead then, or is behind now.
async fn history_ahead(report: &mut Report, ctx: &Ctx) -> Result<(), StartError> {
    let mut sql = ctx.db.sql();
    sql.push("select at from event where at > ")
        .bind(ctx.now() + AHEAD)
        .push(" order by at desc limit 1");
    if let Some(row) = one(ctx, sql).await? {
        let at: DateTime<Utc> = row.try_get("", "at")?;
        report.warn(
            "clock",
            &format!(
                "the last event was written at {at}, which has not come yet: the clock was ahead then or is behind now; \
                 set the time by NTP before more is written"
            ),
        );
    }
    Ok(())
}

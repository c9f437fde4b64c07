//! The schedule: jobs that are put into the queue by the calendar, each firing once over all nodes.
//!
//! Put together by `app`, fired by every node's worker. What keeps a firing single is the row of
//! `job_schedule`: whoever moves it to the firing's time puts the job into the queue in the same transaction.

use super::job::{Job, NewJob};
use crate::access::Ctx;
use crate::db::Sql;
use crate::error::{Error, Result};
use chrono::{DateTime, Utc};
use croner::Cron;
use sea_orm::ConnectionTrait;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

type Make = Box<dyn Fn() -> Result<NewJob> + Send + Sync>;

/// Which jobs run when.
#[derive(Default)]
pub struct Schedule {
    entries: Vec<Entry>,
}

struct Entry {
    name: &'static str,
    cron: Cron,
    make: Make,
    /// No look at the table is needed before.
    next: Mutex<Option<DateTime<Utc>>>,
}

impl std::fmt::Debug for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.entries.iter().map(|entry| entry.name))
            .finish()
    }
}

impl Schedule {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a firing under a name that is its own for good: five fields of cron in UTC (`30 3 * * *`), and what
    /// makes the job. The first node that meets the name remembers the time and fires from the next one on.
    ///
    /// # Errors
    /// [`Error::Internal`] when the expression is none or never comes, or the name is taken: defects of the
    /// program.
    pub fn add<J: Job>(
        &mut self,
        name: &'static str,
        cron: &str,
        make: impl Fn() -> J + Send + Sync + 'static,
    ) -> Result<&mut Self> {
        let cron = Cron::from_str(cron)
            .map_err(|error| Error::internal(format!("schedule of {name}: {error}")))?;
        cron.find_next_occurrence(&DateTime::<Utc>::UNIX_EPOCH, false)
            .map_err(|error| Error::internal(format!("schedule of {name}: {error}")))?;
        if self.entries.iter().any(|entry| entry.name == name) {
            return Err(Error::internal(format!("two schedules are named {name}")));
        }
        self.entries.push(Entry {
            name,
            cron,
            make: Box::new(move || NewJob::of(&make())),
            next: Mutex::new(None),
        });
        Ok(self)
    }

    /// Puts into the queue whatever is due and no node has put there yet; gives how many jobs. However many
    /// firings were missed, one is caught up: the latest.
    ///
    /// # Errors
    /// Those of the database; what was not fired is fired by the next call.
    pub async fn fire(&self, ctx: &Ctx) -> Result<usize> {
        let now = ctx.now();
        let mut fired = 0;
        for entry in &self.entries {
            let known = *entry.next.lock().unwrap_or_else(PoisonError::into_inner);
            if known.is_some_and(|next| now < next) {
                continue;
            }
            if entry.fire(ctx, now).await? {
                fired += 1;
            }
            let next = entry
                .cron
                .find_next_occurrence(&now, false)
                .map_err(|error| Error::internal(format!("schedule of {}: {error}", entry.name)))?;
            *entry.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(next);
        }
        Ok(fired)
    }
}

impl Entry {
    async fn fire(&self, ctx: &Ctx, now: DateTime<Utc>) -> Result<bool> {
        let mut sql = ctx.db.sql();
        sql.push("select fired_at from job_schedule where name = ")
            .bind(self.name);
        let Some(row) = ctx.db.read().query_one_raw(sql.build()).await? else {
            return self.remember(ctx, now).await;
        };
        let fired_at: DateTime<Utc> = row.try_get("", "fired_at")?;
        let latest = self
            .cron
            .find_previous_occurrence(&now, true)
            .map_err(|error| Error::internal(format!("schedule of {}: {error}", self.name)))?;
        if latest <= fired_at {
            return Ok(false);
        }
        ctx.db
            .write(|tx| async move {
                let mut sql = Sql::for_connection(&*tx);
                sql.push("update job_schedule set fired_at = ")
                    .bind(latest)
                    .push(" where name = ")
                    .bind(self.name)
                    .push(" and fired_at < ")
                    .bind(latest);
                if tx.execute_raw(sql.build()).await?.rows_affected() == 0 {
                    return Ok(false);
                }
                let job = (self.make)()?.enqueue(&*tx, ctx, now).await?;
                Ok(job.is_some())
            })
            .await
    }

    async fn remember(&self, ctx: &Ctx, now: DateTime<Utc>) -> Result<bool> {
        ctx.db
            .write(|tx| async move {
                let mut sql = Sql::for_connection(&*tx);
                sql.push("insert into job_schedule (name, fired_at) values (")
                    .bind(self.name)
                    .push(", ")
                    .bind(now)
                    .push(") on conflict do nothing");
                tx.execute_raw(sql.build()).await?;
                Ok(false)
            })
            .await
    }
}

//! One node's worker: fires the schedule, claims what is due, runs it, writes down what came of it.
//!
//! Started by [`super::start`]; the tests drive it by [`Worker::tick`]. It runs jobs side by side up to a limit,
//! keeps their claims alive, and on a stop waits for them for a while before it hands them back.

use super::claims::Claims;
use super::registry::Registry;
use super::schedule::Schedule;
use crate::access::Ctx;
use crate::error::Result;
use crate::spans;
use chrono::TimeDelta;
use entity::ids::JobId;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::{AbortHandle, JoinSet};
use tracing::Instrument;
use uuid::Uuid;

/// Randomness that is handed in: a number from 0 to below 1.
pub type Jitter = Arc<dyn Fn() -> f64 + Send + Sync>;

/// How jobs are run.
#[derive(Clone)]
pub struct JobSettings {
    /// Jobs that one node runs at a time.
    pub concurrency: usize,
    /// How often a node looks for jobs that are due.
    pub poll: Duration,
    /// How long a node that died keeps its jobs. Generous, since clocks differ.
    pub claim: Duration,
    /// The wait after a first failure; it doubles up to [`JobSettings::longest_wait`].
    pub first_wait: Duration,
    /// The longest wait after a failure.
    pub longest_wait: Duration,
    /// How long a stop waits for jobs at work; those that have not ended are handed back to the queue.
    pub grace: Duration,
    /// Spreads retries, so that what failed together does not come back together.
    pub jitter: Jitter,
}

impl std::fmt::Debug for JobSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobSettings")
            .field("concurrency", &self.concurrency)
            .field("poll", &self.poll)
            .field("claim", &self.claim)
            .finish_non_exhaustive()
    }
}

impl JobSettings {
    /// The usual settings with this randomness.
    pub fn new(jitter: Jitter) -> Self {
        Self {
            concurrency: 4,
            poll: Duration::from_millis(500),
            claim: Duration::from_secs(60),
            first_wait: Duration::from_secs(15),
            longest_wait: Duration::from_secs(3600),
            grace: Duration::from_secs(20),
            jitter,
        }
    }

    /// The wait before the attempt after `attempt`: it doubles each time, less up to a quarter by chance.
    pub(super) fn wait_after(&self, attempt: i32) -> TimeDelta {
        let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(0);
        let whole = self
            .first_wait
            .saturating_mul(2_u32.saturating_pow(doublings))
            .min(self.longest_wait);
        let spread = 1.0 - 0.25 * (self.jitter)().clamp(0.0, 1.0);
        TimeDelta::from_std(whole.mul_f64(spread)).unwrap_or(TimeDelta::MAX)
    }
}

/// One node's worker.
#[derive(Debug)]
pub struct Worker {
    shared: Arc<Claims>,
    schedule: Arc<Schedule>,
    pub(super) tasks: JoinSet<()>,
    running: HashMap<JobId, AbortHandle>,
    last_beat: Instant,
}

impl Worker {
    /// A worker of the node `node`, an id that is fresh at each start.
    pub fn new(
        ctx: Ctx,
        registry: Registry,
        schedule: Arc<Schedule>,
        settings: JobSettings,
        node: Uuid,
    ) -> Self {
        Self {
            shared: Arc::new(Claims {
                ctx,
                registry,
                settings,
                node,
            }),
            schedule,
            tasks: JoinSet::new(),
            running: HashMap::new(),
            last_beat: Instant::now(),
        }
    }

    /// Keeps the claims alive, fires the schedule, takes abandoned jobs up again and begins as many due ones as there is room for; gives
    /// how many it has begun.
    ///
    /// # Errors
    /// Those of the database; the next call goes on from what is committed.
    pub async fn tick(&mut self) -> Result<usize> {
        if self.last_beat.elapsed() >= self.shared.settings.claim / 3 {
            self.heartbeat().await?;
        }
        self.schedule.fire(&self.shared.ctx).await?;
        self.forget_ended();
        let room = self
            .shared
            .settings
            .concurrency
            .saturating_sub(self.running.len());
        if !self.shared.is_anything_to_do().await? {
            return Ok(0);
        }
        self.shared.recover().await?;
        if room == 0 {
            return Ok(0);
        }
        let claimed = self.shared.claim(room).await?;
        let begun = claimed.len();
        for job in claimed {
            let (id, shared) = (job.id, Arc::clone(&self.shared));
            let span = spans::job(&job.name);
            let work = async move { shared.perform(job).await };
            let task = self.tasks.spawn(work.instrument(span));
            self.running.insert(id, task);
        }
        Ok(begun)
    }

    /// Moves the time of this node's claims on, and drops the work on jobs that it holds no more.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn heartbeat(&mut self) -> Result<()> {
        self.forget_ended();
        if !self.running.is_empty() {
            let ids: Vec<JobId> = self.running.keys().copied().collect();
            let kept = self.shared.extend(&ids).await?;
            // A job may have ended between the look and the update: to end it again does nothing.
            for (id, task) in &self.running {
                if !kept.contains(id) && !task.is_finished() {
                    tracing::warn!(job = %id, "claim lost, work dropped");
                    task.abort();
                }
            }
        }
        self.last_beat = Instant::now();
        Ok(())
    }

    /// Waits until every job that was begun has ended.
    pub async fn settle(&mut self) {
        while self.tasks.join_next().await.is_some() {}
        self.running.clear();
    }

    /// Waits for the jobs at work for as long as the settings say, drops the rest and hands them back.
    ///
    /// # Errors
    /// Those of the database; jobs that could not be handed back are taken up once their claims have passed.
    pub async fn close(mut self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        if tokio::time::timeout(shared.settings.grace, self.settle())
            .await
            .is_err()
        {
            self.tasks.shutdown().await;
        }
        shared.release().await
    }

    fn forget_ended(&mut self) {
        while self.tasks.try_join_next().is_some() {}
        self.running.retain(|_, task| !task.is_finished());
    }
}

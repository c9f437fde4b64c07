//! Listeners: what happens after a commit, driven by the outbox.
//!
//! A listener is registered in `app`, which hands it to [`super::start`]. It is handed every event at least
//! once, in order of position, by one node at a time. One that fails is tried again with growing waits and is
//! never passed over: it stands still, says so in the log and in `regulars_listener_lag`, and goes on by itself
//! once the cause is gone. There are no dead letters here: what may fail for good belongs in a job.

use super::feed::EventFeed;
use super::lease::{Lease, Standing};
use super::reader;
use crate::access::{Ctx, Origin, audit::ReadTrail};
use crate::error::{Error, Result};
use chrono::TimeDelta;
use entity::event;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// What is done about events after they are committed.
#[async_trait::async_trait]
pub trait Listener: Send + Sync + 'static {
    /// Under which name its position is kept; never changed once released.
    fn name(&self) -> &'static str;

    /// When it runs for the first time: does it begin with the oldest event that is kept, or with the next one?
    fn reads_history(&self) -> bool {
        true
    }

    /// Does what is due about some events, in their order. It may be handed the same ones again, so it must be
    /// able to do it twice: what it writes is keyed by the event's position or by a natural key.
    ///
    /// # Errors
    /// Whatever kept it from doing so; the same events are handed to it again later.
    async fn handle(&self, ctx: &Ctx, events: &[event::Model]) -> Result<()>;
}

/// How listeners are run.
#[derive(Clone, Debug)]
pub struct ListenerSettings {
    /// Events handed over at once at most.
    pub batch: u32,
    /// How long a node that died keeps the others waiting.
    pub term: Duration,
    /// How often a standby looks whether it may take over.
    pub poll: Duration,
    /// The wait after a first failure; it doubles up to [`ListenerSettings::longest_wait`].
    pub first_wait: Duration,
    /// The longest wait after a failure.
    pub longest_wait: Duration,
}

impl Default for ListenerSettings {
    fn default() -> Self {
        Self {
            batch: 200,
            term: Duration::from_secs(30),
            poll: Duration::from_secs(2),
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
        }
    }
}

/// One node's side of a listener.
pub struct ListenerTask {
    ctx: Ctx,
    feed: EventFeed,
    settings: ListenerSettings,
    listener: Arc<dyn Listener>,
    lease: Lease,
}

impl std::fmt::Debug for ListenerTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListenerTask")
            .field("listener", &self.listener.name())
            .finish_non_exhaustive()
    }
}

impl ListenerTask {
    /// A listener on the node `node`, an id that is fresh at each start.
    pub fn new(
        ctx: Ctx,
        feed: EventFeed,
        settings: ListenerSettings,
        listener: Arc<dyn Listener>,
        node: Uuid,
    ) -> Self {
        let term = TimeDelta::from_std(settings.term).unwrap_or(TimeDelta::MAX);
        let lease = Lease::new(&ctx, format!("listener:{}", listener.name()), node, term);
        Self {
            ctx,
            feed,
            settings,
            listener,
            lease,
        }
    }

    /// Takes or keeps the lease if it can and hands over one batch; gives how many events were dealt with, 0 on a
    /// standby.
    ///
    /// # Errors
    /// The listener's or the database's; nothing is passed over.
    pub async fn tick(&self) -> Result<usize> {
        let standing = match self.lease.stand(&self.ctx).await? {
            Some(standing) => standing,
            None => {
                let position = if self.listener.reads_history() {
                    0
                } else {
                    reader::last_position(&self.ctx.db).await?
                };
                self.lease.prepare(&self.ctx, position).await?;
                return Ok(0);
            }
        };
        let Standing::Holder(position) = standing else {
            return Ok(0);
        };
        let events = reader::after(&self.ctx.db, position, u64::from(self.settings.batch)).await?;
        let Some(reached) = events.last().and_then(|event| event.position) else {
            self.show_lag(position);
            return Ok(0);
        };
        let outcome = self.handle(&events).await;
        self.show_lag(if outcome.is_ok() { reached } else { position });
        outcome?;
        self.advance(reached).await?;
        Ok(events.len())
    }

    /// Hands the events over, and keeps the lease meanwhile.
    async fn handle(&self, events: &[event::Model]) -> Result<()> {
        // Each batch is a request of its own in the log.
        let ctx = Ctx {
            origin: Origin::internal(),
            reads: ReadTrail::default(),
            ..self.ctx.clone()
        };
        let keep = async {
            loop {
                tokio::time::sleep(self.settings.term / 3).await;
                // A database that is away for a moment is no reason to stop: the final step tells.
                if matches!(self.lease.renew(&self.ctx).await, Ok(false)) {
                    return;
                }
            }
        };
        tokio::select! {
            outcome = self.listener.handle(&ctx, events) => outcome,
            () = keep => Err(Error::internal("another node has taken the listener over")),
        }
    }

    async fn advance(&self, reached: i64) -> Result<()> {
        let now = self.ctx.now();
        let held = self
            .ctx
            .db
            .write(|tx| async move {
                let held = self.lease.hold(&*tx, now).await?;
                if held.is_some() {
                    self.lease.advance(&*tx, reached).await?;
                }
                Ok(held.is_some())
            })
            .await?;
        if held {
            Ok(())
        } else {
            Err(Error::internal("another node has taken the listener over"))
        }
    }

    fn show_lag(&self, position: i64) {
        let lag = self.feed.position().saturating_sub(position).max(0);
        // A gauge is a float: exact up to 2^53 events behind.
        let lag = f64::from(u32::try_from(lag).unwrap_or(u32::MAX));
        metrics::gauge!("regulars_listener_lag", "listener" => self.listener.name()).set(lag);
    }

    /// Works until told to stop, then lets go of the lease.
    pub(super) async fn run(self, stop: CancellationToken) {
        let name = self.listener.name();
        let mut latest = self.feed.watch();
        let mut failures: u32 = 0;
        loop {
            latest.mark_unchanged();
            let (wait, hurry) = match self.tick().await {
                Ok(0) => {
                    failures = 0;
                    (self.settings.poll, true)
                }
                Ok(_) => {
                    failures = 0;
                    (Duration::ZERO, true)
                }
                Err(error) => {
                    metrics::counter!("regulars_listener_failures_total", "listener" => name)
                        .increment(1);
                    let wait = self
                        .settings
                        .first_wait
                        .saturating_mul(2_u32.saturating_pow(failures))
                        .min(self.settings.longest_wait);
                    failures = failures.saturating_add(1);
                    tracing::error!(listener = name, failures, error = ?error, "listener stands still");
                    (wait, false)
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = tokio::time::sleep(wait) => {}
                // The feed lives as long as this task, which holds a clone of it.
                Ok(()) = latest.changed(), if hurry => {}
            }
        }
        if let Err(error) = self.lease.release(&self.ctx).await {
            tracing::warn!(listener = name, error = ?error, "the listener's lease could not be released");
        }
    }
}

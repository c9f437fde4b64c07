//! One node's worker: takes what is due out of the line and tries it, many at a time, few of them to one webhook, so that
//! a receiver that hangs holds up nobody but itself.
//!
//! Started by `app`, which stops it after the last request is answered.

use super::attempt::Attempts;
use super::message::GlobalIds;
use super::queue;
use crate::access::Ctx;
use crate::channels::Sender;
use crate::error::Result;
use crate::jobs::Jitter;
use entity::ids::WebhookId;
use entity::webhook_delivery;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::{Id, JoinError, JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Tries to one webhook that one node makes at a time.
const EACH: usize = 4;
/// Tries that one node makes at a time.
const TOTAL: usize = 256;
/// How often a node looks for what is due.
const POLL: Duration = Duration::from_millis(500);
/// The longest wait before a node looks again after the database has failed.
const LONGEST_POLL: Duration = Duration::from_secs(16);

/// What a worker works with.
pub struct WorkerParts {
    /// The program's own context.
    pub ctx: Ctx,
    /// Sends the messages.
    pub sender: Sender,
    /// How the API calls things.
    pub ids: GlobalIds,
    /// Spreads the tries.
    pub jitter: Jitter,
    /// How long a stop waits for tries that are under way; what was cut off is tried again.
    pub grace: Duration,
    /// Makes it look now.
    pub poke: Arc<Notify>,
}

impl std::fmt::Debug for WorkerParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkerParts").finish_non_exhaustive()
    }
}

/// The running worker.
#[derive(Debug)]
pub struct Webhooks {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Starts a worker.
pub fn start(parts: WorkerParts) -> Webhooks {
    let stop = CancellationToken::new();
    let worker = Worker {
        shared: Arc::new(Attempts {
            ctx: parts.ctx,
            sender: parts.sender,
            ids: parts.ids,
            jitter: parts.jitter,
            node: Uuid::now_v7(),
        }),
        tasks: JoinSet::new(),
        under_way: HashMap::new(),
    };
    let task = tokio::spawn(worker.run(stop.clone(), parts.poke, parts.grace));
    Webhooks { stop, task }
}

impl Webhooks {
    /// Begins nothing more, waits for what is under way within the grace, and lets go of the rest.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(error = %error, "the worker of webhooks ended badly");
        }
    }
}

struct Worker {
    shared: Arc<Attempts>,
    tasks: JoinSet<()>,
    /// To which webhook each try goes.
    under_way: HashMap<Id, WebhookId>,
}

impl Worker {
    async fn run(mut self, stop: CancellationToken, poke: Arc<Notify>, grace: Duration) {
        let mut failures: u32 = 0;
        while !stop.is_cancelled() {
            let wait = match self.tick().await {
                Ok(()) => {
                    failures = 0;
                    POLL
                }
                Err(error) => {
                    tracing::warn!(error = ?error, "deliveries of webhooks wait");
                    failures = failures.saturating_add(1);
                    POLL.saturating_mul(2_u32.saturating_pow(failures))
                        .min(LONGEST_POLL)
                }
            };
            let hurry = failures == 0;
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = poke.notified(), if hurry => {}
                // Room for another one, and perhaps the next one of the same customer.
                Some(ended) = self.tasks.join_next_with_id(), if hurry => self.forget(ended),
                () = tokio::time::sleep(wait) => {}
            }
        }
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, all).await.is_err() {
            self.tasks.shutdown().await;
        }
        if let Err(error) = queue::release(&self.shared.ctx, self.shared.node).await {
            tracing::warn!(error = ?error, "claims on deliveries could not be let go of");
        }
    }

    async fn tick(&mut self) -> Result<()> {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.forget(ended);
        }
        for hook in queue::due(&self.shared.ctx).await? {
            let busy = self.under_way.values().filter(|to| **to == hook).count();
            let room = EACH
                .saturating_sub(busy)
                .min(TOTAL.saturating_sub(self.tasks.len()));
            if room == 0 {
                continue;
            }
            let claimed = queue::claim(&self.shared.ctx, self.shared.node, hook, room).await?;
            for row in claimed {
                let work = perform(Arc::clone(&self.shared), row);
                self.under_way.insert(self.tasks.spawn(work).id(), hook);
            }
        }
        Ok(())
    }

    fn forget(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!(error = %error, "a try to deliver ended badly");
                error.id()
            }
        };
        self.under_way.remove(&id);
    }
}

/// What goes wrong here is the database's doing: the claim passes, and another try is made.
async fn perform(shared: Arc<Attempts>, row: webhook_delivery::Model) {
    if let Err(error) = shared.perform(&row).await {
        tracing::warn!(delivery = %row.id, error = ?error, "a delivery could not be tried");
    }
}

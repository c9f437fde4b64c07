//! Runs the worker of this process beside the server.
//!
//! Called by `app`, which keeps the handle and stops it after the last request is answered.

use super::registry::Registry;
use super::schedule::Schedule;
use super::worker::{JobSettings, Worker};
use crate::access::Ctx;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The running worker.
#[derive(Debug)]
pub struct Jobs {
    stop: CancellationToken,
    poke: Arc<Notify>,
    task: JoinHandle<()>,
}

/// Starts the worker. `ctx` is one of the program itself.
pub fn start(ctx: &Ctx, registry: Registry, schedule: Schedule, settings: JobSettings) -> Jobs {
    let (stop, poke) = (CancellationToken::new(), Arc::new(Notify::new()));
    let worker = Worker::new(
        ctx.clone(),
        registry,
        Arc::new(schedule),
        settings.clone(),
        Uuid::now_v7(),
    );
    let task = tokio::spawn(run(worker, settings, stop.clone(), Arc::clone(&poke)));
    Jobs { stop, poke, task }
}

impl Jobs {
    /// Makes the worker look now; to forget it costs half a second.
    pub fn poke(&self) {
        self.poke.notify_one();
    }

    /// Begins nothing more, waits for the jobs at work within the grace, hands the rest back to the queue.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(error = %error, "the worker ended badly");
        }
    }
}

async fn run(
    mut worker: Worker,
    settings: JobSettings,
    stop: CancellationToken,
    poke: Arc<Notify>,
) {
    let mut failures: u32 = 0;
    while !stop.is_cancelled() {
        let wait = match worker.tick().await {
            Ok(_) => {
                failures = 0;
                settings.poll
            }
            Err(error) => {
                tracing::warn!(error = ?error, "jobs wait");
                failures = failures.saturating_add(1);
                settings
                    .poll
                    .saturating_mul(2_u32.saturating_pow(failures.min(5)))
            }
        };
        let hurry = failures == 0;
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = poke.notified(), if hurry => {}
            // Room for another one.
            Some(_) = worker.tasks.join_next(), if hurry => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
    if let Err(error) = worker.close().await {
        tracing::warn!(error = ?error, "claims could not be handed back");
    }
}

//! The work beside the requests: the sequencer of events with its listeners, the job queue with its schedule, the
//! deliveries of webhooks.
//!
//! A topic that defers work or listens to events has its line here.

use super::StartError;
use crate::access::Ctx;
use crate::channels::Sender;
use crate::config::{Retention, Settings};
use crate::domain::cards::expiry::ExpireCards;
use crate::domain::customers::completeness::CountCompleteness;
use crate::domain::transfers::{ClearTransfer, ForgetTransfers, RunTransfer};
use crate::domain::webhooks::worker::{self, Webhooks, WorkerParts};
use crate::domain::webhooks::{GlobalIds, Teller, WebhookSettings};
use crate::events::{self, EventHub, EventSettings, Events, Listener};
use crate::graphql::webhooks::global_id;
use crate::jobs::retention::{self, RetentionSettings};
use crate::jobs::{self, Jitter, JobSettings, Jobs, Registry, Schedule};
use std::sync::Arc;
use tokio::sync::Notify;

/// The work in the background, running.
#[derive(Debug)]
pub(super) struct Background {
    events: Events,
    jobs: Jobs,
    webhooks: Webhooks,
}

impl Background {
    /// Starts it. `ctx` is the program's own.
    ///
    /// # Errors
    /// Two jobs or schedules of one name, which only a defect makes; those of the database.
    pub async fn start(ctx: &Ctx, settings: &Settings) -> Result<Self, StartError> {
        let (mut registry, mut schedule) = (Registry::new(), Schedule::new());
        retention::add(
            &mut registry,
            &mut schedule,
            &retention_settings(&settings.retention),
        )?;
        registry.add::<ExpireCards>();
        // Every hour, since the company's midnight is not the clock's; a second run of a day finds nothing.
        schedule.add("card.expire", "7 * * * *", || ExpireCards {})?;
        registry.add::<CountCompleteness>();
        // Whom an import has brought is counted within minutes; when there is nobody, it costs a look at an index.
        schedule.add("completeness.count", "*/5 * * * *", || CountCompleteness {})?;
        registry
            .add::<RunTransfer>()
            .add::<ClearTransfer>()
            .add::<ForgetTransfers>();
        let days = settings.retention.transfer_days;
        schedule.add("transfer.forget", "50 * * * *", move || ForgetTransfers {
            days,
        })?;
        let (grace, jitter): (_, Jitter) =
            (settings.server.drain_timeout, Arc::new(rand::random::<f64>));
        let job_settings = JobSettings {
            grace,
            ..JobSettings::new(Arc::clone(&jitter))
        };
        let poke = Arc::new(Notify::new());
        let parts = WorkerParts {
            ctx: ctx.clone(),
            sender: Sender::new(ctx.memory.of::<WebhookSettings>().targets)?,
            ids: GlobalIds(global_id),
            jitter,
            grace,
            poke: Arc::clone(&poke),
        };
        let listeners: Vec<Arc<dyn Listener>> = vec![Arc::new(Teller::new(poke))];
        Ok(Self {
            events: events::start(ctx, EventSettings::default(), listeners).await?,
            jobs: jobs::start(ctx, registry, schedule, job_settings),
            webhooks: worker::start(parts),
        })
    }

    /// All events, for whoever follows them.
    pub fn hub(&self) -> EventHub {
        self.events.hub().clone()
    }

    /// Begins nothing more and waits for what is at work.
    pub async fn stop(self) {
        self.webhooks.stop().await;
        self.jobs.stop().await;
        // Last: what the jobs have just written is given its place in the order.
        self.events.stop().await;
    }
}

fn retention_settings(retention: &Retention) -> RetentionSettings {
    RetentionSettings {
        audit_days: retention.audit_days,
        event_days: retention.event_days,
        job_days: retention.job_days,
        dead_job_days: retention.dead_job_days,
        idempotency_days: retention.idempotency_days,
        webhook_days: retention.webhook_days,
        session_days: retention.session_days,
    }
}

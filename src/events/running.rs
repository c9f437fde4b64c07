//! Runs the sequencer and the listeners of this process beside the server.
//!
//! Called by `app`, which keeps the handle and stops it after the last request is answered.

use super::feed::EventFeed;
use super::hub::EventHub;
use super::listeners::{Listener, ListenerSettings, ListenerTask};
use super::reader;
use super::sequencer::{Sequencer, SequencerSettings};
use crate::access::Ctx;
use crate::error::Result;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How events are handled by this process.
#[derive(Clone, Debug)]
pub struct EventSettings {
    /// The sequencer.
    pub sequencer: SequencerSettings,
    /// The listeners.
    pub listeners: ListenerSettings,
    /// How long a stop waits for a listener that is at work; what it was doing is done again at the next start.
    pub grace: Duration,
}

impl Default for EventSettings {
    fn default() -> Self {
        Self {
            sequencer: SequencerSettings::default(),
            listeners: ListenerSettings::default(),
            grace: Duration::from_secs(10),
        }
    }
}

/// The running sequencer and listeners.
#[derive(Debug)]
pub struct Events {
    feed: EventFeed,
    hub: EventHub,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    grace: Duration,
}

/// Starts the sequencer, the hub of those who follow events, and the listeners. `ctx` is one of the program itself.
///
/// # Errors
/// Those of the database.
pub async fn start(
    ctx: &Ctx,
    settings: EventSettings,
    listeners: Vec<Arc<dyn Listener>>,
) -> Result<Events> {
    let (feed, stop, node) = (EventFeed::new(), CancellationToken::new(), Uuid::now_v7());
    // Known before the first request: whoever asks for the position is never told the beginning of time.
    feed.publish(reader::last_position(&ctx.db).await?);
    let hub = EventHub::new(ctx.db.clone(), feed.clone());
    let mut tasks = JoinSet::new();
    tasks.spawn(hub.clone().run(stop.clone()));
    let sequencer = Sequencer::new(ctx.clone(), feed.clone(), settings.sequencer, node);
    tasks.spawn(sequencer.run(stop.clone()));
    for listener in listeners {
        let task = ListenerTask::new(
            ctx.clone(),
            feed.clone(),
            settings.listeners.clone(),
            listener,
            node,
        );
        tasks.spawn(task.run(stop.clone()));
    }
    Ok(Events {
        feed,
        hub,
        stop,
        tasks,
        grace: settings.grace,
    })
}

impl Events {
    /// All events, for whoever follows them.
    pub fn hub(&self) -> &EventHub {
        &self.hub
    }

    /// The feed, for poking after a write.
    pub fn feed(&self) -> &EventFeed {
        &self.feed
    }

    /// Ends the batches at work and hands the leases back.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(self.grace, all).await.is_err() {
            tracing::warn!("a listener did not end in time and was cut off");
            self.tasks.shutdown().await;
        }
    }
}

//! The news of this process that events have been committed, and up to which position they can be read.
//!
//! Held by the sequencer, which publishes, and by whoever waits for events: listeners and subscriptions. It
//! carries no event, only the latest position, so nobody can fall behind it: a waiter that wakes late reads
//! all it has missed from the outbox.

use std::sync::Arc;
use tokio::sync::{Notify, watch};

/// The latest position that this process knows of. Cheap to clone; all clones are the same feed.
#[derive(Clone, Debug)]
pub struct EventFeed {
    committed: Arc<Notify>,
    position: Arc<watch::Sender<i64>>,
}

impl Default for EventFeed {
    fn default() -> Self {
        Self {
            committed: Arc::new(Notify::new()),
            position: Arc::new(watch::Sender::new(0)),
        }
    }
}

impl EventFeed {
    /// A feed that knows of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells the sequencer of this process that events were committed, so that it need not wait for its next
    /// look. Costs next to nothing; to forget it costs a fraction of a second, never an event.
    pub fn poke(&self) {
        self.committed.notify_one();
    }

    /// Up to where events can be read, as far as this process knows.
    pub fn position(&self) -> i64 {
        *self.position.borrow()
    }

    /// For waiting: [`watch::Receiver::changed`] ends when there is more to read.
    pub fn watch(&self) -> watch::Receiver<i64> {
        self.position.subscribe()
    }

    /// Ends when somebody has poked.
    pub(super) async fn poked(&self) {
        self.committed.notified().await;
    }

    /// Makes a position known; an older one than the latest changes nothing.
    pub(super) fn publish(&self, position: i64) {
        self.position.send_if_modified(|latest| {
            let newer = position > *latest;
            if newer {
                *latest = position;
            }
            newer
        });
    }
}

//! The one reader of the outbox for all subscriptions of this process.
//!
//! Started by [`super::start`]. However many follow the events, each event is read once: the newest are kept in memory
//! within a bound, and every [`Follower`] walks through them at its own pace by position. Nothing is buffered for anybody:
//! whoever falls behind what is kept reads on from the outbox, in windows of bounded length, and meets the others again.
//! While nobody follows, nothing is read.

use super::feed::EventFeed;
use super::reader::{self, Wanted};
use crate::db::Db;
use crate::error::{Error, Result};
use entity::event;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// Events kept in memory, some hundred bytes each.
const KEPT: usize = 4096;
/// Events read by one statement.
const BATCH: u64 = 500;
/// Positions that one statement of somebody who resumes looks through.
const WINDOW: i64 = 5000;
/// Statements of those who resume that run at once in this process.
const RESUMING: usize = 2;
/// The wait after a failed read.
const PAUSE: Duration = Duration::from_millis(500);

/// The events behind `from` up to `to`.
#[derive(Debug, Default)]
struct Recent {
    from: i64,
    to: i64,
    events: VecDeque<Arc<event::Model>>,
}

impl Recent {
    /// Forgets what is kept: whoever follows from now on begins here.
    fn skip_to(&mut self, position: i64) {
        self.events.clear();
        self.from = position;
        self.to = position;
    }

    fn add(&mut self, events: Vec<event::Model>) {
        for event in events {
            let Some(position) = event.position else {
                continue;
            };
            self.to = position;
            self.events.push_back(Arc::new(event));
            if self.events.len() > KEPT
                && let Some(gone) = self.events.pop_front()
            {
                self.from = gone.position.unwrap_or(self.from);
            }
        }
    }

    /// The first event behind a position that is wanted, or up to where there is none.
    fn find(&self, position: i64, wanted: &Wanted) -> Found {
        if position < self.from {
            return Found::Behind(self.from);
        }
        let first = self
            .events
            .partition_point(|event| event.position.unwrap_or_default() <= position);
        self.events
            .range(first..)
            .find(|event| wanted.matches(event))
            .map_or(Found::UpTo(self.to.max(position)), |event| {
                Found::Event(Arc::clone(event))
            })
    }
}

enum Found {
    Event(Arc<event::Model>),
    /// There is none up to here.
    UpTo(i64),
    /// What comes next is not kept; what is kept begins behind this position.
    Behind(i64),
}

/// All events of this process' database, for whoever follows them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct EventHub(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    db: Db,
    feed: EventFeed,
    recent: RwLock<Recent>,
    /// Up to where [`Shared::recent`] has come.
    read: watch::Sender<i64>,
    followers: AtomicUsize,
    resuming: Semaphore,
}

impl EventHub {
    pub(super) fn new(db: Db, feed: EventFeed) -> Self {
        let position = feed.position();
        let recent = Recent {
            from: position,
            to: position,
            events: VecDeque::new(),
        };
        Self(Arc::new(Shared {
            db,
            feed,
            recent: RwLock::new(recent),
            read: watch::Sender::new(position),
            followers: AtomicUsize::new(0),
            resuming: Semaphore::new(RESUMING),
        }))
    }

    /// The position up to which this process knows events to be readable: what is read from the database afterwards shows
    /// all that they tell of.
    pub fn position(&self) -> i64 {
        self.0.feed.position()
    }

    /// Follows the events that are wanted: those behind `after`, or those that happen from now on.
    ///
    /// # Errors
    /// [`Error::BadRequest`] when events behind `after` are no longer kept, or when no event has come so far; those of the
    /// database.
    pub async fn follow(&self, wanted: Wanted, after: Option<i64>) -> Result<Follower> {
        // Counted before its place is taken, so that nothing from there on is skipped.
        let counted = Counted::new(self.0.clone());
        let position = match after {
            None => self.position(),
            Some(after) => {
                if after < 0 || after > reader::last_position(&self.0.db).await? {
                    return Err(Error::BadRequest(
                        "`after` is no position of an event: hand over one that was received"
                            .into(),
                    ));
                }
                self.0.refuse_a_gap(after).await?;
                after
            }
        };
        Ok(Follower {
            read: self.0.read.subscribe(),
            hub: counted,
            wanted,
            position,
        })
    }

    /// Reads on whenever there is more, until told to stop.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut latest = self.0.feed.watch();
        loop {
            let target = *latest.borrow_and_update();
            let failed = match self.0.read_on(target).await {
                Ok(()) => false,
                Err(error) => {
                    tracing::warn!(error = ?error, "events could not be read for those who follow them");
                    true
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PAUSE), if failed => {}
                // The feed lives as long as this task, which holds a clone of it.
                Ok(()) = latest.changed(), if !failed => {}
            }
        }
    }
}

impl Shared {
    async fn read_on(&self, target: i64) -> Result<()> {
        loop {
            let reached = {
                let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
                if self.followers.load(Ordering::SeqCst) == 0 {
                    let reached = target.max(recent.to);
                    recent.skip_to(reached);
                }
                recent.to
            };
            if reached >= target {
                self.read.send_replace(reached);
                return Ok(());
            }
            let events = reader::after(&self.db, reached, BATCH).await?;
            if events.is_empty() {
                return Ok(());
            }
            let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
            recent.add(events);
            self.read.send_replace(recent.to);
        }
    }

    /// Is everything behind a position still kept?
    async fn refuse_a_gap(&self, position: i64) -> Result<()> {
        let oldest = match reader::oldest_position(&self.db).await? {
            Some(oldest) => oldest,
            None => reader::last_position(&self.db).await?.saturating_add(1),
        };
        if position.saturating_add(1) < oldest {
            return Err(Error::BadRequest(
                "events behind `after` are no longer kept: read anew what you need, and follow from now on".into(),
            ));
        }
        Ok(())
    }
}

/// One who follows is counted as long as it lives.
#[derive(Debug)]
struct Counted(Arc<Shared>);

impl Counted {
    fn new(shared: Arc<Shared>) -> Self {
        shared.followers.fetch_add(1, Ordering::SeqCst);
        metrics::gauge!("regulars_event_followers").increment(1);
        Self(shared)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.followers.fetch_sub(1, Ordering::SeqCst);
        metrics::gauge!("regulars_event_followers").decrement(1);
    }
}

/// One who follows events, in their order and each once.
#[derive(Debug)]
pub struct Follower {
    hub: Counted,
    read: watch::Receiver<i64>,
    wanted: Wanted,
    position: i64,
}

impl Follower {
    /// The next event that is wanted; waits until there is one. Dropped while it waits, it has missed nothing.
    ///
    /// # Errors
    /// As [`EventHub::follow`]; after an error of the database it can be asked again.
    pub async fn next(&mut self) -> Result<Arc<event::Model>> {
        loop {
            self.read.mark_unchanged();
            let found = {
                let recent = self.hub.0.recent.read();
                recent
                    .unwrap_or_else(PoisonError::into_inner)
                    .find(self.position, &self.wanted)
            };
            match found {
                Found::Event(event) => {
                    self.position = event.position.unwrap_or(self.position);
                    return Ok(event);
                }
                Found::Behind(kept) => {
                    if let Some(event) = self.catch_up(kept).await? {
                        return Ok(event);
                    }
                }
                Found::UpTo(position) => {
                    self.position = position;
                    // The hub outlives its followers, so the sender is there.
                    let _ = self.read.changed().await;
                }
            }
        }
    }

    /// Looks through one window of the outbox.
    async fn catch_up(&mut self, kept: i64) -> Result<Option<Arc<event::Model>>> {
        let shared = &self.hub.0;
        let _turn = shared.resuming.acquire().await;
        let end = self.position.saturating_add(WINDOW).min(kept);
        let event = reader::first_between(&shared.db, self.position, end, &self.wanted).await?;
        // After the read: what it has not found may have been cleared away.
        shared.refuse_a_gap(self.position).await?;
        self.position = event
            .as_ref()
            .and_then(|event| event.position)
            .unwrap_or(end);
        Ok(event.map(Arc::new))
    }
}

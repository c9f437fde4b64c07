//! What time it is.
//!
//! Every service takes the time from the clock in its context, so that tests and a server started
//! for a rehearsal can hand in another one. Nobody else calls `Utc::now`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// Tells the time in UTC, in whole microseconds: what both databases keep.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> DateTime<Utc> {
        (**self).now()
    }
}

/// Cuts a time down to whole microseconds (towards the past).
#[must_use]
pub fn truncate_to_micros(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        truncate_to_micros(Utc::now())
    }
}

/// A clock that stands still until it is set or moved. Clones show the same time, so that a test
/// keeps one and hands the other to the server.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that shows `at`.
    #[must_use]
    pub fn new(at: DateTime<Utc>) -> Self {
        Self(Arc::new(AtomicI64::new(at.timestamp_micros())))
    }

    /// Sets it.
    pub fn set(&self, at: DateTime<Utc>) {
        self.0.store(at.timestamp_micros(), Ordering::SeqCst);
    }

    /// Moves it forward (or back, when negative); times beyond what can be told stay at the end.
    pub fn advance(&self, by: TimeDelta) {
        let micros = by.num_microseconds().unwrap_or(i64::MAX);
        let _ = self
            .0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| {
                Some(now.saturating_add(micros))
            });
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst))
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Timelike;

    #[test]
    fn the_system_clock_shows_whole_microseconds() {
        for _ in 0..100 {
            assert_eq!(SystemClock.now().nanosecond() % 1000, 0);
        }
        assert!((Utc::now() - SystemClock.now()).num_seconds().abs() < 5);
    }

    #[test]
    fn truncates_towards_the_past() {
        let at = DateTime::from_timestamp(-1, 999_999_999).unwrap();
        assert_eq!(
            truncate_to_micros(at),
            DateTime::from_timestamp(-1, 999_999_000).unwrap()
        );
    }

    #[test]
    fn clones_of_a_manual_clock_agree() {
        let start = DateTime::from_timestamp(1_700_000_000, 123_456_789).unwrap();
        let kept = ManualClock::new(start);
        let handed_in: Arc<dyn Clock> = Arc::new(kept.clone());
        assert_eq!(handed_in.now(), truncate_to_micros(start));
        kept.advance(TimeDelta::seconds(5));
        assert_eq!(
            (handed_in.now() - truncate_to_micros(start)).num_seconds(),
            5
        );
        kept.set(start);
        kept.advance(TimeDelta::seconds(-5));
        assert!(handed_in.now() < start);
        kept.advance(TimeDelta::MAX);
        assert!(handed_in.now() > start);
    }
}

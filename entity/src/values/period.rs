//! Stretches of time, from and including a start, up to and excluding an end.
//!
//! Half-open, so that neighboring periods neither overlap nor leave a gap.

use chrono::{DateTime, NaiveDate, Utc};
use thiserror::Error;

/// Why a period is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PeriodError {
    /// The end is not after the start.
    #[error("must end after it begins")]
    EndsBeforeStart,
}

/// From `from` (within) to `to` (outside). Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period<T> {
    from: T,
    to: T,
}

/// A period between instants.
pub type TimePeriod = Period<DateTime<Utc>>;

/// A period of whole days; `to` is the first day that is no longer in it.
pub type DatePeriod = Period<NaiveDate>;

impl<T: Ord + Copy> Period<T> {
    /// A period from `from` up to, without, `to`.
    ///
    /// # Errors
    /// [`PeriodError::EndsBeforeStart`] also when both are the same.
    pub fn new(from: T, to: T) -> Result<Self, PeriodError> {
        if from < to {
            Ok(Self { from, to })
        } else {
            Err(PeriodError::EndsBeforeStart)
        }
    }

    /// The first moment within.
    #[must_use]
    pub fn from(&self) -> T {
        self.from
    }

    /// The first moment after.
    #[must_use]
    pub fn to(&self) -> T {
        self.to
    }

    /// Whether the moment is within.
    #[must_use]
    pub fn contains(&self, at: T) -> bool {
        self.from <= at && at < self.to
    }

    /// Whether some moment is in both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.from < other.to && other.from < self.to
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        Self::new(self.from.max(other.from), self.to.min(other.to)).ok()
    }
}

impl DatePeriod {
    /// From the first to the last day, both within: as people say it.
    ///
    /// # Errors
    /// [`PeriodError::EndsBeforeStart`] when the last day is before the first.
    pub fn inclusive(first: NaiveDate, last: NaiveDate) -> Result<Self, PeriodError> {
        let to = last.succ_opt().ok_or(PeriodError::EndsBeforeStart)?;
        Self::new(first, to)
    }

    /// How many days.
    #[must_use]
    pub fn days(&self) -> i64 {
        (self.to - self.from).num_days()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 1, day).unwrap()
    }

    #[test]
    fn is_half_open() {
        let period = DatePeriod::new(day(1), day(3)).unwrap();
        assert!(period.contains(day(1)) && period.contains(day(2)) && !period.contains(day(3)));
        assert_eq!(period.days(), 2);
        assert_eq!(DatePeriod::inclusive(day(1), day(2)), Ok(period));
        assert_eq!((period.from(), period.to()), (day(1), day(3)));
    }

    #[test]
    fn refuses_empty_and_backward() {
        assert_eq!(Period::new(1, 1), Err(PeriodError::EndsBeforeStart));
        assert_eq!(Period::new(2, 1), Err(PeriodError::EndsBeforeStart));
        assert!(DatePeriod::inclusive(day(2), day(1)).is_err());
        assert!(DatePeriod::inclusive(day(2), NaiveDate::MAX).is_err());
        assert!(DatePeriod::inclusive(day(2), day(2)).is_ok());
    }

    #[test]
    fn neighbors_do_not_overlap() {
        let (a, b, c) = (
            Period::new(1, 3).unwrap(),
            Period::new(3, 5).unwrap(),
            Period::new(2, 4).unwrap(),
        );
        assert!(!a.overlaps(&b) && a.overlaps(&c) && c.overlaps(&b));
        assert_eq!(a.intersection(&b), None);
        assert_eq!(a.intersection(&c), Period::new(2, 3).ok());
    }
}

//! Business days: which calendar day an instant belongs to in a store.
//!
//! Called when visits are written (the day is stored) and by everything that counts by days. A
//! business day begins at local midnight, or where clocks skip midnight, at the first moment of
//! that day; it has 23, 24 or 25 hours. Never uses the zone of the machine.

use std::fmt;

use chrono::{
    DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone as _, Utc,
};
use chrono_tz::Tz;
use thiserror::Error;

/// Why a time zone is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TimeZoneError {
    /// The name is not in the IANA database.
    #[error("is not a time zone; give an IANA name such as Asia/Shanghai or Europe/Paris")]
    Unknown,
}

/// A time zone of the IANA database.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeZone(Tz);

impl TimeZone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// Reads an IANA name, exactly as the database spells it.
    ///
    /// # Errors
    /// [`TimeZoneError::Unknown`].
    pub fn parse(name: &str) -> Result<Self, TimeZoneError> {
        name.parse().map(Self).map_err(|_| TimeZoneError::Unknown)
    }

    /// The IANA name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The wall clock there at an instant.
    #[must_use]
    pub fn local(self, at: DateTime<Utc>) -> NaiveDateTime {
        self.0.from_utc_datetime(&at.naive_utc()).naive_local()
    }

    /// The instant at which the wall clock shows `local`: the earlier one where it does so twice,
    /// the first one after the gap where it never does.
    #[must_use]
    pub fn instant(self, local: NaiveDateTime) -> DateTime<Utc> {
        match self.0.from_local_datetime(&local) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.with_timezone(&Utc),
            LocalResult::None => self.first_instant_from(local),
        }
    }

    /// Looks for the end of a gap: the first second whose wall clock is not before `local`. Around
    /// a gap the wall clock only goes forward, and no zone is a day and two hours away from UTC,
    /// not even those that once skipped a day.
    fn first_instant_from(self, local: NaiveDateTime) -> DateTime<Utc> {
        let middle = local.and_utc();
        let reach = TimeDelta::hours(26);
        let (Some(low), Some(high)) = (
            middle.checked_sub_signed(reach),
            middle.checked_add_signed(reach),
        ) else {
            return middle;
        };
        let (mut before, mut reached) = (low.timestamp(), high.timestamp());
        while reached - before > 1 {
            let probe = before + (reached - before) / 2;
            let shows = DateTime::from_timestamp(probe, 0).map(|at| self.local(at));
            if shows.is_some_and(|shows| shows >= local) {
                reached = probe;
            } else {
                before = probe;
            }
        }
        DateTime::from_timestamp(reached, 0).unwrap_or(middle)
    }
}

impl TryFrom<&str> for TimeZone {
    type Error = TimeZoneError;

    fn try_from(name: &str) -> Result<Self, TimeZoneError> {
        Self::parse(name)
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The business day that an instant belongs to in a store of this zone.
#[must_use]
pub fn business_date(at: DateTime<Utc>, zone: TimeZone) -> NaiveDate {
    zone.local(at).date()
}

/// The instant at which a business day begins.
#[must_use]
pub fn local_midnight(zone: TimeZone, date: NaiveDate) -> DateTime<Utc> {
    zone.instant(date.and_time(NaiveTime::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::parse(name).unwrap()
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn midnight(name: &str, day: &str) -> String {
        local_midnight(zone(name), date(day))
            .format("%Y-%m-%dT%H:%M:%SZ")
            .to_string()
    }

    #[test]
    fn knows_the_day_of_the_store() {
        let at: DateTime<Utc> = "2026-01-31T16:30:00Z".parse().unwrap();
        assert_eq!(business_date(at, zone("Asia/Shanghai")), date("2026-02-01"));
        assert_eq!(business_date(at, zone("UTC")), date("2026-01-31"));
        assert_eq!(
            business_date(at, zone("America/Los_Angeles")),
            date("2026-01-31")
        );
        assert_eq!(zone("Asia/Seoul").to_string(), "Asia/Seoul");
    }

    #[test]
    fn refuses_unknown_zones() {
        for name in [
            "",
            "Mars/Olympus",
            "asia/shanghai",
            "+08:00",
            "Asia/Shanghai ",
            "../etc",
        ] {
            assert_eq!(TimeZone::parse(name), Err(TimeZoneError::Unknown), "{name}");
        }
    }

    #[test]
    fn midnight_on_ordinary_and_changing_days() {
        assert_eq!(
            midnight("Asia/Shanghai", "2026-02-01"),
            "2026-01-31T16:00:00Z"
        );
        // Clocks change at 02:00 and 03:00, midnight stays.
        assert_eq!(
            midnight("Europe/Paris", "2026-03-29"),
            "2026-03-28T23:00:00Z"
        );
        assert_eq!(
            midnight("Europe/Paris", "2026-03-30"),
            "2026-03-29T22:00:00Z"
        );
        // A gap from 00:00 to 01:00: the day begins at 01:00.
        assert_eq!(
            midnight("America/Sao_Paulo", "2018-11-04"),
            "2018-11-04T03:00:00Z"
        );
        assert_eq!(
            midnight("Asia/Beirut", "2022-03-27"),
            "2022-03-26T22:00:00Z"
        );
        // An overlap: 00:00 is shown twice, the day begins at the first.
        assert_eq!(
            midnight("America/Havana", "2022-11-06"),
            "2022-11-06T04:00:00Z"
        );
        // From 24:00 back to 23:00: the second 23:xx still belongs to the day before.
        assert_eq!(
            midnight("America/Sao_Paulo", "2018-02-18"),
            "2018-02-18T03:00:00Z"
        );
        // A day that was skipped altogether begins and ends at the same moment.
        assert_eq!(
            midnight("Pacific/Apia", "2011-12-30"),
            "2011-12-30T10:00:00Z"
        );
        assert_eq!(
            midnight("Pacific/Apia", "2011-12-31"),
            "2011-12-30T10:00:00Z"
        );
    }

    #[test]
    fn the_ends_of_time_do_not_panic() {
        let _ = zone("Asia/Shanghai").instant(NaiveDateTime::MAX);
        let _ = zone("America/New_York").instant(NaiveDateTime::MIN);
    }

    proptest! {
        #[test]
        fn a_day_begins_with_its_first_moment(
            days in 0i32..40_000,
            name in prop::sample::select(vec!["Asia/Shanghai", "Asia/Seoul", "Europe/London", "America/Sao_Paulo", "America/Havana", "Asia/Beirut", "Africa/Cairo", "America/Asuncion", "Australia/Lord_Howe", "Asia/Kathmandu"]),
        ) {
            let zone = zone(name);
            let day = date("1970-01-01") + TimeDelta::days(i64::from(days));
            let begin = local_midnight(zone, day);
            prop_assert_eq!(business_date(begin, zone), day);
            prop_assert!(business_date(begin - TimeDelta::seconds(1), zone) < day);
            let hours = (local_midnight(zone, day.succ_opt().unwrap()) - begin).num_minutes();
            prop_assert!((22 * 60..=26 * 60).contains(&hours), "{} minutes", hours);
        }
    }
}

//! When a store is open, week by week.
//!
//! Called by the organization (entry and storage as JSON) and by clocks that count opening hours.
//! Local wall-clock times of the store's zone; holidays are not known here.

use std::fmt;

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::business_date::TimeZone;

/// Minutes of a day.
const DAY: u16 = 24 * 60;
/// More intervals than a week can need.
const MOST: usize = 7 * 12;

/// Why opening hours are refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpeningHoursError {
    /// A time of day is not written as `HH:MM`.
    #[error("has a time that is none: {0}; write it like 09:00, at most 24:00")]
    BadTime(String),
    /// A store closes before it opens, or at the same minute.
    #[error(
        "closes at {closes} but opens at {opens} on {weekday}; split hours past midnight into two days"
    )]
    ClosesBeforeOpening {
        /// The day.
        weekday: Weekday,
        /// When it opens.
        opens: String,
        /// When it closes.
        closes: String,
    },
    /// Two intervals of a day share a minute.
    #[error("has overlapping hours on {weekday}; join them")]
    Overlap {
        /// The day.
        weekday: Weekday,
    },
    /// Too many intervals.
    #[error("has too many intervals; at most {MOST} a week")]
    TooMany,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the days of the week explain themselves")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl From<chrono::Weekday> for Weekday {
    fn from(day: chrono::Weekday) -> Self {
        match day {
            chrono::Weekday::Mon => Self::Monday,
            chrono::Weekday::Tue => Self::Tuesday,
            chrono::Weekday::Wed => Self::Wednesday,
            chrono::Weekday::Thu => Self::Thursday,
            chrono::Weekday::Fri => Self::Friday,
            chrono::Weekday::Sat => Self::Saturday,
            chrono::Weekday::Sun => Self::Sunday,
        }
    }
}

impl fmt::Display for Weekday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// One stretch of being open, as written: `{"weekday":"MONDAY","opens":"09:00","closes":"21:00"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The day.
    pub weekday: Weekday,
    /// `HH:MM`, within.
    pub opens: String,
    /// `HH:MM`, outside; `24:00` is the end of the day.
    pub closes: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Open {
    weekday: Weekday,
    from: u16,
    to: u16,
}

/// A week's opening hours: sorted, without overlaps. Empty means never open.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<Interval>", into = "Vec<Interval>")]
pub struct OpeningHours(Vec<Open>);

impl OpeningHours {
    /// Checks and sorts. Intervals that touch stay apart, as they were written.
    ///
    /// # Errors
    /// See [`OpeningHoursError`].
    pub fn new(intervals: &[Interval]) -> Result<Self, OpeningHoursError> {
        if intervals.len() > MOST {
            return Err(OpeningHoursError::TooMany);
        }
        let mut open = Vec::with_capacity(intervals.len());
        for interval in intervals {
            let (from, to) = (parse_time(&interval.opens)?, parse_time(&interval.closes)?);
            if to <= from {
                return Err(OpeningHoursError::ClosesBeforeOpening {
                    weekday: interval.weekday,
                    opens: interval.opens.clone(),
                    closes: interval.closes.clone(),
                });
            }
            open.push(Open {
                weekday: interval.weekday,
                from,
                to,
            });
        }
        open.sort();
        for (first, second) in open.iter().zip(open.iter().skip(1)) {
            if first.weekday == second.weekday && second.from < first.to {
                return Err(OpeningHoursError::Overlap {
                    weekday: first.weekday,
                });
            }
        }
        Ok(Self(open))
    }

    /// The intervals, sorted, to be shown.
    #[must_use]
    pub fn intervals(&self) -> Vec<Interval> {
        self.0
            .iter()
            .map(|open| Interval {
                weekday: open.weekday,
                opens: format_time(open.from),
                closes: format_time(open.to),
            })
            .collect()
    }

    /// Whether the store is open at an instant.
    #[must_use]
    pub fn is_open_at(&self, at: DateTime<Utc>, zone: TimeZone) -> bool {
        let local = zone.local(at);
        let weekday = Weekday::from(local.weekday());
        let minute = u16::try_from(local.hour() * 60 + local.minute()).unwrap_or(0);
        self.0
            .iter()
            .any(|open| open.weekday == weekday && open.from <= minute && minute < open.to)
    }
}

impl TryFrom<Vec<Interval>> for OpeningHours {
    type Error = OpeningHoursError;

    fn try_from(intervals: Vec<Interval>) -> Result<Self, OpeningHoursError> {
        Self::new(&intervals)
    }
}

impl From<OpeningHours> for Vec<Interval> {
    fn from(hours: OpeningHours) -> Self {
        hours.intervals()
    }
}

fn parse_time(text: &str) -> Result<u16, OpeningHoursError> {
    let read = || -> Option<u16> {
        let [h1, h2, b':', m1, m2] = text.as_bytes() else {
            return None;
        };
        let digit = |b: &u8| b.is_ascii_digit().then(|| u16::from(b - b'0'));
        let (hours, minutes) = (digit(h1)? * 10 + digit(h2)?, digit(m1)? * 10 + digit(m2)?);
        let time = hours * 60 + minutes;
        (minutes < 60 && time <= DAY).then_some(time)
    };
    // What is shown back is cut, since it may be anything.
    read().ok_or_else(|| {
        OpeningHoursError::BadTime(text.chars().filter(|c| !c.is_control()).take(10).collect())
    })
}

fn format_time(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(weekday: Weekday, opens: &str, closes: &str) -> Interval {
        Interval {
            weekday,
            opens: opens.into(),
            closes: closes.into(),
        }
    }

    #[test]
    fn survives_json() {
        let json = r#"[{"weekday":"MONDAY","opens":"13:30","closes":"24:00"},{"weekday":"MONDAY","opens":"09:00","closes":"12:00"},{"weekday":"SUNDAY","opens":"00:00","closes":"24:00"}]"#;
        let hours: OpeningHours = serde_json::from_str(json).unwrap();
        assert_eq!(
            hours.intervals()[0],
            interval(Weekday::Monday, "09:00", "12:00")
        );
        let again: OpeningHours =
            serde_json::from_str(&serde_json::to_string(&hours).unwrap()).unwrap();
        assert_eq!(again, hours);
        assert!(
            serde_json::from_str::<OpeningHours>(
                r#"[{"weekday":"MONDAY","opens":"09:00","closes":"08:00"}]"#
            )
            .is_err()
        );
        assert!(
            serde_json::from_str::<OpeningHours>(
                r#"[{"weekday":"MONDAY","opens":"09:00","closes":"10:00","x":1}]"#
            )
            .is_err()
        );
        assert!(
            serde_json::from_str::<OpeningHours>(
                r#"[{"weekday":"Monday","opens":"09:00","closes":"10:00"}]"#
            )
            .is_err()
        );
        assert_eq!(
            serde_json::from_str::<OpeningHours>("[]").unwrap(),
            OpeningHours::default()
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        for time in [
            "9:00",
            "09:60",
            "24:01",
            "25:00",
            "-1:00",
            "09.00",
            "09:00:00",
            "",
            "０９:00",
            "\0\u{1b}",
        ] {
            let error = OpeningHours::new(&[interval(Weekday::Friday, time, "24:00")]).unwrap_err();
            assert!(matches!(error, OpeningHoursError::BadTime(_)), "{time}");
            assert!(!error.to_string().chars().any(char::is_control));
        }
        for (opens, closes) in [("21:00", "09:00"), ("09:00", "09:00"), ("24:00", "24:00")] {
            let error = OpeningHours::new(&[interval(Weekday::Friday, opens, closes)]).unwrap_err();
            assert!(
                matches!(error, OpeningHoursError::ClosesBeforeOpening { .. }),
                "{opens}"
            );
        }
        let twice = [
            interval(Weekday::Friday, "12:00", "18:00"),
            interval(Weekday::Friday, "09:00", "12:01"),
        ];
        assert_eq!(
            OpeningHours::new(&twice),
            Err(OpeningHoursError::Overlap {
                weekday: Weekday::Friday
            })
        );
        let touching = [
            interval(Weekday::Friday, "12:00", "18:00"),
            interval(Weekday::Friday, "09:00", "12:00"),
        ];
        assert!(OpeningHours::new(&touching).is_ok());
        let many = vec![interval(Weekday::Friday, "12:00", "18:00"); 100];
        assert_eq!(OpeningHours::new(&many), Err(OpeningHoursError::TooMany));
    }

    #[test]
    fn knows_when_it_is_open() {
        let hours = OpeningHours::new(&[
            interval(Weekday::Monday, "09:00", "12:00"),
            interval(Weekday::Tuesday, "00:00", "24:00"),
        ])
        .unwrap();
        let zone = TimeZone::parse("Asia/Shanghai").unwrap();
        // 2026-02-02 is a Monday.
        for (at, open) in [
            ("2026-02-02T00:59:59Z", false),
            ("2026-02-02T01:00:00Z", true),
            ("2026-02-02T03:59:59Z", true),
            ("2026-02-02T04:00:00Z", false),
            ("2026-02-02T15:59:59Z", false),
            ("2026-02-02T16:00:00Z", true),
            ("2026-02-03T15:59:59Z", true),
            ("2026-02-03T16:00:00Z", false),
        ] {
            assert_eq!(hours.is_open_at(at.parse().unwrap(), zone), open, "{at}");
        }
    }
}

//! Days of the Chinese lunar calendar.
//!
//! Called by [`super::birth_date`] and by special days and festivals. Text forms: `L2024-06-15`;
//! `L2023-02L-15` in a leap month (written after the month's number); `L--06-15` without year.
//! Never reads a clock.
//!
//! Days that a year does not have: a leap month falls on the ordinary month of the same number;
//! the 30th of a short month falls on its 29th.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use icu_calendar::Date;
use icu_calendar::cal::{ChineseTraditional, Iso};
use icu_calendar::types::Month;

pub use super::birth_date::BirthDateError;
use super::birth_date::{FIRST_YEAR, number};

/// Lunar years are computed up to this one; later ones depend on how the earth will turn.
const LAST_YEAR: i32 = 2200;

/// A day of the Chinese lunar calendar, with its year or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LunarDate {
    year: Option<i32>,
    month: u8,
    leap: bool,
    day: u8,
}

impl LunarDate {
    /// Checks a date; a year is the solar year in which the lunar year begins, 1880 to 2200.
    ///
    /// # Errors
    /// `NoSuchDay`, `NoSuchLeapMonth`, `ShortMonth`; the last two only when the year is known.
    pub fn new(year: Option<i32>, month: u8, leap: bool, day: u8) -> Result<Self, BirthDateError> {
        if !(1..=12).contains(&month) || !(1..=30).contains(&day) {
            return Err(BirthDateError::NoSuchDay);
        }
        if let Some(year) = year {
            // Days of the lunar year 1879 reach into 1880.
            if !(FIRST_YEAR - 1..=LAST_YEAR).contains(&year) {
                return Err(if year < FIRST_YEAR {
                    BirthDateError::TooEarly
                } else {
                    BirthDateError::NoSuchDay
                });
            }
            if leap && month_start(year, month, true).is_none() {
                return Err(BirthDateError::NoSuchLeapMonth);
            }
            if exact(year, month, leap, day).is_none() {
                return Err(BirthDateError::ShortMonth);
            }
        }
        Ok(Self {
            year,
            month,
            leap,
            day,
        })
    }

    /// The lunar year, where known.
    #[must_use]
    pub fn year(&self) -> Option<i32> {
        self.year
    }

    /// The month's number, 1 to 12.
    #[must_use]
    pub fn month(&self) -> u8 {
        self.month
    }

    /// Whether the month is a leap month.
    #[must_use]
    pub fn is_leap(&self) -> bool {
        self.leap
    }

    /// The day of the month, 1 to 30.
    #[must_use]
    pub fn day(&self) -> u8 {
        self.day
    }

    /// The solar day of the date itself; `None` without a year.
    #[must_use]
    pub fn solar(&self) -> Option<NaiveDate> {
        exact(self.year?, self.month, self.leap, self.day)
    }

    /// The solar day on which the date falls in a lunar year (which may be early in the next
    /// solar year), by the module's rule for days that the year does not have. `None` for years
    /// that are not computed: before 1879, after 2200.
    #[must_use]
    pub fn in_year(&self, lunar_year: i32) -> Option<NaiveDate> {
        if !(FIRST_YEAR - 1..=LAST_YEAR).contains(&lunar_year) {
            return None;
        }
        let leap = self.leap && month_start(lunar_year, self.month, true).is_some();
        exact(lunar_year, self.month, leap, self.day)
            .or_else(|| exact(lunar_year, self.month, leap, 29))
    }

    /// The next solar day, `from` included, on which the date falls; `None` outside of the years
    /// that are computed.
    #[must_use]
    pub fn next_on_or_after(&self, from: NaiveDate) -> Option<NaiveDate> {
        let year = Self::of(from)?.year?;
        [year, year + 1]
            .into_iter()
            .filter_map(|year| self.in_year(year))
            .find(|day| *day >= from)
    }

    /// The lunar date of a solar day; `None` outside of the years that are computed.
    #[must_use]
    pub fn of(day: NaiveDate) -> Option<Self> {
        let iso = Date::try_new_iso(
            day.year(),
            u8::try_from(day.month()).ok()?,
            u8::try_from(day.day()).ok()?,
        )
        .ok()?;
        let lunar = iso.to_calendar(ChineseTraditional::new());
        let month = lunar.month();
        Self::new(
            Some(lunar.year().extended_year()),
            month.number(),
            month.to_input().is_leap(),
            lunar.day_of_month().0,
        )
        .ok()
    }
}

/// The solar day of a lunar day that exists.
fn exact(year: i32, month: u8, leap: bool, day: u8) -> Option<NaiveDate> {
    let month = if leap {
        Month::leap(month)
    } else {
        Month::new(month)
    };
    let iso = Date::try_new_chinese_traditional(year, month, day)
        .ok()?
        .to_calendar(Iso);
    NaiveDate::from_ymd_opt(
        iso.year().extended_year(),
        u32::from(iso.month().number()),
        u32::from(iso.day_of_month().0),
    )
}

fn month_start(year: i32, month: u8, leap: bool) -> Option<NaiveDate> {
    exact(year, month, leap, 1)
}

fn small(value: u32) -> Result<u8, BirthDateError> {
    u8::try_from(value).map_err(|_| BirthDateError::NoSuchDay)
}

impl FromStr for LunarDate {
    type Err = BirthDateError;

    fn from_str(text: &str) -> Result<Self, BirthDateError> {
        let rest = text.strip_prefix('L').ok_or(BirthDateError::Malformed)?;
        let (year, rest) = match rest.strip_prefix("--") {
            Some(rest) => (None, rest),
            None => {
                let (year, rest) = rest.split_once('-').ok_or(BirthDateError::Malformed)?;
                (Some(number(year, 4)?), rest)
            }
        };
        let (month, day) = rest.split_once('-').ok_or(BirthDateError::Malformed)?;
        let (month, leap) = match month.strip_suffix('L') {
            Some(month) => (month, true),
            None => (month, false),
        };
        let year = year
            .map(i32::try_from)
            .transpose()
            .map_err(|_| BirthDateError::Malformed)?;
        Self::new(
            year,
            small(number(month, 2)?)?,
            leap,
            small(number(day, 2)?)?,
        )
    }
}

impl fmt::Display for LunarDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.year {
            Some(year) => write!(f, "L{year:04}-")?,
            None => f.write_str("L--")?,
        }
        write!(
            f,
            "{:02}{}-{:02}",
            self.month,
            if self.leap { "L" } else { "" },
            self.day
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn lunar(text: &str) -> LunarDate {
        text.parse().unwrap()
    }

    #[test]
    fn knows_the_new_years_and_leap_months() {
        let new_year = lunar("L--01-01");
        for (year, solar) in [
            (2023, "2023-01-22"),
            (2024, "2024-02-10"),
            (2025, "2025-01-29"),
            (2026, "2026-02-17"),
            (1990, "1990-01-27"),
            (1900, "1900-01-31"),
        ] {
            assert_eq!(new_year.in_year(year), Some(day(solar)));
            assert_eq!(
                LunarDate::of(day(solar)).unwrap().to_string(),
                format!("L{year}-01-01")
            );
        }
        // The leap month of each year, by a table that others keep.
        for (year, leap) in [
            (2017, 6),
            (2020, 4),
            (2023, 2),
            (2025, 6),
            (2028, 5),
            (2031, 3),
            (2033, 11),
            (1984, 10),
        ] {
            for month in 1..=12 {
                let exists = LunarDate::new(Some(year), month, true, 1).is_ok();
                assert_eq!(exists, month == leap, "{year} {month}");
            }
        }
        assert_eq!(
            LunarDate::new(Some(2024), 2, true, 1),
            Err(BirthDateError::NoSuchLeapMonth)
        );
        // The mid-autumn and dragon boat festivals.
        assert_eq!(lunar("L--08-15").in_year(2025), Some(day("2025-10-06")));
        assert_eq!(lunar("L--05-05").in_year(2024), Some(day("2024-06-10")));
    }

    #[test]
    fn days_that_a_year_does_not_have() {
        let leap = lunar("L2023-02L-15");
        assert_eq!(leap.solar(), Some(day("2023-04-05")));
        assert_eq!(leap.in_year(2024), lunar("L--02-15").in_year(2024));
        // New Year's Eve of 2022 was the 30th, of 2025 (before 2026-02-17) the 29th.
        let eve = lunar("L--12-30");
        assert_eq!(eve.in_year(2023), Some(day("2024-02-09")));
        assert_eq!(eve.in_year(2025), Some(day("2026-02-16")));
        assert_eq!(
            "L2025-12-30".parse::<LunarDate>(),
            Err(BirthDateError::ShortMonth)
        );
        assert!("L2023-12-30".parse::<LunarDate>().is_ok());
        assert_eq!(eve.in_year(3000), None);
        assert_eq!(eve.in_year(i32::MAX), None);
    }

    #[test]
    fn finds_the_next_one() {
        let date = lunar("L--12-08");
        assert_eq!(
            date.next_on_or_after(day("2026-01-26")),
            Some(day("2026-01-26"))
        );
        assert_eq!(
            date.next_on_or_after(day("2026-01-27")),
            Some(day("2027-01-15"))
        );
        assert_eq!(
            lunar("L--01-01").next_on_or_after(day("2026-02-18")),
            Some(day("2027-02-06"))
        );
    }

    proptest! {
        #[test]
        fn every_day_has_its_lunar_date(days in 0i64..116_000) {
            let solar = day("1880-03-01") + chrono::TimeDelta::days(days);
            let date = LunarDate::of(solar).unwrap();
            prop_assert_eq!(date.solar(), Some(solar));
            prop_assert_eq!(date.to_string().parse(), Ok(date));
            prop_assert_eq!(date.next_on_or_after(solar), Some(solar));
        }

        #[test]
        fn a_birthday_comes_once_a_lunar_year(month in 1u8..=12, leap in any::<bool>(), number in 1u8..=30, days in 0i64..80_000) {
            let date = LunarDate::new(None, month, leap, number).unwrap();
            let from = day("1900-01-01") + chrono::TimeDelta::days(days);
            let next = date.next_on_or_after(from).unwrap();
            prop_assert!((0..=414).contains(&(next - from).num_days()));
        }

        #[test]
        fn never_panics(text in any::<String>(), year in any::<i32>(), month in any::<u8>(), number in any::<u8>()) {
            let _ = text.parse::<LunarDate>();
            if let Ok(date) = LunarDate::new(Some(year), month, true, number) {
                let _ = date.next_on_or_after(NaiveDate::MAX);
                let _ = date.next_on_or_after(NaiveDate::MIN);
            }
        }
    }
}

//! Birth dates, in the solar or the Chinese lunar calendar.
//!
//! Called by the customer file and by everything that waits for a birthday. Text forms:
//! `1990-06-15` solar; with an `L` in front lunar, see [`super::lunar_date`]. Never reads a clock:
//! today is handed in. A birthday on 29 February is kept on 28 February in ordinary years; what
//! lunar years do not have is told in [`super::lunar_date`].

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use thiserror::Error;

use super::lunar_date::LunarDate;

/// The first year a birth date can be in.
pub(super) const FIRST_YEAR: i32 = 1880;

/// Why a date is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BirthDateError {
    /// Not in one of the text forms.
    #[error(
        "is not a date; write 1990-06-15, or in the lunar calendar L1990-06-15, with L after the number of a leap month"
    )]
    Malformed,
    /// The calendar has no such day.
    #[error("is not a day of the calendar; check year, month and day")]
    NoSuchDay,
    /// That lunar year has no such leap month.
    #[error(
        "is in a leap month that this year does not have; check the year, or leave out the L after the month"
    )]
    NoSuchLeapMonth,
    /// That lunar month has 29 days only.
    #[error("is the 30th of a month that has 29 days in this year; check year and month")]
    ShortMonth,
    /// After today.
    #[error("is in the future; check the year")]
    Future,
    /// Before 1880.
    #[error("is before 1880; check the year")]
    TooEarly,
}

/// When somebody was born, in the calendar they count by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BirthDate {
    /// In the solar (Gregorian) calendar.
    Solar(NaiveDate),
    /// In the lunar calendar, the year perhaps unknown.
    Lunar(LunarDate),
}

impl BirthDate {
    /// Reads what somebody typed: a day from 1880 to today.
    ///
    /// # Errors
    /// See [`BirthDateError`].
    pub fn parse(text: &str, today: NaiveDate) -> Result<Self, BirthDateError> {
        let date: Self = text.trim().parse()?;
        match date.solar() {
            Some(day) if day > today => Err(BirthDateError::Future),
            Some(day) if day.year() < FIRST_YEAR => Err(BirthDateError::TooEarly),
            _ => Ok(date),
        }
    }

    /// The solar day of birth; `None` for a lunar date without year.
    #[must_use]
    pub fn solar(&self) -> Option<NaiveDate> {
        match self {
            Self::Solar(day) => Some(*day),
            Self::Lunar(date) => date.solar(),
        }
    }

    /// Completed years of life on a day, as the law counts: by the solar day of birth, whichever
    /// calendar the birthday is kept in. `None` without a year, and before birth.
    #[must_use]
    pub fn age_on(&self, day: NaiveDate) -> Option<u32> {
        let born = self.solar()?;
        let years = u32::try_from(day.year() - born.year()).ok()?;
        let had_birthday = solar_in_year(born, day.year())? <= day;
        if had_birthday {
            Some(years)
        } else {
            years.checked_sub(1)
        }
    }

    /// The solar day on which the birthday is kept in a year of the date's own calendar: of a
    /// lunar date, in the lunar year that begins in that solar year. By the module's rules for
    /// days that the year does not have; `None` for years that are not computed.
    #[must_use]
    pub fn birthday_in(&self, year: i32) -> Option<NaiveDate> {
        match self {
            Self::Solar(day) => solar_in_year(*day, year),
            Self::Lunar(date) => date.in_year(year),
        }
    }

    /// The next birthday, `from` included.
    #[must_use]
    pub fn next_birthday(&self, from: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Solar(day) => [from.year(), from.year() + 1]
                .into_iter()
                .filter_map(|year| solar_in_year(*day, year))
                .find(|birthday| *birthday >= from),
            Self::Lunar(date) => date.next_on_or_after(from),
        }
    }
}

fn solar_in_year(day: NaiveDate, year: i32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, day.month(), day.day())
        .or_else(|| NaiveDate::from_ymd_opt(year, 2, 28))
}

impl FromStr for BirthDate {
    type Err = BirthDateError;

    /// Reads the stored text; does not know today, see [`BirthDate::parse`] for what people type.
    fn from_str(text: &str) -> Result<Self, BirthDateError> {
        if text.starts_with('L') {
            return text.parse().map(Self::Lunar);
        }
        let mut parts = text.split('-');
        let (Some(year), Some(month), Some(day), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(BirthDateError::Malformed);
        };
        let year = i32::try_from(number(year, 4)?).map_err(|_| BirthDateError::Malformed)?;
        NaiveDate::from_ymd_opt(year, number(month, 2)?, number(day, 2)?)
            .map(Self::Solar)
            .ok_or(BirthDateError::NoSuchDay)
    }
}

impl TryFrom<&str> for BirthDate {
    type Error = BirthDateError;

    fn try_from(text: &str) -> Result<Self, BirthDateError> {
        text.parse()
    }
}

impl fmt::Display for BirthDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Solar(day) => write!(f, "{}", day.format("%Y-%m-%d")),
            Self::Lunar(date) => fmt::Display::fmt(date, f),
        }
    }
}

/// ASCII digits of exactly this many places.
pub(super) fn number(text: &str, places: usize) -> Result<u32, BirthDateError> {
    if text.len() == places && text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().map_err(|_| BirthDateError::Malformed)
    } else {
        Err(BirthDateError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn birth(text: &str) -> BirthDate {
        BirthDate::parse(text, day("2026-06-01")).unwrap()
    }

    #[test]
    fn text_goes_round() {
        for text in [
            "L2024-06-15",
            "L2025-06L-15",
            "L--06-15",
            "L--06L-15",
            "1990-06-15",
            "2024-02-29",
            "1880-01-01",
        ] {
            assert_eq!(birth(text).to_string(), text);
        }
    }

    #[test]
    fn refuses_what_is_no_date() {
        use BirthDateError as E;
        for (text, error) in [
            ("", E::Malformed),
            ("1990", E::Malformed),
            ("1990-6-15", E::Malformed),
            ("90-06-15", E::Malformed),
            ("1990/06/15", E::Malformed),
            ("1990-06-15T00:00", E::Malformed),
            ("1990-06-15-01", E::Malformed),
            ("+990-06-15", E::Malformed),
            ("１９９０-06-15", E::Malformed),
            ("L", E::Malformed),
            ("L2024", E::Malformed),
            ("L2024-06", E::Malformed),
            ("l2024-06-15", E::Malformed),
            ("L2024-6L-15", E::Malformed),
            ("L2024-L6-15", E::Malformed),
            ("L-06-15", E::Malformed),
            ("L---06-15", E::Malformed),
            ("L2024-06-15L", E::Malformed),
            ("1990-02-29", E::NoSuchDay),
            ("1900-02-29", E::NoSuchDay),
            ("1990-13-01", E::NoSuchDay),
            ("1990-04-31", E::NoSuchDay),
            ("1990-00-10", E::NoSuchDay),
            ("L2024-13-01", E::NoSuchDay),
            ("L2024-06-31", E::NoSuchDay),
            ("L2024-00-01", E::NoSuchDay),
            ("L--06-00", E::NoSuchDay),
            ("L2024-06L-15", E::NoSuchLeapMonth),
            ("L2025-12-30", E::ShortMonth),
            ("2026-06-02", E::Future),
            ("L2026-06-15", E::Future),
            ("9999-01-01", E::Future),
            ("L9999-01-01", E::NoSuchDay),
            ("1879-12-31", E::TooEarly),
            ("0001-01-01", E::TooEarly),
            ("L1879-01-01", E::TooEarly),
            ("L1700-01-01", E::TooEarly),
        ] {
            assert_eq!(
                BirthDate::parse(text, day("2026-06-01")),
                Err(error),
                "{text}"
            );
        }
        assert!(BirthDate::parse("2026-06-01", day("2026-06-01")).is_ok());
    }

    #[test]
    fn ages_and_leap_days() {
        let leapling = birth("2004-02-29");
        assert_eq!(leapling.birthday_in(2025), Some(day("2025-02-28")));
        assert_eq!(leapling.birthday_in(2024), Some(day("2024-02-29")));
        assert_eq!(leapling.age_on(day("2025-02-27")), Some(20));
        assert_eq!(leapling.age_on(day("2025-02-28")), Some(21));
        assert_eq!(leapling.age_on(day("2024-02-28")), Some(19));
        assert_eq!(leapling.age_on(day("2004-02-29")), Some(0));
        assert_eq!(leapling.age_on(day("2004-02-28")), None);
        assert_eq!(leapling.age_on(day("2003-03-01")), None);
        // The 20th of the twelfth month of 1990 was 1991-02-04.
        let late = birth("L1990-12-20");
        assert_eq!(late.solar(), Some(day("1991-02-04")));
        assert_eq!(late.age_on(day("2021-02-04")), Some(30));
        assert_eq!(late.age_on(day("2021-02-03")), Some(29));
        assert_eq!(birth("L--12-20").age_on(day("2021-02-03")), None);
    }

    #[test]
    fn finds_the_next_birthday() {
        for (text, from, next) in [
            ("1990-06-15", "2026-06-15", "2026-06-15"),
            ("1990-06-15", "2026-06-16", "2027-06-15"),
            ("2004-02-29", "2026-03-01", "2027-02-28"),
            ("2004-02-29", "2027-03-01", "2028-02-29"),
            ("L--12-08", "2026-01-27", "2027-01-15"),
        ] {
            assert_eq!(
                birth(text).next_birthday(day(from)),
                Some(day(next)),
                "{text} {from}"
            );
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>(), year in any::<i32>()) {
            if let Ok(date) = BirthDate::parse(&text, NaiveDate::MAX) {
                let _ = date.birthday_in(year);
            }
        }

        #[test]
        fn solar_dates_go_round(days in 0i64..50_000) {
            let date = BirthDate::Solar(day("1880-01-01") + chrono::TimeDelta::days(days));
            prop_assert_eq!(date.to_string().parse(), Ok(date));
            let next = date.next_birthday(day("2026-03-01")).unwrap();
            prop_assert!((0..=365).contains(&(next - day("2026-03-01")).num_days()));
        }
    }
}

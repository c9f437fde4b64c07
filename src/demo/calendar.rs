//! The days on which shops are full: weekends, and the festivals of the countries where the stores are.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use entity::values::LunarDate;

/// The festivals that people shop for, between two days, in order. Lunar ones fall where the calendar has them.
pub(super) fn festivals(first: NaiveDate, last: NaiveDate) -> Vec<NaiveDate> {
    // Spring Festival, Dragon Boat, Mid-Autumn.
    const LUNAR: [(u8, u8); 3] = [(1, 1), (5, 5), (8, 15)];
    // Valentine's Day, Singles' Day, Christmas.
    const SOLAR: [(u32, u32); 3] = [(2, 14), (11, 11), (12, 25)];
    let mut days = Vec::new();
    for year in first.year()..=last.year() {
        days.extend(LUNAR.iter().filter_map(|(month, day)| {
            LunarDate::new(None, *month, false, *day)
                .ok()?
                .in_year(year)
        }));
        days.extend(
            SOLAR
                .iter()
                .filter_map(|(month, day)| NaiveDate::from_ymd_opt(year, *month, *day)),
        );
    }
    days.retain(|day| (first..=last).contains(day));
    days.sort_unstable();
    days
}

/// Is a festival near enough that people buy for it?
pub(super) fn is_season(festivals: &[NaiveDate], day: NaiveDate) -> bool {
    festivals
        .iter()
        .any(|festival| (0..=12).contains(&(*festival - day).num_days()))
}

/// The Saturday (or Sunday) of a day's week, when it is not the weekend yet.
pub(super) fn weekend(day: NaiveDate, sunday: bool) -> NaiveDate {
    let wanted = if sunday { Weekday::Sun } else { Weekday::Sat };
    let ahead = wanted
        .num_days_from_monday()
        .saturating_sub(day.weekday().num_days_from_monday());
    day.checked_add_days(Days::new(u64::from(ahead)))
        .unwrap_or(day)
}

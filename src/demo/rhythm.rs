//! On which days somebody comes: regulars every three or four weeks, others now and then, some before festivals
//! only, some no longer, some once.

use super::Frame;
use super::calendar::weekend;
use super::draw::{about, chance, weighted};
use chrono::{NaiveDate, TimeDelta};
use rand::RngExt;
use rand::rngs::StdRng;

/// How somebody comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rhythm {
    /// Every three or four weeks.
    Regular,
    /// Every two to five months.
    Occasional,
    /// Came often, and has not for months.
    GoneQuiet,
    /// Before festivals.
    Seasonal,
    /// Once.
    Once,
}

/// Visits of a customer in two years when nothing is stretched, on average over the rhythms.
pub(super) const USUAL_VISITS: u64 = 11;

impl Rhythm {
    pub(super) fn draw(lots: &mut StdRng) -> Self {
        weighted(
            lots,
            &[
                (Self::Regular, 19),
                (Self::Occasional, 35),
                (Self::GoneQuiet, 17),
                (Self::Seasonal, 12),
                (Self::Once, 17),
            ],
        )
        .unwrap_or(Self::Once)
    }

    /// The days on which somebody comes, in order, none twice, at least one.
    pub(super) fn days(
        self,
        lots: &mut StdRng,
        frame: &Frame,
        festivals: &[NaiveDate],
    ) -> Vec<NaiveDate> {
        let length = u32::try_from((frame.last - frame.first).num_days())
            .unwrap_or(1)
            .max(1);
        let share = |permille: u32| (length * permille / 1000).max(1);
        let mut days = match self {
            Self::Regular => {
                let mean = lots.random_range(19..=29);
                let joined = if chance(lots, 700) { 30 } else { share(750) };
                steps(lots, frame, mean, lots_before(joined), 0)
            }
            Self::Occasional => {
                let mean = lots.random_range(55..=140);
                steps(lots, frame, mean, lots_before(share(650)), 0)
            }
            Self::GoneQuiet => {
                let mean = lots.random_range(20..=50);
                let silent = lots.random_range(share(160)..=share(550));
                steps(lots, frame, mean, lots_before(share(300)), silent)
            }
            Self::Seasonal => {
                let mut days = Vec::new();
                for festival in festivals {
                    if chance(lots, rarer(frame, 420)) {
                        days.push(*festival - TimeDelta::days(lots.random_range(1..=12)));
                    }
                }
                days
            }
            Self::Once => {
                vec![frame.first + TimeDelta::days(lots.random_range(0..i64::from(length)))]
            }
        };
        if matches!(self, Self::Regular | Self::Occasional) {
            presents(lots, frame, festivals, &mut days);
        }
        for day in &mut days {
            if chance(lots, 400) {
                *day = weekend(*day, chance(lots, 450));
            }
        }
        days.retain(|day| (frame.first..=frame.last).contains(day));
        days.sort_unstable();
        days.dedup();
        if days.is_empty() {
            let back = lots.random_range(1..=i64::from(length));
            days.push(frame.last - TimeDelta::days(back));
        }
        days
    }
}

/// The days from 0 up to a number.
fn lots_before(days: u32) -> std::ops::Range<i64> {
    0..i64::from(days.max(1))
}

/// Days at about the same distance, from somewhere in `start` until `silent` days before the end.
fn steps(
    lots: &mut StdRng,
    frame: &Frame,
    mean: u32,
    start: std::ops::Range<i64>,
    silent: u32,
) -> Vec<NaiveDate> {
    let mean = (mean * frame.spacing / 1000).max(1);
    let last = frame.last - TimeDelta::days(i64::from(silent));
    let mut day = frame.first + TimeDelta::days(lots.random_range(start));
    let mut days = Vec::new();
    while day <= last {
        days.push(day);
        day += TimeDelta::days(i64::from(about(lots, mean)));
    }
    days
}

/// A chance that becomes rarer where visits lie further apart than usual.
fn rarer(frame: &Frame, permille: u32) -> u32 {
    permille * 1000 / frame.spacing.max(1000)
}

/// Visits for presents, while somebody is a customer at all.
fn presents(lots: &mut StdRng, frame: &Frame, festivals: &[NaiveDate], days: &mut Vec<NaiveDate>) {
    let Some((first, last)) = days.first().copied().zip(days.last().copied()) else {
        return;
    };
    for festival in festivals {
        if (first..=last).contains(festival) && chance(lots, rarer(frame, 180)) {
            days.push(*festival - TimeDelta::days(lots.random_range(1..=8)));
        }
    }
}

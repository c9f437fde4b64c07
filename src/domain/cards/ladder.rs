//! The ladder of a programme's tiers, and which tier a spend has earned (rules M1 and M3). Pure: no database.

use crate::error::{Code, UserErrors};
use entity::enums::TierChangeReason;
use entity::ids::{ProgrammeId, TierId};
use entity::tier;
use std::collections::HashSet;

/// A programme's tiers in use, lowest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Ladder {
    /// The programme.
    pub programme: ProgrammeId,
    tiers: Vec<tier::Model>,
}

/// A tier as it is proposed for a ladder.
#[derive(Clone, Debug)]
pub struct Rung {
    /// An existing tier that goes on; a new one is made when absent.
    pub id: Option<TierId>,
    /// Its name.
    pub name: String,
    /// The spend net of returns that reaches it, in minor units.
    pub spend_threshold_minor: i64,
    /// Its discount in hundredths of a percent, 0 to 10,000.
    pub discount_basis_points: i32,
}

/// The highest number of tiers.
pub const MOST_TIERS: usize = 12;

/// Checks a proposed ladder: it begins at 0, and thresholds and discounts rise strictly with the level.
pub fn check(rungs: &[Rung], errors: &mut UserErrors) {
    if rungs.is_empty() || rungs.len() > MOST_TIERS {
        errors.push(
            Code::OutOfRange,
            "tiers",
            format!("a ladder has 1 to {MOST_TIERS} tiers"),
        );
    }
    if rungs
        .first()
        .is_some_and(|lowest| lowest.spend_threshold_minor != 0)
    {
        errors.push(
            Code::LadderNotRising,
            "tiers.0.spendThreshold",
            "the lowest tier is open to everyone: its threshold is 0",
        );
    }
    let mut names = HashSet::new();
    for (n, rung) in rungs.iter().enumerate() {
        if !(0..=10_000).contains(&rung.discount_basis_points) {
            errors.push(
                Code::OutOfRange,
                &format!("tiers.{n}.discountPercent"),
                "a discount lies between 0 and 100 percent",
            );
        }
        // What differs in case only is one name to whoever reads it.
        if !names.insert(rung.name.to_lowercase()) {
            errors.push(
                Code::Taken,
                &format!("tiers.{n}.name"),
                "each tier has a name of its own, whatever the case",
            );
        }
    }
    for (n, pair) in rungs.windows(2).enumerate() {
        let [lower, upper] = pair else { continue };
        let n = n + 1;
        if upper.spend_threshold_minor <= lower.spend_threshold_minor {
            let message = format!(
                "the threshold of {} must be above that of {}",
                upper.name, lower.name
            );
            errors.push(
                Code::LadderNotRising,
                &format!("tiers.{n}.spendThreshold"),
                message,
            );
        }
        if upper.discount_basis_points <= lower.discount_basis_points {
            let message = format!(
                "the discount of {} must be above that of {}",
                upper.name, lower.name
            );
            errors.push(
                Code::LadderNotRising,
                &format!("tiers.{n}.discountPercent"),
                message,
            );
        }
    }
}

/// What becomes of a tier, with the figures that explain it.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// The tier after.
    pub to: TierId,
    /// Why.
    pub reason: TierChangeReason,
    /// The threshold that was passed, or that is missed now, in minor units.
    pub threshold_minor: i64,
}

impl Ladder {
    /// A ladder of tiers in any order; retired ones are left out.
    pub fn new(programme: ProgrammeId, tiers: impl IntoIterator<Item = tier::Model>) -> Self {
        let mut tiers: Vec<_> = tiers
            .into_iter()
            .filter(|tier| tier.programme_id == programme && tier.retired_at.is_none())
            .collect();
        tiers.sort_by_key(|tier| tier.level);
        Self { programme, tiers }
    }

    /// The tiers, lowest first.
    pub fn tiers(&self) -> &[tier::Model] {
        &self.tiers
    }

    /// A tier of this ladder.
    pub fn tier(&self, id: TierId) -> Option<&tier::Model> {
        self.tiers.iter().find(|tier| tier.id == id)
    }

    /// The highest tier that a spend net of returns has earned; the lowest one is everyone's.
    pub fn earned(&self, net_spend_minor: i64) -> Option<&tier::Model> {
        self.tiers
            .iter()
            .rev()
            .find(|tier| tier.spend_threshold_minor <= net_spend_minor)
            .or(self.tiers.first())
    }

    /// The tier of somebody who joins with this spend behind them: what they have earned, or what is granted
    /// to them when that is higher.
    pub fn on_joining(
        &self,
        net_spend_minor: i64,
        granted: Option<TierId>,
    ) -> Option<&tier::Model> {
        let earned = self.earned(net_spend_minor)?;
        let granted = granted.and_then(|id| self.tier(id));
        Some(
            granted
                .filter(|granted| granted.level > earned.level)
                .unwrap_or(earned),
        )
    }

    /// What a change of spend does to a tier (rule M3): it rises at once when a threshold is passed, and falls
    /// only when the change itself made it unearned, never below what is granted.
    ///
    /// A tier whose threshold was raised meanwhile stays until the review: the new rule does not rewrite the
    /// past.
    pub fn after(
        &self,
        current: TierId,
        granted: Option<TierId>,
        net_before: i64,
        net_after: i64,
    ) -> Option<Move> {
        let current = self.tier(current)?;
        let (before, after) = (self.earned(net_before)?, self.earned(net_after)?);
        if after.level > current.level {
            return Some(Move {
                to: after.id,
                reason: TierChangeReason::SpendReached,
                threshold_minor: after.spend_threshold_minor,
            });
        }
        let undone =
            net_after < net_before && after.level < current.level && before.level >= current.level;
        if !undone {
            return None;
        }
        let floor = self.on_joining(net_after, granted)?;
        (floor.level < current.level).then_some(Move {
            to: floor.id,
            reason: TierChangeReason::ReturnUndid,
            threshold_minor: current.spend_threshold_minor,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn ladder() -> Ladder {
        let programme = ProgrammeId::new();
        let tier = |level: i32, threshold: i64| tier::Model {
            id: TierId::new(),
            programme_id: programme,
            level,
            name: format!("tier {level}"),
            spend_threshold_minor: threshold,
            discount_basis_points: level * 100,
            retired_at: None,
        };
        Ladder::new(programme, [tier(3, 500_000), tier(1, 0), tier(2, 100_000)])
    }

    fn level(ladder: &Ladder, id: TierId) -> i32 {
        ladder.tier(id).unwrap().level
    }

    #[test]
    fn the_border_belongs_to_the_higher_tier() {
        let ladder = ladder();
        for (net, expected) in [
            (-5, 1),
            (0, 1),
            (99_999, 1),
            (100_000, 2),
            (499_999, 2),
            (500_000, 3),
            (i64::MAX, 3),
        ] {
            assert_eq!(ladder.earned(net).unwrap().level, expected, "{net}");
        }
    }

    #[test]
    fn a_tier_moves_by_what_the_change_earns_or_unearns() {
        let ladder = ladder();
        let id = |level: usize| ladder.tiers()[level - 1].id;
        // current, granted, net before, net after, level after (0: stays)
        let cases = [
            (1, None, 0, 99_999, 0),
            (1, None, 0, 100_000, 2),
            (1, None, 0, 500_000, 3),
            (2, None, 100_000, 99_999, 1),
            (3, None, 500_000, 50_000, 1),
            (3, Some(2), 500_000, 50_000, 2),
            (3, Some(3), 500_000, 50_000, 0),
            (2, Some(2), 0, 99_999, 0),
            // Not earned before the return either (the threshold was raised): stays until the review.
            (3, None, 400_000, 300_000, 0),
            (2, None, 50_000, 90_000, 0),
            (2, None, 450_000, 500_000, 3),
        ];
        for (current, granted, before, after, expected) in cases {
            let moved = ladder.after(id(current), granted.map(id), before, after);
            let reached = moved.as_ref().map_or(0, |moved| level(&ladder, moved.to));
            assert_eq!(reached, expected, "{current} {granted:?} {before} {after}");
        }
    }

    #[test]
    fn a_flat_or_inverted_ladder_is_refused() {
        let rung = |name: &str, threshold: i64, discount: i32| Rung {
            id: None,
            name: name.to_owned(),
            spend_threshold_minor: threshold,
            discount_basis_points: discount,
        };
        let verdict = |rungs: &[Rung]| {
            let mut errors = UserErrors::new();
            check(rungs, &mut errors);
            match errors.check() {
                Ok(()) => Vec::new(),
                Err(Error::User(errors)) => errors
                    .into_iter()
                    .map(|e| (e.code, e.field.join(".")))
                    .collect(),
                Err(other) => panic!("{other:?}"),
            }
        };
        assert_eq!(verdict(&[rung("a", 0, 0), rung("b", 1, 1)]), []);
        assert_eq!(
            verdict(&[rung("a", 0, 0), rung("b", 0, 1)]),
            [(Code::LadderNotRising, "tiers.1.spendThreshold".into())]
        );
        assert_eq!(
            verdict(&[rung("a", 0, 5), rung("b", 9, 5)]),
            [(Code::LadderNotRising, "tiers.1.discountPercent".into())]
        );
        assert_eq!(
            verdict(&[rung("Gold", 0, 0), rung("GOLD", 1, 1)]),
            [(Code::Taken, "tiers.1.name".into())]
        );
        assert_eq!(
            verdict(&[rung("a", 5, 9), rung("a", 4, 20_000)])
                .into_iter()
                .map(|(code, _)| code)
                .collect::<Vec<_>>(),
            [
                Code::LadderNotRising,
                Code::OutOfRange,
                Code::Taken,
                Code::LadderNotRising
            ]
        );
        assert_eq!(verdict(&[]), [(Code::OutOfRange, "tiers".into())]);
    }
}

//! Drawing by lot with the generator that is handed in. Numbers only: fractions would come out differently on other
//! machines.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// The lots of one customer, whatever was drawn for the others before: a customer can be told again alone.
pub(super) fn lots(seed: u64, number: u32) -> StdRng {
    // The golden ratio's bits spread neighbouring seeds, so that seed 1 and 2 share no customer.
    StdRng::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(number))
}

/// True in so many of a thousand cases.
pub(super) fn chance(lots: &mut StdRng, permille: u32) -> bool {
    lots.random_range(0..1000) < permille
}

/// One of several; the default only of none.
pub(super) fn one_of<T: Copy + Default>(lots: &mut StdRng, items: &[T]) -> T {
    if items.is_empty() {
        return T::default();
    }
    let place = lots.random_range(0..items.len());
    items.get(place).copied().unwrap_or_default()
}

/// One of several, as often as its weight says; the first when no weight is above 0.
pub(super) fn weighted<T: Copy>(lots: &mut StdRng, items: &[(T, u32)]) -> Option<T> {
    let total: u32 = items.iter().map(|(_, weight)| weight).sum();
    let mut left = if total == 0 {
        0
    } else {
        lots.random_range(0..total)
    };
    for (item, weight) in items {
        if left < *weight {
            return Some(*item);
        }
        left -= weight;
    }
    items.first().map(|(item, _)| *item)
}

/// A number about another one: 55 to 145 of a hundred, never 0.
pub(super) fn about(lots: &mut StdRng, number: u32) -> u32 {
    (number * lots.random_range(550..=1450) / 1000).max(1)
}

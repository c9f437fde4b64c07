//! How much was sold: pieces, or weights such as 0.250 kg.
//!
//! Called for purchase lines and by the import. Kept in thousandths as `i64`. Never rounds.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::decimal::{DecimalError, format_scaled, parse_scaled};

/// Digits after the point.
const SCALE: u32 = 3;

/// Why a quantity is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QuantityError {
    /// The text is no decimal number of at most three decimals.
    #[error(transparent)]
    Decimal(#[from] DecimalError),
    /// Zero or less where something must have been sold.
    #[error("must be greater than zero")]
    NotPositive,
}

/// A quantity in thousandths of the unit of sale. May be negative (a return row of a till);
/// [`Quantity::positive`] is the check for where it may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(i64);

impl Quantity {
    /// One piece.
    pub const ONE: Self = Self(1000);

    /// From thousandths, as stored.
    #[must_use]
    pub const fn from_thousandths(thousandths: i64) -> Self {
        Self(thousandths)
    }

    /// In thousandths, to be stored.
    #[must_use]
    pub const fn thousandths(self) -> i64 {
        self.0
    }

    /// Reads strict decimal text: `2`, `0.250`, `-1`.
    ///
    /// # Errors
    /// [`QuantityError::Decimal`].
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        Ok(Self(parse_scaled(text, SCALE)?))
    }

    /// The same quantity if it is above zero.
    ///
    /// # Errors
    /// [`QuantityError::NotPositive`].
    pub fn positive(self) -> Result<Self, QuantityError> {
        if self.0 > 0 {
            Ok(self)
        } else {
            Err(QuantityError::NotPositive)
        }
    }

    /// The sum, `None` when it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, `None` when it does not fit.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl fmt::Display for Quantity {
    /// As short as it can be said: `2`, `0.25`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format_scaled(self.0, SCALE);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl TryFrom<&str> for Quantity {
    type Error = QuantityError;

    fn try_from(text: &str) -> Result<Self, QuantityError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_and_writes() {
        for (text, thousandths, shown) in [
            ("1", 1000, "1"),
            ("0.250", 250, "0.25"),
            ("-2", -2000, "-2"),
            ("100", 100_000, "100"),
            ("0", 0, "0"),
            ("0.001", 1, "0.001"),
        ] {
            let quantity = Quantity::parse(text).unwrap();
            assert_eq!(quantity.thousandths(), thousandths);
            assert_eq!(quantity.to_string(), shown);
        }
        assert!(Quantity::parse("0.0001").is_err());
        assert!(Quantity::parse("1e2").is_err());
    }

    #[test]
    fn checks_the_sign() {
        assert!(Quantity::ONE.positive().is_ok());
        for text in ["0", "-1", "-0.001"] {
            assert_eq!(
                Quantity::parse(text).unwrap().positive(),
                Err(QuantityError::NotPositive)
            );
        }
    }

    #[test]
    fn overflow_is_seen() {
        let most = Quantity::from_thousandths(i64::MAX);
        assert_eq!(most.checked_add(Quantity::ONE), None);
        assert_eq!(
            Quantity::from_thousandths(i64::MIN).checked_sub(Quantity::ONE),
            None
        );
        assert_eq!(
            Quantity::ONE.checked_add(Quantity::ONE),
            Quantity::parse("2").ok()
        );
    }

    proptest! {
        #[test]
        fn round_trip(thousandths in any::<i64>()) {
            let quantity = Quantity::from_thousandths(thousandths);
            prop_assert_eq!(Quantity::parse(&quantity.to_string()), Ok(quantity));
        }
    }
}

//! Amounts of money, in minor units of a currency (cents, fen; won have none).
//!
//! Called wherever prices, payments and totals are computed. Never goes through floating point,
//! never mixes currencies, never wraps around: what does not fit is [`MoneyError::Overflow`].

use std::fmt;

use iso_currency::Currency;
use thiserror::Error;

use super::decimal::{DecimalError, divide_half_up, format_scaled, parse_scaled};
use super::quantity::Quantity;

/// A whole in basis points: 100 %.
pub const WHOLE_BASIS_POINTS: u32 = 10_000;

/// Why an amount is refused, or a computation has no result.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// The text is no decimal number that the currency can hold.
    #[error(transparent)]
    Decimal(#[from] DecimalError),
    /// No ISO 4217 code, or one that is not used to pay (gold, testing).
    #[error(
        "is not a currency that can be paid with; give an ISO 4217 code such as CNY, KRW or USD"
    )]
    UnknownCurrency,
    /// The result cannot be stored.
    #[error("is too large")]
    Overflow,
    /// Two amounts in different currencies.
    #[error("mixes {left} and {right}; use one currency")]
    CurrencyMismatch {
        /// The first one's code.
        left: &'static str,
        /// The other one's code.
        right: &'static str,
    },
    /// A percentage beyond 100.
    #[error("is more than 100 percent")]
    BeyondWhole,
}

/// Reads a three-letter code (upper case), refusing what has no minor unit.
///
/// # Errors
/// [`MoneyError::UnknownCurrency`].
pub fn parse_currency(code: &str) -> Result<Currency, MoneyError> {
    let currency = Currency::from_code(code).ok_or(MoneyError::UnknownCurrency)?;
    if currency.code() == code && currency.exponent().is_some() && !matches!(code, "XTS" | "XXX") {
        Ok(currency)
    } else {
        Err(MoneyError::UnknownCurrency)
    }
}

/// How many digits after the point the currency has; none where ISO knows no minor unit.
#[must_use]
pub fn exponent(currency: Currency) -> u32 {
    currency.exponent().map_or(0, u32::from)
}

/// Reads strict decimal text as minor units of the currency: `12.5` CNY is 1250.
///
/// Digits, one point, a leading minus; digits beyond the currency's are refused unless zero.
///
/// # Errors
/// [`MoneyError::Decimal`].
pub fn parse_amount(text: &str, currency: Currency) -> Result<i64, MoneyError> {
    Ok(parse_scaled(text, exponent(currency))?)
}

/// Writes minor units as decimal text, always with all of the currency's digits.
#[must_use]
pub fn format_minor(minor: i64, currency: Currency) -> String {
    format_scaled(minor, exponent(currency))
}

/// An amount in one currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// In minor units.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// From minor units.
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Reads strict decimal text, see [`parse_amount`].
    ///
    /// # Errors
    /// [`MoneyError::Decimal`].
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        Ok(Self::new(parse_amount(text, currency)?, currency))
    }

    /// The amount as decimal text without the currency.
    #[must_use]
    pub fn amount(&self) -> String {
        format_minor(self.minor, self.currency)
    }

    fn with(self, minor: Option<i64>) -> Result<Self, MoneyError> {
        minor
            .map(|minor| Self { minor, ..self })
            .ok_or(MoneyError::Overflow)
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch {
                left: self.currency.code(),
                right: other.currency.code(),
            })
        }
    }

    /// The sum.
    ///
    /// # Errors
    /// `CurrencyMismatch`, `Overflow`.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.with(self.minor.checked_add(other.minor))
    }

    /// The difference.
    ///
    /// # Errors
    /// `CurrencyMismatch`, `Overflow`.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.with(self.minor.checked_sub(other.minor))
    }

    /// The opposite.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        self.with(self.minor.checked_neg())
    }

    /// A unit price times a quantity, half a minor unit rounded away from zero.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn checked_times(self, quantity: Quantity) -> Result<Self, MoneyError> {
        self.with(divide_half_up(
            i128::from(self.minor) * i128::from(quantity.thousandths()),
            1000,
        ))
    }

    /// What a discount of so many basis points (hundredths of a percent) takes off, half up.
    ///
    /// # Errors
    /// `BeyondWhole` above 10,000.
    pub fn discount_basis_points(self, basis_points: u32) -> Result<Self, MoneyError> {
        if basis_points > WHOLE_BASIS_POINTS {
            return Err(MoneyError::BeyondWhole);
        }
        let product = i128::from(self.minor) * i128::from(basis_points);
        self.with(divide_half_up(product, i128::from(WHOLE_BASIS_POINTS)))
    }

    /// What is left to pay after a discount of so many basis points: the price less
    /// [`Money::discount_basis_points`], so that both always add up.
    ///
    /// # Errors
    /// `BeyondWhole` above 10,000.
    pub fn less_basis_points(self, basis_points: u32) -> Result<Self, MoneyError> {
        self.checked_sub(self.discount_basis_points(basis_points)?)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency.code())
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cny(minor: i64) -> Money {
        Money::new(minor, Currency::CNY)
    }

    #[test]
    fn exponents_differ() {
        assert_eq!(parse_amount("12.5", Currency::CNY), Ok(1250));
        assert_eq!(parse_amount("1200", Currency::KRW), Ok(1200));
        assert_eq!(parse_amount("1200.00", Currency::KRW), Ok(1200));
        assert!(parse_amount("0.5", Currency::KRW).is_err());
        assert_eq!(parse_amount("1.234", Currency::BHD), Ok(1234));
        assert_eq!(parse_amount("-11.77", Currency::USD), Ok(-1177));
        assert_eq!(format_minor(-5, Currency::USD), "-0.05");
        assert_eq!(format_minor(1200, Currency::KRW), "1200");
        assert_eq!(cny(1250).to_string(), "12.50 CNY");
    }

    #[test]
    fn currencies_are_checked() {
        assert_eq!(parse_currency("CNY"), Ok(Currency::CNY));
        for code in ["cny", "", "XXX", "XTS", "XAU", "ZZZ", "CNYY", " CNY"] {
            assert_eq!(
                parse_currency(code),
                Err(MoneyError::UnknownCurrency),
                "{code}"
            );
        }
    }

    #[test]
    fn arithmetic_is_checked() {
        assert_eq!(cny(1).checked_add(cny(2)), Ok(cny(3)));
        assert_eq!(cny(1).checked_sub(cny(2)), Ok(cny(-1)));
        assert_eq!(cny(i64::MAX).checked_add(cny(1)), Err(MoneyError::Overflow));
        assert_eq!(cny(i64::MIN).checked_neg(), Err(MoneyError::Overflow));
        assert_eq!(
            cny(1).checked_add(Money::new(1, Currency::KRW)),
            Err(MoneyError::CurrencyMismatch {
                left: "CNY",
                right: "KRW"
            })
        );
        assert_eq!(
            cny(i64::MAX).checked_times(Quantity::parse("2").unwrap()),
            Err(MoneyError::Overflow)
        );
    }

    #[test]
    fn quantities_round_half_up() {
        assert_eq!(
            cny(999).checked_times(Quantity::parse("0.5").unwrap()),
            Ok(cny(500))
        );
        assert_eq!(
            cny(333).checked_times(Quantity::parse("3").unwrap()),
            Ok(cny(999))
        );
        assert_eq!(
            cny(-999).checked_times(Quantity::parse("0.5").unwrap()),
            Ok(cny(-500))
        );
    }

    #[test]
    fn percentages_round_half_up_and_add_up() {
        assert_eq!(cny(1050).discount_basis_points(500), Ok(cny(53)));
        assert_eq!(cny(1050).less_basis_points(500), Ok(cny(997)));
        assert_eq!(cny(100).discount_basis_points(10_000), Ok(cny(100)));
        assert_eq!(
            cny(100).discount_basis_points(10_001),
            Err(MoneyError::BeyondWhole)
        );
    }

    proptest! {
        #[test]
        fn discount_and_rest_add_up(minor in any::<i64>(), points in 0u32..=10_000) {
            let price = cny(minor);
            let off = price.discount_basis_points(points).unwrap();
            let left = price.less_basis_points(points).unwrap();
            prop_assert_eq!(off.checked_add(left), Ok(price));
        }

        #[test]
        fn a_return_undoes_a_sale(minor in -1_000_000_000i64..1_000_000_000, thousandths in 0i64..1_000_000) {
            let sold = cny(minor).checked_times(Quantity::from_thousandths(thousandths)).unwrap();
            let back = cny(minor).checked_times(Quantity::from_thousandths(-thousandths)).unwrap();
            prop_assert_eq!(sold.checked_add(back), Ok(cny(0)));
        }
    }
}

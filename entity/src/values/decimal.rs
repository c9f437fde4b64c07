//! Decimal numbers as text, held as whole numbers of their smallest part.
//!
//! The common ground of [`super::money`] and [`super::quantity`]. Never goes through floating
//! point, never rounds what was typed, never guesses what a separator means.

use thiserror::Error;

/// Digits beyond this are refused before they are read: `i64` holds 19.
const LONGEST: usize = 64;

/// Why a decimal number is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecimalError {
    /// Nothing was given.
    #[error("must not be empty; write a number such as 12.50")]
    Empty,
    /// Something else than digits, one point, and a leading minus.
    #[error(
        "is not a plain decimal number; write digits with a point for decimals, such as 1234.50"
    )]
    Malformed,
    /// More digits after the point than can be kept, and not just zeros.
    #[error("has too many decimals; at most {allowed} are allowed")]
    TooPrecise {
        /// How many digits after the point are allowed.
        allowed: u32,
    },
    /// Beyond what can be stored.
    #[error("is too large")]
    Overflow,
}

/// Reads `-?digits[.digits]` as a whole number of `10^-scale` parts: `12.5` at scale 2 is 1250.
///
/// ASCII digits only; no plus sign, no exponent, no thousands separators, no blanks. Digits after
/// the point beyond `scale` are refused unless they are zeros.
///
/// # Errors
/// See [`DecimalError`].
pub fn parse_scaled(text: &str, scale: u32) -> Result<i64, DecimalError> {
    if text.is_empty() {
        return Err(DecimalError::Empty);
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((_, "")) => return Err(DecimalError::Malformed),
        Some((whole, fraction)) => (whole, fraction),
        None => (digits, ""),
    };
    if whole.is_empty()
        || !whole
            .bytes()
            .chain(fraction.bytes())
            .all(|b| b.is_ascii_digit())
    {
        return Err(DecimalError::Malformed);
    }
    if text.len() > LONGEST {
        return Err(DecimalError::Overflow);
    }
    let mut value: i64 = 0;
    // Accumulated with the sign, since the smallest number has no positive counterpart.
    let mut push = |digit: u8| -> Result<(), DecimalError> {
        let digit = i64::from(digit - b'0');
        value = value
            .checked_mul(10)
            .and_then(|v| {
                if negative {
                    v.checked_sub(digit)
                } else {
                    v.checked_add(digit)
                }
            })
            .ok_or(DecimalError::Overflow)?;
        Ok(())
    };
    for digit in whole.bytes() {
        push(digit)?;
    }
    let mut kept = 0;
    for digit in fraction.bytes() {
        if kept < scale {
            push(digit)?;
            kept += 1;
        } else if digit != b'0' {
            return Err(DecimalError::TooPrecise { allowed: scale });
        }
    }
    for _ in kept..scale {
        push(b'0')?;
    }
    Ok(value)
}

/// Writes a whole number of `10^-scale` parts with exactly `scale` digits after the point.
#[must_use]
pub fn format_scaled(value: i64, scale: u32) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let width = scale as usize;
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = width + 1);
    if width == 0 {
        return format!("{sign}{digits}");
    }
    let (whole, fraction) = digits.split_at(digits.len() - width);
    format!("{sign}{whole}.{fraction}")
}

/// Divides and rounds half away from zero, so that undoing something undoes it exactly.
/// `None` when the divisor is zero or the result does not fit.
#[must_use]
pub fn divide_half_up(dividend: i128, divisor: i128) -> Option<i64> {
    let magnitude = dividend.unsigned_abs();
    let by = divisor.unsigned_abs();
    let quotient = magnitude.checked_div(by)?;
    let rest = magnitude.checked_rem(by)?;
    let rounded = if rest >= by - rest {
        quotient.checked_add(1)?
    } else {
        quotient
    };
    let signed = i128::try_from(rounded).ok()?;
    let negative = (dividend < 0) != (divisor < 0);
    i64::try_from(if negative { -signed } else { signed }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_plain_decimals() {
        for (text, scale, value) in [
            ("0", 2, 0),
            ("-0", 2, 0),
            ("12", 2, 1200),
            ("12.5", 2, 1250),
            ("12.50", 2, 1250),
            ("12.500", 2, 1250),
            ("-0.01", 2, -1),
            ("007.10", 2, 710),
            ("5", 0, 5),
            ("5.00", 0, 5),
            ("0.250", 3, 250),
            ("92233720368547758.07", 2, i64::MAX),
            ("-92233720368547758.08", 2, i64::MIN),
        ] {
            assert_eq!(parse_scaled(text, scale), Ok(value), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "-",
            ".",
            ".5",
            "5.",
            "+5",
            "1e3",
            "1,000",
            "1,5",
            "1.2.3",
            " 1",
            "1 ",
            "--1",
            "1-",
            "0x1F",
            "NaN",
            "inf",
            "１２",
            "1_000",
            "٣",
            "1.-5",
            "\u{2212}5",
        ] {
            assert_eq!(
                parse_scaled(text, 2),
                Err(DecimalError::Malformed),
                "{text}"
            );
        }
        assert_eq!(parse_scaled("", 2), Err(DecimalError::Empty));
        assert_eq!(
            parse_scaled("1.005", 2),
            Err(DecimalError::TooPrecise { allowed: 2 })
        );
        assert_eq!(
            parse_scaled("1.5", 0),
            Err(DecimalError::TooPrecise { allowed: 0 })
        );
        for text in [
            "92233720368547758.08",
            "-92233720368547758.09",
            "1000000000000000000000",
        ] {
            assert_eq!(parse_scaled(text, 2), Err(DecimalError::Overflow), "{text}");
        }
        assert_eq!(
            parse_scaled(&"0".repeat(1 << 20), 2),
            Err(DecimalError::Overflow)
        );
    }

    #[test]
    fn rounds_half_away_from_zero() {
        for (dividend, divisor, result) in [
            (5, 10, 1),
            (4, 10, 0),
            (-5, 10, -1),
            (-4, 10, 0),
            (15, 10, 2),
            (14, -10, -1),
            (0, 7, 0),
            (3, 2, 2),
            (1, 3, 0),
        ] {
            assert_eq!(
                divide_half_up(dividend, divisor),
                Some(result),
                "{dividend}/{divisor}"
            );
        }
        assert_eq!(divide_half_up(1, 0), None);
        assert_eq!(divide_half_up(i128::MAX, 1), None);
        assert_eq!(divide_half_up(i128::from(i64::MIN), 1), Some(i64::MIN));
    }

    proptest! {
        #[test]
        fn survives_the_round_trip(value in any::<i64>(), scale in 0u32..6) {
            prop_assert_eq!(parse_scaled(&format_scaled(value, scale), scale), Ok(value));
        }

        #[test]
        fn never_panics(text in any::<String>(), scale in 0u32..6) {
            let _ = parse_scaled(&text, scale);
        }
    }
}

//! Barcodes of products.
//!
//! Called when products are made, imported and scanned. Numbers of 8, 12, 13 and 14 digits are GTINs (GS1 General
//! Specifications, section 7.9: check digit modulo 10) and are kept with 13 or 14 digits, so that a code is one code whichever
//! scanner reads it; whatever else a label bears is kept as it is.

use std::fmt;
use thiserror::Error;

/// Characters of a code at most.
const LONGEST: usize = 48;

/// Why a barcode is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BarcodeError {
    /// The last digit does not fit to the others.
    #[error(
        "is not a barcode: a digit is wrong or two are swapped; scan it again, or check it against the label"
    )]
    WrongCheckDigit,
    /// Characters that no label bears.
    #[error("is not a barcode; use 1 to 48 letters A to Z, digits and - . _ /")]
    Malformed,
}

/// A barcode in its normal form.
///
/// ```
/// use entity::values::Barcode;
/// let upc = Barcode::parse("036000 291452").unwrap();
/// assert_eq!(upc.as_str(), "0036000291452");
/// assert_eq!(upc, Barcode::parse("0036000291452").unwrap());
/// assert!(Barcode::parse("4006381333932").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Barcode(String);

impl Barcode {
    /// Reads a code; blanks and dashes between digits do not matter.
    ///
    /// # Errors
    /// [`BarcodeError`].
    pub fn parse(text: &str) -> Result<Self, BarcodeError> {
        let text = text.trim();
        let digits: String = text
            .chars()
            .filter(|letter| !matches!(letter, ' ' | '-'))
            .collect();
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && matches!(digits.len(), 8 | 12 | 13 | 14) {
            if !check_digit_fits(&digits) {
                return Err(BarcodeError::WrongCheckDigit);
            }
            // Leading zeros change neither the number nor its check digit.
            return Ok(Self(match digits.strip_prefix('0') {
                Some(rest) if digits.len() == 14 => rest.to_owned(),
                _ => format!("{digits:0>13}"),
            }));
        }
        let is_printable =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'/');
        if !(1..=LONGEST).contains(&text.len()) || !text.bytes().all(is_printable) {
            return Err(BarcodeError::Malformed);
        }
        Ok(Self(text.to_owned()))
    }

    /// The normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Barcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// From the right, digits count once and three times by turns; the sum is a multiple of ten.
fn check_digit_fits(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .zip([1, 3].into_iter().cycle())
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::{Barcode, BarcodeError};
    use proptest::prelude::*;

    fn normal(text: &str) -> Result<String, BarcodeError> {
        Barcode::parse(text).map(|code| code.to_string())
    }

    #[test]
    fn one_code_whichever_scanner_reads_it() {
        for (text, kept) in [
            ("4006381333931", "4006381333931"),
            (" 4-006381-333931 ", "4006381333931"),
            // UPC-A is an EAN-13 that begins with zero, and so is a GTIN-14 with indicator zero.
            ("036000291452", "0036000291452"),
            ("0036000291452", "0036000291452"),
            ("04006381333931", "4006381333931"),
            ("14006381333938", "14006381333938"),
            // EAN-8.
            ("73513537", "0000073513537"),
            ("AB-12/3.4_x", "AB-12/3.4_x"),
            ("12345", "12345"),
        ] {
            assert_eq!(normal(text).as_deref(), Ok(kept), "{text}");
        }
    }

    #[test]
    fn what_no_label_bears_is_refused() {
        for (text, error) in [
            ("4006381333932", BarcodeError::WrongCheckDigit),
            ("73513536", BarcodeError::WrongCheckDigit),
            ("", BarcodeError::Malformed),
            ("茶", BarcodeError::Malformed),
            ("a b", BarcodeError::Malformed),
            ("a\u{202e}b", BarcodeError::Malformed),
            (&"9".repeat(49), BarcodeError::Malformed),
        ] {
            assert_eq!(normal(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_single_wrong_digit_is_found(payload in "[0-9]{12}", place in 0_usize..13, by in 1_u8..10) {
            let code = (0..10)
                .map(|digit| format!("{payload}{digit}"))
                .find(|code| Barcode::parse(code).is_ok())
                .unwrap();
            let mut wrong = code.into_bytes();
            wrong[place] = b'0' + (wrong[place] - b'0' + by) % 10;
            let wrong = String::from_utf8(wrong).unwrap();
            prop_assert_eq!(Barcode::parse(&wrong), Err(BarcodeError::WrongCheckDigit));
        }

        #[test]
        fn the_normal_form_is_its_own(text in "[0-9A-Z-]{1,20}") {
            if let Ok(code) = Barcode::parse(&text) {
                prop_assert_eq!(Barcode::parse(code.as_str()), Ok(code));
            }
        }
    }
}

//! Telephone numbers in international form (E.164).
//!
//! Called for contact points, the search by phone and the import. Numbers are checked against
//! the numbering plans that the `phonenumber` crate carries. Never dials, never says whose number
//! it is; [`mask`] is the only form that may be shown to somebody without the right to call.

use std::fmt;

use phonenumber::country;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// Longer input is no telephone number in any notation.
const LONGEST: usize = 40;

/// Why a number is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PhoneError {
    /// Nothing was given.
    #[error("must not be empty; give a phone number")]
    Empty,
    /// Letters or other characters that numbers do not have (an extension, say).
    #[error(
        "is not a phone number; use digits, with a leading + and the country code for numbers abroad, without an extension"
    )]
    Malformed,
    /// The numbering plan has no such number.
    #[error(
        "is not a number in use; check the digits and give it with area code, or with + and the country code"
    )]
    NotInUse,
    /// The country is not an ISO 3166 code.
    #[error("is not a country; give a two-letter ISO 3166 code such as CN, KR or US")]
    UnknownRegion,
}

/// The country whose numbers may be written without country code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhoneRegion(country::Id);

impl PhoneRegion {
    /// Mainland China.
    pub const CHINA: Self = Self(country::CN);
    /// South Korea.
    pub const SOUTH_KOREA: Self = Self(country::KR);
    /// The United States.
    pub const UNITED_STATES: Self = Self(country::US);

    /// Reads a two-letter ISO 3166 code in upper case.
    ///
    /// # Errors
    /// [`PhoneError::UnknownRegion`].
    pub fn parse(code: &str) -> Result<Self, PhoneError> {
        code.parse()
            .map(Self)
            .map_err(|_| PhoneError::UnknownRegion)
    }

    /// The two-letter code.
    #[must_use]
    pub fn code(&self) -> &str {
        self.0.as_ref()
    }
}

/// A number that its country's numbering plan knows, in E.164: `+8613812345678`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Phone(String);

impl Phone {
    /// Reads a number as people write it: blanks, dashes, dots, brackets, full-width digits.
    ///
    /// # Errors
    /// See [`PhoneError`].
    pub fn parse(text: &str, region: PhoneRegion) -> Result<Self, PhoneError> {
        if text.len() > LONGEST * 4 {
            return Err(PhoneError::Malformed);
        }
        let folded: String = text.nfkc().collect();
        let folded = folded.trim();
        if folded.is_empty() {
            return Err(PhoneError::Empty);
        }
        let mut digits = String::with_capacity(folded.len());
        for (index, c) in folded.chars().enumerate() {
            match c {
                '0'..='9' => digits.push(c),
                '+' if index == 0 => digits.push(c),
                ' ' | '-' | '.' | '(' | ')' | '/' | '\u{2010}'..='\u{2015}' | '\u{30FC}' => {}
                _ => return Err(PhoneError::Malformed),
            }
        }
        let count = digits.trim_start_matches('+').len();
        if !(3..=20).contains(&count) || folded.chars().count() > LONGEST {
            return Err(PhoneError::Malformed);
        }
        let parsed = match international(&digits, region) {
            // The library must not be told a region here: it would take that region's trunk
            // prefix off a number of another country.
            Some(number) => phonenumber::parse(None, number),
            None => phonenumber::parse(Some(region.0), &digits),
        }
        .map_err(|_| PhoneError::NotInUse)?;
        if !phonenumber::is_valid(&parsed) {
            return Err(PhoneError::NotInUse);
        }
        let normal = format!("+{}{}", parsed.code().value(), parsed.national());
        if normal.len() > 16 {
            return Err(PhoneError::NotInUse);
        }
        // What is stored must mean the same wherever it is read again.
        let again = phonenumber::parse(None, &normal).map_err(|_| PhoneError::NotInUse)?;
        if again.national() != parsed.national() || again.code().value() != parsed.code().value() {
            return Err(PhoneError::NotInUse);
        }
        Ok(Self(normal))
    }

    /// In E.164.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For those who may not see it in full, see [`mask`].
    #[must_use]
    pub fn masked(&self) -> String {
        mask(&self.0)
    }
}

impl fmt::Debug for Phone {
    /// Masked: numbers do not belong into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// The number with `+` if it was written with one, or with what is dialed in the region instead.
fn international(digits: &str, region: PhoneRegion) -> Option<String> {
    if digits.starts_with('+') {
        return Some(digits.to_owned());
    }
    let dialed: &[&str] = match region.code() {
        "US" | "CA" => &["011"],
        "KR" => &["00700", "001", "002", "005", "006", "008"],
        "JP" => &["010"],
        "AU" => &["0011"],
        "HK" | "SG" | "TH" => &["001"],
        "TW" => &["002"],
        "RU" | "KZ" => &["810"],
        _ => &["00"],
    };
    let rest = dialed
        .iter()
        .find_map(|prefix| digits.strip_prefix(prefix))?;
    Some(format!("+{rest}"))
}

/// Masks a number in E.164: `+86138****5678`.
///
/// The country code stays; of the national digits at most the first three and the last four, and
/// always at least four are hidden, so that short numbers show less: 10 digits show 2 and 4,
/// 8 show the last four only, 6 the last two, 4 none. The stars do not tell how many are hidden.
#[must_use]
pub fn mask(e164: &str) -> String {
    let digits: String = e164.chars().filter(char::is_ascii_digit).collect();
    let (code, national) = digits
        .split_at_checked(country_code_length(&digits))
        .unwrap_or(("", ""));
    let count = national.len();
    let last = count.saturating_sub(4).min(4);
    let first = count.saturating_sub(8).min(3);
    let head: String = national.chars().take(first).collect();
    let tail: String = national.chars().skip(count - last).collect();
    format!("+{code}{head}****{tail}")
}

/// How long the country code in front of these digits is; the plan (ITU E.164) leaves no choice.
fn country_code_length(digits: &str) -> usize {
    match digits.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [b'2', b'0' | b'7', ..]
        | [b'3', b'0'..=b'4' | b'6' | b'9', ..]
        | [b'4', b'0' | b'1' | b'3'..=b'9', ..]
        | [b'5', b'1'..=b'8', ..]
        | [b'6', b'0'..=b'6', ..]
        | [b'8', b'1' | b'2' | b'4' | b'6', ..]
        | [b'9', b'0'..=b'5' | b'8', ..] => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str, region: &str) -> Result<String, PhoneError> {
        Phone::parse(text, PhoneRegion::parse(region).unwrap())
            .map(|phone| phone.as_str().to_owned())
    }

    #[test]
    fn reads_what_people_write() {
        for (text, region, normal) in [
            ("13812345678", "CN", "+8613812345678"),
            (" 138-1234-5678 ", "CN", "+8613812345678"),
            ("+86 138 1234 5678", "US", "+8613812345678"),
            ("0086 13812345678", "CN", "+8613812345678"),
            ("8613812345678", "CN", "+8613812345678"),
            ("011 86 138 1234 5678", "US", "+8613812345678"),
            ("001-86-138-1234-5678", "KR", "+8613812345678"),
            ("00 82 10 1234 5678", "CN", "+821012345678"),
            ("１３８１２３４５６７８", "CN", "+8613812345678"),
            ("010-6552 9988", "CN", "+861065529988"),
            ("(021) 6234 5678", "CN", "+862162345678"),
            ("010-1234-5678", "KR", "+821012345678"),
            ("02-312-3456", "KR", "+8223123456"),
            ("(212) 736-5000", "US", "+12127365000"),
            ("1 212 736 5000", "US", "+12127365000"),
            ("+39 06 6982", "CN", "+39066982"),
            ("+44 20 7946 0018", "CN", "+442079460018"),
        ] {
            assert_eq!(parse(text, region).as_deref(), Ok(normal), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for (text, error) in [
            ("", PhoneError::Empty),
            ("  ", PhoneError::Empty),
            ("hello", PhoneError::Malformed),
            ("1-800-FLOWERS", PhoneError::Malformed),
            ("13812345678 ext 5", PhoneError::Malformed),
            ("tel:13812345678", PhoneError::Malformed),
            ("138+12345678", PhoneError::Malformed),
            ("12", PhoneError::Malformed),
            ("123456789012345678901234567890", PhoneError::Malformed),
            ("13812345678\0", PhoneError::Malformed),
            ("13812345678\u{202E}", PhoneError::Malformed),
            ("1381234567", PhoneError::NotInUse),
            ("138123456789", PhoneError::NotInUse),
            ("00000000000", PhoneError::NotInUse),
            ("12345678901", PhoneError::NotInUse),
            ("+999123456789", PhoneError::NotInUse),
            ("+8612", PhoneError::NotInUse),
        ] {
            assert_eq!(parse(text, "CN"), Err(error), "{text}");
        }
        assert_eq!(PhoneRegion::parse("ZZ"), Err(PhoneError::UnknownRegion));
        assert_eq!(PhoneRegion::parse("cn"), Err(PhoneError::UnknownRegion));
        assert_eq!(PhoneRegion::parse("KR").unwrap().code(), "KR");
        assert!(parse(&"1".repeat(1 << 20), "CN").is_err());
    }

    #[test]
    fn masks_without_giving_away() {
        for (full, masked) in [
            ("+8613812345678", "+86138****5678"),
            ("+12127365000", "+121****5000"),
            ("+821012345678", "+8210****5678"),
            ("+8223123456", "+82****3456"),
            ("+39066982", "+39****82"),
            ("+2901234", "+290****"),
            ("", "+****"),
            ("王小明", "+****"),
        ] {
            assert_eq!(mask(full), masked);
        }
        assert_eq!(
            format!(
                "{:?}",
                Phone::parse("13812345678", PhoneRegion::CHINA).unwrap()
            ),
            "+86138****5678"
        );
    }

    proptest! {
        #[test]
        fn normal_form_is_stable(text in "[0-9+() -]{3,20}", region in prop::sample::select(vec!["CN", "KR", "US", "DE", "IT", "RU", "MX", "AR"])) {
            if let Ok(normal) = parse(&text, region) {
                for other in ["CN", "US", "IT"] {
                    prop_assert_eq!(parse(&normal, other), Ok(normal.clone()), "from {}", text);
                }
            }
        }

        #[test]
        fn real_ranges_are_stable(
            form in prop::sample::select(vec![
                ("CN", "+8613"), ("CN", "+8619"), ("CN", "+8621"), ("KR", "+8210"), ("KR", "+822"), ("US", "+1212"), ("US", "+1415"), ("GB", "+447"),
                ("RU", "+7495"), ("RU", "+7900"), ("IT", "+3906"), ("IT", "+393"), ("MX", "+5255"), ("AR", "+54911"), ("BR", "+5511"), ("HU", "+361"),
                ("JP", "+8190"), ("FR", "+336"), ("DE", "+49151"), ("BY", "+37529"), ("HK", "+8526"), ("TW", "+8869"), ("SG", "+658"),
            ]),
            rest in "[0-9]{4,9}",
        ) {
            if let Ok(normal) = parse(&format!("{}{rest}", form.1), "CN") {
                prop_assert!(normal.starts_with(form.1), "{} became {}", form.1, normal);
                for other in ["US", "KR", "IT", form.0] {
                    prop_assert_eq!(parse(&normal, other), Ok(normal.clone()));
                }
            }
        }

        #[test]
        fn mobiles_round_trip(number in 13_800_000_000u64..13_999_999_999) {
            let normal = parse(&number.to_string(), "CN").unwrap();
            prop_assert_eq!(&normal, &format!("+86{number}"));
            let masked = mask(&normal);
            prop_assert!(masked.chars().filter(char::is_ascii_digit).count() <= 2 + 7);
        }

        #[test]
        fn at_least_four_digits_stay_hidden(digits in "[0-9]{0,15}") {
            let shown = mask(&format!("+{digits}")).chars().filter(char::is_ascii_digit).count();
            let national = digits.len().saturating_sub(country_code_length(&digits));
            prop_assert!(national.saturating_sub(shown.saturating_sub(digits.len() - national)) >= national.min(4));
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = parse(&text, "KR");
            let _ = mask(&text);
        }
    }
}

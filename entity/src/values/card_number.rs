//! Numbers on membership cards.
//!
//! Called when cards are issued, scanned and imported. Our own numbers have 16 digits: a prefix
//! of the shop, digits that cannot be guessed, and a check digit (Luhn) that catches every single
//! wrong digit and nearly every swap of neighbors. Never draws randomness of its own.

use std::fmt;

use rand::CryptoRng;
use thiserror::Error;

/// Digits of a number of our own.
const DIGITS: usize = 16;

/// Why a card number is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CardNumberError {
    /// Not 16 digits.
    #[error("is not a card number; a card number has 16 digits")]
    Malformed,
    /// The last digit does not fit to the others.
    #[error("is not a card number: a digit is wrong or two are swapped; check it against the card")]
    WrongCheckDigit,
    /// An imported number that cannot be kept.
    #[error("cannot be used as a card number; use 4 to 32 letters A-Z, digits and dashes")]
    BadForeign,
    /// The prefix is not 1 to 6 digits.
    #[error("is not a card prefix; use 1 to 6 digits")]
    BadPrefix,
}

/// The digits that all cards of a shop begin with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CardPrefix(String);

impl CardPrefix {
    /// Reads 1 to 6 digits.
    ///
    /// # Errors
    /// [`CardNumberError::BadPrefix`].
    pub fn parse(text: &str) -> Result<Self, CardNumberError> {
        if (1..=6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(CardNumberError::BadPrefix)
        }
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for CardPrefix {
    /// `88`.
    fn default() -> Self {
        Self("88".to_owned())
    }
}

/// A card's number in normal form: 16 digits, or what another system printed.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CardNumber(String);

impl CardNumber {
    /// Draws a new number: at least nine digits of it are random, evenly distributed.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R, prefix: &CardPrefix) -> Self {
        let free = DIGITS - 1 - prefix.0.len();
        let mut digits = prefix.0.clone();
        while digits.len() < prefix.0.len() + free {
            // One random byte gives a digit unless it is beyond the last full ten.
            let byte = rng.next_u32().to_le_bytes()[0];
            if byte < 250 {
                digits.push(char::from(b'0' + byte % 10));
            }
        }
        let check = check_digit(&digits);
        digits.push(char::from(b'0' + check));
        Self(digits)
    }

    /// Reads a number of our own; blanks and dashes between the digits do not matter. Any prefix
    /// is accepted, since a shop may change its prefix and keep its cards.
    ///
    /// # Errors
    /// `Malformed`, `WrongCheckDigit`.
    pub fn parse(text: &str) -> Result<Self, CardNumberError> {
        let mut digits = String::with_capacity(DIGITS);
        for c in text.trim().chars() {
            match c {
                '0'..='9' if digits.len() < DIGITS => digits.push(c),
                // Scanners and input methods of East Asia send full-width digits.
                '\u{FF10}'..='\u{FF19}' if digits.len() < DIGITS => {
                    digits.extend(char::from_digit(c as u32 - 0xFF10, 10));
                }
                ' ' | '-' | '\u{3000}' => {}
                _ => return Err(CardNumberError::Malformed),
            }
        }
        if digits.len() != DIGITS {
            return Err(CardNumberError::Malformed);
        }
        let (body, check) = digits.split_at(DIGITS - 1);
        if check.bytes().next() != Some(b'0' + check_digit(body)) {
            return Err(CardNumberError::WrongCheckDigit);
        }
        Ok(Self(digits))
    }

    /// Reads a number printed by another system, for imported cards: 4 to 32 letters, digits and
    /// dashes; letters become capitals, blanks are dropped.
    ///
    /// # Errors
    /// `BadForeign`.
    pub fn parse_foreign(text: &str) -> Result<Self, CardNumberError> {
        let mut number = String::new();
        for c in text.trim().chars() {
            match c {
                ' ' => {}
                c if number.len() < 32 && (c.is_ascii_alphanumeric() || c == '-') => {
                    number.push(c.to_ascii_uppercase())
                }
                _ => return Err(CardNumberError::BadForeign),
            }
        }
        if number.len() < 4 || number.bytes().filter(u8::is_ascii_alphanumeric).count() < 4 {
            return Err(CardNumberError::BadForeign);
        }
        Ok(Self(number))
    }

    /// What somebody typed into a search: a number of our own if it is one, else another system's.
    ///
    /// # Errors
    /// `BadForeign`.
    pub fn parse_any(text: &str) -> Result<Self, CardNumberError> {
        Self::parse(text).or_else(|_| Self::parse_foreign(text))
    }

    /// The normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a number of our own kind: 16 digits with their check digit.
    #[must_use]
    pub fn is_own(&self) -> bool {
        Self::parse(&self.0).is_ok_and(|own| own == *self)
    }

    /// In groups of four for people to read; another system's number as it is.
    #[must_use]
    pub fn formatted(&self) -> String {
        if !self.is_own() {
            return self.0.clone();
        }
        let mut text = String::with_capacity(DIGITS + 3);
        for (index, c) in self.0.chars().enumerate() {
            if index > 0 && index % 4 == 0 {
                text.push(' ');
            }
            text.push(c);
        }
        text
    }

    /// For those who may not see it in full, see [`mask`].
    #[must_use]
    pub fn masked(&self) -> String {
        mask(&self.0)
    }
}

impl fmt::Debug for CardNumber {
    /// Masked: whoever holds the number holds the card.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// Masks a card number: `**** 5678`; at least four characters stay hidden.
#[must_use]
pub fn mask(number: &str) -> String {
    let count = number.chars().count();
    let shown = count.saturating_sub(4).min(4);
    if shown == 0 {
        return "****".to_owned();
    }
    let tail: String = number.chars().skip(count - shown).collect();
    format!("**** {tail}")
}

/// The Luhn check digit, 0 to 9, of ASCII digits.
fn check_digit(body: &str) -> u8 {
    let mut sum = 0u32;
    for (index, digit) in body.bytes().rev().enumerate() {
        let digit = u32::from(digit.saturating_sub(b'0'));
        let counted = if index % 2 == 0 { digit * 2 } else { digit };
        sum += counted / 10 + counted % 10;
    }
    u8::try_from((10 - sum % 10) % 10).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use std::collections::HashSet;

    #[test]
    fn draws_valid_distinct_numbers() {
        let mut rng = StdRng::seed_from_u64(1);
        for prefix in ["8", "88", "123456"] {
            let prefix = CardPrefix::parse(prefix).unwrap();
            let numbers: HashSet<CardNumber> = (0..2000)
                .map(|_| CardNumber::generate(&mut rng, &prefix))
                .collect();
            assert_eq!(numbers.len(), 2000);
            for number in numbers {
                assert!(number.as_str().starts_with(prefix.as_str()));
                assert_eq!(CardNumber::parse(number.as_str()), Ok(number.clone()));
                assert!(number.is_own());
            }
        }
        assert_eq!(CardPrefix::default().as_str(), "88");
        for text in ["", "1234567", "8a", " 8", "８"] {
            assert_eq!(CardPrefix::parse(text), Err(CardNumberError::BadPrefix));
        }
    }

    #[test]
    fn digits_are_even() {
        let mut rng = StdRng::seed_from_u64(2);
        let mut counts = [0u32; 10];
        for _ in 0..5000 {
            for digit in CardNumber::generate(&mut rng, &CardPrefix::default())
                .as_str()
                .bytes()
                .skip(2)
                .take(13)
            {
                counts[usize::from(digit - b'0')] += 1;
            }
        }
        assert!(
            counts.iter().all(|&count| (6100..6900).contains(&count)),
            "{counts:?}"
        );
    }

    #[test]
    fn reads_with_blanks_and_knows_luhn() {
        let number = CardNumber::parse("4539 1488-0343 6467").unwrap();
        assert_eq!(number.as_str(), "4539148803436467");
        assert_eq!(number.formatted(), "4539 1488 0343 6467");
        assert_eq!(number.masked(), "**** 6467");
        assert_eq!(
            CardNumber::parse("４５３９１４８８０３４３６４６７"),
            Ok(number)
        );
        assert_eq!(
            CardNumber::parse("4539148803436468"),
            Err(CardNumberError::WrongCheckDigit)
        );
        for text in [
            "",
            "453914880343646",
            "45391488034364677",
            "4539148803436x67",
            "4539\u{0}148803436467",
        ] {
            assert_eq!(
                CardNumber::parse(text),
                Err(CardNumberError::Malformed),
                "{text}"
            );
        }
        assert!(CardNumber::parse(&"4".repeat(1 << 20)).is_err());
    }

    #[test]
    fn foreign_numbers() {
        let number = CardNumber::parse_foreign(" vip-00123 ").unwrap();
        assert_eq!(number.as_str(), "VIP-00123");
        assert_eq!(number.formatted(), "VIP-00123");
        assert_eq!(number.masked(), "**** 0123");
        assert_eq!(CardNumber::parse_foreign("1234").unwrap().masked(), "****");
        assert_eq!(
            CardNumber::parse_foreign("123456").unwrap().masked(),
            "**** 56"
        );
        assert_eq!(
            format!("{:?}", CardNumber::parse_foreign("123456").unwrap()),
            "**** 56"
        );
        for text in [
            "",
            "123",
            "----",
            "a-b-c",
            "王小明王",
            "12_34",
            "12\n34",
            &"1".repeat(33),
        ] {
            assert_eq!(
                CardNumber::parse_foreign(text),
                Err(CardNumberError::BadForeign),
                "{text}"
            );
        }
        assert!(
            CardNumber::parse_any("4539-1488-0343-6467")
                .unwrap()
                .is_own()
        );
        assert!(
            !CardNumber::parse_any("4539-1488-0343-6468")
                .unwrap()
                .is_own()
        );
    }

    proptest! {
        #[test]
        fn every_single_wrong_digit_is_caught(seed in any::<u64>(), place in 0usize..16, change in 1u8..10) {
            let number = CardNumber::generate(&mut StdRng::seed_from_u64(seed), &CardPrefix::default());
            let mut digits = number.as_str().as_bytes().to_vec();
            digits[place] = b'0' + (digits[place] - b'0' + change) % 10;
            let wrong = String::from_utf8(digits).unwrap();
            prop_assert_eq!(CardNumber::parse(&wrong), Err(CardNumberError::WrongCheckDigit));
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = CardNumber::parse_any(&text);
            let _ = mask(&text);
        }
    }
}

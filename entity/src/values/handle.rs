//! Contact points of every kind: how each is checked, brought into normal form and masked.
//!
//! Called by the customer file, the search and the import. The normal form is what uniqueness,
//! search and messages go by; the shown form is what the shop typed, cleaned.

use std::fmt;

use sea_orm::entity::prelude::{DeriveActiveEnum, EnumIter, StringLen};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

use super::email::{self, Email, EmailError};
use super::phone::{self, Phone, PhoneError, PhoneRegion};
use super::text::{TextError, clean_line};

/// Characters of a handle of kind `Other`.
const LONGEST_OTHER: usize = 200;

/// The ways to reach a customer.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ContactKind {
    /// A mobile phone.
    #[sea_orm(string_value = "MOBILE")]
    Mobile,
    /// A phone that stays in its place.
    #[sea_orm(string_value = "LANDLINE")]
    Landline,
    /// An email address.
    #[sea_orm(string_value = "EMAIL")]
    Email,
    /// A WeChat name.
    #[sea_orm(string_value = "WECHAT")]
    #[serde(rename = "WECHAT")]
    WeChat,
    /// A QQ number.
    #[sea_orm(string_value = "QQ")]
    Qq,
    /// Anything else, in words.
    #[sea_orm(string_value = "OTHER")]
    Other,
}

/// Why a contact point is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ContactError {
    /// A phone number that is none.
    #[error(transparent)]
    Phone(#[from] PhoneError),
    /// An email address that is none.
    #[error(transparent)]
    Email(#[from] EmailError),
    /// Text that cannot be stored.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Not a WeChat name.
    #[error("is not a WeChat name; use 5 to 64 letters, digits, dashes or underscores")]
    WeChat,
    /// Not a QQ number.
    #[error("is not a QQ number; use 5 to 12 digits, the first not 0")]
    Qq,
}

/// A contact point that passed the checks of its kind.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ContactValue {
    /// Which kind.
    pub kind: ContactKind,
    /// The normal form: E.164, lower case and so on. Compared bytewise.
    pub normal: String,
    /// As typed, cleaned; what a person may be shown who may see it in full.
    pub shown: String,
}

impl ContactValue {
    /// Checks a contact point; `default_region` is where phone numbers without country code are.
    ///
    /// # Errors
    /// See [`ContactError`].
    pub fn parse(
        kind: ContactKind,
        raw: &str,
        default_region: PhoneRegion,
    ) -> Result<Self, ContactError> {
        let (normal, shown) = match kind {
            ContactKind::Mobile | ContactKind::Landline => {
                let phone = Phone::parse(raw, default_region)?;
                (phone.as_str().to_owned(), phone.as_str().to_owned())
            }
            ContactKind::Email => {
                let email = Email::parse(raw)?;
                (email.normal().to_owned(), email.as_given().to_owned())
            }
            ContactKind::WeChat => {
                let shown = folded(raw, 64, ContactError::WeChat)?;
                let shape = shown.len() >= 5
                    && shown
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
                if !shape {
                    return Err(ContactError::WeChat);
                }
                (shown.to_ascii_lowercase(), shown)
            }
            ContactKind::Qq => {
                let digits = folded(raw, 12, ContactError::Qq)?;
                let shape = digits.len() >= 5
                    && digits.bytes().all(|b| b.is_ascii_digit())
                    && !digits.starts_with('0');
                if !shape {
                    return Err(ContactError::Qq);
                }
                (digits.clone(), digits)
            }
            ContactKind::Other => {
                let shown = clean_line(raw, LONGEST_OTHER)?;
                let words: Vec<&str> = shown.split_whitespace().collect();
                (words.join(" ").to_lowercase().nfc().collect(), shown)
            }
        };
        Ok(Self {
            kind,
            normal,
            shown,
        })
    }

    /// For those who may not see it in full, see [`mask`].
    #[must_use]
    pub fn masked(&self) -> String {
        mask(self.kind, &self.normal)
    }
}

impl fmt::Debug for ContactValue {
    /// Masked: contact points do not belong into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.kind, self.masked())
    }
}

fn folded(raw: &str, longest: usize, malformed: ContactError) -> Result<String, ContactError> {
    match clean_line(raw, longest) {
        Ok(text) => Ok(text.nfkc().collect()),
        Err(TextError::TooLong { .. }) => Err(malformed),
        Err(error) => Err(error.into()),
    }
}

/// Masks a normal form by its kind: `+86138****5678`, `a***@example.com`, `w***`, `***89`.
///
/// Of a WeChat name or another handle the first character shows if there are at least 6 and 8,
/// of a QQ number the last two digits (of less than 7, one).
#[must_use]
pub fn mask(kind: ContactKind, normal: &str) -> String {
    let count = normal.chars().count();
    let head =
        |least: usize| -> String { normal.chars().take(usize::from(count >= least)).collect() };
    match kind {
        ContactKind::Mobile | ContactKind::Landline => phone::mask(normal),
        ContactKind::Email => email::mask(normal),
        ContactKind::WeChat => format!("{}***", head(6)),
        ContactKind::Qq => {
            let shown = if count >= 7 { 2 } else { 1.min(count) };
            let tail: String = normal.chars().skip(count - shown).collect();
            format!("***{tail}")
        }
        ContactKind::Other => format!("{}***", head(8)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sea_orm::{ActiveEnum, Iterable};

    fn parse(kind: ContactKind, raw: &str) -> Result<ContactValue, ContactError> {
        ContactValue::parse(kind, raw, PhoneRegion::CHINA)
    }

    #[test]
    fn each_kind_has_its_normal_form() {
        for (kind, raw, normal, shown, masked) in [
            (
                ContactKind::Mobile,
                "138 1234 5678",
                "+8613812345678",
                "+8613812345678",
                "+86138****5678",
            ),
            (
                ContactKind::Landline,
                "021-62345678",
                "+862162345678",
                "+862162345678",
                "+8621****5678",
            ),
            (
                ContactKind::Email,
                "Ann@Example.com",
                "ann@example.com",
                "Ann@example.com",
                "a***@example.com",
            ),
            (
                ContactKind::WeChat,
                " Wang_XiaoMing ",
                "wang_xiaoming",
                "Wang_XiaoMing",
                "w***",
            ),
            (
                ContactKind::Qq,
                "１２３４５６７８９",
                "123456789",
                "123456789",
                "***89",
            ),
            (ContactKind::Qq, "12345", "12345", "12345", "***5"),
            (
                ContactKind::Other,
                "Line:  Ann Lee",
                "line: ann lee",
                "Line:  Ann Lee",
                "l***",
            ),
            (ContactKind::Other, "Kakao A", "kakao a", "Kakao A", "***"),
        ] {
            let value = parse(kind, raw).unwrap();
            assert_eq!(
                (value.normal.as_str(), value.shown.as_str()),
                (normal, shown)
            );
            assert_eq!(value.masked(), masked);
            assert!(!format!("{value:?}").contains(normal));
        }
    }

    #[test]
    fn refuses_the_rest() {
        for raw in [
            "wang",
            "wang xiaoming",
            "王小明王小明",
            "@@@@@@",
            &"a".repeat(65),
            &"a".repeat(1 << 20),
        ] {
            assert_eq!(
                parse(ContactKind::WeChat, raw),
                Err(ContactError::WeChat),
                "{raw:.20}"
            );
        }
        for raw in ["1234", "1234567890123", "012345", "12a45", "12 345"] {
            assert_eq!(parse(ContactKind::Qq, raw), Err(ContactError::Qq), "{raw}");
        }
        assert_eq!(
            parse(ContactKind::Other, "a\0b"),
            Err(ContactError::Text(TextError::ControlCharacter {
                position: 2
            }))
        );
        assert_eq!(
            parse(ContactKind::WeChat, " "),
            Err(ContactError::Text(TextError::Empty))
        );
        assert!(matches!(
            parse(ContactKind::Mobile, "nothing"),
            Err(ContactError::Phone(_))
        ));
        assert!(matches!(
            parse(ContactKind::Email, "nothing"),
            Err(ContactError::Email(_))
        ));
    }

    #[test]
    fn stored_and_serialized_names_are_the_same() {
        for kind in ContactKind::iter() {
            assert_eq!(
                serde_json::to_value(kind).unwrap(),
                serde_json::Value::String(kind.to_value())
            );
            assert!(kind.to_value().len() <= 16);
        }
        assert_eq!(ContactKind::WeChat.to_value(), "WECHAT");
    }

    proptest! {
        #[test]
        fn normal_forms_are_stable(raw in any::<String>()) {
            for kind in ContactKind::iter() {
                if let Ok(value) = parse(kind, &raw) {
                    let again = parse(kind, &value.normal).unwrap();
                    prop_assert_eq!(&again.normal, &value.normal);
                }
            }
        }
    }
}

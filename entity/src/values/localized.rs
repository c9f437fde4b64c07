//! A text in several languages.
//!
//! Called where the shop names what customers see, such as products and categories. Which of the texts somebody sees is
//! decided here, alike everywhere: what they asked for, else another region's variety of that language, else the
//! shop's own language, else the first.

use super::text::{TextError, clean_line};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use thiserror::Error;

/// Languages of one text at most.
pub const MOST_LANGUAGES: usize = 20;

/// Why a language tag is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("is not a BCP 47 language tag; write it as in zh, ko-KR or en-US")]
pub struct LanguageTagError;

/// A BCP 47 language tag, in the case that RFC 5646, section 2.1.1 recommends: `zh-Hant-TW`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LanguageTag(String);

impl LanguageTag {
    /// Reads a tag: subtags of letters and digits, the first of two or three letters.
    ///
    /// # Errors
    /// [`LanguageTagError`].
    pub fn parse(text: &str) -> Result<Self, LanguageTagError> {
        let text = text.trim();
        let mut tag = String::with_capacity(text.len());
        for (n, subtag) in text.split('-').enumerate() {
            let letters = subtag.bytes().all(|byte| byte.is_ascii_alphabetic());
            let known = subtag.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let fits = if n == 0 {
                letters && matches!(subtag.len(), 2 | 3)
            } else {
                known && matches!(subtag.len(), 1..=8)
            };
            if !fits || text.len() > 35 {
                return Err(LanguageTagError);
            }
            if n > 0 {
                tag.push('-');
            }
            let lower = subtag.to_ascii_lowercase();
            match subtag.len() {
                2 if n > 0 && letters => tag.push_str(&subtag.to_ascii_uppercase()),
                4 if n > 0 && letters => {
                    let (first, rest) = lower.split_at(1);
                    tag.push_str(&first.to_ascii_uppercase());
                    tag.push_str(rest);
                }
                _ => tag.push_str(&lower),
            }
        }
        Ok(Self(tag))
    }

    /// The tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language without script and region.
    fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }
}

impl fmt::Display for LanguageTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text in several languages is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LocalizedError {
    /// None at all.
    #[error("is missing; give it in one language at least")]
    Empty,
    /// More languages than [`MOST_LANGUAGES`].
    #[error("has too many languages; give at most {MOST_LANGUAGES}")]
    TooMany,
    /// One language twice.
    #[error("has the language {0} twice; give each language once")]
    Twice(LanguageTag),
    /// Not a language.
    #[error("has a language that {0}")]
    Language(#[from] LanguageTagError),
    /// Not a text.
    #[error("{0}")]
    Text(#[from] TextError),
}

/// A text in one language or several.
///
/// ```
/// use entity::values::{LanguageTag, LocalizedText};
/// let name = LocalizedText::parse([("zh", "龙井茶"), ("en-GB", "Longjing tea")], 100).unwrap();
/// let tag = |text| LanguageTag::parse(text).unwrap();
/// assert_eq!(name.in_language(&tag("en-US"), &tag("zh")), "Longjing tea");
/// assert_eq!(name.in_language(&tag("ko"), &tag("zh")), "龙井茶");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LocalizedText(BTreeMap<LanguageTag, String>);

impl LocalizedText {
    /// Reads pairs of a language and a line of text of at most `longest` characters.
    ///
    /// # Errors
    /// [`LocalizedError`].
    pub fn parse<'a>(
        texts: impl IntoIterator<Item = (&'a str, &'a str)>,
        longest: usize,
    ) -> Result<Self, LocalizedError> {
        let mut found = BTreeMap::new();
        for (language, text) in texts {
            let language = LanguageTag::parse(language)?;
            let text = clean_line(text, longest)?;
            if found.contains_key(&language) {
                return Err(LocalizedError::Twice(language));
            }
            if found.len() >= MOST_LANGUAGES {
                return Err(LocalizedError::TooMany);
            }
            found.insert(language, text);
        }
        if found.is_empty() {
            return Err(LocalizedError::Empty);
        }
        Ok(Self(found))
    }

    /// The text for somebody who wants `wanted`, in a shop whose own language is `own`.
    #[must_use]
    pub fn in_language(&self, wanted: &LanguageTag, own: &LanguageTag) -> &str {
        let of = |tag: &LanguageTag| {
            self.0.get(tag).or_else(|| {
                let mut varieties = self.0.iter();
                varieties
                    .find(|(other, _)| other.primary() == tag.primary())
                    .map(|(_, text)| text)
            })
        };
        of(wanted)
            .or_else(|| of(own))
            .or_else(|| self.0.values().next())
            .map_or("", String::as_str)
    }

    /// All languages with their texts, in the order of the tags.
    pub fn iter(&self) -> impl Iterator<Item = (&LanguageTag, &str)> {
        self.0.iter().map(|(tag, text)| (tag, text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::{LanguageTag, LanguageTagError, LocalizedError, LocalizedText};

    fn tag(text: &str) -> LanguageTag {
        LanguageTag::parse(text).unwrap()
    }

    #[test]
    fn a_language_is_one_however_it_is_written() {
        for (text, kept) in [
            ("zh", "zh"),
            (" ZH-hant-tw ", "zh-Hant-TW"),
            ("EN-us", "en-US"),
            ("sl-Rozaj-biske", "sl-rozaj-biske"),
            ("de-1996", "de-1996"),
        ] {
            assert_eq!(tag(text).as_str(), kept);
        }
        for text in [
            "",
            "e",
            "english",
            "en_US",
            "en-",
            "en--US",
            "中文",
            "en-toolongsubtag",
        ] {
            assert_eq!(LanguageTag::parse(text), Err(LanguageTagError), "{text}");
        }
    }

    #[test]
    fn everybody_sees_the_nearest_there_is() {
        let name = LocalizedText::parse(
            [("zh-Hans", "围巾"), ("en-GB", "scarf"), ("ko", "스카프")],
            20,
        )
        .unwrap();
        for (wanted, own, seen) in [
            ("en-GB", "zh", "scarf"),
            ("en-US", "zh", "scarf"),
            ("zh-TW", "en", "围巾"),
            ("fr", "ko-KR", "스카프"),
            ("fr", "de", "scarf"),
        ] {
            assert_eq!(name.in_language(&tag(wanted), &tag(own)), seen, "{wanted}");
        }
        let json = serde_json::to_string(&name).unwrap();
        assert_eq!(serde_json::from_str::<LocalizedText>(&json).unwrap(), name);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let parse = |texts: &[(&'static str, &'static str)]| {
            LocalizedText::parse(texts.iter().copied(), 5).unwrap_err()
        };
        assert_eq!(parse(&[]), LocalizedError::Empty);
        assert_eq!(
            parse(&[("en", "a"), ("EN", "b")]),
            LocalizedError::Twice(tag("en"))
        );
        assert!(matches!(
            parse(&[("english", "a")]),
            LocalizedError::Language(_)
        ));
        assert!(matches!(parse(&[("en", " ")]), LocalizedError::Text(_)));
        assert!(matches!(
            parse(&[("en", "too long")]),
            LocalizedError::Text(_)
        ));
        let many: Vec<String> = (b'a'..=b'u')
            .map(|b| format!("x{}", char::from(b)))
            .collect();
        let error = LocalizedText::parse(many.iter().map(|tag| (tag.as_str(), "a")), 5);
        assert_eq!(error, Err(LocalizedError::TooMany));
    }
}

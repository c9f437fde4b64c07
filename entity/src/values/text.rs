//! Text as people type it: names, notes, addresses.
//!
//! Called for every free text before it is stored. Never changes what is visible: it trims,
//! brings the text into Unicode's composed form (NFC), so that what looks alike is alike, and
//! refuses what cannot be seen but changes how the rest is read or stored.

use thiserror::Error;
use unicode_normalization::UnicodeNormalization;

/// Why a text is refused. Positions count characters from 1, after trimming.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TextError {
    /// Nothing visible is left after trimming.
    #[error("must not be empty")]
    Empty,
    /// More characters (Unicode scalar values, composed) than allowed.
    #[error("is too long: {actual} characters, at most {max} are allowed; shorten it")]
    TooLong {
        /// The limit, in characters.
        max: usize,
        /// What was given, in characters.
        actual: usize,
    },
    /// NUL, another control character, or a line break where one line is asked for.
    #[error("contains a control character at position {position}; remove it")]
    ControlCharacter {
        /// Which character, from 1.
        position: usize,
    },
    /// A mark that turns the direction of the text around it.
    #[error("contains a text direction mark at position {position}; remove it")]
    DirectionMark {
        /// Which character, from 1.
        position: usize,
    },
}

/// Cleans a text of one line, at most `max_chars` characters: no line breaks, no tabs.
///
/// # Errors
/// See [`TextError`].
pub fn clean_line(input: &str, max_chars: usize) -> Result<String, TextError> {
    clean(input, max_chars, false)
}

/// Cleans a text of several lines, at most `max_chars` characters: tabs and line breaks stay,
/// every kind of line break becomes one `\n`.
///
/// # Errors
/// See [`TextError`].
pub fn clean_text(input: &str, max_chars: usize) -> Result<String, TextError> {
    clean(input, max_chars, true)
}

/// Like [`clean_line`] for a field that may be left out: nothing visible is `None`.
///
/// # Errors
/// Every [`TextError`] but `Empty`.
pub fn clean_optional_line(input: &str, max_chars: usize) -> Result<Option<String>, TextError> {
    optional(clean_line(input, max_chars))
}

/// Like [`clean_text`] for a field that may be left out: nothing visible is `None`.
///
/// # Errors
/// Every [`TextError`] but `Empty`.
pub fn clean_optional_text(input: &str, max_chars: usize) -> Result<Option<String>, TextError> {
    optional(clean_text(input, max_chars))
}

fn optional(cleaned: Result<String, TextError>) -> Result<Option<String>, TextError> {
    match cleaned {
        Ok(text) => Ok(Some(text)),
        Err(TextError::Empty) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the character turns the reading direction of its surroundings.
#[must_use]
pub fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{061C}')
}

/// Whether the character is a control character in the wide sense: C0, C1, the line and paragraph
/// separators, a byte order mark inside the text, and code points that are no characters.
#[must_use]
pub fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FDD0}'..='\u{FDEF}'
        )
        || (c as u32) & 0xFFFE == 0xFFFE
}

/// Takes up no ink: white space, zero-width characters and the Hangul fillers.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{00AD}' | '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
                | '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{2064}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
                | '\u{FFA0}' | '\u{E0000}'..='\u{E0FFF}'
        )
}

fn clean(input: &str, max_chars: usize, multi_line: bool) -> Result<String, TextError> {
    let trimmed = input.trim();
    // Composition shortens a text by a small factor only, so a text far beyond the limit is
    // refused before anything walks it more than once.
    let given = trimmed.chars().count();
    if given > max_chars.saturating_mul(8).saturating_add(64) {
        return Err(TextError::TooLong {
            max: max_chars,
            actual: given,
        });
    }
    let unified;
    let trimmed = if multi_line && trimmed.contains(['\r', '\u{85}', '\u{2028}', '\u{2029}']) {
        unified = trimmed
            .replace("\r\n", "\n")
            .replace(['\r', '\u{85}', '\u{2028}', '\u{2029}'], "\n");
        unified.as_str()
    } else {
        trimmed
    };
    for (index, c) in trimmed.chars().enumerate() {
        if multi_line && matches!(c, '\n' | '\t') {
            continue;
        }
        if is_control(c) {
            return Err(TextError::ControlCharacter {
                position: index + 1,
            });
        }
        if is_direction_mark(c) {
            return Err(TextError::DirectionMark {
                position: index + 1,
            });
        }
    }
    if trimmed.chars().all(is_invisible) {
        return Err(TextError::Empty);
    }
    let composed: String = if trimmed.is_ascii() {
        trimmed.to_owned()
    } else {
        trimmed.nfc().collect()
    };
    let actual = composed.chars().count();
    if actual > max_chars {
        return Err(TextError::TooLong {
            max: max_chars,
            actual,
        });
    }
    Ok(composed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn trims_and_composes() {
        assert_eq!(clean_line("  Jose\u{301} ", 10).unwrap(), "José");
        assert_eq!(clean_line("\u{3000}王小明\u{3000}", 3).unwrap(), "王小明");
        assert_eq!(clean_line("\u{1100}\u{1161}", 1).unwrap(), "가");
        assert_eq!(clean_line("a  b", 9).unwrap(), "a  b");
        assert_eq!(clean_line("👩‍👩‍👧", 9).unwrap(), "👩‍👩‍👧");
    }

    #[test]
    fn refuses_what_shows_nothing() {
        for text in [
            "",
            " ",
            "\n\t ",
            "\u{200B}",
            "\u{3164}",
            "\u{115F}\u{1160}",
            "\u{2800} \u{00AD}",
        ] {
            assert_eq!(clean_line(text, 10), Err(TextError::Empty), "{text:?}");
            assert_eq!(clean_text(text, 10), Err(TextError::Empty), "{text:?}");
            assert_eq!(clean_optional_line(text, 10), Ok(None));
            assert_eq!(clean_optional_text(text, 10), Ok(None));
        }
    }

    #[test]
    fn refuses_control_characters_with_their_position() {
        assert_eq!(
            clean_line("a\0b", 10),
            Err(TextError::ControlCharacter { position: 2 })
        );
        assert_eq!(
            clean_line("\0", 10),
            Err(TextError::ControlCharacter { position: 1 })
        );
        assert_eq!(
            clean_line("ab\u{7f}", 10),
            Err(TextError::ControlCharacter { position: 3 })
        );
        assert_eq!(
            clean_line("a\nb", 10),
            Err(TextError::ControlCharacter { position: 2 })
        );
        assert_eq!(
            clean_line("a\tb", 10),
            Err(TextError::ControlCharacter { position: 2 })
        );
        assert_eq!(
            clean_line("a\u{2028}b", 10),
            Err(TextError::ControlCharacter { position: 2 })
        );
        assert_eq!(
            clean_line("\u{FEFF}a", 10),
            Err(TextError::ControlCharacter { position: 1 })
        );
        assert_eq!(
            clean_line("a\u{FFFF}", 10),
            Err(TextError::ControlCharacter { position: 2 })
        );
        assert_eq!(
            clean_text("a\u{1b}b", 10),
            Err(TextError::ControlCharacter { position: 2 })
        );
        assert!(clean_optional_line("a\0", 10).is_err());
    }

    #[test]
    fn refuses_direction_marks() {
        for mark in [
            '\u{202A}', '\u{202B}', '\u{202C}', '\u{202D}', '\u{202E}', '\u{2066}', '\u{2067}',
            '\u{2068}', '\u{2069}', '\u{200E}', '\u{200F}', '\u{061C}',
        ] {
            assert_eq!(
                clean_line(&format!("ab{mark}c"), 10),
                Err(TextError::DirectionMark { position: 3 })
            );
            assert_eq!(
                clean_text(&format!("{mark}c"), 10),
                Err(TextError::DirectionMark { position: 1 })
            );
        }
    }

    #[test]
    fn keeps_lines_where_allowed() {
        assert_eq!(clean_text("a\r\nb\rc\n\td\n", 20).unwrap(), "a\nb\nc\n\td");
        assert_eq!(clean_text("a\u{2029}b", 20).unwrap(), "a\nb");
    }

    #[test]
    fn counts_characters_not_bytes() {
        assert!(clean_line("王小明", 3).is_ok());
        assert_eq!(
            clean_line("王小明明", 3),
            Err(TextError::TooLong { max: 3, actual: 4 })
        );
        let megabyte = "x".repeat(1 << 20);
        assert_eq!(
            clean_line(&megabyte, 200),
            Err(TextError::TooLong {
                max: 200,
                actual: 1 << 20
            })
        );
        assert_eq!(
            TextError::TooLong { max: 3, actual: 4 }.to_string(),
            "is too long: 4 characters, at most 3 are allowed; shorten it"
        );
    }

    proptest! {
        #[test]
        fn what_is_clean_stays_clean(text in any::<String>(), max in 0usize..40) {
            for function in [clean_line, clean_text] {
                if let Ok(cleaned) = function(&text, max) {
                    prop_assert!(cleaned.chars().count() <= max);
                    prop_assert_eq!(function(&cleaned, max), Ok(cleaned.clone()));
                    let bad = cleaned.chars().any(|c| c == '\0' || is_direction_mark(c));
                    prop_assert!(!bad);
                }
            }
        }
    }
}

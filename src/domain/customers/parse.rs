//! Small parsers that the parts of this topic share: each notes what is wrong under the field's own path.
//!
//! Called by the services of this topic only. Nothing here asks the database.

use super::input::Patch;
use crate::error::{Code, UserErrors, text_code};
use entity::values::birth_date::BirthDateError;
use entity::values::text::{clean_line, clean_optional_line, clean_optional_text, clean_text};

/// The code of a date that is refused.
pub(super) fn date_code(error: &BirthDateError) -> Code {
    match error {
        BirthDateError::Future | BirthDateError::TooEarly => Code::OutOfRange,
        _ => Code::Invalid,
    }
}

/// A line that must be there.
pub(super) fn line(
    errors: &mut UserErrors,
    field: &str,
    text: &str,
    longest: usize,
) -> Option<String> {
    errors.take(field, text_code, clean_line(text, longest))
}

/// Several lines that must be there.
pub(super) fn lines(
    errors: &mut UserErrors,
    field: &str,
    text: &str,
    longest: usize,
) -> Option<String> {
    errors.take(field, text_code, clean_text(text, longest))
}

/// A line that may be missing; one that shows nothing is missing.
pub(super) fn maybe_line(
    errors: &mut UserErrors,
    field: &str,
    text: Option<&str>,
    longest: usize,
) -> Option<String> {
    let text = text?;
    errors
        .take(field, text_code, clean_optional_line(text, longest))
        .flatten()
}

/// Several lines that may be missing.
pub(super) fn maybe_lines(
    errors: &mut UserErrors,
    field: &str,
    text: Option<&str>,
    longest: usize,
) -> Option<String> {
    let text = text?;
    errors
        .take(field, text_code, clean_optional_text(text, longest))
        .flatten()
}

/// A line of a partial change.
pub(super) fn patch_line(
    errors: &mut UserErrors,
    field: &str,
    patch: &Patch<String>,
    longest: usize,
) -> Patch<String> {
    patch
        .as_ref()
        .map(|text| maybe_line(errors, field, text.as_deref(), longest))
}

/// Several lines of a partial change.
pub(super) fn patch_lines(
    errors: &mut UserErrors,
    field: &str,
    patch: &Patch<String>,
    longest: usize,
) -> Patch<String> {
    patch
        .as_ref()
        .map(|text| maybe_lines(errors, field, text.as_deref(), longest))
}

/// A BCP 47 tag: subtags of letters and digits, the first of two or three letters.
pub(super) fn language(errors: &mut UserErrors, field: &str, text: &str) -> Option<String> {
    let tag = text.trim();
    let mut subtags = tag.split('-');
    let well_formed = tag.len() <= 35
        && subtags.next().is_some_and(|first| {
            matches!(first.len(), 2 | 3) && first.bytes().all(|b| b.is_ascii_alphabetic())
        })
        && subtags.all(|subtag| {
            matches!(subtag.len(), 1..=8) && subtag.bytes().all(|b| b.is_ascii_alphanumeric())
        });
    if well_formed {
        Some(tag.to_owned())
    } else {
        errors.none(
            Code::Invalid,
            field,
            "language is not a BCP 47 tag; write it as in zh, ko-KR or en-US",
        )
    }
}

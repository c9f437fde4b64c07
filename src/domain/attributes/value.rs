//! Values of attributes: what is handed in, checked against the definition, and the one way in which it is kept.
//!
//! Called by `customers` for what is set and for what a list is narrowed down to, and for the bounds of definitions.
//! Asks nothing of the database.

use super::{Choice, Definition};
use crate::error::{Code, UserErrors, text_code};
use chrono::{Datelike, NaiveDate};
use entity::enums::AttributeKind;
use entity::values::clean_line;
use entity::values::decimal::{DecimalError, format_scaled, parse_scaled};
use serde::Serialize;
use std::collections::HashSet;

/// Characters of a text at most.
pub const TEXT_CHARS: usize = 500;
/// Decimals of a decimal number at most.
const DECIMALS: u32 = 6;
/// The years in which a day may lie.
const YEARS: std::ops::RangeInclusive<i32> = 1..=9999;

/// A value as it is handed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Given {
    /// A line of text.
    Text(String),
    /// A whole number.
    Integer(i32),
    /// A decimal number, as written.
    Decimal(String),
    /// Yes or no.
    Boolean(bool),
    /// A day.
    Date(NaiveDate),
    /// The key of what is chosen.
    Choice(String),
    /// The keys of all that is chosen.
    Choices(Vec<String>),
}

impl Given {
    /// What the field of the input is called, and how it is written.
    fn field(&self) -> &'static str {
        field(match self {
            Self::Text(_) => AttributeKind::Text,
            Self::Integer(_) => AttributeKind::Integer,
            Self::Decimal(_) => AttributeKind::Decimal,
            Self::Boolean(_) => AttributeKind::Boolean,
            Self::Date(_) => AttributeKind::Date,
            Self::Choice(_) => AttributeKind::Choice,
            Self::Choices(_) => AttributeKind::Choices,
        })
    }
}

/// The field of the input that takes values of a kind.
fn field(kind: AttributeKind) -> &'static str {
    match kind {
        AttributeKind::Text => "text",
        AttributeKind::Integer => "integer",
        AttributeKind::Decimal => "decimal",
        AttributeKind::Boolean => "boolean",
        AttributeKind::Date => "date",
        AttributeKind::Choice => "choice",
        AttributeKind::Choices => "choices",
    }
}

/// A value as it is kept: the same value is the same text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The text.
    pub text: String,
    /// For what has an order.
    pub number: Option<i64>,
}

impl Kept {
    fn text(text: String) -> Self {
        Self { text, number: None }
    }
}

/// Checks a value against its definition. `at` is the way to the value in the input.
pub fn check(
    definition: &Definition,
    given: &Given,
    at: &str,
    errors: &mut UserErrors,
) -> Option<Kept> {
    let name = given.field();
    let at = format!("{at}.{name}");
    let kept = match (definition.kind(), given) {
        (AttributeKind::Text, Given::Text(text)) => {
            Kept::text(errors.take(&at, text_code, clean_line(text, TEXT_CHARS))?)
        }
        (AttributeKind::Boolean, Given::Boolean(yes)) => Kept::text(yes.to_string()),
        (AttributeKind::Choice, Given::Choice(key)) => {
            known(definition, std::slice::from_ref(key), &at, errors)?;
            Kept::text(key.clone())
        }
        (AttributeKind::Choices, Given::Choices(keys)) => {
            if keys.is_empty() {
                return errors.none(
                    Code::Required,
                    &at,
                    "choices names nothing; clear the attribute where nothing holds",
                );
            }
            known(definition, keys, &at, errors)?;
            Kept::text(several(keys))
        }
        (AttributeKind::Integer, Given::Integer(number)) => integer(*number),
        (AttributeKind::Decimal, Given::Decimal(text)) => {
            decimal(errors.take(&at, decimal_code, parse_scaled(text, DECIMALS))?)
        }
        (AttributeKind::Date, Given::Date(day)) => {
            if !YEARS.contains(&day.year()) {
                return errors.none(
                    Code::OutOfRange,
                    &at,
                    "date must lie between the years 1 and 9999",
                );
            }
            date(*day)
        }
        (kind, _) => {
            let key = &definition.row.key;
            let message = format!("{key} takes a value as `{}`, not as `{name}`", field(kind));
            return errors.none(Code::Invalid, &at, message);
        }
    };
    within(definition, &kept, &at, errors)?;
    Some(kept)
}

fn decimal_code(error: &DecimalError) -> Code {
    match error {
        DecimalError::Overflow => Code::OutOfRange,
        _ => Code::Invalid,
    }
}

fn integer(number: i32) -> Kept {
    Kept {
        text: number.to_string(),
        number: Some(number.into()),
    }
}

fn decimal(scaled: i64) -> Kept {
    let text = format_scaled(scaled, DECIMALS);
    Kept {
        text: text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        number: Some(scaled),
    }
}

fn date(day: NaiveDate) -> Kept {
    Kept {
        text: day.format("%Y-%m-%d").to_string(),
        number: Some(day.num_days_from_ce().into()),
    }
}

/// A bound as it is written, or as it is kept, which is one of the ways to write it.
pub(super) fn bound(
    kind: AttributeKind,
    text: &str,
    at: &str,
    errors: &mut UserErrors,
) -> Option<Kept> {
    let text = text.trim();
    match kind {
        AttributeKind::Integer => match text.parse::<i32>() {
            Ok(number) => Some(integer(number)),
            Err(_) => errors.none(
                Code::Invalid,
                at,
                format!("{at} is no whole number; write one such as 18"),
            ),
        },
        AttributeKind::Decimal => errors
            .take(at, decimal_code, parse_scaled(text, DECIMALS))
            .map(decimal),
        AttributeKind::Date => match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            Ok(day) if YEARS.contains(&day.year()) => Some(date(day)),
            _ => errors.none(
                Code::Invalid,
                at,
                format!("{at} is no day; write one such as 2026-03-01"),
            ),
        },
        AttributeKind::Text
        | AttributeKind::Boolean
        | AttributeKind::Choice
        | AttributeKind::Choices => errors.none(
            Code::NotAllowed,
            at,
            format!("only numbers and days have a {at}; leave it out"),
        ),
    }
}

/// Only what has an order has bounds.
fn within(definition: &Definition, kept: &Kept, at: &str, errors: &mut UserErrors) -> Option<()> {
    if kept.number.is_none() {
        return Some(());
    }
    let bound = |text: &Option<String>| {
        let mut unread = UserErrors::new();
        text.as_deref()
            .and_then(|text| bound(definition.kind(), text, "bound", &mut unread))
    };
    let (low, high) = (
        bound(&definition.row.minimum),
        bound(&definition.row.maximum),
    );
    let below = low.as_ref().is_some_and(|low| kept.number < low.number);
    let above = high.as_ref().is_some_and(|high| kept.number > high.number);
    if !below && !above {
        return Some(());
    }
    let allowed = match (low, high) {
        (Some(low), Some(high)) => format!("from {} to {}", low.text, high.text),
        (Some(low), None) => format!("{} and more", low.text),
        (None, Some(high)) => format!("up to {}", high.text),
        (None, None) => return Some(()),
    };
    errors.none(
        Code::OutOfRange,
        at,
        format!("{} takes {allowed}", definition.row.key),
    )
}

fn known(
    definition: &Definition,
    keys: &[String],
    at: &str,
    errors: &mut UserErrors,
) -> Option<()> {
    let unknown = keys.iter().find(|key| definition.choice(key).is_none());
    let different: HashSet<&String> = keys.iter().collect();
    if unknown.is_some() {
        let keys: Vec<&str> = definition
            .choices
            .iter()
            .map(|choice| choice.key.as_str())
            .collect();
        return errors.none(
            Code::Invalid,
            at,
            format!("{} takes one of: {}", definition.row.key, keys.join(", ")),
        );
    }
    if different.len() < keys.len() {
        return errors.none(Code::Invalid, at, "choices names the same twice");
    }
    Some(())
}

/// Several keys as they are kept: in the order of the alphabet, each between two commas, so that each is found.
fn several(keys: &[String]) -> String {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    format!(",{},", keys.join(","))
}

/// What is found within a value of several choices that has this one among them.
pub fn one_of_several(key: &str) -> String {
    format!(",{key},")
}

/// A value as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A line of text.
    Text(String),
    /// A whole number.
    Integer(i32),
    /// A decimal number.
    Decimal(String),
    /// Yes or no.
    Boolean(bool),
    /// A day.
    Date(NaiveDate),
    /// What is chosen.
    Choice(Choice),
    /// All that is chosen, in the order of the definition.
    Choices(Vec<Choice>),
}

/// Reads a value as it is kept; none when it is none of this definition's, which only a foreign hand makes.
pub fn show(definition: &Definition, text: &str) -> Option<Shown> {
    Some(match definition.kind() {
        AttributeKind::Text => Shown::Text(text.to_owned()),
        AttributeKind::Integer => Shown::Integer(text.parse().ok()?),
        AttributeKind::Decimal => Shown::Decimal(text.to_owned()),
        AttributeKind::Boolean => Shown::Boolean(text.parse().ok()?),
        AttributeKind::Date => Shown::Date(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?),
        AttributeKind::Choice => Shown::Choice(definition.choice(text)?.clone()),
        AttributeKind::Choices => {
            let keys: Vec<&str> = text.split(',').filter(|key| !key.is_empty()).collect();
            let chosen = definition.choices.iter();
            let chosen = chosen.filter(|choice| keys.contains(&choice.key.as_str()));
            Shown::Choices(chosen.cloned().collect())
        }
    })
}

impl Shown {
    /// The value as a person reads it, with its unit.
    pub fn read(&self, unit: Option<&str>) -> String {
        let counted = |number: &str| match unit {
            Some(unit) => format!("{number} {unit}"),
            None => number.to_owned(),
        };
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(number) => counted(&number.to_string()),
            Self::Decimal(number) => counted(number),
            Self::Boolean(yes) => yes.to_string(),
            Self::Date(day) => day.format("%Y-%m-%d").to_string(),
            Self::Choice(choice) => choice.name.clone(),
            Self::Choices(chosen) => {
                let names: Vec<&str> = chosen.iter().map(|choice| choice.name.as_str()).collect();
                names.join(", ")
            }
        }
    }
}

#[cfg(test)]
mod tests;

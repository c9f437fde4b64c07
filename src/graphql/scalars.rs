//! Strict scalars: what a client sends is parsed whole or refused; nothing is guessed or rounded.

use crate::error::{Code, UserErrors};
use crate::graphql::gate::{Form, ValueRules};
use async_graphql::{
    InputObject, InputType, InputValueError, InputValueResult, Scalar, ScalarType, SimpleObject,
    Value,
};
use chrono::{NaiveDate, SecondsFormat, Utc};
use entity::values::birth_date::BirthDateError;
use entity::values::{self, money};
use iso_currency::Currency;
use std::collections::HashMap;

/// A scalar that travels as a string.
trait Text: InputType {
    /// What it is, where a value is none, with an example.
    const EXPECTED: &'static str;

    /// Reads it; an error says what is wrong, when there is more to say than what it is.
    fn read(text: &str) -> Result<Self, Option<String>>;

    /// Reads it; an error says all that the caller needs.
    fn check(text: &str) -> Result<Self, String> {
        Self::read(text).map_err(|more| match more {
            Some(more) => format!("{}; this one {more}", Self::EXPECTED),
            None => Self::EXPECTED.to_owned(),
        })
    }
}

fn parse<T: Text>(value: Value) -> InputValueResult<T> {
    match value {
        Value::String(text) => T::check(&text).map_err(InputValueError::custom),
        _ => Err(InputValueError::custom(T::EXPECTED)),
    }
}

/// What values of these scalars look like. The gate asks before anything runs, so that whoever sends another one is
/// told where it stands and what is expected.
pub fn rules() -> ValueRules {
    fn form<T: Text>(text: &str) -> Result<(), String> {
        T::check(text).map(|_| ())
    }
    ValueRules {
        text_scalars: HashMap::from([
            ("DateTime", form::<DateTime> as Form),
            ("Date", form::<Date> as Form),
            ("Decimal", form::<Decimal> as Form),
            ("LunarDate", form::<LunarDate> as Form),
            ("EventPosition", form::<EventPosition> as Form),
        ]),
    }
}

impl Text for DateTime {
    const EXPECTED: &'static str = "a DateTime is a moment with its offset as in RFC 3339, such as \
         \"2026-03-01T09:30:00Z\" or \"2026-03-01T17:30:00+08:00\"";

    fn read(text: &str) -> Result<Self, Option<String>> {
        let at = chrono::DateTime::parse_from_rfc3339(text).map_err(|_| None)?;
        Ok(Self(values::clock::truncate_to_micros(
            at.with_timezone(&Utc),
        )))
    }
}

impl Text for Date {
    const EXPECTED: &'static str =
        "a Date is a day of the calendar written YYYY-MM-DD, such as \"2026-03-01\"";

    fn read(text: &str) -> Result<Self, Option<String>> {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| None)?;
        if text.len() == 10 {
            Ok(Self(day))
        } else {
            Err(None)
        }
    }
}

impl Text for Decimal {
    const EXPECTED: &'static str = "a Decimal is a string of at most 32 characters with digits, at most one point \
         between them and perhaps a minus in front, such as \"12.50\"";

    fn read(text: &str) -> Result<Self, Option<String>> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let well_formed = match digits.split_once('.') {
            Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
            None => is_digits(digits),
        };
        if well_formed && text.len() <= 32 {
            Ok(Self(text.to_owned()))
        } else {
            Err(None)
        }
    }
}

impl Text for EventPosition {
    const EXPECTED: &'static str =
        "an EventPosition is a string of digits as it was received, such as \"4711\"";

    fn read(text: &str) -> Result<Self, Option<String>> {
        let position = text.parse().ok().filter(|_| is_digits(text));
        position.map(Self).ok_or(None)
    }
}

impl Text for LunarDate {
    const EXPECTED: &'static str = "a LunarDate is a day of the lunar calendar, such as \"L1990-06-15\", \
         \"L1990-05L-15\" in a leap month, or \"L--06-15\" without a year";

    fn read(text: &str) -> Result<Self, Option<String>> {
        text.parse().map(Self).map_err(|error| match error {
            BirthDateError::Malformed => None,
            other => Some(other.to_string()),
        })
    }
}

/// A point in time in RFC 3339, such as `2026-03-01T09:30:00Z`. Answers are in UTC; inputs may have any offset
/// and at most microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateTime(pub chrono::DateTime<Utc>);

/// A point in time in RFC 3339, such as `2026-03-01T09:30:00Z`. Answers are in UTC; inputs may have any offset
/// and at most microseconds.
#[Scalar(specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        parse(value)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl From<chrono::DateTime<Utc>> for DateTime {
    fn from(at: chrono::DateTime<Utc>) -> Self {
        Self(at)
    }
}

/// A place in the order of events, such as `"4711"`: whatever happened later stands behind it. Kept as it was received and
/// handed over as `after`, it makes a subscription go on without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPosition(pub i64);

/// A place in the order of events, such as `"4711"`: whatever happened later stands behind it. Kept as it was received and
/// handed over as `after`, it makes a subscription go on without a gap.
#[Scalar]
impl ScalarType for EventPosition {
    fn parse(value: Value) -> InputValueResult<Self> {
        parse(value)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A calendar day, such as `2026-03-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub NaiveDate);

/// A calendar day, such as `2026-03-01`.
#[Scalar(specified_by_url = "https://scalars.graphql.org/chillicream/local-date.html")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        parse(value)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.format("%Y-%m-%d").to_string())
    }
}

impl From<NaiveDate> for Date {
    fn from(day: NaiveDate) -> Self {
        Self(day)
    }
}

/// An exact decimal number as a string, such as `"12.50"`. A JSON number is refused: on its way it would pass
/// through binary fractions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal(pub String);

/// An exact decimal number as a string, such as `"12.50"`. A JSON number is refused: on its way it would pass
/// through binary fractions.
#[Scalar]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        parse(value)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A day in a lunar calendar: `L1990-06-15`, in a leap month `L1990-06L-15`, without a year `L--06-15`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LunarDate(pub values::LunarDate);

/// A day in a lunar calendar: `L1990-06-15`, in a leap month `L1990-06L-15`, without a year `L--06-15`.
#[Scalar]
impl ScalarType for LunarDate {
    fn parse(value: Value) -> InputValueResult<Self> {
        parse(value)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct Money {
    /// The amount, with as many decimals as the currency has.
    pub amount: Decimal,
    /// ISO 4217 code of the currency.
    pub currency_code: String,
}

impl Money {
    /// An amount of minor units.
    pub fn of(minor: i64, currency: Currency) -> Self {
        Self {
            amount: Decimal(money::format_minor(minor, currency)),
            currency_code: currency.code().to_owned(),
        }
    }
}

/// An amount of money.
#[derive(Clone, Debug, InputObject, serde::Serialize)]
pub struct MoneyInput {
    /// The amount, with at most as many decimals as the currency has.
    #[serde(serialize_with = "decimal_text")]
    pub amount: Decimal,
    /// ISO 4217 code of the currency; it must be the company's.
    pub currency_code: String,
}

fn decimal_text<S: serde::Serializer>(decimal: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&decimal.0)
}

impl MoneyInput {
    /// The amount in minor units of the company's currency, or a note of what is wrong with it.
    pub fn minor(&self, field: &str, company: Currency, errors: &mut UserErrors) -> Option<i64> {
        if self.currency_code != company.code() {
            let message = format!(
                "the company keeps its books in {}; give the amount in it",
                company.code()
            );
            return errors.none(
                Code::CurrencyMismatch,
                &format!("{field}.currencyCode"),
                message,
            );
        }
        errors.take(
            &format!("{field}.amount"),
            |_| Code::Invalid,
            money::parse_amount(&self.amount.0, company),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the gate says to a value of a scalar.
    fn said(scalar: &str, text: &str) -> Result<(), String> {
        rules().text_scalars[scalar](text)
    }

    #[test]
    fn values_of_every_form_are_read() {
        for (scalar, text) in [
            ("DateTime", "2026-03-01T09:30:00Z"),
            ("DateTime", "2026-03-01T17:30:00.123456+08:00"),
            ("Date", "2024-02-29"),
            ("Decimal", "-12.50"),
            ("Decimal", "0"),
            ("LunarDate", "L1990-06-15"),
            ("LunarDate", "L1990-05L-15"),
            ("LunarDate", "L--06-15"),
            ("EventPosition", "0"),
            ("EventPosition", "4711"),
        ] {
            assert_eq!(said(scalar, text), Ok(()), "{scalar} {text}");
        }
    }

    #[test]
    fn whoever_sends_another_one_is_told_what_is_expected_with_an_example() {
        for (scalar, text, example) in [
            ("DateTime", "2026-03-01 09:30", "2026-03-01T09:30:00Z"),
            ("DateTime", "2026-03-02T09:30:00", "2026-03-01T09:30:00Z"),
            ("Date", "2023-02-29", "2026-03-01"),
            ("Date", "2023-2-9", "2026-03-01"),
            ("Decimal", "1,50", "12.50"),
            ("Decimal", "", "12.50"),
            ("Decimal", "1.", "12.50"),
            ("Decimal", "123456789012345678901234567890.123", "12.50"),
            ("LunarDate", "1985-06-15", "L1990-06-15"),
            ("EventPosition", "-1", "4711"),
            ("EventPosition", "+1", "4711"),
            ("EventPosition", "99999999999999999999", "4711"),
        ] {
            let message = said(scalar, text).unwrap_err();
            assert!(
                message.contains(scalar) && message.contains(example),
                "{message}"
            );
            assert!(text.is_empty() || !message.contains(text), "{message}");
        }
        // The first lunar month of 2024 had 29 days.
        let short = said("LunarDate", "L2024-01-30").unwrap_err();
        assert!(short.contains("is the 30th of a month that has 29 days"));
    }
}

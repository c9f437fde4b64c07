//! Strict scalars: what a client sends is parsed whole or refused; nothing is guessed or rounded.

use crate::error::{Code, UserErrors};
use async_graphql::{
    InputObject, InputValueError, InputValueResult, Scalar, ScalarType, SimpleObject, Value,
};
use chrono::{NaiveDate, SecondsFormat, Utc};
use entity::values::{self, money};
use iso_currency::Currency;

/// A point in time in RFC 3339, such as `2026-03-01T09:30:00Z`. Answers are in UTC; inputs may have any offset
/// and at most microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateTime(pub chrono::DateTime<Utc>);

/// A point in time in RFC 3339, such as `2026-03-01T09:30:00Z`. Answers are in UTC; inputs may have any offset
/// and at most microseconds.
#[Scalar(specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        let at = chrono::DateTime::parse_from_rfc3339(text).map_err(|_| {
            InputValueError::custom(
                "a DateTime is written as in RFC 3339, such as 2026-03-01T09:30:00Z",
            )
        })?;
        Ok(Self(values::clock::truncate_to_micros(
            at.with_timezone(&Utc),
        )))
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

/// A calendar day, such as `2026-03-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub NaiveDate);

/// A calendar day, such as `2026-03-01`.
#[Scalar(specified_by_url = "https://scalars.graphql.org/chillicream/local-date.html")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()
            .filter(|_| text.len() == 10);
        day.map(Self).ok_or_else(|| {
            InputValueError::custom("a Date is a day that exists, written YYYY-MM-DD")
        })
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
        let Value::String(text) = value else {
            return Err(InputValueError::custom(
                "a Decimal is a string, such as \"12.50\"",
            ));
        };
        let digits = text.strip_prefix('-').unwrap_or(&text);
        let well_formed = match digits.split_once('.') {
            Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
            None => is_digits(digits),
        };
        if well_formed && text.len() <= 32 {
            Ok(Self(text))
        } else {
            Err(InputValueError::custom(
                "a Decimal has digits and at most one point, such as \"12.50\"",
            ))
        }
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
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        text.parse()
            .map(Self)
            .map_err(|error: values::birth_date::BirthDateError| {
                InputValueError::custom(error.to_string())
            })
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

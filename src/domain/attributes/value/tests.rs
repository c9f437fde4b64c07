//! Values are kept in one way, and wrong ones are told what is allowed.

use super::*;
use crate::domain::attributes::tests::definition;
use crate::error::Error;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn keys(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

fn checked(definition: &Definition, given: &Given) -> Result<Kept, String> {
    let mut errors = UserErrors::new();
    let kept = check(definition, given, "value", &mut errors);
    match errors.check() {
        Ok(()) => Ok(kept.unwrap()),
        Err(Error::User(told)) => Err(format!(
            "{:?} {}: {}",
            told[0].code,
            told[0].field.join("."),
            told[0].message
        )),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn the_same_value_is_kept_in_one_way_and_shown_as_it_was() {
    use AttributeKind::{Boolean, Choice, Choices, Date, Decimal, Integer, Text};
    for (kind, given, text, number, read) in [
        (Text, Given::Text(" a b ".to_owned()), "a b", None, "a b"),
        (Integer, Given::Integer(-7), "-7", Some(-7), "-7 cm"),
        (
            Decimal,
            Given::Decimal("012.500".to_owned()),
            "12.5",
            Some(12_500_000),
            "12.5 cm",
        ),
        (
            Decimal,
            Given::Decimal("-0".to_owned()),
            "0",
            Some(0),
            "0 cm",
        ),
        (
            Decimal,
            Given::Decimal("100".to_owned()),
            "100",
            Some(100_000_000),
            "100 cm",
        ),
        (Boolean, Given::Boolean(true), "true", None, "true"),
        (
            Date,
            Given::Date(day("2024-02-29")),
            "2024-02-29",
            Some(738_945),
            "2024-02-29",
        ),
        (Choice, Given::Choice("low".to_owned()), "low", None, "Low"),
        (
            Choices,
            Given::Choices(keys(&["low", "high"])),
            ",high,low,",
            None,
            "Low, High",
        ),
    ] {
        let definition = definition(kind, None, None);
        let kept = checked(&definition, &given).unwrap();
        assert_eq!((kept.text.as_str(), kept.number), (text, number));
        let shown = show(&definition, &kept.text).unwrap();
        assert_eq!(shown.read(Some("cm")), read);
    }
}

#[test]
fn what_is_refused_is_told_what_is_allowed() {
    use AttributeKind::{Choice, Choices, Date, Decimal, Integer, Text};
    for (kind, low, high, given, said) in [
        (
            Text,
            None,
            None,
            Given::Integer(1),
            "Invalid value.integer: colour takes a value as `text`, not as `integer`",
        ),
        (
            Decimal,
            None,
            None,
            Given::Integer(1),
            "Invalid value.integer: colour takes a value as `decimal`, not as `integer`",
        ),
        (
            Text,
            None,
            None,
            Given::Text("x".repeat(501)),
            "TooLong value.text",
        ),
        (
            Integer,
            Some("10"),
            Some("20"),
            Given::Integer(9),
            "OutOfRange value.integer: colour takes from 10 to 20",
        ),
        (
            Integer,
            Some("10"),
            Some("20"),
            Given::Integer(21),
            "OutOfRange value.integer: colour takes from 10 to 20",
        ),
        (
            Decimal,
            Some("0.5"),
            None,
            Given::Decimal("0.499999".to_owned()),
            "OutOfRange value.decimal: colour takes 0.5 and more",
        ),
        (
            Decimal,
            None,
            None,
            Given::Decimal("0.0000001".to_owned()),
            "Invalid value.decimal",
        ),
        (
            Decimal,
            None,
            None,
            Given::Decimal("9".repeat(30)),
            "OutOfRange value.decimal",
        ),
        (
            Date,
            None,
            Some("2026-01-01"),
            Given::Date(day("2026-01-02")),
            "OutOfRange value.date: colour takes up to 2026-01-01",
        ),
        (
            Choice,
            None,
            None,
            Given::Choice("Low".to_owned()),
            "Invalid value.choice: colour takes one of: low, high",
        ),
        (
            Choices,
            None,
            None,
            Given::Choices(keys(&["low", "mid"])),
            "Invalid value.choices: colour takes one of: low, high",
        ),
        (
            Choices,
            None,
            None,
            Given::Choices(keys(&["low", "low"])),
            "Invalid value.choices: choices names the same twice",
        ),
        (
            Choices,
            None,
            None,
            Given::Choices(Vec::new()),
            "Required value.choices",
        ),
    ] {
        let definition = definition(kind, low, high);
        let refused = checked(&definition, &given).unwrap_err();
        assert!(refused.starts_with(said), "{refused}");
    }
    // The bounds themselves are taken.
    let bounded = definition(Integer, Some("10"), Some("20"));
    for number in [10, 20] {
        assert!(checked(&bounded, &Given::Integer(number)).is_ok());
    }
}

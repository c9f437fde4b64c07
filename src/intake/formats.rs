//! How dates and numbers are written in a file, as the shop says; never guessed.
//!
//! A day such as 03/04/2024 is April in one country and March in another, and 1.234 is a thousand
//! in one and one in another: so the format is given, and what does not fit it is rejected.

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};
use thiserror::Error;

use entity::values::decimal::DecimalError;

/// No till system has a receipt from before.
const FIRST_YEAR: i32 = 1900;
/// Longer text is neither date nor number.
const LONGEST: usize = 64;

/// Why a given format is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FormatError {
    /// Not a strftime pattern that tells a day.
    #[error(
        "the date format '{0}' does not tell year, month and day; write it like %Y-%m-%d or %d/%m/%Y %H:%M"
    )]
    BadDateFormat(String),
    /// A separator that cannot be one.
    #[error(
        "the decimal separator must be one of . and , and the thousands separator another one of . , ' or a blank"
    )]
    BadSeparator,
    /// A delimiter that cannot be one.
    #[error("the delimiter must be one ASCII character other than a quote or a line break")]
    BadDelimiter,
}

/// The formats in which dates are written; the first that fits counts.
#[derive(Debug, Clone)]
pub struct DateFormats(Vec<Vec<Item<'static>>>);

impl Default for DateFormats {
    /// ISO 8601: `2024-03-31`, also with a time behind `T` or a blank.
    fn default() -> Self {
        let formats = [
            "%Y-%m-%d",
            "%Y-%m-%d %H:%M:%S",
            "%Y-%m-%dT%H:%M:%S",
            "%Y-%m-%d %H:%M",
            "%Y-%m-%dT%H:%M",
        ];
        Self(
            formats
                .iter()
                .filter_map(|format| StrftimeItems::new(format).parse_to_owned().ok())
                .collect(),
        )
    }
}

impl DateFormats {
    /// Reads strftime patterns such as `%d/%m/%Y` or `%Y%m%d %H:%M`.
    ///
    /// # Errors
    /// [`FormatError::BadDateFormat`] if one of them does not tell a day, or tells more than the
    /// wall clock (time zones are not read).
    pub fn new<S: AsRef<str>>(formats: &[S]) -> Result<Self, FormatError> {
        let mut read = Vec::with_capacity(formats.len());
        for format in formats {
            let format = format.as_ref();
            let refuse = || {
                FormatError::BadDateFormat(
                    format
                        .chars()
                        .filter(|c| !c.is_control())
                        .take(60)
                        .collect(),
                )
            };
            let items = StrftimeItems::new(format)
                .parse_to_owned()
                .map_err(|_| refuse())?;
            if !tells_a_day(&items) {
                return Err(refuse());
            }
            read.push(items);
        }
        if read.is_empty() {
            Ok(Self::default())
        } else {
            Ok(Self(read))
        }
    }

    /// Reads a date, with its time where the format has one. Leading zeros may be missing.
    #[must_use]
    pub fn parse(&self, text: &str) -> Option<(NaiveDate, Option<NaiveTime>)> {
        if text.len() > LONGEST || text.starts_with(['+', '-']) {
            return None;
        }
        self.0.iter().find_map(|items| {
            let mut parsed = Parsed::new();
            parse(&mut parsed, text, items.iter()).ok()?;
            let date = parsed.to_naive_date().ok()?;
            // A wrong time makes the row wrong; a format without one does not.
            let time = if parsed.hour_div_12().is_some() || parsed.hour_mod_12().is_some() {
                Some(parsed.to_naive_time().ok()?)
            } else {
                None
            };
            (FIRST_YEAR..=9999)
                .contains(&date.year())
                .then_some((date, time))
        })
    }
}

/// Whether a format read back gives the day that was written with it.
fn tells_a_day(items: &[Item<'static>]) -> bool {
    use std::fmt::Write as _;
    let Some(sample) =
        NaiveDate::from_ymd_opt(2023, 11, 29).and_then(|day| day.and_hms_opt(21, 43, 57))
    else {
        return false;
    };
    let mut written = String::new();
    if write!(written, "{}", sample.format_with_items(items.iter())).is_err()
        || written.len() > LONGEST
    {
        return false;
    }
    let mut parsed = Parsed::new();
    parse(&mut parsed, &written, items.iter()).is_ok()
        && parsed.to_naive_date() == Ok(NaiveDateTime::date(&sample))
        && parsed.timestamp().is_none()
        && parsed.offset().is_none()
}

/// Reads a time of day: `14:03`, `14:03:59`.
#[must_use]
pub fn parse_time(text: &str) -> Option<NaiveTime> {
    let mut parts = text.split(':');
    let mut part = || -> Option<Option<u32>> {
        match parts.next() {
            None => Some(None),
            Some(digits)
                if (1..=2).contains(&digits.len())
                    && digits.bytes().all(|b| b.is_ascii_digit()) =>
            {
                digits.parse().ok().map(Some)
            }
            Some(_) => None,
        }
    };
    let (hours, minutes, seconds, rest) = (part()??, part()??, part()?, part()?);
    if rest.is_some() {
        return None;
    }
    NaiveTime::from_hms_opt(hours, minutes, seconds.unwrap_or(0))
}

/// How decimal numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecimalFormat {
    decimal: char,
    thousands: Option<char>,
}

impl Default for DecimalFormat {
    /// A point, and nothing between thousands.
    fn default() -> Self {
        Self {
            decimal: '.',
            thousands: None,
        }
    }
}

impl DecimalFormat {
    /// A decimal separator, and perhaps one between thousands.
    ///
    /// # Errors
    /// [`FormatError::BadSeparator`].
    pub fn new(decimal: char, thousands: Option<char>) -> Result<Self, FormatError> {
        let decimal_fits = matches!(decimal, '.' | ',');
        let thousands_fit = thousands.is_none_or(|c| {
            matches!(c, '.' | ',' | '\'' | ' ' | '\u{A0}' | '\u{202F}') && c != decimal
        });
        if decimal_fits && thousands_fit {
            Ok(Self { decimal, thousands })
        } else {
            Err(FormatError::BadSeparator)
        }
    }

    /// What is wrong with a number, in words that fit how numbers are written here.
    #[must_use]
    pub fn explain(&self, error: &DecimalError) -> String {
        let Self { decimal, thousands } = *self;
        let example = match thousands {
            Some(separator) => format!("1{separator}234{decimal}50"),
            None => format!("1234{decimal}50"),
        };
        match error {
            DecimalError::Empty => format!("must not be empty; write a number such as {example}"),
            DecimalError::Malformed => format!(
                "is not a number as the options say numbers are written; write it like {example}, or say otherwise \
                 by the decimal and thousands separators"
            ),
            DecimalError::TooPrecise { .. } | DecimalError::Overflow => error.to_string(),
        }
    }

    /// The number in plain form (`-1234.50`), its digits untouched. Thousands separators must
    /// stand where they belong, or not at all.
    ///
    /// # Errors
    /// [`DecimalError::Malformed`] where the separators are wrong; what is no number otherwise is
    /// left for whoever reads the plain form.
    pub fn plain(&self, text: &str) -> Result<String, DecimalError> {
        if text.len() > LONGEST {
            return Err(DecimalError::Malformed);
        }
        let (whole, fraction) = match text.split_once(self.decimal) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        let mut plain = String::with_capacity(text.len());
        match self
            .thousands
            .filter(|separator| whole.contains(*separator))
        {
            None => plain.push_str(whole),
            Some(separator) => {
                let (sign, digits) = match whole.strip_prefix('-') {
                    Some(digits) => ("-", digits),
                    None => ("", whole),
                };
                plain.push_str(sign);
                for (index, group) in digits.split(separator).enumerate() {
                    let length_fits = if index == 0 {
                        (1..=3).contains(&group.len())
                    } else {
                        group.len() == 3
                    };
                    if !length_fits {
                        return Err(DecimalError::Malformed);
                    }
                    plain.push_str(group);
                }
            }
        }
        if self.decimal != '.' && text.contains('.') && self.thousands != Some('.') {
            return Err(DecimalError::Malformed);
        }
        if let Some(fraction) = fraction {
            plain.push('.');
            plain.push_str(fraction);
        }
        Ok(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use entity::values::decimal::parse_scaled;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn iso_by_default() {
        let formats = DateFormats::default();
        let time = NaiveTime::from_hms_opt(9, 5, 0);
        assert_eq!(formats.parse("1997-01-02"), Some((day("1997-01-02"), None)));
        assert_eq!(
            formats.parse("1997-01-02 09:05"),
            Some((day("1997-01-02"), time))
        );
        assert_eq!(
            formats.parse("1997-01-02T09:05:00"),
            Some((day("1997-01-02"), time))
        );
        for text in [
            "",
            "1997-02-29",
            "1997-13-01",
            "02/01/1997",
            "1997-01-02x",
            "1997-01-02 25:00",
            "19970102",
            "97-01-02",
            "+1997-01-02",
            "-1997-01-02",
            "0097-01-02",
            "99999-01-01",
            "1997-01-02 ",
            "今天",
        ] {
            assert_eq!(formats.parse(text), None, "{text}");
        }
        assert_eq!(formats.parse(&"1".repeat(1 << 20)), None);
    }

    #[test]
    fn given_formats() {
        let formats = DateFormats::new(&["%d/%m/%Y", "%Y%m%d", "%d.%m.%y %H:%M"]).unwrap();
        assert_eq!(formats.parse("03/04/2024"), Some((day("2024-04-03"), None)));
        assert_eq!(formats.parse("3/4/2024"), Some((day("2024-04-03"), None)));
        assert_eq!(formats.parse("20240403"), Some((day("2024-04-03"), None)));
        assert_eq!(
            formats.parse("03.04.24 18:30"),
            Some((day("2024-04-03"), NaiveTime::from_hms_opt(18, 30, 0)))
        );
        assert_eq!(formats.parse("04/13/2024"), None);
        assert_eq!(formats.parse("2024-04-03"), None);
        let formats = DateFormats::new(&["%Y年%m月%d日", "%m/%d/%Y %I:%M %p"]).unwrap();
        assert_eq!(
            formats.parse("2024年4月3日"),
            Some((day("2024-04-03"), None))
        );
        assert_eq!(
            formats.parse("04/03/2024 06:30 PM").unwrap().1,
            NaiveTime::from_hms_opt(18, 30, 0)
        );
        for format in [
            "",
            "%Y-%m",
            "%H:%M",
            "%Q",
            "%",
            "yyyy-mm-dd",
            "%Y-%m-%d %z",
            "%s",
            "%Z %Y-%m-%d",
            "\u{1b}",
        ] {
            assert!(
                matches!(
                    DateFormats::new(&[format]),
                    Err(FormatError::BadDateFormat(_))
                ),
                "{format}"
            );
        }
        assert!(
            DateFormats::new::<&str>(&[])
                .unwrap()
                .parse("1997-01-02")
                .is_some()
        );
    }

    #[test]
    fn times() {
        assert_eq!(parse_time("14:03"), NaiveTime::from_hms_opt(14, 3, 0));
        assert_eq!(parse_time("9:03:59"), NaiveTime::from_hms_opt(9, 3, 59));
        for text in [
            "",
            "14",
            "24:00",
            "14:60",
            "14:03:60",
            "14:03:00:00",
            "14:3a",
            "+4:03",
            " 14:03",
            "14:03:",
            "123:00",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn decimals() {
        let read = |format: DecimalFormat, text: &str| {
            format
                .plain(text)
                .and_then(|plain| parse_scaled(&plain, 2))
                .ok()
        };
        let point = DecimalFormat::default();
        assert_eq!(read(point, "1234.5"), Some(123_450));
        assert_eq!(read(point, "1,234.50"), None);
        let comma = DecimalFormat::new(',', None).unwrap();
        assert_eq!(read(comma, "-1234,5"), Some(-123_450));
        assert_eq!(read(comma, "1234.5"), None);
        assert_eq!(read(comma, "1.234,5"), None);
        let german = DecimalFormat::new(',', Some('.')).unwrap();
        assert_eq!(read(german, "1.234.567,89"), Some(123_456_789));
        assert_eq!(read(german, "-1.234"), Some(-123_400));
        assert_eq!(read(german, "1234,5"), Some(123_450));
        for text in [
            "1.23",
            "1.2345",
            "12.34,5",
            ".234",
            "1..234",
            "1.234.",
            "1,2,3",
            "1,234.567",
            "--1.234",
            "-.234",
        ] {
            assert_eq!(read(german, text), None, "{text}");
        }
        let english = DecimalFormat::new('.', Some(',')).unwrap();
        assert_eq!(read(english, "1,234.50"), Some(123_450));
        assert_eq!(read(english, "1.234,50"), None);
        for (decimal, thousands) in [
            ('.', Some('.')),
            (';', None),
            ('1', None),
            ('.', Some('1')),
            ('.', Some('x')),
        ] {
            assert_eq!(
                DecimalFormat::new(decimal, thousands),
                Err(FormatError::BadSeparator)
            );
        }
    }

    proptest! {
        #[test]
        fn grouped_numbers_go_round(value in any::<i32>()) {
            let plain = value.to_string();
            let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |digits| ("-", digits));
            let mut grouped = String::new();
            for (index, c) in digits.chars().enumerate() {
                if index > 0 && (digits.len() - index) % 3 == 0 { grouped.push('.'); }
                grouped.push(c);
            }
            let format = DecimalFormat::new(',', Some('.')).unwrap();
            prop_assert_eq!(format.plain(&format!("{sign}{grouped},25")), Ok(format!("{plain}.25")));
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = DateFormats::default().parse(&text);
            let _ = DateFormats::new(&[&text]);
            let _ = parse_time(&text);
            let _ = DecimalFormat::new(',', Some('.')).unwrap().plain(&text);
        }
    }
}

//! Days and moments that have come: as the formats of the file have them, or as our own exports write them.
//!
//! An export writes a moment with its distance to UTC (`2024-03-05T10:28:33Z`), which leaves nothing to be guessed: whatever
//! formats were given, it is read as that moment, on the company's clock.

use std::io::Read;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};

use super::mapping::MappedField;
use super::reject::RejectCode;
use super::table::{Fault, LONGEST_REFERENCE, Table, fault};

/// The first year of a moment, as of days.
const FIRST_YEAR: i32 = 1900;

impl<R: Read, F: MappedField> Table<R, F> {
    /// A day that has come, with its time where it has one.
    ///
    /// # Errors
    /// As [`Table::line`].
    pub fn past_moment(
        &self,
        field: F,
    ) -> Result<Option<(NaiveDate, Option<NaiveTime>)>, Fault<F>> {
        let text = self.line(field.clone(), LONGEST_REFERENCE)?;
        let exact = text.as_deref().and_then(exact);
        let (Some(zone), Some(at)) = (self.options.zone, exact) else {
            return self.past_date(field);
        };
        let local = zone.local(at);
        if local.date() > self.options.today {
            return Err(fault(
                field,
                RejectCode::FutureDate,
                "is in the future; correct it",
            ));
        }
        Ok(Some((local.date(), Some(local.time()))))
    }
}

/// A moment with its distance to UTC, on a day that exists.
fn exact(text: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(text).ok()?.with_timezone(&Utc);
    (FIRST_YEAR..=9999).contains(&at.year()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::exact;

    #[test]
    fn only_what_leaves_nothing_to_be_guessed_is_a_moment() {
        for text in [
            "2024-03-05T10:28:33Z",
            "2024-03-05T18:28:33+08:00",
            "2024-03-05T10:28:33.000000Z",
        ] {
            let at = exact(text).unwrap();
            assert_eq!(at.to_rfc3339(), "2024-03-05T10:28:33+00:00", "{text}");
        }
        for text in [
            "2024-03-05",
            "2024-03-05T10:28:33",
            "2024-02-30T10:28:33Z",
            "0004-03-05T10:28:33Z",
            "",
        ] {
            assert_eq!(exact(text), None, "{text}");
        }
    }
}

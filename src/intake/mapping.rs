//! Which column of a file holds what.
//!
//! Called with the text of `--map customer=customer_id,date=date,...` and then with the file's
//! header. Never guesses a column by its name.

use std::fmt;

use thiserror::Error;

/// What a row of purchases can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// The customer's number in the shop's till system. Required.
    Customer,
    /// The local day of the purchase, perhaps with the time. Required.
    Date,
    /// What was paid for the row; negative for what was given back. Required.
    Amount,
    /// How much was sold; 1 where missing.
    Quantity,
    /// The number of the receipt that the row is a line of.
    Receipt,
    /// The store's code.
    Store,
    /// The local time of day.
    Time,
    /// The customer's full name.
    Name,
    /// The customer's phone number.
    Phone,
    /// The customer's email address.
    Email,
    /// The product's code or name.
    Product,
    /// The currency of the amount, an ISO 4217 code.
    Currency,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Customer,
        Self::Date,
        Self::Amount,
        Self::Quantity,
        Self::Receipt,
        Self::Store,
        Self::Time,
        Self::Name,
        Self::Phone,
        Self::Email,
        Self::Product,
        Self::Currency,
    ];

    /// What must be mapped.
    pub const REQUIRED: [Self; 3] = [Self::Customer, Self::Date, Self::Amount];

    /// How it is called in a mapping.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Date => "date",
            Self::Amount => "amount",
            Self::Quantity => "quantity",
            Self::Receipt => "receipt",
            Self::Store => "store",
            Self::Time => "time",
            Self::Name => "name",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Product => "product",
            Self::Currency => "currency",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a mapping is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MappingError {
    /// A part is not `field=column`.
    #[error(
        "the mapping has a part that is not field=column: {0}; write it like customer=customer_id,date=date,amount=amount"
    )]
    Malformed(String),
    /// There is no such field.
    #[error("the mapping names an unknown field {0}; known fields are {known}", known = names(&Field::ALL))]
    UnknownField(String),
    /// A field is mapped twice.
    #[error("the mapping names the field {0} twice; name it once")]
    Doubled(Field),
    /// A required field is not mapped.
    #[error("the mapping leaves out {missing}; add {example}", missing = names(.0), example = examples(.0))]
    Missing(Vec<Field>),
    /// The file has no such column.
    #[error("the file has no column {column} (for {field}); its columns are {existing}")]
    NoSuchColumn {
        /// The field.
        field: Field,
        /// The column that it is mapped to.
        column: String,
        /// The columns that there are.
        existing: String,
    },
    /// The file has several columns of that name.
    #[error("the file has more than one column {column} (for {field}); rename one of them")]
    AmbiguousColumn {
        /// The field.
        field: Field,
        /// The name.
        column: String,
    },
}

fn names(fields: &[Field]) -> String {
    fields
        .iter()
        .map(|field| field.name())
        .collect::<Vec<_>>()
        .join(", ")
}

fn examples(fields: &[Field]) -> String {
    fields
        .iter()
        .map(|field| format!("{field}=COLUMN"))
        .collect::<Vec<_>>()
        .join(",")
}

/// Text of unknown origin, cut for being shown.
fn shown(text: &str) -> String {
    let cleaned: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
    format!("'{cleaned}'")
}

/// Fields and the names of their columns. Complete and without doubles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping(Vec<(Field, String)>);

impl Mapping {
    /// Reads `field=column,field=column`. Blanks around names do not count; a column whose name
    /// has a comma cannot be mapped. One column may serve several fields.
    ///
    /// # Errors
    /// `Malformed`, `UnknownField`, `Doubled`, `Missing`.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let mut mapped: Vec<(Field, String)> = Vec::new();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (field, column) = part
                .split_once('=')
                .ok_or_else(|| MappingError::Malformed(shown(part)))?;
            let (field, column) = (field.trim(), column.trim());
            if column.is_empty() {
                return Err(MappingError::Malformed(shown(part)));
            }
            let field = Field::ALL
                .into_iter()
                .find(|known| known.name() == field)
                .ok_or_else(|| MappingError::UnknownField(shown(field)))?;
            if mapped.iter().any(|(other, _)| *other == field) {
                return Err(MappingError::Doubled(field));
            }
            mapped.push((field, column.to_owned()));
        }
        let missing: Vec<Field> = Field::REQUIRED
            .into_iter()
            .filter(|field| mapped.iter().all(|(other, _)| other != field))
            .collect();
        if missing.is_empty() {
            Ok(Self(mapped))
        } else {
            Err(MappingError::Missing(missing))
        }
    }

    /// Finds the columns in a file's header.
    ///
    /// # Errors
    /// `NoSuchColumn`, `AmbiguousColumn`.
    pub fn resolve(&self, header: &[String]) -> Result<Columns, MappingError> {
        let mut places = Vec::with_capacity(self.0.len());
        for (field, column) in &self.0 {
            let mut found = header
                .iter()
                .enumerate()
                .filter(|(_, name)| *name == column);
            match (found.next(), found.next()) {
                (Some((place, name)), None) => places.push((*field, place, name.clone())),
                (Some(_), Some(_)) => {
                    return Err(MappingError::AmbiguousColumn {
                        field: *field,
                        column: shown(column),
                    });
                }
                (None, _) => {
                    let more = header.len().saturating_sub(30);
                    let mut existing = header
                        .iter()
                        .take(30)
                        .map(|name| shown(name))
                        .collect::<Vec<_>>()
                        .join(", ");
                    if more > 0 {
                        existing.push_str(&format!(" and {more} more"));
                    }
                    return Err(MappingError::NoSuchColumn {
                        field: *field,
                        column: shown(column),
                        existing,
                    });
                }
            }
        }
        Ok(Columns(places))
    }
}

/// Where the mapped columns are in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns(Vec<(Field, usize, String)>);

impl Columns {
    /// The place of a field's column, from 0.
    #[must_use]
    pub fn place(&self, field: Field) -> Option<usize> {
        self.0
            .iter()
            .find(|(other, _, _)| *other == field)
            .map(|(_, place, _)| *place)
    }

    /// The name of a field's column.
    #[must_use]
    pub fn name(&self, field: Field) -> Option<&str> {
        self.0
            .iter()
            .find(|(other, _, _)| *other == field)
            .map(|(_, _, name)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn maps_columns() {
        let mapping =
            Mapping::parse("customer=customer_id, date = 日期 ,amount=amount,time=日期").unwrap();
        let columns = mapping
            .resolve(&header(&["amount", "日期", "customer_id", "x", "x"]))
            .unwrap();
        assert_eq!(columns.place(Field::Customer), Some(2));
        assert_eq!(columns.place(Field::Time), Some(1));
        assert_eq!(columns.name(Field::Date), Some("日期"));
        assert_eq!(columns.place(Field::Receipt), None);
    }

    #[test]
    fn says_what_is_wrong() {
        let error = |text: &str| Mapping::parse(text).unwrap_err();
        assert_eq!(
            error("customer"),
            MappingError::Malformed("'customer'".into())
        );
        assert!(matches!(error("customer="), MappingError::Malformed(_)));
        assert_eq!(
            error("custommer=x"),
            MappingError::UnknownField("'custommer'".into())
        );
        assert!(
            error("x=y")
                .to_string()
                .contains("customer, date, amount, quantity")
        );
        assert_eq!(error("date=a,date=b"), MappingError::Doubled(Field::Date));
        assert_eq!(error(""), MappingError::Missing(Field::REQUIRED.to_vec()));
        assert_eq!(
            error("date=d").to_string(),
            "the mapping leaves out customer, amount; add customer=COLUMN,amount=COLUMN"
        );
        let mapping = Mapping::parse("customer=c,date=d,amount=a").unwrap();
        let text = mapping
            .resolve(&header(&["c", "D", "a"]))
            .unwrap_err()
            .to_string();
        assert_eq!(
            text,
            "the file has no column 'd' (for date); its columns are 'c', 'D', 'a'"
        );
        assert!(matches!(
            mapping.resolve(&header(&["c", "d", "a", "d"])),
            Err(MappingError::AmbiguousColumn { .. })
        ));
        let many: Vec<String> = (0..1000).map(|n| format!("column{n}")).collect();
        assert!(mapping.resolve(&many).unwrap_err().to_string().len() < 1000);
    }
}

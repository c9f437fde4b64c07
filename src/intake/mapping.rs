//! Which column of a file holds what.
//!
//! Called with the text of `--map customer=customer_id,date=date,...` and then with the file's
//! header. Never guesses a column by its name.

use std::borrow::Cow;
use std::fmt;

use thiserror::Error;

/// What a row of some kind can tell: the words that stand before `=` in a mapping.
pub trait MappedField: Clone + PartialEq + fmt::Debug + Send + Sync + 'static {
    /// What must be mapped.
    const REQUIRED: &'static [Self];

    /// The field of this name.
    fn named(name: &str) -> Option<Self>;

    /// How it is called in a mapping.
    fn name(&self) -> Cow<'static, str>;

    /// The names of all fields, for whoever wrote an unknown one.
    fn known() -> String;
}

/// Declares the fields of a kind of rows, each with its name in a mapping.
macro_rules! fields {
    ($(#[$doc:meta])* $name:ident needs [$($needed:ident),*] {
        $($(#[$field_doc:meta])* $field:ident = $text:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$field_doc])* $field,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$field,)+];

            /// How it is called in a mapping.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$field => $text,)+ }
            }
        }

        impl $crate::intake::mapping::MappedField for $name {
            const REQUIRED: &'static [Self] = &[$(Self::$needed),*];

            fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|field| field.text() == name)
            }

            fn name(&self) -> std::borrow::Cow<'static, str> {
                self.text().into()
            }

            fn known() -> String {
                let names: Vec<&str> = Self::ALL.iter().map(|field| field.text()).collect();
                names.join(", ")
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.text())
            }
        }
    };
}
pub(super) use fields;

fields! {
    /// What a row of purchases can tell.
    Field needs [Customer, Date, Amount] {
        /// The customer's number in the shop's till system. Required.
        Customer = "customer",
        /// The local day of the purchase, perhaps with the time. Required.
        Date = "date",
        /// What was paid for the row; negative for what was given back. Required.
        Amount = "amount",
        /// How much was sold; 1 where missing.
        Quantity = "quantity",
        /// The number of the receipt that the row is a line of.
        Receipt = "receipt",
        /// The store's code.
        Store = "store",
        /// The local time of day.
        Time = "time",
        /// The customer's full name.
        Name = "name",
        /// The customer's phone number.
        Phone = "phone",
        /// The customer's email address.
        Email = "email",
        /// The product's code or name.
        Product = "product",
        /// The currency of the amount, an ISO 4217 code.
        Currency = "currency",
    }
}

/// Why a mapping is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MappingError {
    /// A part is not `field=column`.
    #[error("the mapping has a part that is not field=column: {0}; write it like {1}")]
    Malformed(String, String),
    /// There is no such field.
    #[error("the mapping names an unknown field {0}; known fields are {1}")]
    UnknownField(String, String),
    /// A field is mapped twice.
    #[error("the mapping names the field {0} twice; name it once")]
    Doubled(String),
    /// A required field is not mapped.
    #[error("the mapping leaves out {missing}; add {example}", missing = .0.join(", "), example = examples(.0))]
    Missing(Vec<String>),
    /// The file has no such column.
    #[error("the file has no column {column} (for {field}); its columns are {existing}")]
    NoSuchColumn {
        /// The field.
        field: String,
        /// The column that it is mapped to.
        column: String,
        /// The columns that there are.
        existing: String,
    },
    /// The file has several columns of that name.
    #[error("the file has more than one column {column} (for {field}); rename one of them")]
    AmbiguousColumn {
        /// The field.
        field: String,
        /// The name.
        column: String,
    },
}

fn examples<T: fmt::Display>(fields: &[T]) -> String {
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
pub struct Mapping<F = Field>(Vec<(F, String)>);

impl<F: MappedField> Mapping<F> {
    /// Reads `field=column,field=column`. Blanks around names do not count; a column whose name
    /// has a comma cannot be mapped. One column may serve several fields.
    ///
    /// # Errors
    /// `Malformed`, `UnknownField`, `Doubled`, `Missing`.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let needed: Vec<_> = F::REQUIRED.iter().map(F::name).collect();
        let malformed = |part: &str| MappingError::Malformed(shown(part), examples(&needed));
        let mut mapped: Vec<(F, String)> = Vec::new();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (field, column) = part.split_once('=').ok_or_else(|| malformed(part))?;
            let (field, column) = (field.trim(), column.trim());
            if column.is_empty() {
                return Err(malformed(part));
            }
            let field = F::named(field)
                .ok_or_else(|| MappingError::UnknownField(shown(field), F::known()))?;
            if mapped.iter().any(|(other, _)| *other == field) {
                return Err(MappingError::Doubled(field.name().into_owned()));
            }
            mapped.push((field, column.to_owned()));
        }
        let missing: Vec<String> = F::REQUIRED
            .iter()
            .filter(|field| mapped.iter().all(|(other, _)| other != *field))
            .map(|field| field.name().into_owned())
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
    pub fn resolve(&self, header: &[String]) -> Result<Columns<F>, MappingError> {
        let mut places = Vec::with_capacity(self.0.len());
        for (field, column) in &self.0 {
            let mut found = header
                .iter()
                .enumerate()
                .filter(|(_, name)| *name == column);
            match (found.next(), found.next()) {
                (Some((place, name)), None) => places.push((field.clone(), place, name.clone())),
                (Some(_), Some(_)) => {
                    return Err(MappingError::AmbiguousColumn {
                        field: field.name().into_owned(),
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
                        field: field.name().into_owned(),
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
pub struct Columns<F = Field>(Vec<(F, usize, String)>);

impl<F: MappedField> Columns<F> {
    /// The fields that are mapped.
    pub fn fields(&self) -> impl Iterator<Item = &F> {
        self.0.iter().map(|(field, _, _)| field)
    }

    /// The place of a field's column, from 0.
    #[must_use]
    pub fn place(&self, field: &F) -> Option<usize> {
        self.0
            .iter()
            .find(|(other, _, _)| other == field)
            .map(|(_, place, _)| *place)
    }

    /// The name of a field's column.
    #[must_use]
    pub fn name(&self, field: &F) -> Option<&str> {
        self.0
            .iter()
            .find(|(other, _, _)| other == field)
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
        assert_eq!(columns.place(&Field::Customer), Some(2));
        assert_eq!(columns.place(&Field::Time), Some(1));
        assert_eq!(columns.name(&Field::Date), Some("日期"));
        assert_eq!(columns.place(&Field::Receipt), None);
    }

    #[test]
    fn says_what_is_wrong() {
        let error = |text: &str| Mapping::<Field>::parse(text).unwrap_err();
        assert_eq!(
            error("customer").to_string(),
            "the mapping has a part that is not field=column: 'customer'; write it like \
             customer=COLUMN,date=COLUMN,amount=COLUMN"
        );
        assert!(matches!(error("customer="), MappingError::Malformed(..)));
        assert!(
            matches!(error("custommer=x"), MappingError::UnknownField(name, _) if name == "'custommer'")
        );
        assert!(
            error("x=y")
                .to_string()
                .contains("customer, date, amount, quantity")
        );
        assert_eq!(error("date=a,date=b"), MappingError::Doubled("date".into()));
        assert!(matches!(error(""), MappingError::Missing(fields) if fields.len() == 3));
        assert_eq!(
            error("date=d").to_string(),
            "the mapping leaves out customer, amount; add customer=COLUMN,amount=COLUMN"
        );
        let mapping = Mapping::<Field>::parse("customer=c,date=d,amount=a").unwrap();
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

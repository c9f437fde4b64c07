//! What is imported, and how: words only, so that a command line and a job's request say the same.

use crate::access::Ctx;
use crate::domain::organization::CompanySettings;
use crate::error::{Error, Result};
use crate::intake::cards::CardField;
use crate::intake::customers::CustomerField;
use crate::intake::products::ProductField;
use crate::intake::staff::StaffField;
use crate::intake::{
    DateFormats, DecimalFormat, Field, FileEncoding, MappedField, Mapping, MappingError, Options,
};
use entity::values::business_date::business_date;
use serde::{Deserialize, Serialize};
use std::fmt::Display;

/// The kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    /// Receipts of a till system.
    Purchases,
    /// Files of customers.
    Customers,
    /// Cards with their tiers.
    Cards,
    /// The catalogue.
    Products,
    /// Accounts of staff.
    Staff,
}

impl Kind {
    /// Is this a mapping for such files?
    ///
    /// # Errors
    /// What is wrong with it, and what fields there are.
    pub fn check_map(self, map: &str) -> std::result::Result<(), MappingError> {
        match self {
            Self::Purchases => Mapping::<Field>::parse(map).map(|_| ()),
            Self::Customers => Mapping::<CustomerField>::parse(map).map(|_| ()),
            Self::Cards => Mapping::<CardField>::parse(map).map(|_| ()),
            Self::Products => Mapping::<ProductField>::parse(map).map(|_| ()),
            Self::Staff => Mapping::<StaffField>::parse(map).map(|_| ()),
        }
    }
}

/// How a file is imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoveOptions {
    /// Which column holds what: `field=column,field=column`.
    pub map: String,
    /// Only tell what would happen.
    pub dry_run: bool,
    /// The name of the other system: its customers and receipts are known by it and their number.
    pub source: String,
    /// The code of the store of purchases that name none.
    pub store: String,
    /// The encoding; recognized when absent.
    pub encoding: Option<String>,
    /// How dates are written, in the words of strftime; ISO dates when there is none.
    pub date_formats: Vec<String>,
    /// The decimal mark.
    pub decimal: char,
    /// The mark between thousands.
    pub thousands: Option<char>,
    /// The mark between fields.
    pub delimiter: char,
    /// What the file is called; references that stay open are told with it.
    pub file: String,
}

impl MoveOptions {
    /// As most files are: comma, ISO dates, decimal point, encoding recognized.
    pub fn new(map: &str, file: &str) -> Self {
        Self {
            map: map.to_owned(),
            dry_run: false,
            source: "pos".to_owned(),
            store: "main".to_owned(),
            encoding: None,
            date_formats: Vec::new(),
            decimal: '.',
            thousands: None,
            delimiter: ',',
            file: file.to_owned(),
        }
    }

    /// How the file is to be read.
    pub(super) fn reading<F: MappedField>(
        &self,
        ctx: &Ctx,
        company: &CompanySettings,
    ) -> Result<Options<F>> {
        let mapping = Mapping::parse(&self.map).map_err(bad)?;
        let today = business_date(ctx.now(), company.time_zone);
        let mut options = Options::new(mapping, company.currency, company.country, today);
        options.zone = Some(company.time_zone);
        let encoding = self.encoding.as_deref().map(FileEncoding::parse);
        options.encoding = encoding
            .transpose()
            .map_err(|error| bad(format!("encoding {error}")))?;
        options.delimiter = u8::try_from(self.delimiter)
            .map_err(|_| bad("the mark between fields is an ASCII character"))?;
        if !self.date_formats.is_empty() {
            options.dates = DateFormats::new(&self.date_formats).map_err(bad)?;
        }
        options.decimals = DecimalFormat::new(self.decimal, self.thousands).map_err(bad)?;
        Ok(options)
    }

    /// What is wrong with the file.
    pub(super) fn wrong(&self, error: &impl Display) -> Error {
        bad(format!("{}: {error}", self.file))
    }
}

fn bad(error: impl Display) -> Error {
    Error::BadRequest(error.to_string().into())
}

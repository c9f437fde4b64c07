//! What of the company's settings the customer file needs: how phone numbers without a country code are read,
//! in which order names stand, which day it is.
//!
//! Called by the services of this topic. Never changes the company.

use crate::access::Ctx;
use crate::error::{Error, Result};
use chrono::NaiveDate;
use entity::company;
use entity::values::business_date::business_date;
use entity::values::{Collation, PhoneRegion, TimeZone, money};
use iso_currency::Currency;
use sea_orm::{ConnectionTrait, EntityTrait};

/// The company's settings, read and checked.
#[derive(Clone, Debug)]
pub struct Company {
    /// The currency of its books.
    pub currency: Currency,
    /// The country whose phone numbers are given without a code.
    pub country: PhoneRegion,
    /// The order of names.
    pub collation: Collation,
    /// The zone of headquarters.
    pub zone: TimeZone,
}

impl Company {
    /// Which day it is at headquarters.
    pub fn today(&self, ctx: &Ctx) -> NaiveDate {
        business_date(ctx.now(), self.zone)
    }
}

/// Reads the company's settings with `connection`: the open transaction's inside of one.
///
/// # Errors
/// Those of the database; [`Error::Internal`] when there is no company or it cannot be read.
pub async fn company_of(connection: &impl ConnectionTrait) -> Result<Company> {
    let row = company::Entity::find()
        .one(connection)
        .await?
        .ok_or_else(|| Error::internal("there is no company yet"))?;
    let bad = |what: &str| Error::internal(format!("the company's {what} cannot be read"));
    Ok(Company {
        currency: money::parse_currency(&row.currency).map_err(|_| bad("currency"))?,
        country: PhoneRegion::parse(&row.country).map_err(|_| bad("country"))?,
        collation: Collation::new(&row.locale).map_err(|_| bad("locale"))?,
        zone: TimeZone::parse(&row.time_zone).map_err(|_| bad("time zone"))?,
    })
}

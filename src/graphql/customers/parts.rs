//! The parts of a customer's file as the API shows them: birth date, address, income, totals, notes, tastes, days.

use super::links::{self, StaffRef};
use super::loader::{TheCompany, load};
use super::words::{Attitude, IncomeBand, IncomeProvenance, TasteAspect, TasteProvenance};
use crate::domain::customers;
use crate::graphql::context::ctx;
use crate::graphql::ids::GlobalKey;
use crate::graphql::scalars::{Date, DateTime, LunarDate, Money};
use async_graphql::{Context, ID, Object};
use chrono::NaiveDate;
use entity::ids::CustomerId;
use entity::values::business_date::business_date;
use entity::{customer, customer_note, customer_total, special_day, taste, values};
use iso_currency::Currency;
use std::sync::Arc;

/// Which day it is at headquarters.
pub(in crate::graphql) async fn today(
    context: &Context<'_>,
) -> async_graphql::Result<Option<NaiveDate>> {
    let company = load(context, TheCompany).await?;
    let ctx = ctx(context)?;
    Ok(company.map(|company| business_date(ctx.now(), company.time_zone)))
}

/// When a customer was born, in the calendar in which they keep their birthday.
#[derive(Clone, Copy, Debug)]
pub struct BirthDate(pub values::BirthDate);

/// When a customer was born, in the calendar in which they keep their birthday.
#[Object]
impl BirthDate {
    /// As it is written in inputs: `1990-06-15`, or in the lunar calendar `L1990-06-15`.
    async fn text(&self) -> String {
        self.0.to_string()
    }

    /// The solar day of birth; null for a lunar date without a year.
    async fn solar(&self) -> Option<Date> {
        self.0.solar().map(Date)
    }

    /// The lunar date; null when the birthday is kept in the solar calendar.
    async fn lunar(&self) -> Option<LunarDate> {
        match self.0 {
            values::BirthDate::Lunar(date) => Some(LunarDate(date)),
            values::BirthDate::Solar(_) => None,
        }
    }

    /// Completed years of life today at headquarters; null when the year is not known.
    async fn age(&self, context: &Context<'_>) -> async_graphql::Result<Option<i32>> {
        let today = today(context).await?;
        let age = today.and_then(|today| self.0.age_on(today));
        Ok(age.and_then(|age| i32::try_from(age).ok()))
    }

    /// The next day on which the birthday is kept, today included.
    async fn next_birthday(&self, context: &Context<'_>) -> async_graphql::Result<Option<Date>> {
        let today = today(context).await?;
        Ok(today
            .and_then(|today| self.0.next_birthday(today))
            .map(Date))
    }
}

/// A home address. It is a contact detail: those who may not contact the customer see the city and the country.
#[derive(Clone, Debug)]
pub struct Address {
    /// Whose.
    pub customer: CustomerId,
    /// In full.
    pub address: customers::Address,
    /// May the viewer see it in full?
    pub in_full: bool,
}

/// What stands where something is not shown.
const MASK: &str = "***";

/// A home address. It is a contact detail: those who may not contact the customer see the city and the country.
#[Object]
impl Address {
    /// Street and house; `***` in place of what is masked. Reading it in full leaves an audit entry.
    async fn lines(&self, context: &Context<'_>) -> async_graphql::Result<Vec<String>> {
        Ok(match (self.in_full, self.address.lines.is_empty()) {
            (_, true) => Vec::new(),
            (false, false) => vec![MASK.to_owned()],
            (true, false) => {
                ctx(context)?.reads.shown(self.customer);
                self.address.lines.clone()
            }
        })
    }

    /// Postal code; `***` when it is masked. Reading it in full leaves an audit entry.
    async fn postal_code(&self, context: &Context<'_>) -> async_graphql::Result<Option<String>> {
        let Some(code) = &self.address.postal_code else {
            return Ok(None);
        };
        if !self.in_full {
            return Ok(Some(MASK.to_owned()));
        }
        ctx(context)?.reads.shown(self.customer);
        Ok(Some(code.clone()))
    }

    /// City.
    async fn city(&self) -> Option<&str> {
        self.address.city.as_deref()
    }

    /// ISO 3166 code of the country.
    async fn country(&self) -> Option<&str> {
        self.address.country.as_deref()
    }

    /// Whether street and postal code are masked for you.
    async fn masked(&self) -> bool {
        !self.in_full
    }
}

/// A customer's income, and how it is known.
#[derive(Clone, Debug)]
pub struct Income(pub Arc<customer::Model>);

/// A customer's income, and how it is known.
#[Object]
impl Income {
    /// The band.
    async fn band(&self) -> Option<IncomeBand> {
        self.0.income_band.map(Into::into)
    }

    /// How it is known.
    async fn provenance(&self) -> Option<IncomeProvenance> {
        self.0.income_provenance.map(Into::into)
    }

    /// Why an estimate is thought to be right.
    async fn reason(&self) -> Option<&str> {
        self.0.income_reason.as_deref()
    }

    /// Who noted it; null when the program did.
    async fn noted_by(&self, context: &Context<'_>) -> async_graphql::Result<Option<StaffRef>> {
        links::staff(context, self.0.income_noted_by).await
    }

    /// When it was noted.
    async fn noted_at(&self) -> Option<DateTime> {
        self.0.income_noted_at.map(DateTime)
    }
}

/// What a customer's visits and purchases come to.
#[derive(Clone, Debug)]
pub struct CustomerTotals {
    /// The figures.
    pub totals: customer_total::Model,
    /// The currency of the company's books.
    pub currency: Currency,
}

/// What a customer's visits and purchases come to.
#[Object]
impl CustomerTotals {
    /// Visits, with or without a purchase.
    async fn visits(&self) -> i32 {
        i32::try_from(self.totals.visits).unwrap_or(i32::MAX)
    }

    /// Receipts.
    async fn receipts(&self) -> i32 {
        i32::try_from(self.totals.receipts).unwrap_or(i32::MAX)
    }

    /// What was paid for everything bought.
    async fn bought(&self) -> Money {
        Money::of(self.totals.bought_minor, self.currency)
    }

    /// What was given back for returns, as a positive amount.
    async fn returned(&self) -> Money {
        Money::of(self.totals.returned_minor, self.currency)
    }

    /// What was bought less what was returned.
    async fn net(&self) -> Money {
        let net = self
            .totals
            .bought_minor
            .saturating_sub(self.totals.returned_minor);
        Money::of(net, self.currency)
    }

    /// The business day of the first visit.
    async fn first_visit_on(&self) -> Option<Date> {
        self.totals.first_visit_on.map(Date)
    }

    /// The business day of the last visit.
    async fn last_visit_on(&self) -> Option<Date> {
        self.totals.last_visit_on.map(Date)
    }

    /// The moment of the last visit.
    async fn last_visit_at(&self) -> Option<DateTime> {
        self.totals.last_visit_at.map(DateTime)
    }

    /// The business day of the last purchase.
    async fn last_purchase_on(&self) -> Option<Date> {
        self.totals.last_purchase_on.map(Date)
    }
}

/// A note on a customer: dated, signed, never overwritten.
#[derive(Clone, Debug)]
pub struct Note(pub customer_note::Model);

/// A note on a customer: dated, signed, never overwritten.
#[Object]
impl Note {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// What it says.
    async fn text(&self) -> &str {
        &self.0.text
    }

    /// When it was written.
    async fn written_at(&self) -> DateTime {
        self.0.written_at.into()
    }

    /// Who wrote it; null when the program did.
    async fn author(&self, context: &Context<'_>) -> async_graphql::Result<Option<StaffRef>> {
        links::staff(context, self.0.author_id).await
    }
}

/// Something a customer likes or dislikes.
#[derive(Clone, Debug)]
pub struct Taste(pub taste::Model);

/// Something a customer likes or dislikes.
#[Object]
impl Taste {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// What it is about.
    async fn aspect(&self) -> TasteAspect {
        self.0.aspect.into()
    }

    /// What exactly.
    async fn value(&self) -> &str {
        &self.0.value
    }

    /// For or against.
    async fn attitude(&self) -> Attitude {
        self.0.attitude.into()
    }

    /// Where the knowledge comes from.
    async fn provenance(&self) -> TasteProvenance {
        self.0.provenance.into()
    }

    /// Who noted it; null when the program did.
    async fn noted_by(&self, context: &Context<'_>) -> async_graphql::Result<Option<StaffRef>> {
        links::staff(context, self.0.noted_by).await
    }

    /// When it was noted.
    async fn noted_at(&self) -> DateTime {
        self.0.noted_at.into()
    }
}

/// A day worth remembering: a spouse's birthday, an anniversary.
#[derive(Clone, Debug)]
pub struct SpecialDay(pub special_day::Model);

impl SpecialDay {
    fn day(&self) -> Option<values::BirthDate> {
        self.0.date.parse().ok()
    }
}

/// A day worth remembering: a spouse's birthday, an anniversary.
#[Object]
impl SpecialDay {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// What is celebrated.
    async fn label(&self) -> &str {
        &self.0.label
    }

    /// Whose day it is, when not the customer's own.
    async fn person(&self) -> Option<&str> {
        self.0.person.as_deref()
    }

    /// The date as it is written in inputs: `2015-05-20`, in the lunar calendar `L2015-04-03`, without a year
    /// `L--04-03`.
    async fn date(&self) -> &str {
        &self.0.date
    }

    /// The lunar date; null when the day is kept in the solar calendar.
    async fn lunar(&self) -> Option<LunarDate> {
        match self.day()? {
            values::BirthDate::Lunar(date) => Some(LunarDate(date)),
            values::BirthDate::Solar(_) => None,
        }
    }

    /// The next solar day on which it is kept, today included.
    async fn next_on(&self, context: &Context<'_>) -> async_graphql::Result<Option<Date>> {
        let Some(day) = self.day() else {
            return Ok(None);
        };
        let today = today(context).await?;
        Ok(today.and_then(|today| day.next_birthday(today)).map(Date))
    }

    /// How many days before somebody is reminded.
    async fn remind_before_days(&self) -> i32 {
        self.0.remind_before_days
    }
}

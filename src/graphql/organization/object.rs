//! The company, regions, stores and staff as the API shows them.

use super::loader;
use crate::access::{Grant, Place};
use crate::domain::organization::CompanySettings;
use crate::domain::organization::staff_list::StaffMember;
use crate::error::Error;
use crate::graphql::context::Reported;
use crate::graphql::ids::GlobalKey;
use crate::graphql::scalars::DateTime;
use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use entity::values::{OpeningHours, email, opening_hours};
use entity::{region, store};
use std::sync::Arc;

/// A version as the API has it: it grows by one with every change.
pub(super) fn version(version: i64) -> i32 {
    i32::try_from(version).unwrap_or(i32::MAX)
}

/// What a member of staff may do, each role within the stores that it is held for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::Role")]
pub enum Role {
    /// Everything.
    Admin,
    /// All stores: all complaints, approvals, reports.
    Headquarters,
    /// All of the stores of their region.
    RegionManager,
    /// All of their own stores.
    StoreManager,
    /// The shop guide: customers of their store, who have arrived today, or whom they keep.
    Associate,
    /// Segments, templates, campaigns; contact details masked.
    Marketer,
    /// Figures only, no personal data.
    Analyst,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "opening_hours::Weekday")]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

/// The company that this deployment serves.
#[derive(Clone, Debug)]
pub struct Company(pub Arc<CompanySettings>);

/// The company that this deployment serves.
#[Object]
impl Company {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// The name shown to customers.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// ISO 4217 code of the currency in which the company keeps its books.
    async fn currency_code(&self) -> &str {
        self.0.currency.code()
    }

    /// ISO 3166 code; phone numbers without a country code are read as this country's.
    async fn country(&self) -> &str {
        self.0.country.code()
    }

    /// BCP 47 tag whose order of names is used.
    async fn locale(&self) -> &str {
        &self.0.locale
    }

    /// IANA time zone of headquarters.
    async fn time_zone(&self) -> &str {
        self.0.time_zone.name()
    }

    /// Grows by one with every change; give it back when you change the company.
    async fn version(&self) -> i32 {
        version(self.0.version)
    }
}

/// A region: stores under one manager.
#[derive(Clone, Debug)]
pub struct Region(pub region::Model);

/// A region: stores under one manager.
#[Object]
impl Region {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// The company's own short name for it, unique.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Grows by one with every change; give it back when you change the region.
    async fn version(&self) -> i32 {
        version(self.0.version)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }
}

/// One stretch of being open, in the store's own time.
#[derive(Clone, Debug, SimpleObject)]
pub struct OpeningInterval {
    /// The day.
    pub weekday: Weekday,
    /// From when it is open, `HH:MM`.
    pub opens: String,
    /// From when it is closed, `HH:MM`; `24:00` is the end of the day.
    pub closes: String,
}

/// A store, real or on the web.
#[derive(Clone, Debug)]
pub struct Store(pub store::Model);

/// A store, real or on the web.
#[Object]
impl Store {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// The region it belongs to.
    async fn region(&self, context: &Context<'_>) -> async_graphql::Result<Option<Region>> {
        loader::region(context, self.0.region_id).await
    }

    /// The company's own short name for it, unique; imports refer to it.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// IANA time zone; the store's business days are counted in it.
    async fn time_zone(&self) -> &str {
        &self.0.time_zone
    }

    /// When it is open, from Monday on; never, when empty.
    async fn opening_hours(
        &self,
        context: &Context<'_>,
    ) -> async_graphql::Result<Vec<OpeningInterval>> {
        let hours: OpeningHours = serde_json::from_value(self.0.opening_hours.clone())
            .map_err(|error| Error::internal(format!("stored opening hours: {error}")))
            .reported(context)?;
        let intervals = hours
            .intervals()
            .into_iter()
            .map(|interval| OpeningInterval {
                weekday: interval.weekday.into(),
                opens: interval.opens,
                closes: interval.closes,
            });
        Ok(intervals.collect())
    }

    /// When it closed for good; null while it is open.
    async fn archived_at(&self) -> Option<DateTime> {
        self.0.archived_at.map(DateTime::from)
    }

    /// Grows by one with every change; give it back when you change the store.
    async fn version(&self) -> i32 {
        version(self.0.version)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }
}

/// A role and where it is held.
#[derive(Clone, Debug)]
pub struct StaffGrant(pub Grant);

/// A role and where it is held.
#[Object]
impl StaffGrant {
    /// The role.
    async fn role(&self) -> Role {
        self.0.role.into()
    }

    /// The region in whose stores it is held; null when it is not held in a region.
    async fn region(&self, context: &Context<'_>) -> async_graphql::Result<Option<Region>> {
        match self.0.place {
            Place::Region(id) => loader::region(context, id).await,
            Place::Company | Place::Store(_) => Ok(None),
        }
    }

    /// The store in which it is held; null when it is not held in a store.
    async fn store(&self, context: &Context<'_>) -> async_graphql::Result<Option<Store>> {
        match self.0.place {
            Place::Store(id) => loader::store(context, id).await,
            Place::Company | Place::Region(_) => Ok(None),
        }
    }
}

/// A member of staff: one account a person.
#[derive(Clone, Debug)]
pub struct Staff(pub StaffMember);

/// A member of staff: one account a person.
#[Object]
impl Staff {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.row.id.global()
    }

    /// The full name.
    async fn name(&self) -> &str {
        &self.0.row.name
    }

    /// The address they sign in with; masked for those who do not manage them.
    async fn email(&self) -> String {
        if self.0.in_full {
            self.0.row.email.clone()
        } else {
            email::mask(&self.0.row.email)
        }
    }

    /// Their roles; null for those who do not manage them.
    async fn grants(&self) -> Option<Vec<StaffGrant>> {
        self.0
            .in_full
            .then(|| self.0.grants.iter().cloned().map(StaffGrant).collect())
    }

    /// Can they sign in, as far as an administrator has not switched the account off?
    async fn enabled(&self) -> bool {
        self.0.row.disabled_at.is_none()
    }

    /// When the account was switched off; null while it is on.
    async fn disabled_at(&self) -> Option<DateTime> {
        self.0.row.disabled_at.map(DateTime::from)
    }

    /// When the password was last set; null until there is one, and for those who do not manage them.
    async fn password_changed_at(&self) -> Option<DateTime> {
        let at = self.0.row.password_changed_at.filter(|_| self.0.in_full);
        at.map(DateTime::from)
    }

    /// Grows by one with every change; give it back when you change the account.
    async fn version(&self) -> i32 {
        version(self.0.row.version)
    }

    /// When the account was made.
    async fn created_at(&self) -> DateTime {
        self.0.row.created_at.into()
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.row.updated_at.into()
    }
}

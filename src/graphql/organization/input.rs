//! What goes into the queries and mutations of the organization.

use super::object::{Role, Weekday};
use crate::access::{Grant, Place};
use crate::db::Sort;
use crate::domain::organization::company::CompanyChange;
use crate::domain::organization::regions::{NewRegion, RegionChange};
use crate::domain::organization::staff::{NewStaff, StaffChange};
use crate::domain::organization::staff_list;
use crate::domain::organization::stores::{self, NewStore, StoreChange};
use crate::error::{Code, Error, Result, UserErrors};
pub(super) use crate::graphql::ids::key;
use crate::graphql::sort::OrderDirection;
use async_graphql::{Enum, ID, InputObject};
use entity::ids::{RegionId, StoreId};
use entity::values::opening_hours::Interval;
use secrecy::SecretString;

/// A change of the company; what is left out stays.
#[derive(Clone, Debug, InputObject)]
pub struct CompanyUpdateInput {
    /// The version that the change is based on.
    version: i32,
    /// The name shown to customers, at most 200 characters.
    name: Option<String>,
    /// ISO 4217 code of the currency; it can be changed as long as there are no purchases, tiers and prices.
    currency_code: Option<String>,
    /// ISO 3166 code; phone numbers without a country code are read as this country's.
    country: Option<String>,
    /// BCP 47 tag whose order of names is used; it can be changed as long as there are no customers and no products.
    locale: Option<String>,
    /// IANA time zone of headquarters.
    time_zone: Option<String>,
}

impl From<CompanyUpdateInput> for CompanyChange {
    fn from(input: CompanyUpdateInput) -> Self {
        Self {
            version: input.version.into(),
            name: input.name,
            currency: input.currency_code,
            country: input.country,
            locale: input.locale,
            time_zone: input.time_zone,
        }
    }
}

/// A region to be made.
#[derive(Clone, Debug, InputObject)]
pub struct RegionCreateInput {
    /// The company's own short name for it, unique: at most 32 letters A to Z, digits, `-`, `_` and `.`.
    code: String,
    /// The name, at most 200 characters.
    name: String,
}

impl From<RegionCreateInput> for NewRegion {
    fn from(input: RegionCreateInput) -> Self {
        Self {
            code: input.code,
            name: input.name,
        }
    }
}

/// A change of a region; what is left out stays.
#[derive(Clone, Debug, InputObject)]
pub struct RegionUpdateInput {
    /// Which region.
    id: ID,
    /// The version that the change is based on.
    version: i32,
    /// The company's own short name for it, unique.
    code: Option<String>,
    /// The name, at most 200 characters.
    name: Option<String>,
}

impl RegionUpdateInput {
    pub(super) fn parts(self) -> (RegionId, RegionChange) {
        let change = RegionChange {
            version: self.version.into(),
            code: self.code,
            name: self.name,
        };
        (key(&self.id), change)
    }
}

/// One stretch of being open, in the store's own time.
#[derive(Clone, Debug, InputObject)]
pub struct OpeningIntervalInput {
    /// The day.
    weekday: Weekday,
    /// From when it is open, `HH:MM`.
    opens: String,
    /// From when it is closed, `HH:MM`; `24:00` is the end of the day.
    closes: String,
}

fn intervals(hours: Vec<OpeningIntervalInput>) -> Vec<Interval> {
    let intervals = hours.into_iter().map(|interval| Interval {
        weekday: interval.weekday.into(),
        opens: interval.opens,
        closes: interval.closes,
    });
    intervals.collect()
}

/// A store to be made.
#[derive(Clone, Debug, InputObject)]
pub struct StoreCreateInput {
    /// The region it belongs to.
    region_id: ID,
    /// The company's own short name for it, unique: at most 32 letters A to Z, digits, `-`, `_` and `.`.
    code: String,
    /// The name, at most 200 characters.
    name: String,
    /// IANA time zone; the company's when left out.
    time_zone: Option<String>,
    /// When it is open; never, when left out.
    #[graphql(default)]
    opening_hours: Vec<OpeningIntervalInput>,
}

impl From<StoreCreateInput> for NewStore {
    fn from(input: StoreCreateInput) -> Self {
        Self {
            region: key(&input.region_id),
            code: input.code,
            name: input.name,
            time_zone: input.time_zone,
            opening_hours: intervals(input.opening_hours),
        }
    }
}

/// A change of a store; what is left out stays.
#[derive(Clone, Debug, InputObject)]
pub struct StoreUpdateInput {
    /// Which store.
    id: ID,
    /// The version that the change is based on.
    version: i32,
    /// The region it belongs to.
    region_id: Option<ID>,
    /// The company's own short name for it, unique.
    code: Option<String>,
    /// The name, at most 200 characters.
    name: Option<String>,
    /// IANA time zone; it counts for visits from now on.
    time_zone: Option<String>,
    /// When it is open, all of it.
    opening_hours: Option<Vec<OpeningIntervalInput>>,
}

impl StoreUpdateInput {
    pub(super) fn parts(self) -> (StoreId, StoreChange) {
        let change = StoreChange {
            version: self.version.into(),
            region: self.region_id.as_ref().map(key),
            code: self.code,
            name: self.name,
            time_zone: self.time_zone,
            opening_hours: self.opening_hours.map(intervals),
        };
        (key(&self.id), change)
    }
}

/// Which store is archived.
#[derive(Clone, Debug, InputObject)]
pub struct StoreArchiveInput {
    /// Which store.
    pub(super) id: ID,
    /// The version that the change is based on.
    pub(super) version: i32,
    /// False takes it out of the archive again.
    #[graphql(default = true)]
    pub(super) archived: bool,
}

/// Which stores a list has; what is left out does not matter.
#[derive(Clone, Debug, Default, InputObject)]
pub struct StoreFilter {
    /// Part of the code or the name; letters A to Z match in either case.
    query: Option<String>,
    /// Stores of this region.
    region_id: Option<ID>,
    /// Stores that have closed for good (true), or those that are open (false).
    archived: Option<bool>,
}

impl From<StoreFilter> for stores::StoreFilter {
    fn from(filter: StoreFilter) -> Self {
        Self {
            query: filter.query,
            region: filter.region_id.as_ref().map(key),
            archived: filter.archived,
        }
    }
}

/// By what a list of stores is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum StoreOrderField {
    /// By code.
    Code,
    /// By name, in the company's locale.
    Name,
}

/// How a list of stores is ordered.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct StoreOrder {
    /// By what.
    field: StoreOrderField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

impl StoreOrder {
    pub(super) fn parts(order: Option<Self>) -> (stores::StoreOrder, Sort) {
        let field = match order.map(|order| order.field) {
            Some(StoreOrderField::Name) => stores::StoreOrder::Name,
            Some(StoreOrderField::Code) | None => stores::StoreOrder::Code,
        };
        (
            field,
            order.map_or(Sort::Ascending, |order| order.direction.into()),
        )
    }
}

/// Which staff a list has; what is left out does not matter.
#[derive(Clone, Debug, Default, InputObject)]
pub struct StaffFilter {
    /// Part of the name; letters A to Z match in either case.
    query: Option<String>,
    /// Exactly this address.
    email: Option<String>,
    /// Who holds this role.
    role: Option<Role>,
    /// Who holds a role in this very store.
    store_id: Option<ID>,
    /// Whose account is on (true), or switched off (false).
    enabled: Option<bool>,
}

impl From<StaffFilter> for staff_list::StaffFilter {
    fn from(filter: StaffFilter) -> Self {
        Self {
            query: filter.query,
            email: filter.email,
            role: filter.role.map(Into::into),
            store: filter.store_id.as_ref().map(key),
            enabled: filter.enabled,
        }
    }
}

/// By what a list of staff is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum StaffOrderField {
    /// By name, in the company's locale.
    Name,
}

/// How a list of staff is ordered.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct StaffOrder {
    /// By what.
    #[graphql(default_with = "StaffOrderField::Name")]
    field: StaffOrderField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

impl StaffOrder {
    pub(super) fn sort(order: Option<Self>) -> Sort {
        order.map_or(Sort::Ascending, |order| match order.field {
            StaffOrderField::Name => order.direction.into(),
        })
    }
}

/// A role and where it is held.
#[derive(Clone, Debug, InputObject)]
pub struct StaffGrantInput {
    /// The role.
    role: Role,
    /// The region in whose stores it is held: for `REGION_MANAGER`.
    region_id: Option<ID>,
    /// The store in which it is held: for `STORE_MANAGER` and `ASSOCIATE`.
    store_id: Option<ID>,
}

fn grants(inputs: Vec<StaffGrantInput>) -> Result<Vec<Grant>> {
    let mut errors = UserErrors::new();
    let mut grants = Vec::with_capacity(inputs.len());
    for (n, input) in inputs.into_iter().enumerate() {
        let place = match (&input.region_id, &input.store_id) {
            (None, None) => Place::Company,
            (Some(region), None) => Place::Region(key(region)),
            (None, Some(store)) => Place::Store(key(store)),
            (Some(_), Some(_)) => {
                errors.push(
                    Code::Invalid,
                    &format!("grants.{n}"),
                    "a role is held in a region or in a store; give one of the two",
                );
                continue;
            }
        };
        grants.push(Grant {
            role: input.role.into(),
            place,
        });
    }
    errors.check()?;
    Ok(grants)
}

/// An account to be made.
#[derive(InputObject)]
pub struct StaffCreateInput {
    /// The address they sign in with, unique.
    email: String,
    /// The full name, at most 200 characters.
    name: String,
    /// Their roles.
    grants: Vec<StaffGrantInput>,
    /// Their first password, at least 12 characters; without one they cannot sign in until it is reset.
    password: Option<String>,
}

impl TryFrom<StaffCreateInput> for NewStaff {
    type Error = Error;

    fn try_from(input: StaffCreateInput) -> Result<Self> {
        Ok(Self {
            email: input.email,
            name: input.name,
            grants: grants(input.grants)?,
            password: input.password.map(SecretString::from),
            demo: false,
        })
    }
}

/// A change of an account; what is left out stays.
#[derive(Clone, Debug, InputObject)]
pub struct StaffUpdateInput {
    /// Whose account.
    pub(super) id: ID,
    /// The version that the change is based on.
    version: i32,
    /// The address they sign in with, unique.
    email: Option<String>,
    /// The full name, at most 200 characters.
    name: Option<String>,
    /// Their roles, all of them.
    grants: Option<Vec<StaffGrantInput>>,
}

impl TryFrom<StaffUpdateInput> for StaffChange {
    type Error = Error;

    fn try_from(input: StaffUpdateInput) -> Result<Self> {
        Ok(Self {
            version: input.version.into(),
            email: input.email,
            name: input.name,
            grants: input.grants.map(grants).transpose()?,
        })
    }
}

/// Whose account is switched off.
#[derive(Clone, Debug, InputObject)]
pub struct StaffDisableInput {
    /// Whose.
    pub(super) id: ID,
}

/// Whose account is switched on.
#[derive(Clone, Debug, InputObject)]
pub struct StaffEnableInput {
    /// Whose.
    pub(super) id: ID,
}

/// Whose password is set anew.
#[derive(InputObject)]
pub struct StaffPasswordResetInput {
    /// Whose.
    pub(super) id: ID,
    /// The password from now on; one is generated when this is left out.
    pub(super) password: Option<String>,
}

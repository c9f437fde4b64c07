//! What the queries and mutations of this topic take in, and how it becomes what the services take.

use super::words::{
    AcquisitionSource, Attitude, ConsentMethod, ContactKind, CustomerKind, Gender, Importance,
    IncomeBand, IncomeProvenance, PriceSensitivity, Purpose, TasteAspect, TasteProvenance,
};
use crate::domain::customers::consents::ConsentInput;
use crate::domain::customers::input::{
    AddressInput as Address, ContactInput, CreateInput, DayInput, FileInput, IncomeInput as Income,
    Patch, TasteInput,
};
use crate::domain::customers::{ChangeInput, CustomerFilter, CustomerOrder, OrderField};
use crate::graphql::attributes::AttributeConditionInput;
pub(super) use crate::graphql::ids::key;
use crate::graphql::patch::{patch, patch_with};
use crate::graphql::scalars::DateTime;
use crate::graphql::sort::OrderDirection;
use async_graphql::{Enum, ID, InputObject, MaybeUndefined};

/// A home address; what is left out is empty.
#[derive(Clone, Debug, InputObject)]
pub struct AddressInput {
    /// Street and house, at most 5 lines of 200 characters.
    #[graphql(default)]
    lines: Vec<String>,
    /// Postal code, at most 20 characters.
    postal_code: Option<String>,
    /// City, at most 100 characters.
    city: Option<String>,
    /// ISO 3166 code of the country, such as `CN`.
    country: Option<String>,
}

/// Income, and how it is known.
#[derive(Clone, Debug, InputObject)]
pub struct IncomeInput {
    /// The band.
    band: IncomeBand,
    /// How it is known.
    provenance: IncomeProvenance,
    /// Why an estimate is thought to be right; an estimate needs it. At most 500 characters.
    reason: Option<String>,
}

/// The fields of a customer's file. One that is left out stays as it is, null clears it.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerFields {
    /// A private person, which is usual, or a business.
    kind: MaybeUndefined<CustomerKind>,
    /// How to address them, at most 50 characters.
    salutation: MaybeUndefined<String>,
    /// As they state it.
    gender: MaybeUndefined<Gender>,
    /// When they were born: `1990-06-15`, in the lunar calendar `L1990-06-15`, in a leap month `L1990-05L-15`,
    /// without a year `L--06-15`. Not in the future.
    birth_date: MaybeUndefined<String>,
    /// BCP 47 tag of the language in which they are addressed, such as `zh` or `ko-KR`.
    language: MaybeUndefined<String>,
    /// The region they live in, at most 100 characters.
    region_name: MaybeUndefined<String>,
    /// Home address.
    address: MaybeUndefined<AddressInput>,
    /// Employer, at most 200 characters.
    employer: MaybeUndefined<String>,
    /// Position at the employer, at most 100 characters.
    position: MaybeUndefined<String>,
    /// Occupation, at most 100 characters.
    occupation: MaybeUndefined<String>,
    /// Income, and how it is known.
    income: MaybeUndefined<IncomeInput>,
    /// How much the price decides.
    price_sensitivity: MaybeUndefined<PriceSensitivity>,
    /// What they buy for, at most 500 characters.
    buying_purpose: MaybeUndefined<String>,
    /// What they say they need, at most 1,000 characters.
    stated_need: MaybeUndefined<String>,
    /// The motive behind it, at most 1,000 characters.
    motive: MaybeUndefined<String>,
    /// How they came to the shop.
    acquisition_source: MaybeUndefined<AcquisitionSource>,
    /// The customer who referred them.
    referred_by_id: MaybeUndefined<ID>,
    /// The customer whose gift brought them.
    gift_from_id: MaybeUndefined<ID>,
    /// Their home store. Whoever works in one store only need not name it.
    home_store_id: MaybeUndefined<ID>,
    /// How much they matter; usual is `REGULAR`.
    importance: MaybeUndefined<Importance>,
}

impl CustomerFields {
    fn into_file(self, full_name: MaybeUndefined<String>) -> FileInput {
        FileInput {
            kind: patch(self.kind),
            full_name: patch(full_name),
            salutation: patch(self.salutation),
            gender: patch(self.gender),
            birth_date: patch(self.birth_date),
            language: patch(self.language),
            region_name: patch(self.region_name),
            address: patch_with(self.address, |given| Address {
                lines: given.lines,
                postal_code: given.postal_code,
                city: given.city,
                country: given.country,
            }),
            employer: patch(self.employer),
            position: patch(self.position),
            occupation: patch(self.occupation),
            income: patch_with(self.income, |given| Income {
                band: given.band.into(),
                provenance: given.provenance.into(),
                reason: given.reason,
            }),
            price_sensitivity: patch(self.price_sensitivity),
            buying_purpose: patch(self.buying_purpose),
            stated_need: patch(self.stated_need),
            motive: patch(self.motive),
            acquisition_source: patch(self.acquisition_source),
            referred_by_id: patch_with(self.referred_by_id, |id| key(&id)),
            gift_from_id: patch_with(self.gift_from_id, |id| key(&id)),
            home_store_id: patch_with(self.home_store_id, |id| key(&id)),
            importance: patch(self.importance),
        }
    }
}

/// A way to reach a new customer.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerContactPointInput {
    /// Which kind.
    kind: ContactKind,
    /// The number, address or name; brought into the normal form of its kind.
    value: String,
    /// What it is called, at most 50 characters.
    label: Option<String>,
    /// The one to use among those of its kind; when left out everywhere, the first of a kind becomes it.
    preferred: Option<bool>,
}

impl From<CustomerContactPointInput> for ContactInput {
    fn from(given: CustomerContactPointInput) -> Self {
        Self {
            kind: given.kind.into(),
            value: given.value,
            label: given.label,
            preferred: given.preferred,
        }
    }
}

/// Something a new customer likes or dislikes.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerTasteInput {
    /// What it is about.
    aspect: TasteAspect,
    /// What exactly, at most 100 characters.
    value: String,
    /// For or against.
    attitude: Attitude,
    /// Either `STATED` or `NOTED`; what is derived cannot be set by hand.
    provenance: TasteProvenance,
}

impl From<CustomerTasteInput> for TasteInput {
    fn from(given: CustomerTasteInput) -> Self {
        Self {
            aspect: given.aspect.into(),
            value: given.value,
            attitude: given.attitude.into(),
            provenance: given.provenance.into(),
        }
    }
}

/// A day of a new customer's that is worth remembering.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerSpecialDayInput {
    /// What is celebrated, at most 100 characters.
    label: String,
    /// Whose day it is, when not the customer's own; at most 100 characters.
    person: Option<String>,
    /// The day, such as `2015-05-20`, in the lunar calendar `L2015-04-03`, without a year `L--04-03`.
    date: String,
    /// How many days before somebody is reminded, 0 to 90.
    #[graphql(default = 7)]
    remind_before_days: i32,
}

impl From<CustomerSpecialDayInput> for DayInput {
    fn from(given: CustomerSpecialDayInput) -> Self {
        Self {
            label: given.label,
            person: given.person,
            date: given.date,
            remind_before_days: given.remind_before_days,
        }
    }
}

/// A new customer, with what is known of them at once.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerCreateInput {
    /// The full name, not only the family name; at most 200 characters.
    full_name: String,
    #[graphql(flatten)]
    fields: CustomerFields,
    /// Ways to reach them, at most 20.
    #[graphql(default)]
    contact_points: Vec<CustomerContactPointInput>,
    /// What they like and dislike, at most 20.
    #[graphql(default)]
    tastes: Vec<CustomerTasteInput>,
    /// Days worth remembering, at most 20.
    #[graphql(default)]
    special_days: Vec<CustomerSpecialDayInput>,
    /// With the same key and input the customer made before is given again instead of a second one.
    pub(super) idempotency_key: Option<String>,
}

impl From<CustomerCreateInput> for CreateInput {
    fn from(given: CustomerCreateInput) -> Self {
        Self {
            file: given
                .fields
                .into_file(MaybeUndefined::Value(given.full_name)),
            contact_points: given.contact_points.into_iter().map(Into::into).collect(),
            tastes: given.tastes.into_iter().map(Into::into).collect(),
            special_days: given.special_days.into_iter().map(Into::into).collect(),
        }
    }
}

/// A change of a customer's file. A field that is left out stays as it is, null clears it.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerUpdateInput {
    /// The customer.
    pub(super) id: ID,
    /// The version from which the change was made.
    version: i32,
    /// The full name; it cannot be cleared.
    full_name: MaybeUndefined<String>,
    #[graphql(flatten)]
    fields: CustomerFields,
}

impl From<CustomerUpdateInput> for ChangeInput {
    fn from(given: CustomerUpdateInput) -> Self {
        Self {
            id: key(&given.id),
            version: given.version.into(),
            file: given.fields.into_file(given.full_name),
        }
    }
}

/// A customer whose file is put away or taken out again.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerArchiveInput {
    /// The customer.
    pub(super) id: ID,
    /// The version that was read; when given, a stale one is refused.
    pub(super) version: Option<i32>,
}

/// Who is to keep a customer.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerKeeperAssignInput {
    /// The customer.
    pub(super) customer_id: ID,
    /// The member of staff; null takes the present keeper away.
    pub(super) keeper_id: Option<ID>,
    /// The version that was read; when given, a stale one is refused.
    pub(super) version: Option<i32>,
}

/// A note on a customer.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerNoteAddInput {
    /// The customer.
    pub(super) customer_id: ID,
    /// What it says, at most 4,000 characters.
    pub(super) text: String,
}

/// Another way to reach a customer.
#[derive(Clone, Debug, InputObject)]
pub struct ContactPointAddInput {
    /// The customer.
    pub(super) customer_id: ID,
    #[graphql(flatten)]
    pub(super) point: CustomerContactPointInput,
}

/// A change of a contact point. A field that is left out stays as it is.
#[derive(Clone, Debug, InputObject)]
pub struct ContactPointUpdateInput {
    /// The contact point.
    pub(super) id: ID,
    /// What it is called, at most 50 characters; null clears it.
    label: MaybeUndefined<String>,
    /// Whether it is the one to use among those of its kind; true takes that from the others.
    pub(super) preferred: Option<bool>,
}

impl ContactPointUpdateInput {
    pub(super) fn label(&self) -> Patch<String> {
        patch(self.label.clone())
    }
}

/// A contact point.
#[derive(Clone, Debug, InputObject)]
pub struct ContactPointRemoveInput {
    /// The contact point.
    pub(super) id: ID,
}

/// A contact point that was tried.
#[derive(Clone, Debug, InputObject)]
pub struct ContactPointVerifyInput {
    /// The contact point.
    pub(super) id: ID,
}

/// What a customer said on the use of a contact point.
#[derive(Clone, Debug, InputObject)]
pub struct ConsentRecordInput {
    /// The contact point.
    contact_point_id: ID,
    /// For what.
    purpose: Purpose,
    /// True when it was given, false when it was withdrawn.
    granted: bool,
    /// How.
    method: ConsentMethod,
    /// What proves it, at most 500 characters; a consent brought from another system needs it.
    evidence: Option<String>,
    /// When, not in the future; now when left out. The latest statement holds.
    at: Option<DateTime>,
}

impl From<ConsentRecordInput> for ConsentInput {
    fn from(given: ConsentRecordInput) -> Self {
        Self {
            contact_point_id: key(&given.contact_point_id),
            purpose: given.purpose.into(),
            granted: given.granted,
            method: given.method.into(),
            evidence: given.evidence,
            at: given.at.map(|at| at.0),
        }
    }
}

/// Something a customer likes or dislikes.
#[derive(Clone, Debug, InputObject)]
pub struct TasteAddInput {
    /// The customer.
    pub(super) customer_id: ID,
    #[graphql(flatten)]
    pub(super) taste: CustomerTasteInput,
}

/// A like or dislike that no longer holds.
#[derive(Clone, Debug, InputObject)]
pub struct TasteRemoveInput {
    /// The like or dislike.
    pub(super) id: ID,
}

/// A day worth remembering.
#[derive(Clone, Debug, InputObject)]
pub struct SpecialDayAddInput {
    /// The customer.
    pub(super) customer_id: ID,
    #[graphql(flatten)]
    pub(super) day: CustomerSpecialDayInput,
}

/// A day that need not be remembered any more.
#[derive(Clone, Debug, InputObject)]
pub struct SpecialDayRemoveInput {
    /// The day.
    pub(super) id: ID,
}

/// Which customers a list has; everything given must hold.
#[derive(Clone, Debug, Default, InputObject)]
#[graphql(name = "CustomerFilter")]
pub struct CustomerFilterInput {
    /// One box for all: words of the name or the employer, or a whole phone number, e-mail address or card number.
    query: Option<String>,
    /// Words of the name. Spacing, case and accents do not matter; Chinese and Korean names are found by any two
    /// neighboring characters; the last Latin word may be a beginning.
    name: Option<String>,
    /// A whole phone number. For those who see it masked, each look-up is counted and leaves an audit entry.
    phone: Option<String>,
    /// The beginning of a phone number with + and country code, such as `+86138`. Only for managers, among the
    /// customers whose contact details they see in full.
    phone_prefix: Option<String>,
    /// A whole e-mail address. For those who see it masked, each look-up is counted and leaves an audit entry.
    email: Option<String>,
    /// The beginning of an e-mail address. Only for managers, among the customers whose contact details they see in
    /// full.
    email_prefix: Option<String>,
    /// A whole card number; spaces and dashes do not matter.
    card_number: Option<String>,
    /// Words of the employer's name, as in `name`.
    employer: Option<String>,
    /// Their home store.
    home_store: Option<ID>,
    /// The member of staff who keeps them.
    keeper: Option<ID>,
    /// How much they matter.
    importance: Option<Importance>,
    /// Private persons or businesses.
    kind: Option<CustomerKind>,
    /// What the shop's own attributes say of them: all of these must hold, at most 10.
    attributes: Option<Vec<AttributeConditionInput>>,
    /// Members of this group.
    group: Option<ID>,
    /// True for files that were put away; usually those that were not.
    archived: Option<bool>,
    /// Only files whose completeness is below this score, 1 to 100. Those that were not counted yet are left out.
    completeness_below: Option<i32>,
}

impl From<CustomerFilterInput> for CustomerFilter {
    fn from(given: CustomerFilterInput) -> Self {
        Self {
            query: given.query,
            name: given.name,
            phone: given.phone,
            phone_prefix: given.phone_prefix,
            email: given.email,
            email_prefix: given.email_prefix,
            card_number: given.card_number,
            employer: given.employer,
            home_store: given.home_store.map(|id| key(&id)),
            keeper: given.keeper.map(|id| key(&id)),
            importance: given.importance.map(Into::into),
            kind: given.kind.map(Into::into),
            attributes: given
                .attributes
                .into_iter()
                .flatten()
                .map(Into::into)
                .collect(),
            group: given.group.map(|id| key(&id)),
            archived: given.archived,
            completeness_below: given.completeness_below,
        }
    }
}

/// By what customers are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum CustomerOrderField {
    /// By name, in the company's locale.
    Name,
    /// By when the file was made.
    CreatedAt,
    /// By how complete the file is: the least complete first, before them those that were not counted yet.
    Completeness,
}

/// How customers are ordered.
#[derive(Clone, Copy, Debug, InputObject)]
#[graphql(name = "CustomerOrder")]
pub struct CustomerOrderInput {
    /// By what.
    field: CustomerOrderField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

impl From<CustomerOrderInput> for CustomerOrder {
    fn from(given: CustomerOrderInput) -> Self {
        Self {
            field: match given.field {
                CustomerOrderField::Name => OrderField::Name,
                CustomerOrderField::CreatedAt => OrderField::CreatedAt,
                CustomerOrderField::Completeness => OrderField::Completeness,
            },
            sort: given.direction.into(),
        }
    }
}

//! What callers hand in, as it came: texts not yet checked.
//!
//! Filled by the API, by the demonstration and by tests; read by `file`, `contacts` and the
//! other parts. Everything can be serialized in a fixed order, which is what idempotency keys compare.

use entity::enums::{
    AcquisitionSource, Attitude, ContactKind, CustomerKind, Gender, Importance, IncomeBand,
    IncomeProvenance, PriceSensitivity, TasteAspect, TasteProvenance,
};
use entity::ids::{CustomerId, StoreId};
use serde::Serialize;

/// A value of a partial change: outside `None` leaves the field as it is, inside `None` clears it.
pub type Patch<T> = Option<Option<T>>;

/// The fields of the file itself; the same for a creation, where unset fields are empty, and for a change.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FileInput {
    /// Person or trade; a person when it is left out.
    pub kind: Patch<CustomerKind>,
    /// The full name, 1 to 200 characters.
    pub full_name: Patch<String>,
    /// How to address them.
    pub salutation: Patch<String>,
    /// As stated.
    pub gender: Patch<Gender>,
    /// `1990-06-15`, or in the lunar calendar `L1990-06-15`.
    pub birth_date: Patch<String>,
    /// BCP 47 tag.
    pub language: Patch<String>,
    /// The region they live in.
    pub region_name: Patch<String>,
    /// Home address.
    pub address: Patch<AddressInput>,
    /// Employer.
    pub employer: Patch<String>,
    /// Position there.
    pub position: Patch<String>,
    /// Occupation.
    pub occupation: Patch<String>,
    /// Income with its provenance.
    pub income: Patch<IncomeInput>,
    /// How much the price decides.
    pub price_sensitivity: Patch<PriceSensitivity>,
    /// What they buy for.
    pub buying_purpose: Patch<String>,
    /// What they say they need.
    pub stated_need: Patch<String>,
    /// The motive behind it.
    pub motive: Patch<String>,
    /// How they came to the shop.
    pub acquisition_source: Patch<AcquisitionSource>,
    /// Who referred them.
    pub referred_by_id: Patch<CustomerId>,
    /// Whose gift brought them.
    pub gift_from_id: Patch<CustomerId>,
    /// Their home store.
    pub home_store_id: Patch<StoreId>,
    /// How much they matter.
    pub importance: Patch<Importance>,
}

/// A home address.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AddressInput {
    /// Street and house, from the smaller to the larger or as the country writes it; 5 lines at most.
    pub lines: Vec<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// City.
    pub city: Option<String>,
    /// ISO 3166 code.
    pub country: Option<String>,
}

/// Income with its provenance.
#[derive(Clone, Debug, Serialize)]
pub struct IncomeInput {
    /// The band.
    pub band: IncomeBand,
    /// How it is known.
    pub provenance: IncomeProvenance,
    /// Why an estimate is thought to be right.
    pub reason: Option<String>,
}

/// A way to reach a customer.
#[derive(Clone, Debug, Serialize)]
pub struct ContactInput {
    /// Which kind.
    pub kind: ContactKind,
    /// As written.
    pub value: String,
    /// What it is called: home, work.
    pub label: Option<String>,
    /// The one to use among those of its kind; when left out, the first of a kind becomes it.
    pub preferred: Option<bool>,
}

/// Something a customer likes or dislikes.
#[derive(Clone, Debug, Serialize)]
pub struct TasteInput {
    /// What it is about.
    pub aspect: TasteAspect,
    /// What exactly.
    pub value: String,
    /// For or against.
    pub attitude: Attitude,
    /// Said by the customer or noted by staff; what is derived cannot be set by hand.
    pub provenance: TasteProvenance,
}

/// A day worth remembering.
#[derive(Clone, Debug, Serialize)]
pub struct DayInput {
    /// What is celebrated.
    pub label: String,
    /// Whose day it is, when not the customer's own.
    pub person: Option<String>,
    /// `2015-05-20`, or in the lunar calendar `L2015-04-03`, without a year `L--04-03`.
    pub date: String,
    /// How many days before somebody is reminded, 0 to 90.
    pub remind_before_days: i32,
}

/// A new customer with what is known of them at once.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CreateInput {
    /// The file.
    pub file: FileInput,
    /// Ways to reach them, 20 at most.
    pub contact_points: Vec<ContactInput>,
    /// Likes and dislikes, 20 at most.
    pub tastes: Vec<TasteInput>,
    /// Days worth remembering, 20 at most.
    pub special_days: Vec<DayInput>,
}

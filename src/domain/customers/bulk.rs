//! Many customers at once: one statement on PostgreSQL, a few on SQLite, never a round trip for each.
//!
//! Called by the import and the demonstration with values that were parsed before, inside their transaction; the
//! single creation takes its companions (totals and search) from here. Writes no events and no audit entries:
//! whoever brings thousands in leaves one entry for all of them.

use super::matching;
use crate::db::{Batch, Table};
use crate::domain::organization::CompanySettings;
use chrono::{DateTime, Utc};
use entity::consent;
use entity::enums::{
    AcquisitionSource, Attitude, ConsentMethod, CustomerKind, Gender, Importance, Purpose,
    TasteAspect, TasteProvenance,
};
use entity::ids::{ConsentId, ContactPointId, CustomerId, SpecialDayId, StaffId, StoreId, TasteId};
use entity::values::{BirthDate, ContactValue, index_tokens};
use sea_orm::sea_query::Value;

static CUSTOMER: Table = Table {
    name: "customer",
    columns: &[
        ("id", "uuid"),
        ("kind", "text"),
        ("full_name", "text"),
        ("name_key", "bytea"),
        ("salutation", "text"),
        ("gender", "text"),
        ("birth_date", "text"),
        ("language", "text"),
        ("region_name", "text"),
        ("employer", "text"),
        ("occupation", "text"),
        ("acquisition_source", "text"),
        ("referred_by_id", "uuid"),
        ("keeper_id", "uuid"),
        ("home_store_id", "uuid"),
        ("importance", "text"),
        ("version", "bigint"),
        ("created_at", "timestamptz"),
        ("updated_at", "timestamptz"),
        ("match_key", "text"),
    ],
    conflict: "",
};

pub(super) static TOTAL: Table = Table {
    name: "customer_total",
    columns: &[
        ("customer_id", "uuid"),
        ("visits", "bigint"),
        ("receipts", "bigint"),
        ("bought_minor", "bigint"),
        ("returned_minor", "bigint"),
    ],
    conflict: "",
};

static SEARCH: Table = Table {
    name: "customer_search",
    columns: &[
        ("customer_id", "uuid"),
        ("name", "text"),
        ("employer", "text"),
    ],
    conflict: "",
};

static REFERENCE: Table = Table {
    name: "customer_reference",
    columns: &[
        ("source", "text"),
        ("external_id", "text"),
        ("customer_id", "uuid"),
    ],
    conflict: "",
};

pub(super) static CONTACT_POINT: Table = Table {
    name: "contact_point",
    columns: &[
        ("id", "uuid"),
        ("customer_id", "uuid"),
        ("kind", "text"),
        ("value", "text"),
        ("label", "text"),
        ("preferred", "boolean"),
        ("verified_at", "timestamptz"),
        ("created_at", "timestamptz"),
    ],
    conflict: "",
};

pub(super) static CONSENT: Table = Table {
    name: "consent",
    columns: &[
        ("id", "uuid"),
        ("contact_point_id", "uuid"),
        ("purpose", "text"),
        ("granted", "boolean"),
        ("method", "text"),
        ("evidence", "text"),
        ("at", "timestamptz"),
        ("recorded_by", "uuid"),
        ("recorded_at", "timestamptz"),
    ],
    conflict: "",
};

pub(super) static TASTE: Table = Table {
    name: "taste",
    columns: &[
        ("id", "uuid"),
        ("customer_id", "uuid"),
        ("aspect", "text"),
        ("value", "text"),
        ("attitude", "text"),
        ("provenance", "text"),
        ("noted_by", "uuid"),
        ("noted_at", "timestamptz"),
    ],
    conflict: "",
};

pub(super) static SPECIAL_DAY: Table = Table {
    name: "special_day",
    columns: &[
        ("id", "uuid"),
        ("customer_id", "uuid"),
        ("label", "text"),
        ("person", "text"),
        ("date", "text"),
        ("remind_before_days", "integer"),
        ("created_at", "timestamptz"),
    ],
    conflict: "",
};

/// A consent that came with a customer: a statement about all their contact points, as they made it.
#[derive(Clone, Debug)]
pub struct NewConsent {
    /// For what.
    pub purpose: Purpose,
    /// Given, or refused.
    pub granted: bool,
    /// How.
    pub method: ConsentMethod,
    /// What proves it; a consent that was given needs it.
    pub evidence: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A like or dislike, clean.
#[derive(Clone, Debug)]
pub struct NewTaste {
    /// What it is about.
    pub aspect: TasteAspect,
    /// What.
    pub value: String,
    /// For or against.
    pub attitude: Attitude,
    /// How it is known.
    pub provenance: TasteProvenance,
    /// Who noticed it.
    pub noted_by: Option<StaffId>,
}

/// A day that a customer keeps.
#[derive(Clone, Debug)]
pub struct NewSpecialDay {
    /// What it is.
    pub label: String,
    /// Whose day, when not their own.
    pub person: Option<String>,
    /// Solar or lunar.
    pub date: BirthDate,
    /// How many days before to be reminded.
    pub remind_before_days: i32,
}

/// A customer to be made, all values parsed and clean.
#[derive(Clone, Debug)]
pub struct NewCustomer {
    /// The key.
    pub id: CustomerId,
    /// Person or trade.
    pub kind: CustomerKind,
    /// The full name, clean (see `values::clean_line`).
    pub full_name: String,
    /// How to address them.
    pub salutation: Option<String>,
    /// As stated.
    pub gender: Option<Gender>,
    /// Solar or lunar.
    pub birth_date: Option<BirthDate>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// The region they live in.
    pub region_name: Option<String>,
    /// Employer.
    pub employer: Option<String>,
    /// Occupation.
    pub occupation: Option<String>,
    /// How they came to the shop.
    pub acquisition_source: Option<AcquisitionSource>,
    /// Who referred them; a customer of an earlier call or of the same one.
    pub referred_by_id: Option<CustomerId>,
    /// Who keeps them.
    pub keeper_id: Option<StaffId>,
    /// Their home store.
    pub home_store_id: Option<StoreId>,
    /// How much they matter.
    pub importance: Importance,
    /// When the file was made.
    pub created_at: DateTime<Utc>,
    /// What another system calls them: its name and its id.
    pub reference: Option<(String, String)>,
    /// How to reach them; the first of each kind becomes the preferred one. No value twice.
    pub contact_points: Vec<ContactValue>,
    /// What these may be used for.
    pub consents: Vec<NewConsent>,
    /// What they like and dislike; nothing twice.
    pub tastes: Vec<NewTaste>,
    /// Days that they keep.
    pub special_days: Vec<NewSpecialDay>,
}

impl NewCustomer {
    /// A person of whom only the name is known.
    pub fn named(full_name: String, created_at: DateTime<Utc>) -> Self {
        Self {
            id: CustomerId::new(),
            kind: CustomerKind::Person,
            full_name,
            salutation: None,
            gender: None,
            birth_date: None,
            language: None,
            region_name: None,
            employer: None,
            occupation: None,
            acquisition_source: None,
            referred_by_id: None,
            keeper_id: None,
            home_store_id: None,
            importance: Importance::Regular,
            created_at,
            reference: None,
            contact_points: Vec::new(),
            consents: Vec::new(),
            tastes: Vec::new(),
            special_days: Vec::new(),
        }
    }

    fn row(&self, company: &CompanySettings) -> Vec<Value> {
        vec![
            self.id.into(),
            self.kind.into(),
            self.full_name.clone().into(),
            company.collation.key(&self.full_name).into_bytes().into(),
            self.salutation.clone().into(),
            self.gender.into(),
            self.birth_date.map(|date| date.to_string()).into(),
            self.language.clone().into(),
            self.region_name.clone().into(),
            self.employer.clone().into(),
            self.occupation.clone().into(),
            self.acquisition_source.into(),
            self.referred_by_id.into(),
            self.keeper_id.into(),
            self.home_store_id.into(),
            self.importance.into(),
            1_i64.into(),
            self.created_at.into(),
            self.created_at.into(),
            self.birth_date
                .and_then(|date| matching::key(&self.full_name, Some(&date.to_string())))
                .into(),
        ]
    }

    /// The rows of the contact points, and of the consents for each of them.
    fn contacts(&self) -> (Vec<Vec<Value>>, Vec<Vec<Value>>) {
        let (mut points, mut consents) = (Vec::new(), Vec::new());
        for (n, point) in self.contact_points.iter().enumerate() {
            let first = !self
                .contact_points
                .iter()
                .take(n)
                .any(|earlier| earlier.kind == point.kind);
            let id = ContactPointId::new();
            points.push(vec![
                id.into(),
                self.id.into(),
                point.kind.into(),
                point.normal.clone().into(),
                Value::String(None),
                first.into(),
                Value::ChronoDateTimeUtc(None),
                self.created_at.into(),
            ]);
            consents.extend(self.consents.iter().map(|consent| {
                vec![
                    ConsentId::new().into(),
                    id.into(),
                    consent.purpose.into(),
                    consent.granted.into(),
                    consent.method.into(),
                    consent.evidence.clone().into(),
                    consent.at.into(),
                    Value::Uuid(None),
                    consent.at.into(),
                ]
            }));
        }
        (points, consents)
    }

    fn likes(&self) -> impl Iterator<Item = Vec<Value>> {
        self.tastes.iter().map(|taste| {
            vec![
                TasteId::new().into(),
                self.id.into(),
                taste.aspect.into(),
                taste.value.clone().into(),
                taste.attitude.into(),
                taste.provenance.into(),
                taste.noted_by.into(),
                self.created_at.into(),
            ]
        })
    }

    fn days(&self) -> impl Iterator<Item = Vec<Value>> {
        self.special_days.iter().map(|day| {
            vec![
                SpecialDayId::new().into(),
                self.id.into(),
                day.label.clone().into(),
                day.person.clone().into(),
                day.date.to_string().into(),
                day.remind_before_days.into(),
                self.created_at.into(),
            ]
        })
    }
}

/// Adds customers with all that came with them to a batch, for callers who write
/// more in the same statement.
pub fn gather(batch: &mut Batch, company: &CompanySettings, customers: &[NewCustomer]) {
    gather_without_totals(batch, company, customers);
    batch.insert(&TOTAL, customers.iter().map(|new| total(new.id)));
}

/// As [`gather`], for callers who write these customers' totals in the same batch: every customer has a row of them.
pub fn gather_without_totals(
    batch: &mut Batch,
    company: &CompanySettings,
    customers: &[NewCustomer],
) {
    batch.insert(&CUSTOMER, customers.iter().map(|new| new.row(company)));
    batch.insert(
        &SEARCH,
        customers
            .iter()
            .map(|new| search(new.id, &new.full_name, new.employer.as_deref())),
    );
    batch.insert(
        &REFERENCE,
        customers.iter().filter_map(|new| {
            let (source, external) = new.reference.clone()?;
            Some(vec![source.into(), external.into(), new.id.into()])
        }),
    );
    let (points, consents): (Vec<_>, Vec<_>) = customers.iter().map(NewCustomer::contacts).unzip();
    batch.insert(&CONTACT_POINT, points.into_iter().flatten());
    batch.insert(&CONSENT, consents.into_iter().flatten());
    batch.insert(&TASTE, customers.iter().flat_map(NewCustomer::likes));
    batch.insert(&SPECIAL_DAY, customers.iter().flat_map(NewCustomer::days));
}

/// What every customer has beside their own row: totals and the search row.
pub(super) fn companions(batch: &mut Batch, id: CustomerId, name: &str, employer: Option<&str>) {
    batch.insert(&TOTAL, [total(id)]);
    batch.insert(&SEARCH, [search(id, name, employer)]);
}

/// The search row of a customer who has none, since their file was merged away until now.
pub(super) fn findable(batch: &mut Batch, id: CustomerId, name: &str, employer: Option<&str>) {
    batch.insert(&SEARCH, [search(id, name, employer)]);
}

/// The name of a customer of whom nothing but a number in another system is known: as good as none.
pub fn placeholder(number: &str) -> String {
    format!("Customer {number}")
}

/// The values of a statement of consent.
pub(super) fn consent_values(row: &consent::Model) -> Vec<Value> {
    vec![
        row.id.into(),
        row.contact_point_id.into(),
        row.purpose.into(),
        row.granted.into(),
        row.method.into(),
        row.evidence.clone().into(),
        row.at.into(),
        row.recorded_by.into(),
        row.recorded_at.into(),
    ]
}

pub(super) fn total(id: CustomerId) -> Vec<Value> {
    let zero = || Value::from(0_i64);
    vec![id.into(), zero(), zero(), zero(), zero()]
}

fn search(id: CustomerId, name: &str, employer: Option<&str>) -> Vec<Value> {
    vec![
        id.into(),
        index_tokens(name).into(),
        index_tokens(employer.unwrap_or_default()).into(),
    ]
}

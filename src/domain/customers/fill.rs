//! Whole files of many customers at once: made, or filled in.
//!
//! Called by the import of another system's file of customers, inside its transaction, with rows that were read under
//! the customers' locks. Writes no events and no audit entries: whoever brings thousands in leaves one entry for all of
//! them. What a batch holds is written as it is; what may be overwritten is decided by the caller.

use super::bulk::{CONSENT, CONTACT_POINT, TOTAL, total};
use super::{bulk, contacts, matching};
use crate::db::{Batch, Table};
use entity::ids::{CustomerId, NoteId};
use entity::values::index_tokens;
use entity::{consent, contact_point, customer, customer_note};
use sea_orm::sea_query::Value;

/// A file with all that an import may fill in: the row of a known customer becomes the update.
static FILE: Table = Table {
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
        ("address", "jsonb"),
        ("employer", "text"),
        ("position", "text"),
        ("occupation", "text"),
        ("acquisition_source", "text"),
        ("referred_by_id", "uuid"),
        ("gift_from_id", "uuid"),
        ("keeper_id", "uuid"),
        ("home_store_id", "uuid"),
        ("importance", "text"),
        ("version", "bigint"),
        ("created_at", "timestamptz"),
        ("updated_at", "timestamptz"),
        ("match_key", "text"),
    ],
    conflict: "on conflict (id) do update set kind = excluded.kind, full_name = excluded.full_name, \
        name_key = excluded.name_key, salutation = excluded.salutation, gender = excluded.gender, \
        birth_date = excluded.birth_date, language = excluded.language, region_name = excluded.region_name, \
        address = excluded.address, employer = excluded.employer, position = excluded.position, \
        occupation = excluded.occupation, acquisition_source = excluded.acquisition_source, \
        referred_by_id = excluded.referred_by_id, gift_from_id = excluded.gift_from_id, \
        keeper_id = excluded.keeper_id, home_store_id = excluded.home_store_id, importance = excluded.importance, \
        version = excluded.version, updated_at = excluded.updated_at, match_key = excluded.match_key",
};

static SEARCH: Table = Table {
    name: "customer_search",
    columns: &[
        ("customer_id", "uuid"),
        ("name", "text"),
        ("employer", "text"),
    ],
    conflict: "on conflict (customer_id) do update set name = excluded.name, employer = excluded.employer",
};

/// What another system calls somebody who is new: if somebody else has brought them meanwhile, that is no update.
static NEW_REFERENCE: Table = Table {
    name: "customer_reference",
    columns: &[
        ("source", "text"),
        ("external_id", "text"),
        ("customer_id", "uuid"),
        ("version", "bigint"),
    ],
    conflict: "",
};

static REFERENCE: Table = Table {
    name: "customer_reference",
    columns: &[
        ("source", "text"),
        ("external_id", "text"),
        ("customer_id", "uuid"),
        ("version", "bigint"),
    ],
    conflict: "on conflict (source, external_id) do update set version = excluded.version",
};

static NOTE: Table = Table {
    name: "customer_note",
    columns: &[
        ("id", "uuid"),
        ("customer_id", "uuid"),
        ("author_id", "uuid"),
        ("text", "text"),
        ("written_at", "timestamptz"),
    ],
    conflict: "",
};

/// Adds files to a batch: with the version that they are to have.
pub fn files<'a>(batch: &mut Batch, rows: impl IntoIterator<Item = &'a customer::Model>) {
    batch.insert(&FILE, rows.into_iter().map(values));
}

/// Adds what every new customer has beside the file: totals.
pub fn totals(batch: &mut Batch, customers: impl IntoIterator<Item = CustomerId>) {
    batch.insert(&TOTAL, customers.into_iter().map(total));
}

/// Adds what these customers are found by.
pub fn searches<'a>(batch: &mut Batch, rows: impl IntoIterator<Item = &'a customer::Model>) {
    batch.insert(
        &SEARCH,
        rows.into_iter().map(|row| {
            vec![
                row.id.into(),
                index_tokens(&row.full_name).into(),
                index_tokens(row.employer.as_deref().unwrap_or_default()).into(),
            ]
        }),
    );
}

/// What another system calls a customer.
#[derive(Clone, Debug)]
pub struct Reference {
    /// The system.
    pub source: String,
    /// Its number for the customer.
    pub number: String,
    /// The customer.
    pub id: CustomerId,
    /// The version in which the system's file of customers leaves theirs.
    pub version: i64,
    /// Does it name them for the first time?
    pub is_new: bool,
}

/// Adds what another system calls customers.
pub fn references(batch: &mut Batch, rows: impl IntoIterator<Item = Reference>) {
    for row in rows {
        let table = if row.is_new {
            &NEW_REFERENCE
        } else {
            &REFERENCE
        };
        batch.insert(
            table,
            [vec![
                row.source.into(),
                row.number.into(),
                row.id.into(),
                row.version.into(),
            ]],
        );
    }
}

/// Adds contact points; none of them is there already.
pub fn contact_points<'a>(
    batch: &mut Batch,
    rows: impl IntoIterator<Item = &'a contact_point::Model>,
) {
    batch.insert(&CONTACT_POINT, rows.into_iter().map(contacts::values));
}

/// Adds statements of consent.
pub fn consents<'a>(batch: &mut Batch, rows: impl IntoIterator<Item = &'a consent::Model>) {
    batch.insert(&CONSENT, rows.into_iter().map(bulk::consent_values));
}

/// Adds notes.
pub fn notes<'a>(batch: &mut Batch, rows: impl IntoIterator<Item = &'a customer_note::Model>) {
    batch.insert(
        &NOTE,
        rows.into_iter().map(|row| {
            vec![
                NoteId::new().into(),
                row.customer_id.into(),
                row.author_id.into(),
                row.text.clone().into(),
                row.written_at.into(),
            ]
        }),
    );
}

fn values(row: &customer::Model) -> Vec<Value> {
    vec![
        row.id.into(),
        row.kind.into(),
        row.full_name.clone().into(),
        row.name_key.clone().into(),
        row.salutation.clone().into(),
        row.gender.into(),
        row.birth_date.clone().into(),
        row.language.clone().into(),
        row.region_name.clone().into(),
        row.address.clone().into(),
        row.employer.clone().into(),
        row.position.clone().into(),
        row.occupation.clone().into(),
        row.acquisition_source.into(),
        row.referred_by_id.into(),
        row.gift_from_id.into(),
        row.keeper_id.into(),
        row.home_store_id.into(),
        row.importance.into(),
        row.version.into(),
        row.created_at.into(),
        row.updated_at.into(),
        // Computed here, so that no caller can leave it behind the name.
        matching::key(&row.full_name, row.birth_date.as_deref()).into(),
    ]
}

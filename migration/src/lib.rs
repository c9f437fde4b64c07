//! The schema's changes, forward and back, on both engines.
//!
//! Called by `regulars migrate`, by `serve` on the embedded engine and by the tests; nothing else may
//! import this crate, and it never imports `entity`: a change must mean the same in ten years, whatever
//! the program's types have become.
//!
//! Upgrades roll: several nodes may run while the schema changes, so every change names the oldest
//! program that can still run on it ([`Change::oldest_program`]) and leaves that number in the database.
//! A program compares it with its own [`PROGRAM_LEVEL`] and refuses to start when it is too old.

use sea_orm_migration::{MigrationTrait, prelude::async_trait};
pub use sea_orm_migration::{MigratorTrait, sea_orm};

mod m0001_organization;
mod m0002_access;
mod m0003_events_and_jobs;
mod m0004_customers;
mod m0005_cards;
mod m0006_visits;
mod m0007_catalog;
mod m0008_moving_in;
mod m0009_merge_and_erasure;
mod m0010_transfers;
mod m0011_groups;
mod m0012_attributes;
mod m0013_completeness;
mod m0014_arrivals;
mod m0015_documents;
mod m0016_clients;
mod m0017_oidc;
mod m0018_budgets;
mod m0019_webhooks;
mod sql;

pub use sql::{Change, Step};

/// What this program calls itself when it asks whether it may run on a schema: the number of the newest
/// change that it knows.
pub const PROGRAM_LEVEL: i32 = 19;

/// All changes, in the order in which they are made.
pub const CHANGES: [&Change; 19] = [
    &m0001_organization::CHANGE,
    &m0002_access::CHANGE,
    &m0003_events_and_jobs::CHANGE,
    &m0004_customers::CHANGE,
    &m0005_cards::CHANGE,
    &m0006_visits::CHANGE,
    &m0007_catalog::CHANGE,
    &m0008_moving_in::CHANGE,
    &m0009_merge_and_erasure::CHANGE,
    &m0010_transfers::CHANGE,
    &m0011_groups::CHANGE,
    &m0012_attributes::CHANGE,
    &m0013_completeness::CHANGE,
    &m0014_arrivals::CHANGE,
    &m0015_documents::CHANGE,
    &m0016_clients::CHANGE,
    &m0017_oidc::CHANGE,
    &m0018_budgets::CHANGE,
    &m0019_webhooks::CHANGE,
];

/// Hands the changes to SeaORM's migrator, which remembers the ones that were made.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        CHANGES
            .iter()
            .map(|change| Box::new(sql::Applied(change)) as Box<dyn MigrationTrait>)
            .collect()
    }
}

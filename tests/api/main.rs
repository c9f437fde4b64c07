//! The whole program, black-box over real HTTP: one binary, one file a topic.
//!
//! Runs on SQLite, or with `REGULARS_TEST_ENGINE=postgres` on a PostgreSQL server whose address with the right to make
//! databases is in `REGULARS_TEST_POSTGRES`. Helpers act through the API and the commands, never on the database.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, and its helpers are no exception"
)]

mod support;

mod access;
mod announced_visits;
mod arrivals;
mod attributes;
mod backup;
mod breakages;
mod budget;
mod catalog;
mod client_access;
mod client_sight;
mod clients;
mod commands;
mod company_sign_in;
mod completeness;
mod consistency;
mod counter;
mod database_away;
mod demo;
mod deploy;
mod doctor;
mod documents;
mod enquiries;
mod export;
mod full_disk;
mod groups;
mod health;
mod identity;
mod killed;
mod layers;
mod limits;
mod lists;
mod live;
mod migrations;
mod moving_in;
mod moving_in_bad;
mod moving_in_erased;
mod moving_in_files;
mod moving_in_order;
mod moving_in_out;
mod oauth;
mod own_stores;
mod schema;
mod session;
mod stale;
mod traces;
mod transfers;
mod transport;
mod uploads;
mod webhooks;

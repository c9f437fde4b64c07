//! The whole program, black-box over real HTTP: one binary, one file a topic.
//!
//! Runs on SQLite, or with `REGULARS_TEST_ENGINE=postgres` on a PostgreSQL server whose address with the right to make
//! databases is in `REGULARS_TEST_POSTGRES`. Helpers act through the API and the commands, never on the database.

mod support;

mod access;
mod health;
mod layers;
mod limits;
mod lists;
mod migrations;
mod schema;
mod session;
mod transport;

//! regulars: a GraphQL backend for shops that live from customers who come back.
//!
//! Modules import downward only, which `tests/api/layers.rs` proves:
//! `cli > app > http > graphql > domain > {jobs, events, channels} > access > db > error > entity`. [`config`] is a leaf
//! that only `app` and `cli` read, [`intake`] and [`spans`] import nothing of ours; the crate `migration` is for `app`, `cli` and tests.

pub mod access;
pub mod app;
pub mod channels;
pub mod cli;
pub mod config;
pub mod db;
pub mod demo;
pub mod domain;
pub mod error;
pub mod events;
pub mod graphql;
pub mod http;
pub mod intake;
pub mod jobs;
pub mod spans;
#[cfg(test)]
mod testing;

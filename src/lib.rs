//! regulars: a GraphQL backend for shops that live from customers who come back.

pub mod access;
pub mod app;
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
#[cfg(test)]
mod testing;

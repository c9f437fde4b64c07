//! The API: GraphQL types and resolvers over the services of `domain`.
//!
//! Types refer to each other in circles (a customer has cards, a card has a customer), so they stand apart
//! from the services, here, the one place where that is allowed. Resolvers translate and nothing else: they
//! never ask the database, and never decide who may do what.

pub mod context;
pub mod gate;
pub mod idempotency;
pub mod identity;
pub mod ids;
pub mod loaders;
pub mod node;
pub mod page;
pub mod patch;
pub mod payload;
pub mod root;
pub mod scalars;
pub mod sort;

pub mod attributes;
pub mod cards;
pub mod catalog;
pub mod clients;
pub mod customers;
pub mod groups;
pub mod live;
pub mod operations;
pub mod organization;
pub mod sheets;
pub mod transfers;
pub mod visits;
pub mod webhooks;

//! Commands.

pub mod first_store;
pub mod import;

//! Commands.

pub mod first_store;
pub mod import;
pub mod staff;

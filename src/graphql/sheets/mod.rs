//! The API of sheets: what to know of a customer at a moment.

mod arrival;
mod loader;

pub use arrival::{ArrivalSheet, sheet_of};

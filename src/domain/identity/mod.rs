//! One person, one file: duplicates and merges (rule C8), what a customer may take along, and being forgotten (rule C9).
//!
//! Called by the API. This is the one topic that knows every table in which something of a customer stands ([`tables`]); it
//! stands above all others for that, and none of them knows it. Each topic moves its own rows; here they are called in
//! order, in one transaction under the locks of all customers concerned.

pub mod duplicates;
pub mod erase;
pub mod export;
mod export_visits;
mod locks;
pub mod merge;
pub mod merges;
pub mod tables;
mod undo;

pub use undo::undo;

#[cfg(test)]
mod tests;

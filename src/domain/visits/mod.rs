//! Visits and purchases (rules V1 to V3).
//!
//! [`booking`] computes what a visit writes, from facts that were read under the customer's lock; [`record`]
//! is the service behind `visitRecord`, and [`receipt`] what it is told; [`history`] books many rows of another system's history at once;
//! [`lookup`] reads.

pub mod booking;
mod chronology;
pub mod facts;
mod gather;
pub mod history;
pub mod import;
pub mod lookup;
pub mod receipt;
pub mod record;
mod returns;
mod sift;
pub mod walk;

#[cfg(test)]
mod tests;

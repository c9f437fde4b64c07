//! Visits and purchases (rules V1 to V3).
//!
//! [`booking`] computes what a visit writes, from facts that were read under the customer's lock; [`record`]
//! is the service behind `visitRecord`, and [`receipt`] what it is told; [`history`] books many rows of another system's history at once;
//! [`arrivals`] says that a customer is here, [`announced`] that one is expected ([`expected`]), and [`enquiries`] keeps what was said in a
//! chat; [`who`] finds and locks whoever came. [`lookup`] reads; [`recount`] adds a customer's visits up anew when some of them have become another customer's.

pub mod announced;
pub mod arrivals;
pub mod booking;
mod chronology;
pub mod enquiries;
pub mod expected;
pub mod facts;
mod gather;
pub mod history;
pub mod import;
pub mod lookup;
pub mod merging;
pub mod receipt;
pub mod record;
pub mod recount;
mod returns;
mod sift;
pub mod walk;
pub mod who;

pub use sift::{erased_among, erased_name};

#[cfg(test)]
mod tests;

//! Programmes with their ladders of tiers, memberships, cards (rules M1 to M3).
//!
//! Called by the API, by the recording of visits (a purchase moves a tier) and by the daily job that lets
//! cards expire. Money only enters here as thresholds and as the figures behind a change of tier.

pub mod arrivals;
pub mod bulk;
pub mod ending;
pub mod expiry;
pub mod holders;
pub mod issue;
pub mod ladder;
pub mod lookup;
pub mod memberships;
pub mod merging;
pub mod programmes;
pub mod tiering;
pub mod walk;

pub use ladder::{Ladder, Rung};

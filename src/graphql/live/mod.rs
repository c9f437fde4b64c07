//! Subscriptions: what happens, told as it happens.
//!
//! A subscription follows the outbox by position ([`crate::events::EventHub`]). Each event is a request of its own: with
//! the one who asks as they stand now, with loaders of its own, with its own entries in the audit log. So whoever loses a
//! role or a customer from sight hears nothing more of it, and whoever is signed out hears nothing more at all. The
//! transports in `http` carry what comes of it.

mod object;
mod present;
mod stream;
mod subscription;

pub use present::{Gone, Live, PerEvent, Present, Viewers};
pub use subscription::{EventsQuery, LiveSubscription};

//! Webhooks: clients are told of events as they happen, at addresses of their own, by the specification Standard Webhooks.
//!
//! Called by `graphql/webhooks` ([`hooks`], [`secrets`], [`deliveries`], [`list`]) and by `app`, which runs the
//! [`Teller`] over the outbox and the [`worker`] beside the requests. A message says what has happened and to what, by
//! ids alone: whoever gets it asks the API, with rights of its own. What a client may not see it is not told either; that
//! is looked at when the event is put in line, and again before each try.

mod attempt;
pub mod deliveries;
pub mod hooks;
mod kinds;
pub mod list;
mod message;
mod queue;
mod rights;
pub mod secrets;
mod teller;
pub mod worker;

pub use kinds::{EVENT_KINDS, EventKind, Subject, TEST};
pub use message::GlobalIds;
pub use teller::Teller;

use crate::channels::Targets;

/// What an operator has said about webhooks.
#[derive(Clone, Copy, Debug, Default)]
pub struct WebhookSettings {
    /// Where messages may go.
    pub targets: Targets,
}

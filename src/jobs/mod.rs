//! The job queue: work that is asked for inside a transaction and done after it, by any node.
//!
//! Called by the services of `domain` ([`enqueue`]), by `app` ([`Registry`], [`Schedule`], [`start`]) and by
//! `graphql` ([`list`]). The queue is a table: a job exists if and only if the change that asked for it was
//! committed. A job is begun at least once: it carries ids only, and may run twice. Nothing here knows what a
//! job does.

mod claims;
mod job;
pub mod list;
mod registry;
pub mod retention;
mod running;
mod schedule;
#[cfg(test)]
mod tests;
mod worker;

pub use job::{Job, JobContext, NewJob, enqueue};
pub use registry::Registry;
pub use running::{Jobs, start};
pub use schedule::Schedule;
pub use worker::{Jitter, JobSettings, Worker};

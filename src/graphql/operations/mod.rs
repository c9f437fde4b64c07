//! The API of what keeps the program running: the audit log and the job queue, for administrators.

mod input;
mod loader;
mod mutation;
mod object;
mod query;
#[cfg(test)]
mod tests;

pub use input::{AuditEntryFilter, AuditEntryOrder, JobFilter, JobOrder, JobRetryInput};
pub use loader::CustomersOf;
pub use mutation::{JobRetryPayload, OperationsMutation};
pub use object::{
    ActorKind, AuditEntry, AuditEntryConnection, AuditEntryEdge, Job, JobConnection, JobEdge,
    JobState,
};
pub use query::OperationsQuery;

//! Audit entries and jobs as the API shows them.

use super::loader::CustomersOf;
use crate::access::{Ctx, audit_log};
use crate::error::Result;
use crate::graphql::ids::GlobalKey;
use crate::graphql::loaders::{batch, report_shared};
use crate::graphql::scalars::DateTime;
use crate::jobs;
use async_graphql::{Context, Enum, ID, Json, Object};
use entity::ids::{ClientId, JobId, StaffId};
use entity::{audit_entry, job};

/// What kind of actor did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::ActorKind")]
pub enum ActorKind {
    /// A member of staff.
    Staff,
    /// A third-party program.
    Client,
    /// The program itself: a job, or a command given on the machine.
    System,
    /// Nobody known, such as a sign-in that failed.
    Anonymous,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::JobState")]
pub enum JobState {
    /// Waits for its time.
    Queued,
    /// Is being run.
    Running,
    /// Has run.
    Done,
    /// Has failed as often as it may, and waits for a person.
    Dead,
}

/// Who did or read what, when, and from where. Every change of customer data and every request that reads
/// contact details in full leaves one.
#[derive(Clone, Debug)]
pub struct AuditEntry(pub audit_entry::Model);

/// Who did or read what, when, and from where. Every change of customer data and every request that reads
/// contact details in full leaves one.
#[Object]
impl AuditEntry {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// When it happened.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }

    /// What kind of actor did it.
    async fn actor_kind(&self) -> ActorKind {
        self.0.actor_kind.into()
    }

    /// The global id of the member of staff or the client that did it; null for the program itself and for nobody known.
    async fn actor(&self) -> Option<ID> {
        let actor = self.0.actor_id?;
        Some(match self.0.actor_kind {
            entity::enums::ActorKind::Client => ClientId(actor).global(),
            _ => StaffId(actor).global(),
        })
    }

    /// What was done, such as `customer.read_contact` or `card.issue`.
    async fn action(&self) -> &str {
        &self.0.action
    }

    /// The network address from which it was done; null for jobs and commands.
    async fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// The request in which it was done, as in the log and in the answer's header.
    async fn request_id(&self) -> String {
        self.0.request_id.to_string()
    }

    /// How many customers it concerns.
    async fn customer_count(&self) -> i32 {
        self.0.customer_count
    }

    /// The global ids of the customers it concerns: 100 of them when there are more.
    async fn customer_ids(&self, context: &Context<'_>) -> async_graphql::Result<Vec<ID>> {
        if self.0.customer_count == 0 {
            return Ok(Vec::new());
        }
        let customers = batch(context)?
            .load_one(CustomersOf(self.0.id))
            .await
            .map_err(|error| report_shared(context, error))?;
        Ok(customers
            .unwrap_or_default()
            .into_iter()
            .map(GlobalKey::global)
            .collect())
    }

    /// What else is known about it: ids and names of fields, never personal values.
    async fn detail(&self) -> Json<&serde_json::Value> {
        Json(&self.0.detail)
    }
}

/// Work that the program does on its own.
#[derive(Clone, Debug)]
pub struct Job(pub job::Model);

/// Work that the program does on its own.
#[Object]
impl Job {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// What kind of work, such as `retention.forget`.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Where it stands.
    async fn state(&self) -> JobState {
        self.0.state.into()
    }

    /// How often it was begun.
    async fn attempts(&self) -> i32 {
        self.0.attempts
    }

    /// How often it may be begun before it is given up.
    async fn max_attempts(&self) -> i32 {
        self.0.max_attempts
    }

    /// Not begun before this moment; after a failure, when it is tried again.
    async fn run_at(&self) -> DateTime {
        self.0.run_at.into()
    }

    /// What went wrong last, with the id of the request under which the log has the cause; null when nothing did.
    async fn last_error(&self) -> Option<&str> {
        self.0.last_error.as_deref()
    }

    /// When it was asked for.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it was done or given up; null while it waits or runs.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime::from)
    }
}

/// The `totalCount` of audit entries.
#[derive(Clone, Debug)]
pub struct AuditTotal(pub audit_log::AuditFilter);

impl AuditTotal {
    async fn count(&self, ctx: &Ctx) -> Result<u64> {
        audit_log::count(ctx, &self.0).await
    }
}

/// The `totalCount` of jobs.
#[derive(Clone, Debug)]
pub struct JobTotal(pub jobs::list::JobFilter);

impl JobTotal {
    async fn count(&self, ctx: &Ctx) -> Result<u64> {
        jobs::list::count(ctx, &self.0).await
    }
}

crate::graphql::page::connection!(
    AuditEntryConnection,
    AuditEntryEdge,
    AuditEntry,
    AuditTotal,
    "A page of the audit log.",
    "An audit entry in a list."
);

crate::graphql::page::connection!(
    JobConnection,
    JobEdge,
    Job,
    JobTotal,
    "A page of jobs.",
    "A job in a list."
);

/// Reads the id of a job, an unreadable one as that of a job that does not exist.
pub(super) fn job_id(id: &ID) -> Result<JobId> {
    JobId::parse(id).ok_or_else(|| crate::error::Error::not_found("id", "job"))
}

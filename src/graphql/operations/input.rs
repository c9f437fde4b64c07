//! Filters, orders and inputs of the audit log and the job queue.

use super::object::JobState;
use crate::access::audit_log;
use crate::db::Sort;
use crate::error::{Error, Result};
use crate::graphql::ids::GlobalKey;
use crate::graphql::scalars::DateTime;
use crate::jobs;
use async_graphql::{Enum, ID, InputObject};
use entity::ids::{ClientId, CustomerId, StaffId};
use uuid::Uuid;

/// Which audit entries; conditions that are left out let everything pass.
#[derive(Clone, Debug, Default, InputObject)]
pub struct AuditEntryFilter {
    /// Only entries that concern this customer.
    pub customer: Option<ID>,
    /// Only what this member of staff, or this client, did.
    pub actor: Option<ID>,
    /// Only this action, such as `customer.read_contact`.
    pub action: Option<String>,
    /// Not before this moment.
    pub since: Option<DateTime>,
    /// Before this moment.
    pub until: Option<DateTime>,
}

/// The longest word that is looked for: nothing that is written down is longer.
const LONGEST_WORD: usize = 200;

impl AuditEntryFilter {
    /// What the service is asked. An id that is none of a customer, of staff or of a client is one of somebody who never did
    /// anything.
    pub(super) fn read(self) -> Result<audit_log::AuditFilter> {
        Ok(audit_log::AuditFilter {
            customer: self
                .customer
                .map(|id| CustomerId::parse(&id).unwrap_or(CustomerId(Uuid::nil()))),
            actor: self.actor.map(|id| {
                let staff = StaffId::parse(&id).map(Uuid::from);
                let client = || ClientId::parse(&id).map(Uuid::from);
                staff.or_else(client).unwrap_or_default()
            }),
            action: self
                .action
                .map(|action| word("filter.action", action))
                .transpose()?,
            since: self.since.map(|at| at.0),
            until: self.until.map(|at| at.0),
        })
    }
}

/// The order of audit entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub enum AuditEntryOrder {
    /// The latest first.
    #[default]
    NewestFirst,
    /// The earliest first.
    OldestFirst,
}

impl From<AuditEntryOrder> for Sort {
    fn from(order: AuditEntryOrder) -> Self {
        match order {
            AuditEntryOrder::NewestFirst => Self::Descending,
            AuditEntryOrder::OldestFirst => Self::Ascending,
        }
    }
}

/// Which jobs; conditions that are left out let everything pass.
#[derive(Clone, Debug, Default, InputObject)]
pub struct JobFilter {
    /// Only jobs that stand there.
    pub state: Option<JobState>,
    /// Only jobs of this kind, such as `retention.forget`.
    pub name: Option<String>,
}

impl JobFilter {
    /// What the service is asked.
    pub(super) fn read(self) -> Result<jobs::list::JobFilter> {
        Ok(jobs::list::JobFilter {
            state: self.state.map(Into::into),
            name: self
                .name
                .map(|name| word("filter.name", name))
                .transpose()?,
        })
    }
}

/// The order of jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub enum JobOrder {
    /// Those that were asked for last first.
    #[default]
    NewestFirst,
    /// Those that were asked for first first.
    OldestFirst,
}

impl From<JobOrder> for Sort {
    fn from(order: JobOrder) -> Self {
        match order {
            JobOrder::NewestFirst => Self::Descending,
            JobOrder::OldestFirst => Self::Ascending,
        }
    }
}

/// A word to look for: a NUL is refused by one engine and not by the other, so it is refused here.
fn word(field: &'static str, text: String) -> Result<String> {
    if text.len() > LONGEST_WORD || text.chars().any(char::is_control) {
        return Err(Error::BadRequest(
            format!("{field} has at most {LONGEST_WORD} bytes and no control characters").into(),
        ));
    }
    Ok(text)
}

/// Which job is run again.
#[derive(Clone, Debug, InputObject)]
pub struct JobRetryInput {
    /// The job's global id.
    pub id: ID,
}

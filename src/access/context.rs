//! What every service is handed first: the database, who asks, what time it is, which request this is.

use super::audit::ReadTrail;
use super::{Memory, Secrets, Seen, Viewer};
use crate::db::Db;
use crate::error::Result;
use chrono::{DateTime, Utc};
use entity::values::Clock;
use std::net::IpAddr;
use std::sync::Arc;
use uuid::Uuid;

/// The first argument of every service.
#[derive(Clone)]
pub struct Ctx {
    /// The database.
    pub db: Db,
    /// Who asks.
    pub viewer: Viewer,
    /// The time, handed in.
    pub clock: Arc<dyn Clock>,
    /// Which request this is and where it comes from.
    pub origin: Origin,
    /// The keys derived from the configured secret.
    pub secrets: Arc<Secrets>,
    /// Whose contact details this request has shown in full.
    pub reads: ReadTrail,
    /// Whom this request has found to be in sight.
    pub seen: Seen,
    /// What topics remember in this process; shared by all requests of one running program.
    pub memory: Memory,
}

/// Where a request comes from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The request, as in the log and the answer's header.
    pub request_id: Uuid,
    /// The caller's network address; none for jobs and commands.
    pub address: Option<IpAddr>,
    /// The program the caller uses, cut to 200 characters.
    pub user_agent: Option<String>,
}

/// What one household or machine can easily have many of counts as one: the /64 of IPv6.
pub fn network(address: IpAddr) -> Vec<u8> {
    match address.to_canonical() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().into_iter().take(8).collect(),
    }
}

impl Origin {
    /// The origin of a job or a command: a fresh request id and no address.
    pub fn internal() -> Self {
        Self {
            request_id: Uuid::now_v7(),
            address: None,
            user_agent: None,
        }
    }
}

impl std::fmt::Debug for Ctx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ctx")
            .field("viewer", &self.viewer)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl Ctx {
    /// A context for the program itself: jobs and commands.
    pub fn system(db: Db, clock: Arc<dyn Clock>, secrets: Arc<Secrets>) -> Self {
        Self {
            db,
            viewer: Viewer::System,
            clock,
            origin: Origin::internal(),
            secrets,
            reads: ReadTrail::default(),
            seen: Seen::default(),
            memory: Memory::default(),
        }
    }

    /// The context of one request: the same program, another viewer, nothing read yet.
    #[must_use]
    pub fn for_request(&self, viewer: Viewer, origin: Origin) -> Self {
        Self {
            viewer,
            origin,
            reads: ReadTrail::default(),
            seen: Seen::default(),
            ..self.clone()
        }
    }

    /// The same for a query, which changes nothing that decides who is in sight.
    #[must_use]
    pub fn for_query(self) -> Self {
        Self {
            seen: Seen::of_query(),
            ..self
        }
    }

    /// The time, to the microsecond.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Asks the policy; see [`Viewer::require`].
    ///
    /// # Errors
    /// As [`Viewer::require`].
    pub fn require(&self, action: super::Action) -> Result<()> {
        self.viewer.require(action)
    }
}

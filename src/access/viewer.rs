//! The one on whose behalf a request, a job or a command runs.

use crate::access::ClientViewer;
use crate::access::policy::{self, Action};
use crate::error::{Error, Result};
use entity::enums::{ActorKind, Role};
use entity::ids::{RegionId, SessionId, StaffId, StoreId};
use std::sync::Arc;
use uuid::Uuid;

/// Who acts.
#[derive(Clone, Debug)]
pub enum Viewer {
    /// Nobody is signed in.
    Anonymous,
    /// A member of staff.
    Staff(Arc<StaffViewer>),
    /// A third-party program: a storefront, a till, a connector.
    Client(Arc<ClientViewer>),
    /// The program itself: a job, a command given on the machine. It may do everything, and what it does is
    /// written down like everyone's.
    System,
}

/// A member of staff with what they hold, as of their last change.
#[derive(Debug)]
pub struct StaffViewer {
    /// Who.
    pub id: StaffId,
    /// The sign-in by which they came.
    pub session: SessionId,
    /// Their roles.
    pub grants: Vec<Grant>,
}

/// A role and where it is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// Where.
    pub place: Place,
}

/// Where a role is held, or a client's scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// In the whole company.
    Company,
    /// In all stores of a region, those opened later included.
    Region(RegionId),
    /// In one store.
    Store(StoreId),
}

impl Place {
    /// The place as tables keep it: a region, a store, or neither for the whole company.
    pub fn columns(self) -> (Option<RegionId>, Option<StoreId>) {
        match self {
            Self::Company => (None, None),
            Self::Region(id) => (Some(id), None),
            Self::Store(id) => (None, Some(id)),
        }
    }

    /// The place that a table keeps.
    pub fn of_columns(region: Option<RegionId>, store: Option<StoreId>) -> Self {
        match (region, store) {
            (_, Some(store)) => Self::Store(store),
            (Some(region), None) => Self::Region(region),
            (None, None) => Self::Company,
        }
    }
}

impl Viewer {
    /// The signed-in member of staff.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in, [`Error::Forbidden`] for programs, ours and others'.
    pub fn staff(&self) -> Result<&StaffViewer> {
        match self {
            Self::Staff(staff) => Ok(staff),
            Self::Anonymous => Err(Error::Unauthenticated),
            Self::Client(_) | Self::System => Err(Error::Forbidden),
        }
    }

    /// The id of the signed-in member of staff, if it is one: for columns such as "noted by".
    pub fn staff_id(&self) -> Option<StaffId> {
        match self {
            Self::Staff(staff) => Some(staff.id),
            _ => None,
        }
    }

    /// Asks the policy whether this may be done at all, wherever.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when nobody is signed in, [`Error::Forbidden`] when no role and no scope allows it.
    pub fn require(&self, action: Action) -> Result<()> {
        match self {
            Self::Anonymous => Err(Error::Unauthenticated),
            _ if self.may(action) => Ok(()),
            _ => Err(Error::Forbidden),
        }
    }

    /// Does any role or scope allow this, wherever?
    pub fn may(&self, action: Action) -> bool {
        match self {
            Self::Anonymous => false,
            Self::System => true,
            Self::Staff(staff) => staff
                .grants
                .iter()
                .any(|grant| policy::allows(action, grant.role)),
            Self::Client(client) => client.scopes.allow(action),
        }
    }

    /// The places in which some role or scope allows this; none for the program itself, which is bound to no place.
    pub fn places(&self, action: Action) -> impl Iterator<Item = Place> {
        let grants = match self {
            Self::Staff(staff) => staff.grants.as_slice(),
            _ => &[],
        };
        let places = match self {
            // Its scopes hold in all of its places alike.
            Self::Client(client) if client.scopes.allow(action) => client.places.as_slice(),
            _ => &[],
        };
        grants
            .iter()
            .filter(move |grant| policy::allows(action, grant.role))
            .map(|grant| grant.place)
            .chain(places.iter().copied())
    }

    /// What kind of actor this is, for the audit log and the outbox.
    pub fn actor_kind(&self) -> ActorKind {
        match self {
            Self::Anonymous => ActorKind::Anonymous,
            Self::Staff(_) => ActorKind::Staff,
            Self::Client(_) => ActorKind::Client,
            Self::System => ActorKind::System,
        }
    }

    /// Which actor this is, for the audit log and the outbox.
    pub fn actor_id(&self) -> Option<Uuid> {
        match self {
            Self::Staff(staff) => Some(staff.id.into()),
            Self::Client(client) => Some(client.id.into()),
            Self::Anonymous | Self::System => None,
        }
    }

    /// The name under which idempotency keys are remembered: keys of different callers never meet.
    pub fn caller(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::System => "system".to_owned(),
            Self::Staff(staff) => format!("staff:{}", staff.id),
            Self::Client(client) => format!("client:{}", client.id),
        }
    }
}

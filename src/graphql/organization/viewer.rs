//! Who am I, and what may I do.

use super::object::{Staff, StaffGrant};
use super::session::Session;
use crate::access::{Action, policy::POLICY};
use crate::domain::organization::{client_list, sessions, staff_list};
use crate::error::Error;
use crate::graphql::clients::Client;
use crate::graphql::context::{Reported, ctx};
use async_graphql::{Context, Enum, Object};

/// What kind of caller somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ViewerKind {
    /// A member of staff.
    Staff,
    /// A third-party program.
    Client,
    /// The program itself.
    System,
}

/// The one who asks: who they are and what they may do.
#[derive(Clone, Copy, Debug)]
pub struct Viewer;

/// The one who asks: who they are and what they may do.
#[Object]
impl Viewer {
    /// What kind of caller it is.
    async fn kind(&self, context: &Context<'_>) -> async_graphql::Result<ViewerKind> {
        use crate::access::Viewer as Caller;
        Ok(match ctx(context)?.viewer {
            Caller::Staff(_) => ViewerKind::Staff,
            Caller::Client(_) => ViewerKind::Client,
            Caller::System | Caller::Anonymous => ViewerKind::System,
        })
    }

    /// The member of staff; null for other kinds of callers.
    async fn staff(&self, context: &Context<'_>) -> async_graphql::Result<Option<Staff>> {
        let ctx = ctx(context)?;
        let Some(id) = ctx.viewer.staff_id() else {
            return Ok(None);
        };
        let found = staff_list::by_id(ctx, id).await.reported(context)?;
        Ok(found.map(Staff))
    }

    /// The client; null for other kinds of callers. Its token may allow less than its scopes: see `permissions`.
    async fn client(&self, context: &Context<'_>) -> async_graphql::Result<Option<Client>> {
        let found = client_list::own(ctx(context)?).await.reported(context)?;
        Ok(found.map(Client))
    }

    /// Their roles and where they hold them; none for other kinds of callers than staff.
    async fn roles(&self, context: &Context<'_>) -> async_graphql::Result<Vec<StaffGrant>> {
        Ok(match &ctx(context)?.viewer {
            crate::access::Viewer::Staff(staff) => {
                staff.grants.iter().cloned().map(StaffGrant).collect()
            }
            _ => Vec::new(),
        })
    }

    /// What they may do at all; where, is a matter of the stores that their roles are held for.
    async fn permissions(&self, context: &Context<'_>) -> async_graphql::Result<Vec<Action>> {
        let viewer = &ctx(context)?.viewer;
        let actions = POLICY.iter().map(|(action, _)| *action);
        Ok(actions.filter(|action| viewer.may(*action)).collect())
    }

    /// Their sessions that go on, newest first, at most 100.
    async fn sessions(&self, context: &Context<'_>) -> async_graphql::Result<Vec<Session>> {
        let ctx = ctx(context)?;
        if ctx.viewer.staff_id().is_none() {
            return Ok(Vec::new());
        }
        let rows = sessions::own(ctx).await.reported(context)?;
        Ok(rows.into_iter().map(Session).collect())
    }
}

impl Viewer {
    /// The viewer of a request.
    pub(super) fn of(ctx: &crate::access::Ctx) -> crate::error::Result<Self> {
        match ctx.viewer {
            crate::access::Viewer::Anonymous => Err(Error::Unauthenticated),
            _ => Ok(Self),
        }
    }
}

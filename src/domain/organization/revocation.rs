//! Who may no longer come in, known on every node within two seconds.
//!
//! A change of access is a row of `access_change`, written in the transaction of the change ([`record`]) and
//! applied here at once ([`apply`]); every node reads the rows each second. The database is the truth: what a
//! row does is to make the nodes forget what they remember of a session, so that they read it anew. A node
//! that cannot read the rows lets nobody in.
//!
//! Changes of clients are rows of `client_change` ([`record_client`], [`apply_client`]), read by the same poll.

use super::SignInSettings;
use super::client_tokens::KnownClient;
use crate::access::{Ctx, StaffViewer};
use crate::error::Result;
use chrono::TimeDelta;
use entity::enums::AccessChangeKind;
use entity::ids::{ClientId, ClientSecretId, SessionId, StaffId};
use entity::{access_change, client_change};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How often the rows are read.
pub const POLL: Duration = Duration::from_secs(1);
/// After so long without a successful read nobody is let in by what is remembered.
const STALE: Duration = Duration::from_secs(3);
/// After so long without one, everything is forgotten: rows may have come and gone in the meantime.
const LOST: Duration = Duration::from_secs(60);
/// How long a row stays beyond the life of the tokens that it concerns.
const MARGIN: TimeDelta = TimeDelta::minutes(10);
/// Sessions remembered at most, and clients.
const CAPACITY: usize = 100_000;

/// A change of somebody's access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whom it concerns.
    pub staff: StaffId,
    /// The one session it concerns; all of them, when none.
    pub session: Option<SessionId>,
    /// What happened.
    pub kind: AccessChangeKind,
}

impl Change {
    /// One session has ended.
    pub fn session_ended(staff: StaffId, session: SessionId) -> Self {
        Self {
            staff,
            session: Some(session),
            kind: AccessChangeKind::SessionEnded,
        }
    }

    /// All sessions have ended.
    pub fn staff_ended(staff: StaffId) -> Self {
        Self {
            staff,
            session: None,
            kind: AccessChangeKind::StaffEnded,
        }
    }

    /// Roles have changed.
    pub fn grants_changed(staff: StaffId) -> Self {
        Self {
            staff,
            session: None,
            kind: AccessChangeKind::GrantsChanged,
        }
    }
}

/// What a node remembers of a session.
#[derive(Clone, Debug)]
struct Known {
    staff: StaffId,
    /// None: it has ended.
    viewer: Option<Arc<StaffViewer>>,
}

#[derive(Debug, Default)]
struct State {
    /// Counts what was applied: what was read from the database before does not count after.
    generation: u64,
    sessions: HashMap<SessionId, Known>,
    /// None: it is switched off, or there is none.
    clients: HashMap<ClientId, Option<Arc<KnownClient>>>,
    seen: HashSet<i64>,
    /// The rows about clients.
    seen_of_clients: HashSet<i64>,
    /// When the last successful read of the rows began.
    confirmed: Option<Instant>,
}

/// What this process remembers of sessions and clients.
#[derive(Debug, Default)]
pub(super) struct Sessions(RwLock<State>);

/// What is remembered of a session, or of a client.
#[derive(Clone, Debug)]
pub(super) enum Lookup<T> {
    /// It goes on, with these roles or scopes.
    Alive(Arc<T>),
    /// It has ended.
    Ended,
    /// Nothing; read it, and hand this number to [`Sessions::remember`] or [`Sessions::remember_client`].
    Unknown(u64),
    /// The rows could not be read for too long: nobody is let in.
    Stale,
}

impl State {
    fn is_stale(&self) -> bool {
        self.confirmed.is_none_or(|at| at.elapsed() > STALE)
    }
}

impl Sessions {
    pub(super) fn look_up(&self, session: SessionId, staff: StaffId) -> Lookup<StaffViewer> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if state.is_stale() {
            return Lookup::Stale;
        }
        let known = state.sessions.get(&session);
        // What is remembered of a session is remembered for its owner.
        match known.filter(|known| known.staff == staff) {
            Some(Known {
                viewer: Some(viewer),
                ..
            }) => Lookup::Alive(viewer.clone()),
            Some(Known { viewer: None, .. }) => Lookup::Ended,
            None => Lookup::Unknown(state.generation),
        }
    }

    /// What is remembered of a client is remembered with its secrets: a token of another one is worth a look.
    pub(super) fn look_up_client(
        &self,
        client: ClientId,
        secret: ClientSecretId,
    ) -> Lookup<KnownClient> {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if state.is_stale() {
            return Lookup::Stale;
        }
        match state.clients.get(&client) {
            Some(Some(known)) if known.has(secret) => Lookup::Alive(known.clone()),
            Some(None) => Lookup::Ended,
            Some(Some(_)) | None => Lookup::Unknown(state.generation),
        }
    }

    /// As [`Sessions::remember`], for a client.
    pub(super) fn remember_client(
        &self,
        generation: u64,
        client: ClientId,
        known: Option<Arc<KnownClient>>,
    ) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if state.generation != generation {
            return;
        }
        if state.clients.len() >= CAPACITY {
            state.clients.clear();
        }
        state.clients.insert(client, known);
    }

    /// Remembers what was read, unless a change came while it was read.
    pub(super) fn remember(
        &self,
        generation: u64,
        session: SessionId,
        staff: StaffId,
        viewer: Option<Arc<StaffViewer>>,
    ) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if state.generation != generation {
            return;
        }
        if state.sessions.len() >= CAPACITY {
            state.sessions.clear();
        }
        state.sessions.insert(session, Known { staff, viewer });
    }

    fn apply(&self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        state.generation += 1;
        for change in changes {
            match change.session {
                Some(session) => {
                    state.sessions.remove(&session);
                }
                None => state
                    .sessions
                    .retain(|_, known| known.staff != change.staff),
            }
        }
    }

    fn apply_to_clients(&self, clients: &[ClientId]) {
        if clients.is_empty() {
            return;
        }
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        state.generation += 1;
        for client in clients {
            state.clients.remove(client);
        }
    }

    /// Reads the rows and applies those that are new. All rows that are alive are read each time: ids are
    /// drawn before they are committed, so a number already passed may still turn up.
    pub(super) async fn poll(&self, ctx: &Ctx) -> Result<()> {
        let started = Instant::now();
        let rows = access_change::Entity::find()
            .filter(access_change::Column::ExpiresAt.gt(ctx.now()))
            .all(ctx.db.read())
            .await?;
        let of_clients = client_change::Entity::find()
            .filter(client_change::Column::ExpiresAt.gt(ctx.now()))
            .all(ctx.db.read())
            .await?;
        let (mut fresh, mut fresh_clients) = (Vec::new(), Vec::new());
        {
            let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
            if state.confirmed.is_some_and(|at| at.elapsed() > LOST) {
                state.generation += 1;
                state.sessions.clear();
                state.clients.clear();
            }
            fresh.extend(
                rows.iter()
                    .filter(|row| !state.seen.contains(&row.id))
                    .map(|row| Change {
                        staff: row.staff_id,
                        session: row.session_id,
                        kind: row.kind,
                    }),
            );
            fresh_clients.extend(
                of_clients
                    .iter()
                    .filter(|row| !state.seen_of_clients.contains(&row.id))
                    .map(|row| row.client_id),
            );
            state.seen = rows.iter().map(|row| row.id).collect();
            state.seen_of_clients = of_clients.iter().map(|row| row.id).collect();
        }
        // What is new is applied before the read counts as done.
        self.apply(&fresh);
        self.apply_to_clients(&fresh_clients);
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .confirmed = Some(started);
        Ok(())
    }
}

/// Writes changes within the transaction that makes them.
///
/// # Errors
/// Those of the database.
pub async fn record(tx: &impl ConnectionTrait, ctx: &Ctx, changes: &[Change]) -> Result<()> {
    let now = ctx.now();
    let end = now + ctx.memory.of::<SignInSettings>().token_life + MARGIN;
    for chunk in changes.chunks(1000) {
        let rows = chunk.iter().map(|change| access_change::ActiveModel {
            staff_id: Set(change.staff),
            session_id: Set(change.session),
            kind: Set(change.kind),
            at: Set(now),
            expires_at: Set(end),
            ..Default::default()
        });
        access_change::Entity::insert_many(rows)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

/// Applies changes on this node; called after the commit, so that the next request sees them.
pub fn apply(ctx: &Ctx, changes: &[Change]) {
    ctx.memory.of::<Sessions>().apply(changes);
}

/// Writes that a client has changed, within the transaction that changes it.
///
/// # Errors
/// Those of the database.
pub async fn record_client(tx: &impl ConnectionTrait, ctx: &Ctx, client: ClientId) -> Result<()> {
    let now = ctx.now();
    let row = client_change::ActiveModel {
        client_id: Set(client),
        at: Set(now),
        expires_at: Set(now + ctx.memory.of::<SignInSettings>().token_life + MARGIN),
        ..Default::default()
    };
    client_change::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Applies on this node that a client has changed; called after the commit, so that the next request sees it.
pub fn apply_client(ctx: &Ctx, client: ClientId) {
    ctx.memory.of::<Sessions>().apply_to_clients(&[client]);
}

//! Turns the token of a request into a viewer, and looks after keys and revocations in the background.
//!
//! Made by `app`, called by `http` for every request with a token.

use super::client_tokens::{self, KnownClient};
use super::revocation::{self, Lookup, Sessions};
use super::tokens::{self, Bearer};
use super::{keys, sessions, tidy};
use crate::access::{Ctx, Viewer};
use crate::error::Result;
use entity::ids::{ClientId, ClientSecretId, SessionId, StaffId};
use moka::sync::Cache;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Why a token is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// It is none of ours, or its session has ended; the caller signs in again.
    #[error("the access token is not valid; sign in again")]
    Invalid,
    /// It was good until a moment ago; the caller renews it.
    #[error("the access token has expired; renew it with the refresh token")]
    Expired,
    /// Whether it is good cannot be told right now; the caller tries again.
    #[error("the service is not available right now; try again")]
    Unavailable,
}

/// Tokens remembered at most, and for how long: none lives as long as that.
const CAPACITY: u64 = 50_000;
const REMEMBERED: Duration = Duration::from_secs(15 * 60);
/// How often keys are looked after, and how often old rows are cleared away.
const KEYS: Duration = Duration::from_secs(60);
const TIDY: Duration = Duration::from_secs(3600);

/// Keys, tokens and revocations of a running node.
pub struct Authenticator {
    ctx: Ctx,
    /// By the hash of the token: a heap dump shows none.
    verified: Cache<[u8; 32], Arc<tokens::Verified>>,
    task: JoinHandle<()>,
    stop: DropGuard,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authenticator(..)")
    }
}

impl Authenticator {
    /// Reads or makes the signing keys, reads the revocations and starts to follow them.
    ///
    /// The context is the program's own ([`Ctx::system`]); requests must be served with contexts made from it
    /// by [`Ctx::for_request`], which share its memory.
    ///
    /// # Errors
    /// Those of the database; [`crate::error::Error::Internal`] when the configured secret does not open the
    /// signing keys.
    pub async fn start(ctx: Ctx) -> Result<Self> {
        keys::maintain(&ctx).await?;
        ctx.memory.of::<Sessions>().poll(&ctx).await?;
        let stop = CancellationToken::new();
        let task = tokio::spawn(follow(ctx.clone(), stop.clone()));
        Ok(Self {
            ctx,
            verified: Cache::builder()
                .max_capacity(CAPACITY)
                .time_to_live(REMEMBERED)
                .build(),
            task,
            stop: stop.drop_guard(),
        })
    }

    /// Who sends this token; nobody, when there is none.
    ///
    /// # Errors
    /// See [`AuthError`].
    pub async fn authenticate(&self, token: Option<&str>) -> Result<Viewer, AuthError> {
        let Some(token) = token else {
            return Ok(Viewer::Anonymous);
        };
        let verified = self.verify(token).await?;
        match verified.bearer {
            Bearer::Staff { staff, session } => self.staff(staff, session).await,
            Bearer::Client {
                client,
                secret,
                scopes,
            } => {
                let known = self.client(client, secret).await?;
                let viewer = known.viewer(secret, scopes, self.ctx.now());
                viewer.map(Viewer::Client).ok_or(AuthError::Invalid)
            }
        }
    }

    async fn staff(&self, staff: StaffId, session: SessionId) -> Result<Viewer, AuthError> {
        let sessions = self.ctx.memory.of::<Sessions>();
        match sessions.look_up(session, staff) {
            Lookup::Alive(viewer) => Ok(Viewer::Staff(viewer)),
            Lookup::Ended => Err(AuthError::Invalid),
            Lookup::Stale => Err(AuthError::Unavailable),
            Lookup::Unknown(generation) => {
                let viewer = sessions::viewer(&self.ctx, session, staff)
                    .await
                    .map_err(|error| {
                        tracing::error!(error = ?error, "a session could not be read");
                        AuthError::Unavailable
                    })?
                    .map(Arc::new);
                sessions.remember(generation, session, staff, viewer.clone());
                viewer.map(Viewer::Staff).ok_or(AuthError::Invalid)
            }
        }
    }

    async fn client(
        &self,
        client: ClientId,
        secret: ClientSecretId,
    ) -> Result<Arc<KnownClient>, AuthError> {
        let sessions = self.ctx.memory.of::<Sessions>();
        match sessions.look_up_client(client, secret) {
            Lookup::Alive(known) => Ok(known),
            Lookup::Ended => Err(AuthError::Invalid),
            Lookup::Stale => Err(AuthError::Unavailable),
            Lookup::Unknown(generation) => {
                let known = client_tokens::known(&self.ctx, client)
                    .await
                    .map_err(|error| {
                        tracing::error!(error = ?error, "a client could not be read");
                        AuthError::Unavailable
                    })?
                    .map(Arc::new);
                sessions.remember_client(generation, client, known.clone());
                known.ok_or(AuthError::Invalid)
            }
        }
    }

    /// Verified once, a token is remembered until it ends: the check of a signature costs more than the rest of
    /// a small request.
    async fn verify(&self, token: &str) -> Result<Arc<tokens::Verified>, AuthError> {
        let hash: [u8; 32] = Sha256::digest(token).into();
        if let Some(verified) = self.verified.get(&hash) {
            if self.ctx.now() < verified.until {
                return Ok(verified);
            }
            return Err(AuthError::Expired);
        }
        let verified = Arc::new(tokens::verify(&self.ctx, token).await?);
        self.verified.insert(hash, verified.clone());
        Ok(verified)
    }

    /// The public keys, for `/.well-known/jwks.json`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn jwks(&self) -> Result<serde_json::Value> {
        keys::jwks(&self.ctx).await
    }

    /// Stops following; waits for what runs.
    pub async fn stop(self) {
        drop(self.stop);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "following revocations broke off");
        }
    }
}

/// Follows revocations each second, looks after keys each minute and clears old rows away each hour.
async fn follow(ctx: Ctx, stop: CancellationToken) {
    let sessions = ctx.memory.of::<Sessions>();
    let mut ticks = tokio::time::interval(revocation::POLL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut keys_seen, mut tidied) = (Instant::now(), None::<Instant>);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        // A read that hangs is given up, so that the next one may find a better connection.
        match tokio::time::timeout(2 * revocation::POLL, sessions.poll(&ctx)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(error = ?error, "revocations could not be read"),
            Err(_) => tracing::warn!("revocations could not be read in time"),
        }
        // The rest runs beside, so that it never delays the next read of revocations.
        if keys_seen.elapsed() >= KEYS {
            keys_seen = Instant::now();
            let ctx = ctx.clone();
            tokio::spawn(async move {
                if let Err(error) = keys::maintain(&ctx).await {
                    tracing::error!(error = ?error, "signing keys could not be looked after");
                }
            });
        }
        if tidied.is_none_or(|at| at.elapsed() >= TIDY) {
            tidied = Some(Instant::now());
            let ctx = ctx.clone();
            tokio::spawn(async move {
                if let Err(error) = tidy::forget(&ctx).await {
                    tracing::warn!(error = ?error, "ended sessions could not be cleared away");
                }
            });
        }
    }
}

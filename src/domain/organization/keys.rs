//! The Ed25519 keys that sign access tokens: shared by all nodes through the database, their secret halves
//! sealed with a key derived from the configured secret.
//!
//! Called by [`super::tokens`] and the [`super::Authenticator`]. Keys take turns with an overlap: the next one
//! is published before it signs, and the last one verifies until no token of its own can be alive, so that
//! nobody is signed out. Any number of nodes may look after the keys at once.

use super::SignInSettings;
use crate::access::{Ctx, sealed};
use crate::db::{Engine, Sql};
use crate::error::{Error, Result};
use arc_swap::ArcSwap;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use ed25519_dalek::SigningKey;
use entity::signing_key;
use jsonwebtoken::{DecodingKey, EncodingKey};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a node goes by what it has read of the keys. Far below the time that a key is published ahead.
const FRESH: Duration = Duration::from_secs(60);
/// How often a node reads the keys anew because somebody sends an unknown key id.
const SOONEST: Duration = Duration::from_secs(2);
/// How long a key verifies after the last token that it signed.
const MARGIN: TimeDelta = TimeDelta::minutes(5);

/// A key, opened.
pub struct Key {
    /// The key id (`kid`): the thumbprint of its public half.
    pub id: String,
    pub(super) encoding: EncodingKey,
    pub(super) decoding: DecodingKey,
    public: [u8; 32],
    active_from: DateTime<Utc>,
    retired_at: Option<DateTime<Utc>>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Key {
    fn verifies(&self, now: DateTime<Utc>) -> bool {
        self.retired_at.is_none_or(|retired| now < retired)
    }
}

#[derive(Default)]
struct Keys {
    keys: Vec<Arc<Key>>,
    read: Option<Instant>,
}

/// What this process knows of the keys.
#[derive(Default)]
struct Ring {
    known: ArcSwap<Keys>,
    /// One reader at a time: a flood of unknown key ids costs one read.
    turn: tokio::sync::Mutex<()>,
}

/// The key that signs now.
///
/// # Errors
/// Those of the database; [`Error::Internal`] when the configured secret does not open the keys.
pub async fn signer(ctx: &Ctx) -> Result<Arc<Key>> {
    let ring = ctx.memory.of::<Ring>();
    let known = ring.known.load_full();
    let fresh = known.read.is_some_and(|read| read.elapsed() < FRESH);
    let current = |keys: &Keys| {
        keys.keys
            .iter()
            .filter(|key| key.active_from <= ctx.now() && key.verifies(ctx.now()))
            .max_by_key(|key| key.active_from)
            .cloned()
    };
    if let Some(key) = current(&known).filter(|_| fresh && !due(ctx, &known)) {
        return Ok(key);
    }
    maintain(ctx).await?;
    current(&ring.known.load()).ok_or_else(|| Error::internal("no signing key is active"))
}

/// The key with this id, if tokens signed by it are still good.
///
/// # Errors
/// As [`signer`].
pub async fn verifier(ctx: &Ctx, id: &str) -> Result<Option<Arc<Key>>> {
    let ring = ctx.memory.of::<Ring>();
    let find = |keys: &Keys| {
        keys.keys
            .iter()
            .find(|key| key.id == id && key.verifies(ctx.now()))
            .cloned()
    };
    if let Some(key) = find(&ring.known.load()) {
        return Ok(Some(key));
    }
    // Another node may have made it just now.
    let _turn = ring.turn.lock().await;
    let known = ring.known.load_full();
    if known.read.is_none_or(|read| read.elapsed() >= SOONEST) {
        read(ctx, &ring).await?;
    }
    Ok(find(&ring.known.load()))
}

/// The public halves of all keys that verify or will, as a JWK set (RFC 7517).
///
/// # Errors
/// As [`signer`].
pub async fn jwks(ctx: &Ctx) -> Result<serde_json::Value> {
    signer(ctx).await?;
    let known = ctx.memory.of::<Ring>().known.load_full();
    let keys: Vec<_> = known
        .keys
        .iter()
        .filter(|key| key.verifies(ctx.now()))
        .map(|key| {
            json!({
                "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key.id,
                "x": URL_SAFE_NO_PAD.encode(key.public),
            })
        })
        .collect();
    Ok(json!({ "keys": keys }))
}

/// Is it time to publish the next key?
fn due(ctx: &Ctx, known: &Keys) -> bool {
    let rules = ctx.memory.of::<SignInSettings>();
    let newest = known.keys.iter().map(|key| key.active_from).max();
    newest.is_none_or(|newest| ctx.now() >= newest + rules.key_rotation - rules.key_ahead)
}

/// Reads the keys, makes the first one or publishes the next one when it is time, and forgets those that
/// verify nothing any more.
///
/// # Errors
/// As [`signer`].
pub async fn maintain(ctx: &Ctx) -> Result<()> {
    let ring = ctx.memory.of::<Ring>();
    let _turn = ring.turn.lock().await;
    read(ctx, &ring).await?;
    if !due(ctx, &ring.known.load()) {
        return Ok(());
    }
    let rules = &ctx.memory.of::<SignInSettings>();
    ctx.db
        .write(|tx| async move {
            if ctx.db.engine() == Engine::Postgres {
                // Two nodes that find it is time make one key: the second one waits here, then sees it.
                tx.execute_unprepared("lock table signing_key in share row exclusive mode")
                    .await?;
            }
            let now = ctx.now();
            let rows = signing_key::Entity::find().all(&*tx).await?;
            let alive = |row: &&signing_key::Model| row.retired_at.is_none_or(|at| now < at);
            let newest = rows.iter().filter(alive).map(|row| row.active_from).max();
            if newest.is_some_and(|newest| now < newest + rules.key_rotation - rules.key_ahead) {
                return Ok(());
            }
            let active_from = match newest {
                Some(newest) => (now + rules.key_ahead).max(newest + rules.key_rotation),
                None => now,
            };
            for row in rows.iter().filter(|row| row.retired_at.is_none()) {
                let mut retired: signing_key::ActiveModel = row.clone().into();
                retired.retired_at = Set(Some(active_from + rules.token_life + MARGIN));
                retired.update(&*tx).await?;
            }
            make(ctx, active_from)?.insert(&*tx).await?;
            let mut sql = Sql::for_connection(&*tx);
            // The secret half of a dead key is of no use to anybody honest.
            sql.push("delete from signing_key where retired_at < ")
                .bind(now - TimeDelta::days(1));
            tx.execute_raw(sql.build()).await?;
            tracing::info!(%active_from, "a signing key was made");
            Ok(())
        })
        .await?;
    read(ctx, &ring).await
}

/// Does the configured secret open the keys in the database? Changes nothing.
///
/// # Errors
/// [`Error::Internal`] when it does not; those of the database.
pub async fn opens(ctx: &Ctx) -> Result<()> {
    read(ctx, &Ring::default()).await
}

async fn read(ctx: &Ctx, ring: &Ring) -> Result<()> {
    let started = Instant::now();
    let now = ctx.now();
    let rows = signing_key::Entity::find().all(ctx.db.read()).await?;
    let keys = rows
        .iter()
        .filter(|row| row.retired_at.is_none_or(|retired| now < retired))
        .map(|row| open(ctx, row).map(Arc::new))
        .collect::<Result<Vec<_>>>()?;
    ring.known.store(Arc::new(Keys {
        keys,
        read: Some(started),
    }));
    Ok(())
}

/// What comes before the 32 bytes of an Ed25519 secret in PKCS #8.
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// RFC 7638: the hash of the public key's members in their fixed order.
fn thumbprint(public: &[u8; 32]) -> String {
    let x = URL_SAFE_NO_PAD.encode(public);
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(members))
}

fn make(ctx: &Ctx, active_from: DateTime<Utc>) -> Result<signing_key::ActiveModel> {
    let secret: [u8; 32] = rand::random();
    let public = SigningKey::from_bytes(&secret).verifying_key().to_bytes();
    let id = thumbprint(&public);
    let sealed_secret = sealed::seal(&ctx.secrets.sealing, id.as_bytes(), &secret)
        .ok_or_else(|| Error::internal("a signing key could not be sealed"))?;
    Ok(signing_key::ActiveModel {
        id: Set(id),
        public_key: Set(public.to_vec()),
        sealed_secret: Set(sealed_secret),
        created_at: Set(ctx.now()),
        active_from: Set(active_from),
        retired_at: Set(None),
    })
}

fn open(ctx: &Ctx, row: &signing_key::Model) -> Result<Key> {
    let closed = || {
        Error::internal(
            "the configured secret does not open the signing keys in the database; start with the secret \
             that this database was first used with, the same on every node (REGULARS_SECRET_KEY, \
             REGULARS_SECRET_KEY_FILE, or secret.key in the data directory)",
        )
    };
    let secret = sealed::open(&ctx.secrets.sealing, row.id.as_bytes(), &row.sealed_secret)
        .ok_or_else(closed)?;
    let secret = <[u8; 32]>::try_from(secret.as_slice()).map_err(|_| closed())?;
    let public = SigningKey::from_bytes(&secret).verifying_key().to_bytes();
    // The public half in the table is for people; what verifies is derived from what was sealed.
    if row.public_key != public || row.id != thumbprint(&public) {
        return Err(Error::internal(format!(
            "the halves of signing key {} do not belong together",
            row.id
        )));
    }
    Ok(Key {
        id: row.id.clone(),
        encoding: EncodingKey::from_ed_der(&[PKCS8.as_slice(), &secret].concat()),
        decoding: DecodingKey::from_ed_der(&public),
        public,
        active_from: row.active_from,
        retired_at: row.retired_at,
    })
}

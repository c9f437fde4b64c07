//! Secrets of clients: made, taken turns with an overlap, revoked. The text of one is shown when it is made, and kept
//! nowhere.
//!
//! Called by [`super::clients`] and `graphql/clients`. A token ends with the secret by which it was got, so revoking a
//! secret that has leaked ends what was got by it, too.

use super::client_list::{self, Client, is_good};
use super::clients::{locked, told};
use super::revocation;
use crate::access::{Action, Ctx};
use crate::db::Sql;
use crate::error::{Code, Error, Result};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use entity::client_secret;
use entity::ids::{ClientId, ClientSecretId};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait,
    QueryFilter,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::{Digest, Sha256};

/// Secrets of one client that are good at once: the one in use, the next one, and one for a mishap between them.
const MOST_AT_ONCE: u64 = 3;
/// The longest time that older secrets stay good beside a new one.
pub const LONGEST_OVERLAP: TimeDelta = TimeDelta::days(30);
/// Characters of a secret that are kept to tell it from others: 24 bits of 256.
const HINT_CHARS: usize = 4;

/// The hash by which a secret is kept and looked up.
///
/// Plain SHA-256, where passwords have Argon2: a slow hash makes up for passwords that can be guessed, and 256 random
/// bits cannot be. Being looked up by its hash it is never compared with what was sent, so that no time tells how much
/// of a guess was right: who could choose the hash of a guess has broken SHA-256.
pub(super) fn hash(secret: &SecretString) -> Vec<u8> {
    Sha256::digest(secret.expose_secret()).to_vec()
}

/// A secret that is about to be handed out.
pub(super) struct Fresh(SecretString);

impl Fresh {
    pub(super) fn new() -> Self {
        let random: [u8; 32] = rand::random();
        // The prefix lets scanners for leaked secrets know what they have found.
        Self(SecretString::from(format!(
            "rgs_{}",
            URL_SAFE_NO_PAD.encode(random)
        )))
    }

    pub(super) fn text(&self) -> SecretString {
        self.0.clone()
    }

    pub(super) async fn store(
        &self,
        tx: &impl ConnectionTrait,
        ctx: &Ctx,
        client: ClientId,
    ) -> Result<client_secret::Model> {
        let text = self.0.expose_secret();
        let hint = text.get(text.len().saturating_sub(HINT_CHARS)..);
        let row = client_secret::ActiveModel {
            id: Set(ClientSecretId::new()),
            client_id: Set(client),
            hash: Set(hash(&self.0)),
            hint: Set(hint.unwrap_or_default().to_owned()),
            created_at: Set(ctx.now()),
            expires_at: Set(None),
            last_used_at: Set(None),
        };
        Ok(row.insert(tx).await?)
    }
}

/// Gives a client a new secret; those that it has end after the overlap, at once when it is none.
///
/// # Errors
/// User errors at `overlapMinutes`, and at `id` when there are too many secrets already; as [`Ctx::require`]; those of
/// the database.
pub async fn rotate(ctx: &Ctx, id: ClientId, overlap: TimeDelta) -> Result<(Client, SecretString)> {
    ctx.require(Action::ClientManage)?;
    if overlap < TimeDelta::zero() || overlap > LONGEST_OVERLAP {
        return Err(Error::user(
            Code::OutOfRange,
            "overlapMinutes",
            format!(
                "older secrets stay good for 0 to {} minutes",
                LONGEST_OVERLAP.num_minutes()
            ),
        ));
    }
    let secret = &Fresh::new();
    let client = ctx
        .db
        .write(|tx| async move {
            locked(&*tx, id).await?;
            let end = ctx.now() + overlap;
            let mut sql = Sql::for_connection(&*tx);
            sql.push("update client_secret set expires_at = ").bind(end);
            sql.push(" where client_id = ").bind(id);
            sql.push(" and (expires_at is null or expires_at > ")
                .bind(end)
                .push(")");
            tx.execute_raw(sql.build()).await?;
            let good = client_secret::Entity::find()
                .filter(client_secret::Column::ClientId.eq(id.0))
                .filter(is_good(ctx.now()))
                .count(&*tx)
                .await?;
            if good >= MOST_AT_ONCE {
                return Err(Error::user(
                    Code::TooMany,
                    "id",
                    format!(
                        "the client has {good} secrets that are good; revoke one of them first, or rotate without an overlap"
                    ),
                ));
            }
            let fresh = secret.store(&*tx, ctx, id).await?;
            revocation::record_client(&*tx, ctx, id).await?;
            let detail = json!({ "secret": fresh.id, "overlap_minutes": overlap.num_minutes() });
            told(("client.secret_rotated", "client.secret_rotate"), id, detail)
                .write(&*tx, ctx)
                .await?;
            client_list::present(&*tx, ctx, id).await
        })
        .await?;
    revocation::apply_client(ctx, id);
    Ok((client, secret.text()))
}

/// Ends a secret at once, and what tokens were got by it: on this node at once, on the others within two seconds.
///
/// # Errors
/// A user error at `id` when there is none; as [`rotate`].
pub async fn revoke(ctx: &Ctx, id: ClientSecretId) -> Result<Client> {
    ctx.require(Action::ClientManage)?;
    let unknown = || Error::not_found("id", "secret");
    let client = ctx
        .db
        .write(|tx| async move {
            let known = client_secret::Entity::find_by_id(id).one(&*tx).await?;
            let client = known.ok_or_else(unknown)?.client_id;
            locked(&*tx, client).await?;
            let mut sql = Sql::for_connection(&*tx);
            sql.push("update client_secret set expires_at = ")
                .bind(ctx.now());
            sql.push(" where id = ").bind(id);
            sql.push(" and (expires_at is null or expires_at > ")
                .bind(ctx.now())
                .push(")");
            if tx.execute_raw(sql.build()).await?.rows_affected() > 0 {
                revocation::record_client(&*tx, ctx, client).await?;
                let detail = json!({ "secret": id });
                told(
                    ("client.secret_revoked", "client.secret_revoke"),
                    client,
                    detail,
                )
                .write(&*tx, ctx)
                .await?;
            }
            client_list::present(&*tx, ctx, client).await
        })
        .await?;
    revocation::apply_client(ctx, client.row.id);
    Ok(client)
}

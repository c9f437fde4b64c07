//! How a client gets a token for its secret (the client-credentials grant of RFC 6749), and what a token of it is
//! worth.
//!
//! [`grant`] is called by `app` for the token endpoint, `known` by the [`super::Authenticator`]. Nothing here reads
//! a request: forms and headers are the matter of `http`.
//!
//! A token that is issued leaves no audit entry. A client fetches one every few minutes, which would make 50,000 rows a
//! year of each that say nothing: what it does with the token is written down under its name, and that a secret is in
//! use is told by its last use. A try that fails is written down, as a sign-in that fails is, as long as the limit of
//! tries is not passed.

use super::attempts::Attempt;
use super::client_list::{self, is_good};
use super::client_secrets;
use super::tokens;
use crate::access::budget::BudgetSettings;
use crate::access::{ClientViewer, Ctx, Scopes, audit};
use crate::db::Sql;
use crate::error::{Error, Result};
use chrono::{DateTime, TimeDelta, Utc};
use entity::ids::{ClientId, ClientSecretId};
use entity::{client, client_secret};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use secrecy::SecretString;
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

/// The last use is written down at most this often.
const USE_NOTED: TimeDelta = TimeDelta::hours(1);

/// What a client asks for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its id, as it was sent.
    pub client: String,
    /// Its secret.
    pub secret: SecretString,
    /// The scopes that it wants, with spaces between them; all that it has, when left out.
    pub scope: Option<String>,
}

/// A token, shown once.
#[derive(Clone, Debug)]
pub struct Granted {
    /// The token.
    pub token: SecretString,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// What may be done with it.
    pub scopes: Scopes,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no such client, its secret is another one or has ended, or it is switched off: one answer for all.
    #[error("the client is unknown, its secret is wrong, or it is switched off")]
    Credentials,
    /// As before, once too often; another try makes sense after the given time.
    #[error("too many wrong tries; try again later")]
    TooMany(TimeDelta),
    /// A scope that there is not, or that the client does not have.
    #[error("a scope is unknown or not granted to this client")]
    Scope,
    /// Something else went wrong.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// Gives a token for a secret.
///
/// The limit is on wrong tries: a client that knows its secret is let in however often others have tried to guess it,
/// or anybody who knows its id could keep it out. That tells a guesser nothing, since what they would have to guess has
/// 256 bits.
///
/// # Errors
/// See [`Refusal`].
pub async fn grant(ctx: &Ctx, request: &Request) -> Result<Granted, Refusal> {
    let outcome = check(ctx, request).await;
    let told = match &outcome {
        Ok(_) => "issued",
        Err(Refusal::Credentials) => "refused",
        Err(Refusal::TooMany(_)) => "limited",
        Err(Refusal::Scope) => "scope",
        Err(Refusal::Failed(_)) => "failed",
    };
    metrics::counter!("regulars_client_tokens_total", "outcome" => told).increment(1);
    outcome
}

async fn check(ctx: &Ctx, request: &Request) -> Result<Granted, Refusal> {
    let id = client_id(&request.client);
    // Both are always asked for, so that an unknown client takes as long as a wrong secret.
    let known = client::Entity::find_by_id(id)
        .one(ctx.db.read())
        .await
        .map_err(Error::from)?;
    let secret = client_secret::Entity::find()
        .filter(client_secret::Column::Hash.eq(client_secrets::hash(&request.secret)))
        .filter(is_good(ctx.now()))
        .one(ctx.db.read())
        .await
        .map_err(Error::from)?;
    let (client, secret) = match (&known, secret) {
        (Some(client), Some(secret))
            if client.disabled_at.is_none() && secret.client_id == client.id =>
        {
            (client, secret)
        }
        _ => return Err(refuse(ctx, request, known.as_ref()).await?),
    };
    let has = Scopes::known(&client.scopes);
    let scopes = match &request.scope {
        None => has,
        Some(text) => Scopes::parse(text)
            .filter(|wanted| wanted.both(has) == *wanted)
            .ok_or(Refusal::Scope)?,
    };
    let (token, expires_at) = tokens::issue_to_client(ctx, &secret, scopes).await?;
    note_use(ctx, &secret);
    Ok(Granted {
        token,
        expires_at,
        scopes,
    })
}

/// The id behind what was sent; that of nobody where it is none. Only the one way to write it counts, so that wrong
/// tries are all counted in one place.
fn client_id(text: &str) -> ClientId {
    Uuid::parse_str(text)
        .ok()
        .filter(|id| id.to_string() == text)
        .unwrap_or_default()
        .into()
}

/// Counts a wrong try and writes it down, in one transaction.
async fn refuse(ctx: &Ctx, request: &Request, known: Option<&client::Model>) -> Result<Refusal> {
    let attempt = &Attempt::of_client(ctx, &request.client);
    let detail = json!({ "client": known.map(|client| client.id), "account": attempt.trace() });
    let entry = &[audit::Entry::new(ctx, "client.token_refused").detail(detail)];
    let over = ctx
        .db
        .write(|tx| async move {
            let over = attempt.over(&*tx, ctx).await?;
            if over.is_none() {
                audit::write(&*tx, entry).await?;
            }
            Ok(over)
        })
        .await?;
    Ok(match over {
        Some(end) => Refusal::TooMany(end - ctx.now()),
        None => Refusal::Credentials,
    })
}

/// Writes the last use down, beside the request and at most once an hour: nobody waits for it, and a failure costs
/// nothing but that.
fn note_use(ctx: &Ctx, secret: &client_secret::Model) {
    let now = ctx.now();
    let is_due = |last: Option<DateTime<Utc>>| last.is_none_or(|last| last + USE_NOTED <= now);
    if !is_due(secret.last_used_at) {
        return;
    }
    let (ctx, client, secret) = (ctx.clone(), secret.client_id, secret.id);
    tokio::spawn(async move {
        let written = ctx
            .db
            .write(|tx| async move {
                for (table, id) in [
                    ("client", Uuid::from(client)),
                    ("client_secret", Uuid::from(secret)),
                ] {
                    let mut sql = Sql::for_connection(&*tx);
                    sql.push(&format!("update {table} set last_used_at = "))
                        .bind(now);
                    sql.push(" where id = ").bind(id);
                    sql.push(" and (last_used_at is null or last_used_at < ")
                        .bind(now)
                        .push(")");
                    tx.execute_raw(sql.build()).await?;
                }
                Ok(())
            })
            .await;
        if let Err(error) = written {
            tracing::warn!(error = ?error, %client, "the last use of a client could not be noted");
        }
    });
}

/// What a node remembers of a client.
#[derive(Clone, Debug)]
pub(super) struct KnownClient {
    viewer: Arc<ClientViewer>,
    /// Its secrets that have not ended, and when they will.
    secrets: Vec<(ClientSecretId, Option<DateTime<Utc>>)>,
}

impl KnownClient {
    /// Is this one of the secrets that are remembered? A node that has not read of a new one yet reads again.
    pub(super) fn has(&self, secret: ClientSecretId) -> bool {
        self.secrets.iter().any(|(known, _)| *known == secret)
    }

    /// Who a token makes the client, got by this secret for these scopes; nobody, when the secret has ended. What may
    /// be done is what the token says and what is granted now.
    pub(super) fn viewer(
        &self,
        secret: ClientSecretId,
        scopes: Scopes,
        now: DateTime<Utc>,
    ) -> Option<Arc<ClientViewer>> {
        self.secrets
            .iter()
            .find(|(known, _)| *known == secret)
            .filter(|(_, end)| end.is_none_or(|end| now < end))?;
        let both = self.viewer.scopes.both(scopes);
        Some(if both == self.viewer.scopes {
            self.viewer.clone()
        } else {
            Arc::new(ClientViewer {
                scopes: both,
                ..ClientViewer::clone(&self.viewer)
            })
        })
    }
}

/// What there is to remember of a client; nothing, when it is switched off or there is none.
pub(super) async fn known(ctx: &Ctx, id: ClientId) -> Result<Option<KnownClient>> {
    let connection = ctx.db.read();
    let row = client::Entity::find_by_id(id)
        .filter(client::Column::DisabledAt.is_null())
        .one(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let secrets = client_secret::Entity::find()
        .filter(client_secret::Column::ClientId.eq(id.0))
        .filter(is_good(ctx.now()))
        .all(connection)
        .await?;
    let mut places = client_list::places(connection, &[id]).await?;
    let viewer = ClientViewer::new(
        id,
        Scopes::known(&row.scopes),
        places.remove(&id).unwrap_or_default(),
    );
    let budget = row.bucket_points.zip(row.points_per_second);
    Ok(Some(KnownClient {
        viewer: Arc::new(ClientViewer {
            budget: budget.map(|(size, per_second)| BudgetSettings {
                size: size.into(),
                per_second: per_second.into(),
            }),
            ..viewer
        }),
        secrets: secrets
            .into_iter()
            .map(|row| (row.id, row.expires_at))
            .collect(),
    }))
}

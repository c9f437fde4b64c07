//! Access tokens: JWTs that live for minutes and name the key that signed them.
//!
//! [`issue`] is called by [`super::sessions`], [`issue_to_client`] by [`super::client_tokens`], [`verify`] by the
//! [`super::Authenticator`]. A token says who it is and by which sign-in or secret; what they may do is read from the
//! database, so that a change of roles or scopes need not wait for the token's end. The scopes in a client's token can
//! only narrow that.
//!
//! Tokens of staff and of clients are told apart by their claims, and one with those of both is none: `sid` for a
//! sign-in, `client_id` (RFC 9068) for a client.

use super::{SignInSettings, authenticator::AuthError, keys};
use crate::access::{Ctx, Scopes};
use crate::error::{Error, Result};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use entity::client_secret;
use entity::ids::{ClientId, ClientSecretId, SessionId, StaffId};
use jsonwebtoken::{Algorithm, Header, Validation};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Bytes of a token at most; ours have some 500.
const LONGEST: usize = 2048;
/// The type of access tokens (RFC 9068): no other kind of JWT signed by the same key is ever taken for one.
const KIND: &str = "at+jwt";

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: Uuid,
    #[serde(flatten)]
    bearer: BearerClaims,
    iat: i64,
    exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    /// Makes two tokens of one second differ.
    jti: String,
}

/// The claims that differ with who bears the token.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct BearerClaims {
    /// Of staff: the sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<Uuid>,
    /// Of a client: its id once more, as RFC 9068 wants it.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<Uuid>,
    /// Of a client: the secret by which it got the token, so that the token ends with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_id: Option<Uuid>,
    /// Of a client: its scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

impl BearerClaims {
    /// Who bears the token; nobody, where the claims are of two kinds or not all of one.
    fn bearer(self, subject: Uuid) -> Option<Bearer> {
        match (self.sid, self.client_id, self.secret_id, self.scope) {
            (Some(session), None, None, None) => Some(Bearer::Staff {
                staff: subject.into(),
                session: session.into(),
            }),
            (None, Some(client), Some(secret), Some(scope)) if client == subject => {
                Some(Bearer::Client {
                    client: client.into(),
                    secret: secret.into(),
                    scopes: Scopes::known(&scope),
                })
            }
            _ => None,
        }
    }
}

/// Who bears a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearer {
    /// A member of staff.
    Staff {
        /// Who.
        staff: StaffId,
        /// By which sign-in.
        session: SessionId,
    },
    /// A third-party program.
    Client {
        /// Which one.
        client: ClientId,
        /// The secret by which it got the token.
        secret: ClientSecretId,
        /// What it asked for.
        scopes: Scopes,
    },
}

/// What a good token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Who bears it.
    pub bearer: Bearer,
    /// Until when the token is good, leeway included.
    pub until: DateTime<Utc>,
}

/// Makes a token for a member of staff; gives it with the moment at which it ends, which is never behind `latest`.
///
/// # Errors
/// Those of [`keys::signer`].
pub async fn issue(
    ctx: &Ctx,
    staff: StaffId,
    session: SessionId,
    latest: DateTime<Utc>,
) -> Result<(SecretString, DateTime<Utc>)> {
    let bearer = BearerClaims {
        sid: Some(session.into()),
        ..BearerClaims::default()
    };
    sign(ctx, staff.into(), bearer, Some(latest)).await
}

/// Makes a token for a client; gives it with the moment at which it ends, which is never behind that of the secret.
///
/// # Errors
/// As [`issue`].
pub async fn issue_to_client(
    ctx: &Ctx,
    secret: &client_secret::Model,
    scopes: Scopes,
) -> Result<(SecretString, DateTime<Utc>)> {
    let client = secret.client_id.into();
    let bearer = BearerClaims {
        sid: None,
        client_id: Some(client),
        secret_id: Some(secret.id.into()),
        scope: Some(scopes.to_string()),
    };
    sign(ctx, client, bearer, secret.expires_at).await
}

async fn sign(
    ctx: &Ctx,
    subject: Uuid,
    bearer: BearerClaims,
    latest: Option<DateTime<Utc>>,
) -> Result<(SecretString, DateTime<Utc>)> {
    let rules = ctx.memory.of::<SignInSettings>();
    let key = keys::signer(ctx).await?;
    let now = ctx.now();
    let end = now + rules.token_life;
    let end = latest.map_or(end, |latest| end.min(latest)).timestamp();
    let random: [u8; 12] = rand::random();
    let claims = Claims {
        iss: rules.issuer.clone(),
        aud: rules.audience.clone(),
        sub: subject,
        bearer,
        iat: now.timestamp(),
        exp: end,
        nbf: None,
        jti: URL_SAFE_NO_PAD.encode(random),
    };
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some(KIND.to_owned());
    header.kid = Some(key.id.clone());
    let token = jsonwebtoken::encode(&header, &claims, &key.encoding)
        .map_err(|error| Error::internal(format!("signing a token: {error}")))?;
    let end = DateTime::from_timestamp(end, 0).unwrap_or(now);
    Ok((SecretString::from(token), end))
}

/// Checks a token: its form, its key, its signature, for whom it is, and whether it is alive.
///
/// # Errors
/// [`AuthError::Expired`] for a token that was good, [`AuthError::Unavailable`] when the keys cannot be read,
/// [`AuthError::Invalid`] for everything else.
pub async fn verify(ctx: &Ctx, token: &str) -> Result<Verified, AuthError> {
    let invalid = |_| AuthError::Invalid;
    if token.len() > LONGEST {
        return Err(AuthError::Invalid);
    }
    let header = jsonwebtoken::decode_header(token).map_err(invalid)?;
    let kind = header.typ.as_deref().map(str::to_ascii_lowercase);
    // Nothing that the header brings along is used: neither keys nor addresses of keys.
    if header.alg != Algorithm::EdDSA || kind.as_deref() != Some(KIND) || header.crit.is_some() {
        return Err(AuthError::Invalid);
    }
    let id = header.kid.ok_or(AuthError::Invalid)?;
    let key = keys::verifier(ctx, &id).await.map_err(|error| {
        tracing::error!(error = ?error, "signing keys could not be read");
        AuthError::Unavailable
    })?;
    let key = key.ok_or(AuthError::Invalid)?;
    let rules = ctx.memory.of::<SignInSettings>();
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[&rules.issuer]);
    validation.set_audience(&[&rules.audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // Times are checked below, by the clock that was handed in.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    let claims = jsonwebtoken::decode::<Claims>(token, &key.decoding, &validation)
        .map_err(invalid)?
        .claims;
    let now = ctx.now();
    let at = |seconds: i64| DateTime::from_timestamp(seconds, 0).ok_or(AuthError::Invalid);
    let until = at(claims.exp)?
        .checked_add_signed(rules.leeway)
        .ok_or(AuthError::Invalid)?;
    let begins = at(claims.nbf.unwrap_or(claims.iat).max(claims.iat))?;
    if begins > now + rules.leeway {
        return Err(AuthError::Invalid);
    }
    if now >= until {
        return Err(AuthError::Expired);
    }
    let bearer = claims.bearer.bearer(claims.sub).ok_or(AuthError::Invalid)?;
    Ok(Verified { bearer, until })
}

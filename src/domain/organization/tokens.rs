//! Access tokens: JWTs that live for minutes and name the key that signed them.
//!
//! [`issue`] is called by [`super::sessions`], [`verify`] by the [`super::Authenticator`]. A token says who it
//! is and by which sign-in; what they may do is never in it, but read from the database, so that a change of
//! roles need not wait for the token's end.

use super::{SignInSettings, authenticator::AuthError, keys};
use crate::access::Ctx;
use crate::error::{Error, Result};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use entity::ids::{SessionId, StaffId};
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
    sid: Uuid,
    iat: i64,
    exp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    /// Makes two tokens of one second differ.
    jti: String,
}

/// What a good token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Who.
    pub staff: StaffId,
    /// By which sign-in.
    pub session: SessionId,
    /// Until when the token is good, leeway included.
    pub until: DateTime<Utc>,
}

/// Makes a token; gives it with the moment at which it ends, which is never behind `latest`.
///
/// # Errors
/// Those of [`keys::signer`].
pub async fn issue(
    ctx: &Ctx,
    staff: StaffId,
    session: SessionId,
    latest: DateTime<Utc>,
) -> Result<(SecretString, DateTime<Utc>)> {
    let rules = ctx.memory.of::<SignInSettings>();
    let key = keys::signer(ctx).await?;
    let now = ctx.now();
    let end = (now + rules.token_life).min(latest).timestamp();
    let random: [u8; 12] = rand::random();
    let claims = Claims {
        iss: rules.issuer.clone(),
        aud: rules.audience.clone(),
        sub: staff.into(),
        sid: session.into(),
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
    Ok(Verified {
        staff: claims.sub.into(),
        session: claims.sid.into(),
        until,
    })
}

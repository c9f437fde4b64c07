//! Tokens for clients: what the endpoint has read, handed to the trade, and its answer in the words of the endpoint.
//!
//! Called by `backend` only.

use crate::access::{CLIENT_SCOPES, Ctx};
use crate::domain::organization::SignInSettings;
use crate::domain::organization::client_tokens::{self, Refusal, Request};
use crate::http::{Issuer, TokenGrant, TokenRefusal, TokenRequest};
use std::time::Duration;

/// Gives a token, or says why not.
pub(super) async fn token(ctx: &Ctx, asked: TokenRequest) -> Result<TokenGrant, TokenRefusal> {
    let request = Request {
        client: asked.client,
        secret: asked.secret,
        scope: asked.scope,
    };
    match client_tokens::grant(ctx, &request).await {
        Ok(granted) => Ok(TokenGrant {
            seconds: (granted.expires_at - ctx.now()).num_seconds().max(0),
            token: granted.token,
            scope: granted.scopes.to_string(),
        }),
        Err(Refusal::Credentials) => Err(TokenRefusal::Client),
        Err(Refusal::Scope) => Err(TokenRefusal::Scope),
        Err(Refusal::TooMany(wait)) => Err(TokenRefusal::RateLimited(
            wait.to_std().unwrap_or(Duration::ZERO),
        )),
        Err(Refusal::Failed(error)) => {
            tracing::error!(request_id = %ctx.origin.request_id, ?error, "a token could not be given");
            Err(TokenRefusal::Unavailable)
        }
    }
}

/// What the server tells of itself.
pub(super) fn issuer(ctx: &Ctx) -> Issuer {
    let rules = ctx.memory.of::<SignInSettings>();
    Issuer {
        name: rules.issuer.clone(),
        audience: rules.audience.clone(),
        scopes: CLIENT_SCOPES.iter().map(|(_, word, _)| *word).collect(),
    }
}

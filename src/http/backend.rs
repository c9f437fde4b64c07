//! What stands behind the endpoint, so that `http` knows nothing of the trade.
//!
//! Implemented by the application, called by `graphql.rs` for each request.

use std::{net::IpAddr, time::Duration};

use async_graphql::Response;
use uuid::Uuid;

use crate::graphql::gate::Admitted;

use super::oauth::{Issuer, TokenGrant, TokenRefusal, TokenRequest};
use super::transfers::{BodyParts, Download, Problem, Upload};

/// Where a request comes from. Personal data: for audit entries and rate limits, never for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestOrigin {
    /// Made by the server for each request; also in the answer's `x-request-id`.
    pub request_id: Uuid,
    /// The client's address, behind trusted proxies the one that they name.
    pub address: IpAddr,
    /// The `User-Agent` header, at most 256 characters of it.
    pub user_agent: Option<String>,
}

/// Why a request was turned away before anything of it ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthRefusal {
    /// The token is not ours, has expired or was revoked; the client has to sign in or refresh.
    #[error("the access token is not valid")]
    InvalidToken,
    /// Too many requests from this caller; try again after the given time.
    #[error("too many requests")]
    RateLimited {
        /// Time to wait, rounded up to seconds in `Retry-After`.
        retry_after: Duration,
    },
    /// The token cannot be checked at the moment, because the database is away, say; try again soon.
    #[error("the access token cannot be checked at the moment")]
    Unavailable,
}

/// What stands behind the endpoint: turns a bearer token into a viewer and runs an admitted request.
pub trait Backend: Send + Sync + 'static {
    /// Who is asking, as the domain knows them.
    type Viewer: Send;

    /// Checks the token. Without one the viewer is anonymous, and the domain answers `UNAUTHENTICATED` where it minds.
    fn authenticate(
        &self,
        bearer: Option<&str>,
        from: &RequestOrigin,
    ) -> impl Future<Output = Result<Self::Viewer, AuthRefusal>> + Send;

    /// The public keys of our access tokens as a JWK set; `None` while they cannot be read.
    fn jwks(&self) -> impl Future<Output = Option<serde_json::Value>> + Send {
        async { None }
    }

    /// What tokens of clients say of us, and their scopes; `None` where clients get none.
    fn issuer(&self) -> Option<Issuer> {
        None
    }

    /// Gives a client a token for its secret.
    fn token(
        &self,
        _from: RequestOrigin,
        _asked: TokenRequest,
    ) -> impl Future<Output = Result<TokenGrant, TokenRefusal>> + Send {
        async { Err(TokenRefusal::Client) }
    }

    /// Takes a file that is to be imported, in the parts of its body as they arrive; gives what the client is told.
    fn import(
        &self,
        _viewer: Self::Viewer,
        _from: RequestOrigin,
        _upload: Upload,
        _parts: BodyParts,
    ) -> impl Future<Output = Result<serde_json::Value, Problem>> + Send {
        async { Err(Problem::not_found("nothing is imported here")) }
    }

    /// Gives the file that came of a transfer.
    fn result(
        &self,
        _viewer: Self::Viewer,
        _from: RequestOrigin,
        _id: &str,
    ) -> impl Future<Output = Result<Download, Problem>> + Send {
        async { Err(Problem::not_found("no such result")) }
    }

    /// Runs an admitted request. Errors without `extensions.code` are shown as internal ones.
    fn execute(
        &self,
        viewer: Self::Viewer,
        origin: RequestOrigin,
        admitted: Admitted,
    ) -> impl Future<Output = Response> + Send;
}

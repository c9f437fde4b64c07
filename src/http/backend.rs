//! What stands behind the endpoint, so that `http` knows nothing of the trade.
//!
//! Implemented by the application, called by `graphql.rs` for each request.

use std::{net::IpAddr, sync::Arc, time::Duration};

use async_graphql::Response;
use entity::values::DocumentHash;
use futures_util::{StreamExt, stream::BoxStream};
use secrecy::SecretString;
use uuid::Uuid;

use crate::graphql::gate::Admitted;

use super::company_sign_in::{Redirect, SignInRefusal, SignInReturn};
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

/// Registered documents cannot be read at the moment, because the database is away, say; try again soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentsAway;

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

    /// The text of a registered document; none when nothing is registered under the hash.
    fn document(
        &self,
        _hash: DocumentHash,
    ) -> impl Future<Output = Result<Option<Arc<str>>, DocumentsAway>> + Send {
        async { Ok(None) }
    }

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

    /// Sends a browser to the company's provider, to sign in and to return to a page then. `kept` is what the browser keeps
    /// from an earlier time.
    fn sign_in_begin(
        &self,
        _from: RequestOrigin,
        _return_to: Option<String>,
        _kept: Option<SecretString>,
    ) -> impl Future<Output = Result<Redirect, SignInRefusal>> {
        async { Err(SignInRefusal::Off) }
    }

    /// Takes a browser back from the company's provider and sends it on to its page.
    fn sign_in_finish(
        &self,
        _from: RequestOrigin,
        _back: SignInReturn,
    ) -> impl Future<Output = Result<Redirect, SignInRefusal>> {
        async { Err(SignInRefusal::Off) }
    }

    /// Under which name the connections of a viewer are counted; `None` for somebody who is not signed in.
    fn name(&self, _viewer: &Self::Viewer) -> Option<String> {
        None
    }

    /// Runs an admitted subscription: what it tells, until it ends by itself or is dropped. An `Err` says why nothing is
    /// told, and is the last item. `bearer` is the token with which the viewer came: by it is seen, before anything is told,
    /// whether they still may hear it.
    fn subscribe(
        &self,
        _viewer: Self::Viewer,
        _bearer: Option<SecretString>,
        _origin: RequestOrigin,
        _admitted: Admitted,
    ) -> BoxStream<'static, Result<Response, Response>> {
        futures_util::stream::empty().boxed()
    }

    /// Runs an admitted request. Errors without `extensions.code` are shown as internal ones.
    fn execute(
        &self,
        viewer: Self::Viewer,
        origin: RequestOrigin,
        admitted: Admitted,
    ) -> impl Future<Output = Executed> + Send;

    /// May this viewer ask about the schema itself?
    fn may_introspect(&self, _viewer: &Self::Viewer) -> bool {
        true
    }
}

/// What came of a request that was admitted.
#[derive(Debug)]
pub struct Executed {
    /// The answer.
    pub response: Response,
    /// What it has really cost; none where it was turned away.
    pub actual: Option<u64>,
    /// What the caller has left; none where nobody has a budget.
    pub left: Option<BudgetLeft>,
}

/// A caller's budget after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetLeft {
    /// What is left of it.
    pub left: i64,
    /// How large it is when it is full.
    pub size: i64,
    /// What is restored in a second.
    pub per_second: i64,
}

//! What stands behind the GraphQL endpoint: the authenticator, the schema, the audit log.
//!
//! Made by `app`, called by `http` for each request. An answer leaves only when the entries about what it shows are
//! written.

use super::heavy::{Broken, Heavy, LIGHT};
use super::{company_sign_in, files, oauth};
use crate::access::audit::AuditLog;
use crate::access::budget::{self, Exhausted};
use crate::access::{Ctx, Viewer};
use crate::config::Introspection;
use crate::db::{end_of_work, until};
use crate::domain::organization::{AuthError, Authenticator, documents};
use crate::error::Error;
use crate::events::EventHub;
use crate::graphql::context::fault;
use crate::graphql::gate::Admitted;
use crate::graphql::live::{Gone, Live, Present, Viewers};
use crate::graphql::loaders::loaders;
use crate::graphql::root::ApiSchema;
use crate::graphql::scalars::EventPosition;
use crate::http::{
    AuthRefusal, Backend, BodyParts, BudgetLeft, DocumentsAway, Download, Executed, INTERNAL,
    Issuer, Problem, RATE_LIMITED, Redirect, RequestOrigin, SignInRefusal, SignInReturn,
    TokenGrant, TokenRefusal, TokenRequest, Upload,
};
use apollo_compiler::ast::OperationType;
use async_graphql::{ErrorExtensionValues, Response, ServerError};
use entity::values::DocumentHash;
use futures_util::future::ready;
use futures_util::stream::{BoxStream, once};
use futures_util::{FutureExt, StreamExt};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::time::Duration;

/// The program behind the endpoint.
pub(super) struct Api {
    pub ctx: Ctx,
    pub schema: ApiSchema,
    /// The same for subscriptions.
    pub live_schema: ApiSchema,
    pub hub: EventHub,
    /// Who may ask about the schema itself.
    pub introspection: Introspection,
    /// The longest time that the telling of one event may take.
    pub event_time: Duration,
    pub authenticator: Arc<Authenticator>,
    pub audit: AuditLog,
    /// Where dear operations run.
    pub heavy: Arc<Heavy>,
}

impl Backend for Api {
    type Viewer = Viewer;

    async fn authenticate(
        &self,
        bearer: Option<&str>,
        _from: &RequestOrigin,
    ) -> Result<Viewer, AuthRefusal> {
        self.authenticator
            .authenticate(bearer)
            .await
            .map_err(|error| match error {
                AuthError::Invalid | AuthError::Expired => AuthRefusal::InvalidToken,
                AuthError::Unavailable => AuthRefusal::Unavailable,
            })
    }

    async fn document(&self, hash: DocumentHash) -> Result<Option<Arc<str>>, DocumentsAway> {
        documents::text(&self.ctx, hash).await.map_err(|error| {
            tracing::error!(?error, "a registered document could not be read");
            DocumentsAway
        })
    }

    async fn jwks(&self) -> Option<serde_json::Value> {
        match self.authenticator.jwks().await {
            Ok(keys) => Some(keys),
            Err(error) => {
                tracing::error!(?error, "the public keys could not be read");
                None
            }
        }
    }

    fn issuer(&self) -> Option<Issuer> {
        Some(oauth::issuer(&self.ctx))
    }

    async fn token(
        &self,
        from: RequestOrigin,
        asked: TokenRequest,
    ) -> Result<TokenGrant, TokenRefusal> {
        oauth::token(&self.context(Viewer::Anonymous, from), asked).await
    }

    async fn import(
        &self,
        viewer: Viewer,
        from: RequestOrigin,
        upload: Upload,
        parts: BodyParts,
    ) -> Result<serde_json::Value, Problem> {
        files::import(self.context(viewer, from), upload, parts).await
    }

    async fn result(
        &self,
        viewer: Viewer,
        from: RequestOrigin,
        id: &str,
    ) -> Result<Download, Problem> {
        files::result(self.context(viewer, from), id).await
    }

    async fn sign_in_begin(
        &self,
        from: RequestOrigin,
        return_to: Option<String>,
        kept: Option<SecretString>,
    ) -> Result<Redirect, SignInRefusal> {
        company_sign_in::begin(self, from, return_to, kept).await
    }

    async fn sign_in_finish(
        &self,
        from: RequestOrigin,
        back: SignInReturn,
    ) -> Result<Redirect, SignInRefusal> {
        company_sign_in::finish(self, from, back).await
    }

    fn name(&self, viewer: &Viewer) -> Option<String> {
        match viewer {
            Viewer::Anonymous => None,
            known => Some(known.caller()),
        }
    }

    fn subscribe(
        &self,
        viewer: Viewer,
        bearer: Option<SecretString>,
        from: RequestOrigin,
        admitted: Admitted,
    ) -> BoxStream<'static, Result<Response, Response>> {
        let ctx = self.context(viewer, from).for_query();
        let present = Present::default();
        let live = Live {
            hub: self.hub.clone(),
            viewers: viewers(self.authenticator.clone(), bearer),
            present: present.clone(),
            time: self.event_time,
        };
        let (paying, cost, order) = (ctx.clone(), admitted.cost, Arc::clone(&admitted.order));
        let request = admitted
            .request
            .data(live)
            .data(loaders(ctx.clone()))
            .data(ctx);
        let audit = self.audit.clone();
        let told = self.live_schema.execute_stream(request);
        let begun = async move {
            match budget::reserve(&paying, cost).await {
                Ok(_) => told.map(Ok).boxed(),
                Err(exhausted) => once(ready(Err(too_soon(exhausted)))).boxed(),
            }
        };
        begun
            .flatten_stream()
            .then(move |response| {
                let (audit, present, order) = (audit.clone(), present.get(), order.clone());
                async move {
                    let response = response?;
                    // Nothing was told so far: this says why nothing will be.
                    let Some(ctx) = present else {
                        return Err(response);
                    };
                    pay(&ctx, order.cost_of(&response.data)).await;
                    Ok(match audit.settle(&ctx).await {
                        Ok(()) => response,
                        Err(error) => {
                            tracing::error!(request_id = %ctx.origin.request_id, ?error, "an event was withheld");
                            withheld(&ctx, &error)
                        }
                    })
                }
            })
            .boxed()
    }

    fn may_introspect(&self, viewer: &Viewer) -> bool {
        match self.introspection {
            Introspection::On => true,
            Introspection::Staff => viewer.staff_id().is_some(),
            Introspection::Off => false,
        }
    }

    async fn execute(&self, viewer: Viewer, from: RequestOrigin, admitted: Admitted) -> Executed {
        let ctx = self.context(viewer, from);
        let reserved = match budget::reserve(&ctx, admitted.cost).await {
            Ok(reserved) => reserved,
            Err(exhausted) => {
                return Executed {
                    response: too_soon(exhausted),
                    actual: None,
                    left: None,
                };
            }
        };
        let order = Arc::clone(&admitted.order);
        // On the heap: what the executor needs would otherwise lie within each future around it, and on the stack.
        let response = Box::pin(self.run(&ctx, admitted)).await;
        let actual = order.cost_of(&response.data);
        let left = reserved.map(|reserved| reserved.settle(ctx.now(), actual));
        Executed {
            response,
            actual: Some(actual),
            left: left.map(|left| BudgetLeft {
                left: left.left,
                size: left.settings.size,
                per_second: left.settings.per_second,
            }),
        }
    }
}

impl Api {
    async fn run(&self, ctx: &Ctx, admitted: Admitted) -> Response {
        let dear = admitted.cost > LIGHT;
        let ctx = ctx.clone();
        let ctx = match admitted.kind {
            OperationType::Query => ctx.for_query(),
            _ => ctx,
        };
        let request = admitted
            .request
            // Before anything is read: all that is read is at least as new.
            .data(EventPosition(self.hub.position()))
            .data(loaders(ctx.clone()))
            .data(ctx.clone());
        let response = if dear {
            let schema = self.schema.clone();
            let end = end_of_work();
            let work = async move {
                match end {
                    Some(end) => until(end, schema.execute(request)).await,
                    None => schema.execute(request).await,
                }
            };
            match self.heavy.run(work).await {
                Ok(response) => response,
                Err(Broken) => return fault(INTERNAL, "internal error"),
            }
        } else {
            Box::pin(self.schema.execute(request)).await
        };
        match self.audit.settle(&ctx).await {
            Ok(()) => response,
            Err(error) => {
                tracing::error!(request_id = %ctx.origin.request_id, ?error, "an answer was withheld");
                withheld(&ctx, &error)
            }
        }
    }
}

/// The answer to a request for which the caller's budget has no room.
fn too_soon(exhausted: Exhausted) -> Response {
    let wait = exhausted
        .retry_after
        .map(|wait| wait.as_secs_f64().ceil().max(1.0));
    let message = match wait {
        Some(seconds) => format!(
            "your budget has no room for this request: try again in {seconds:.0} s, or ask for less at once"
        ),
        None => "this request may cost more than your budget ever holds: ask for less at once"
            .to_owned(),
    };
    let mut error = ServerError::new(message, None);
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", RATE_LIMITED);
    if let Some(seconds) = wait {
        extensions.set("retryAfter", seconds);
    }
    error.extensions = Some(extensions);
    let mut response = Response::from_errors(vec![error]);
    if let Some(Ok(value)) = wait.map(|seconds| format!("{seconds:.0}").parse()) {
        response.http_headers.insert("retry-after", value);
    }
    response
}

/// Pays for an event. Where the budget has no room the next one has to wait: whoever follows is not sent away for what
/// others do.
async fn pay(ctx: &Ctx, cost: u64) {
    while let Err(Exhausted {
        retry_after: Some(wait),
    }) = budget::reserve(ctx, cost).await
    {
        tokio::time::sleep(wait.min(PATIENCE)).await;
    }
}

/// The longest sleep before a budget is looked at again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who sends this token, as they stand when they are asked for.
fn viewers(authenticator: Arc<Authenticator>, bearer: Option<SecretString>) -> Viewers {
    Arc::new(move || {
        let (authenticator, bearer) = (authenticator.clone(), bearer.clone());
        Box::pin(async move {
            let token = bearer.as_ref().map(ExposeSecret::expose_secret);
            let viewer = authenticator.authenticate(token).await;
            viewer.map_err(|error| match error {
                AuthError::Invalid | AuthError::Expired => Gone::SignedOut,
                AuthError::Unavailable => Gone::Unavailable,
            })
        })
    })
}

/// The answer in place of one whose audit entry could not be written: none of its data.
fn withheld(ctx: &Ctx, error: &Error) -> Response {
    let mut answer = ServerError::new(error.to_string(), None);
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", error.class());
    extensions.set("id", ctx.origin.request_id.to_string());
    answer.extensions = Some(extensions);
    Response::from_errors(vec![answer])
}

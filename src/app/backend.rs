//! What stands behind the GraphQL endpoint: the authenticator, the schema, the audit log.
//!
//! Made by `app`, called by `http` for each request. An answer leaves only when the entries about what it shows are
//! written.

use super::{company_sign_in, files};
use crate::access::audit::AuditLog;
use crate::access::{Ctx, Viewer};
use crate::domain::organization::{AuthError, Authenticator};
use crate::error::Error;
use crate::events::EventHub;
use crate::graphql::gate::Admitted;
use crate::graphql::live::{Gone, Live, Present, Viewers};
use crate::graphql::loaders::loaders;
use crate::graphql::root::ApiSchema;
use crate::graphql::scalars::EventPosition;
use crate::http::{
    AuthRefusal, Backend, BodyParts, Download, Problem, Redirect, RequestOrigin, SignInRefusal,
    SignInReturn, Upload,
};
use apollo_compiler::ast::OperationType;
use async_graphql::{ErrorExtensionValues, Response, ServerError};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
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
    /// The longest time that the telling of one event may take.
    pub event_time: Duration,
    pub authenticator: Arc<Authenticator>,
    pub audit: AuditLog,
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

    async fn jwks(&self) -> Option<serde_json::Value> {
        match self.authenticator.jwks().await {
            Ok(keys) => Some(keys),
            Err(error) => {
                tracing::error!(?error, "the public keys could not be read");
                None
            }
        }
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
        let request = admitted
            .request
            .data(live)
            .data(loaders(ctx.clone()))
            .data(ctx);
        let audit = self.audit.clone();
        self.live_schema
            .execute_stream(request)
            .then(move |response| {
                let (audit, present) = (audit.clone(), present.get());
                async move {
                    // Nothing was told so far: this says why nothing will be.
                    let Some(ctx) = present else {
                        return Err(response);
                    };
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

    async fn execute(&self, viewer: Viewer, from: RequestOrigin, admitted: Admitted) -> Response {
        let ctx = self.context(viewer, from);
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
        let response = self.schema.execute(request).await;
        match self.audit.settle(&ctx).await {
            Ok(()) => response,
            Err(error) => {
                tracing::error!(request_id = %ctx.origin.request_id, ?error, "an answer was withheld");
                withheld(&ctx, &error)
            }
        }
    }
}

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

//! What stands behind the GraphQL endpoint: the authenticator, the schema, the audit log.
//!
//! Made by `app`, called by `http` for each request. An answer leaves only when the entries about what it shows are
//! written.

use super::{files, oauth};
use crate::access::audit::AuditLog;
use crate::access::{Ctx, Viewer};
use crate::domain::organization::{AuthError, Authenticator};
use crate::error::Error;
use crate::graphql::gate::Admitted;
use crate::graphql::loaders::loaders;
use crate::graphql::root::ApiSchema;
use crate::http::{
    AuthRefusal, Backend, BodyParts, Download, Issuer, Problem, RequestOrigin, TokenGrant,
    TokenRefusal, TokenRequest, Upload,
};
use apollo_compiler::ast::OperationType;
use async_graphql::{ErrorExtensionValues, Response, ServerError};
use std::sync::Arc;

/// The program behind the endpoint.
pub(super) struct Api {
    pub ctx: Ctx,
    pub schema: ApiSchema,
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

    async fn execute(&self, viewer: Viewer, from: RequestOrigin, admitted: Admitted) -> Response {
        let ctx = self.context(viewer, from);
        let ctx = match admitted.kind {
            OperationType::Query => ctx.for_query(),
            _ => ctx,
        };
        let request = admitted
            .request
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

/// The answer in place of one whose audit entry could not be written: none of its data.
fn withheld(ctx: &Ctx, error: &Error) -> Response {
    let mut answer = ServerError::new(error.to_string(), None);
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", error.class());
    extensions.set("id", ctx.origin.request_id.to_string());
    answer.extensions = Some(extensions);
    Response::from_errors(vec![answer])
}

//! The public keys by which others may check our access tokens, at `/.well-known/jwks.json` (RFC 7517).

use super::backend::Backend;
use super::graphql::Endpoint;
use actix_web::{HttpResponse, web};

/// Answers with the keys.
pub(super) async fn jwks<B: Backend>(endpoint: web::Data<Endpoint<B>>) -> HttpResponse {
    match endpoint.backend.jwks().await {
        Some(keys) => HttpResponse::Ok()
            .content_type("application/jwk-set+json")
            .body(keys.to_string()),
        None => HttpResponse::ServiceUnavailable().finish(),
    }
}

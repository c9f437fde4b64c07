//! GraphQL over websocket, by the protocol graphql-transport-ws.
//!
//! `graphql.rs` hands over whoever wants to change to a websocket; the handshake is here, the rest in [`connection`].
//! Queries and mutations run over it as well as subscriptions, by the same way as over HTTP (`operation.rs`).

mod connection;
mod message;
mod operations;
mod outgoing;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode, Uri,
        header::{HOST, ORIGIN, SEC_WEBSOCKET_PROTOCOL, UPGRADE},
    },
    rt, web,
};
use tracing::Instrument;

use super::{
    answer::{self, BAD_REQUEST, FORBIDDEN, UNAUTHENTICATED},
    backend::Backend,
    bearer::bearer,
    graphql::{Endpoint, origin},
    live,
    negotiate::MediaType,
};

/// The subprotocol that is spoken here.
const PROTOCOL: &str = "graphql-transport-ws";

/// Does somebody want to change to a websocket?
pub(super) fn is_wanted(request: &HttpRequest) -> bool {
    request
        .headers()
        .get(UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Answers the handshake, and serves the connection from then on.
pub(super) fn connect<B: Backend>(
    request: &HttpRequest,
    payload: web::Payload,
    shared: &web::Data<Endpoint<B>>,
) -> HttpResponse {
    let settings = &shared.settings;
    let refuse =
        |status, code, message: &str| answer::request_error(status, MediaType::Json, code, message);
    if !offers(request) {
        return refuse(
            StatusCode::BAD_REQUEST,
            BAD_REQUEST,
            "the websocket's subprotocol must be graphql-transport-ws",
        );
    }
    // A page of somebody else could open a socket with what the browser knows of its user.
    if !is_from_here(request, &settings.cors_origins) {
        return refuse(
            StatusCode::FORBIDDEN,
            FORBIDDEN,
            "websockets are not opened for pages of this origin",
        );
    }
    let token = match bearer(request.headers()) {
        Ok(token) => token.map(|token| token.to_owned().into()),
        Err(error) => {
            return refuse(
                StatusCode::UNAUTHORIZED,
                UNAUTHENTICATED,
                &error.to_string(),
            );
        }
    };
    let origin = origin(request, settings);
    let Some(seat) = shared.seats.take(live::at_address(&origin), "websocket") else {
        return live::too_many(MediaType::Json);
    };
    let (response, session, messages) =
        match actix_ws::handle_with_protocols(request, payload, &[PROTOCOL]) {
            Ok(parts) => parts,
            Err(error) => return refuse(StatusCode::BAD_REQUEST, BAD_REQUEST, &error.to_string()),
        };
    let messages = messages
        .max_frame_size(settings.body_bytes)
        .aggregate_continuations()
        .max_continuation_size(settings.body_bytes);
    let span = tracing::info_span!("websocket", id = %origin.request_id);
    let connection =
        connection::Connection::new(web::Data::clone(shared), session, origin, token, seat);
    rt::spawn(connection.serve(messages).instrument(span));
    response
}

fn offers(request: &HttpRequest) -> bool {
    request
        .headers()
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|offered| offered.trim() == PROTOCOL)
}

/// Browsers say of which page they open a socket: one of ours, or of an origin that is answered anyway.
fn is_from_here(request: &HttpRequest, allowed: &[String]) -> bool {
    let Some(origin) = request.headers().get(ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    if allowed.iter().any(|allowed| allowed == origin) {
        return true;
    }
    // The scheme is left out: whoever ends TLS in front of us hands it on by no reliable way.
    let uri: Option<Uri> = origin.parse().ok();
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok());
    match (uri.as_ref().and_then(Uri::authority), host) {
        (Some(page), Some(host)) => page.as_str().eq_ignore_ascii_case(host),
        _ => false,
    }
}

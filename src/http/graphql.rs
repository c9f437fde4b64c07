//! The GraphQL endpoint: one request from its head to its answer.
//!
//! Mounted by `server.rs` for every method. In this order: declared length and body, method, `Accept`, where a browser
//! wants to use the answer, content type, token, parameters, gate, execution. Nothing runs for
//! `GET` but queries. Knows the domain only through [`Backend`].

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{
            ACCEPT, ALLOW, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName,
            RETRY_AFTER, USER_AGENT, WWW_AUTHENTICATE,
        },
    },
    web,
};
use apollo_compiler::ast::OperationType;
use async_graphql::Response;
use futures_util::FutureExt;
use tracing::Instrument;

use crate::{graphql::gate::Gate, spans};

use super::{
    answer::{
        self, BAD_REQUEST, INTERNAL, Outcome, RATE_LIMITED, TIMEOUT, UNAUTHENTICATED, UNAVAILABLE,
    },
    backend::{AuthRefusal, Backend, RequestOrigin},
    bearer::bearer,
    body::{self, BodyError},
    client_address::client_address,
    explorer::Explorer,
    frame::RequestId,
    metrics, negotiate,
    negotiate::{MediaType, Preference},
    page,
    params::Params,
    persisted::{Documents, NoDocument},
    settings::HttpSettings,
};

/// What the endpoint works with; one for all workers.
pub(super) struct Endpoint<B> {
    /// Admits documents.
    pub gate: Gate,
    /// Documents that are known by their hash.
    pub documents: Documents,
    /// Runs them.
    pub backend: B,
    /// Bounds and times.
    pub settings: HttpSettings,
    /// What browsers see; none where it is switched off.
    pub explorer: Option<web::Data<Explorer>>,
}

const METHODS: &str = "GET, POST, OPTIONS";
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// Answers one request.
pub(super) async fn endpoint<B: Backend>(
    request: HttpRequest,
    payload: web::Payload,
    shared: web::Data<Endpoint<B>>,
) -> HttpResponse {
    let started = Instant::now();
    let preference = preference(request.headers());
    let mut kind = "none";
    let (response, outcome) =
        match admit_and_run(&request, payload, &shared, preference, &mut kind).await {
            Ok(done) => done,
            Err(response) => (response, "refused"),
        };
    metrics::operation(kind, outcome, started.elapsed());
    response
}

fn preference(headers: &HeaderMap) -> Preference {
    let accept: Vec<&str> = headers
        .get_all(ACCEPT)
        .filter_map(|value| value.to_str().ok())
        .collect();
    negotiate::negotiate((!accept.is_empty()).then(|| accept.join(",")).as_deref())
}

async fn admit_and_run<B: Backend>(
    request: &HttpRequest,
    payload: web::Payload,
    shared: &Endpoint<B>,
    preference: Preference,
    kind: &mut &'static str,
) -> Result<(HttpResponse, &'static str), HttpResponse> {
    let settings = &shared.settings;
    let headers = request.headers();
    let body = read_body(headers, payload, settings, preference.media).await?;
    let is_get = match *request.method() {
        Method::GET => true,
        Method::POST => false,
        Method::OPTIONS => {
            return Err(HttpResponse::NoContent()
                .insert_header((ALLOW, METHODS))
                .finish());
        }
        _ => {
            return Err(method_refused(
                preference,
                METHODS,
                "this method is not supported here",
            ));
        }
    };
    if is_get && preference.html && request.query_string().is_empty() {
        let page = match &shared.explorer {
            Some(explorer) => explorer.page(headers),
            None => page::page(&settings.path),
        };
        return Ok((page, "page"));
    }
    let Some(media) = preference.media else {
        return Err(answer::request_error(
            StatusCode::NOT_ACCEPTABLE,
            MediaType::Json,
            BAD_REQUEST,
            "answers are application/graphql-response+json or application/json",
        ));
    };
    if let Some(refused) = embedding_refused(headers, media) {
        return Err(refused);
    }
    if !is_get && let Some(refused) = body_type_refused(headers, media) {
        return Err(refused);
    }
    let origin = origin(request, settings);
    let viewer = authenticate(headers, &origin, shared, media).await?;
    let params = if is_get {
        Params::from_query_string(request.query_string())
    } else {
        Params::from_body(&body)
    }
    .map_err(|error| {
        let message = error.to_string();
        answer::request_error(StatusCode::BAD_REQUEST, media, BAD_REQUEST, &message)
    })?;
    let document = shared
        .documents
        .find(&params, &shared.backend)
        .await
        .map_err(|error| no_document(media, error))?;
    let admitted = spans::gate()
        .in_scope(|| {
            shared.gate.admit(
                &document,
                params.operation_name.as_deref(),
                &params.variables,
            )
        })
        .map_err(|refusal| {
            metrics::refused(refusal.code());
            answer::refusal(media, &refusal)
        })?;
    shared.documents.keep(&params);
    *kind = admitted.kind.name();
    if is_get && admitted.kind != OperationType::Query {
        return Err(method_refused(
            Preference {
                media: Some(media),
                ..preference
            },
            "POST",
            "only queries can be asked for by GET",
        ));
    }
    if admitted.kind == OperationType::Subscription {
        return Err(answer::request_error(
            StatusCode::BAD_REQUEST,
            media,
            BAD_REQUEST,
            "subscriptions are served over websocket",
        ));
    }
    let cost = (admitted.cost, admitted.cost_limit);
    metrics::cost(kind, admitted.cost);
    let request_id = origin.request_id;
    let order = Arc::clone(&admitted.order);
    let work = shared
        .backend
        .execute(viewer, origin, admitted)
        .instrument(spans::operation(kind));
    let running = AssertUnwindSafe(work).catch_unwind();
    let response = match tokio::time::timeout(settings.operation_timeout, running).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => {
            tracing::error!("a resolver panicked");
            fault(INTERNAL, "internal error")
        }
        Err(_) => {
            let seconds = settings.operation_timeout.as_secs_f32();
            let response = fault(
                TIMEOUT,
                &format!("the operation took longer than {seconds} seconds"),
            );
            let (response, _) = answer::executed(media, &response, cost, &order, request_id);
            return Ok((response, "timeout"));
        }
    };
    let (response, outcome) = answer::executed(media, &response, cost, &order, request_id);
    let outcome = match outcome {
        Outcome::Ok => "ok",
        Outcome::Errors => "errors",
        Outcome::Internal => "internal",
    };
    Ok((response, outcome))
}

/// The answer to a request that leads to no document.
fn no_document(media: MediaType, error: NoDocument) -> HttpResponse {
    let (code, message) = (error.code(), error.to_string());
    metrics::refused(code);
    match error {
        NoDocument::Mismatch => {
            answer::request_error(StatusCode::BAD_REQUEST, media, code, &message)
        }
        NoDocument::Unavailable => away(media, &message),
        NoDocument::NotFound | NoDocument::HashNotRegistered | NoDocument::TextNotRegistered => {
            answer::refused(media, code, &message)
        }
    }
}

/// The answer while something behind the endpoint is away for a moment.
fn away(media: MediaType, message: &str) -> HttpResponse {
    answer::request_error_with(
        StatusCode::SERVICE_UNAVAILABLE,
        media,
        UNAVAILABLE,
        message,
        |builder| {
            builder.insert_header((RETRY_AFTER, "1"));
        },
    )
}

/// A response of an operation that began and came to nothing. It has a location, so that `data` is shown as null.
fn fault(code: &str, message: &str) -> Response {
    let mut error =
        async_graphql::ServerError::new(message, Some(async_graphql::Pos { line: 1, column: 1 }));
    let mut extensions = async_graphql::ErrorExtensionValues::default();
    extensions.set("code", code);
    error.extensions = Some(extensions);
    Response::from_errors(vec![error])
}

fn method_refused(preference: Preference, allow: &'static str, message: &str) -> HttpResponse {
    answer::request_error_with(
        StatusCode::METHOD_NOT_ALLOWED,
        preference.media.unwrap_or(MediaType::Json),
        BAD_REQUEST,
        message,
        |builder| {
            builder.insert_header((ALLOW, allow));
        },
    )
}

/// Browsers say what they want to use an answer for; a picture, a script or a frame is never ours.
fn embedding_refused(headers: &HeaderMap, media: MediaType) -> Option<HttpResponse> {
    match headers.get(SEC_FETCH_DEST)?.as_bytes() {
        b"empty" | b"document" => None,
        _ => Some(answer::request_error(
            StatusCode::FORBIDDEN,
            media,
            BAD_REQUEST,
            "this endpoint is not for embedding",
        )),
    }
}

/// What can be said against the kind of body.
fn body_type_refused(headers: &HeaderMap, media: MediaType) -> Option<HttpResponse> {
    let unsupported = |message| {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Some(answer::request_error(status, media, BAD_REQUEST, message))
    };
    let mut types = headers.get_all(CONTENT_TYPE);
    let content_type = types.next().and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(negotiate::is_json) || types.next().is_some() {
        return unsupported("the body must be application/json in UTF-8");
    }
    let encoded = headers
        .get_all(CONTENT_ENCODING)
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
    if encoded {
        return unsupported("compressed bodies are not supported");
    }
    None
}

/// Reads the body whatever comes of the request: an answer over an unread body would end the connection.
async fn read_body(
    headers: &HeaderMap,
    mut payload: web::Payload,
    settings: &HttpSettings,
    media: Option<MediaType>,
) -> Result<web::BytesMut, HttpResponse> {
    let read = match body::check_declared(headers, settings.body_bytes) {
        Ok(()) => body::read(&mut payload, settings.body_bytes, settings.body_timeout).await,
        Err(error) => Err(error),
    };
    let error = match read {
        Ok(body) => return Ok(body),
        Err(error) => error,
    };
    let status = match error {
        BodyError::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::TooSlow => StatusCode::REQUEST_TIMEOUT,
        BodyError::Broken => StatusCode::BAD_REQUEST,
    };
    let media = media.unwrap_or(MediaType::Json);
    let response =
        answer::request_error_with(status, media, BAD_REQUEST, &error.to_string(), |builder| {
            builder.insert_header((CONNECTION, "close"));
            builder.force_close();
        });
    Err(body::instead_of(response, payload))
}

/// Where a request comes from.
pub(super) fn origin(request: &HttpRequest, settings: &HttpSettings) -> RequestOrigin {
    let peer = request.peer_addr().map_or_else(
        || std::net::IpAddr::from([0, 0, 0, 0]),
        |address| address.ip(),
    );
    RequestOrigin {
        request_id: request
            .extensions()
            .get::<RequestId>()
            .map_or_else(uuid::Uuid::nil, |id| id.0),
        address: client_address(peer, request.headers(), settings),
        user_agent: request
            .headers()
            .get(USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(|text| text.chars().take(256).collect()),
    }
}

/// Who sends the request; an answer when the token is of no use.
pub(super) async fn authenticate<B: Backend>(
    headers: &HeaderMap,
    origin: &RequestOrigin,
    shared: &Endpoint<B>,
    media: MediaType,
) -> Result<B::Viewer, HttpResponse> {
    let unauthenticated = |challenge: &'static str, message: &str| {
        answer::request_error_with(
            StatusCode::UNAUTHORIZED,
            media,
            UNAUTHENTICATED,
            message,
            |builder| {
                builder.insert_header((WWW_AUTHENTICATE, challenge));
            },
        )
    };
    let token = bearer(headers)
        .map_err(|error| unauthenticated("Bearer error=\"invalid_request\"", &error.to_string()))?;
    let time = shared.settings.operation_timeout;
    let refusal = match tokio::time::timeout(time, shared.backend.authenticate(token, origin)).await
    {
        Ok(Ok(viewer)) => return Ok(viewer),
        Ok(Err(refusal)) => refusal,
        Err(_) => AuthRefusal::Unavailable,
    };
    let message = refusal.to_string();
    Err(match refusal {
        AuthRefusal::InvalidToken => unauthenticated("Bearer error=\"invalid_token\"", &message),
        AuthRefusal::RateLimited { retry_after } => answer::request_error_with(
            StatusCode::TOO_MANY_REQUESTS,
            media,
            RATE_LIMITED,
            &message,
            |builder| {
                let seconds = retry_after.as_secs_f64().ceil().max(1.0);
                builder.insert_header((RETRY_AFTER, format!("{seconds:.0}")));
            },
        ),
        AuthRefusal::Unavailable => away(media, &message),
    })
}

//! The GraphQL endpoint: one request from its head to its answer.
//!
//! Mounted by `server.rs` for every method. In this order: declared length and body, method, `Accept`, where a browser
//! wants to use the answer, content type, token, parameters, gate, execution. Nothing runs for
//! `GET` but queries. Knows the domain only through [`Backend`].

use std::time::Instant;

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
use uuid::Uuid;

use crate::graphql::gate::Gate;

use super::{
    answer::{self, BAD_REQUEST, Outcome, RATE_LIMITED, UNAUTHENTICATED, UNAVAILABLE},
    backend::{AuthRefusal, Backend, RequestOrigin},
    bearer::bearer,
    body::{self, BodyError},
    client_address::client_address,
    event_stream,
    explorer::Explorer,
    frame::RequestId,
    live::{self, Seats},
    metrics, negotiate,
    negotiate::{MediaType, Preference},
    operation::{self, Ran, Refused},
    page,
    params::Params,
    persisted::Documents,
    settings::HttpSettings,
    websocket,
};

/// What the endpoint works with; one for all workers.
pub(super) struct Endpoint<B> {
    /// Admits documents.
    pub gate: Gate,
    /// Documents that are known by their hash.
    pub documents: Documents,
    /// Who holds connections open.
    pub seats: Seats,
    /// Makes the ids of what is asked over connections that stay open.
    pub request_ids: fn() -> Uuid,
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
    if *request.method() == Method::GET && websocket::is_wanted(&request) {
        return websocket::connect(&request, payload, &shared);
    }
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
    shared: &web::Data<Endpoint<B>>,
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
    let only_stream = preference.stream && preference.media.is_none();
    let media = match preference.media {
        Some(media) => media,
        // What stands in the way of a stream is told as JSON.
        None if only_stream => MediaType::GraphqlResponse,
        None => {
            return Err(answer::request_error(
                StatusCode::NOT_ACCEPTABLE,
                MediaType::Json,
                BAD_REQUEST,
                "answers are application/graphql-response+json, application/json or text/event-stream",
            ));
        }
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
    .map_err(|error| answer::refused(media, &Refused::Malformed(error.to_string())))?;
    let admitted = operation::admit(shared, &viewer, &params)
        .await
        .map_err(|refused| {
            if only_stream {
                event_stream::refused(&refused)
            } else {
                answer::refused(media, &refused)
            }
        })?;
    *kind = admitted.kind.name();
    let streams =
        only_stream || (preference.stream && admitted.kind == OperationType::Subscription);
    if is_get
        && admitted.kind != OperationType::Query
        && !(streams && admitted.kind == OperationType::Subscription)
    {
        return Err(method_refused(
            Preference {
                media: Some(media),
                ..preference
            },
            "POST",
            "only queries can be asked for by GET",
        ));
    }
    if streams {
        let seat = shared
            .seats
            .take(live::holder(shared, &viewer, &origin), "event_stream")
            .ok_or_else(|| live::too_many(media))?;
        let token = bearer(headers).ok().flatten();
        let asker = event_stream::Asker {
            shared: web::Data::clone(shared),
            viewer,
            token: token.map(|token| token.to_owned().into()),
            origin,
            seat,
        };
        return Ok(event_stream::run(asker, admitted).await);
    }
    if admitted.kind == OperationType::Subscription {
        return Err(answer::request_error(
            StatusCode::BAD_REQUEST,
            media,
            BAD_REQUEST,
            "subscriptions are served over websocket, or as text/event-stream",
        ));
    }
    let ran = operation::run(shared, viewer, origin, admitted).await;
    let (response, outcome) = answer::executed(media, &ran);
    Ok((response, outcome_word(&ran, outcome)))
}

/// What came of an operation, in one word for the metrics.
pub(super) fn outcome_word(ran: &Ran, outcome: Outcome) -> &'static str {
    match outcome {
        _ if ran.timed_out => "timeout",
        Outcome::Ok => "ok",
        Outcome::Errors => "errors",
        Outcome::Internal => "internal",
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
            .map_or_else(Uuid::nil, |id| id.0),
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

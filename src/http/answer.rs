//! Writes answers: the JSON of results and errors, with the headers and statuses that go with them.
//!
//! Called by the transports (`graphql.rs`, `websocket/`, `event_stream.rs`). Values go straight to text, so that fields keep the order in which they were selected. What
//! an internal error says stays in the log; the client gets an id to look it up.

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER},
    },
};
use async_graphql::{PathSegment, Response, ServerError, Value};
use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq},
};

use crate::graphql::gate::{BAD_USER_INPUT, FieldOrder, Refusal};

use super::{
    negotiate::MediaType,
    operation::{Cost, Ran, Refused},
    persisted::NoDocument,
};

/// `extensions.code` of everything that went wrong on our side.
pub const INTERNAL: &str = "INTERNAL";
/// `extensions.code` of a request without the token it needs, or with a bad one.
pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
/// `extensions.code` of what a known caller may not do.
pub const FORBIDDEN: &str = "FORBIDDEN";
/// `extensions.code` of a caller that asked too often.
pub const RATE_LIMITED: &str = "RATE_LIMITED";
/// `extensions.code` of an operation that ran too long.
pub const TIMEOUT: &str = "TIMEOUT";
/// `extensions.code` of a service that is away for a moment.
pub const UNAVAILABLE: &str = "UNAVAILABLE";
/// `extensions.code` of a request that is not GraphQL over HTTP.
pub const BAD_REQUEST: &str = "BAD_REQUEST";

/// An answer about a request of which nothing ran: errors only.
pub fn request_error(
    status: StatusCode,
    media: MediaType,
    code: &str,
    message: &str,
) -> HttpResponse {
    request_error_with(status, media, code, message, |_| {})
}

/// The same with further headers.
pub fn request_error_with(
    status: StatusCode,
    media: MediaType,
    code: &str,
    message: &str,
    headers: impl FnOnce(&mut HttpResponseBuilder),
) -> HttpResponse {
    let error = ErrorBody {
        message,
        locations: &[],
        path: &[],
        extensions: Extensions::Code(code),
    };
    let mut builder = HttpResponse::build(status);
    headers(&mut builder);
    finish(builder, media, &Body::errors(vec![error]))
}

/// The status of an answer about a document of which nothing ran.
fn status_of_refusal(media: MediaType) -> StatusCode {
    match media {
        MediaType::GraphqlResponse => StatusCode::BAD_REQUEST,
        MediaType::Json => StatusCode::OK,
    }
}

/// An answer about a request of which nothing ran.
pub fn refused(media: MediaType, refused: &Refused) -> HttpResponse {
    let mut builder = HttpResponse::build(match refused {
        Refused::Malformed(_) | Refused::NoDocument(NoDocument::Mismatch) => {
            StatusCode::BAD_REQUEST
        }
        Refused::NoDocument(NoDocument::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
        Refused::NoDocument(_) | Refused::Gate(_) => status_of_refusal(media),
    });
    if matches!(refused, Refused::NoDocument(NoDocument::Unavailable)) {
        builder.insert_header((RETRY_AFTER, "1"));
    }
    with_errors(refused, |errors| {
        finish(builder, media, &Body::errors(errors))
    })
}

/// The errors of a request of which nothing ran, as a JSON list or within a body, for transports without a status.
pub fn refused_text(refused: &Refused, within: Within) -> String {
    with_errors(refused, |errors| match within {
        Within::Nothing => text(&errors),
        Within::Body => text(&Body::errors(errors)),
    })
}

/// One error as [`refused_text`] gives it.
pub fn error_text(code: &str, message: &str) -> String {
    text(&[ErrorBody {
        message,
        locations: &[],
        path: &[],
        extensions: Extensions::Code(code),
    }])
}

/// Within what errors are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// They are the whole.
    Nothing,
    /// The body of an answer.
    Body,
}

fn with_errors<T>(refused: &Refused, tell: impl FnOnce(Vec<ErrorBody<'_>>) -> T) -> T {
    let (code, message) = match refused {
        Refused::Gate(refusal) => return with_gate_errors(refusal, tell),
        Refused::Malformed(message) => (BAD_REQUEST, message.clone()),
        Refused::NoDocument(error) => (error.code(), error.to_string()),
    };
    tell(vec![ErrorBody {
        message: &message,
        locations: &[],
        path: &[],
        extensions: Extensions::Code(code),
    }])
}

fn with_gate_errors<T>(refusal: &Refusal, tell: impl FnOnce(Vec<ErrorBody<'_>>) -> T) -> T {
    let locations: Vec<Vec<Place>> = refusal
        .errors
        .iter()
        .map(|error| {
            let place = |at: &crate::graphql::gate::Location| Place {
                line: at.line,
                column: at.column,
            };
            error.locations.iter().map(place).collect()
        })
        .collect();
    let errors = refusal
        .errors
        .iter()
        .zip(&locations)
        .map(|(error, locations)| ErrorBody {
            message: &error.message,
            locations,
            path: &[],
            extensions: Extensions::Code(error.code),
        })
        .collect();
    tell(errors)
}

/// What came of an operation, for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// No errors.
    Ok,
    /// Some fields failed.
    Errors,
    /// At least one error was ours.
    Internal,
}

/// An answer about an operation that ran.
pub fn executed(media: MediaType, ran: &Ran) -> (HttpResponse, Outcome) {
    let response = &ran.response;
    with_body(ran, |body, outcome| {
        let turned_away = body.data.is_none();
        let status = match media {
            MediaType::GraphqlResponse if turned_away => {
                status_of(response.errors.first().and_then(code))
            }
            _ => StatusCode::OK,
        };
        let mut builder = HttpResponse::build(status);
        for (name, value) in &response.http_headers {
            // The executor's headers come from another version of the same crate.
            if let (Ok(name), Ok(value)) = (
                HeaderName::from_bytes(name.as_str().as_bytes()),
                HeaderValue::from_bytes(value.as_bytes()),
            ) {
                builder.append_header((name, value));
            }
        }
        (finish(builder, media, &body), outcome)
    })
}

/// The body of such an answer as text, for transports without a status.
pub fn executed_text(ran: &Ran) -> (String, Outcome) {
    with_body(ran, |body, outcome| (text(&body), outcome))
}

/// The errors of something that was turned away, as a JSON list.
pub fn turned_away_text(ran: &Ran) -> String {
    with_body(ran, |body, _| text(&body.errors))
}

/// A backend that turns a whole request away gives errors that stand nowhere and no data.
pub fn is_turned_away(response: &Response) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response
            .errors
            .iter()
            .all(|error| error.path.is_empty() && error.locations.is_empty())
}

fn with_body<T>(ran: &Ran, tell: impl FnOnce(Body<'_>, Outcome) -> T) -> T {
    let response = &ran.response;
    let id = ran.request_id.to_string();
    let places: Vec<Vec<Place>> = response.errors.iter().map(locations).collect();
    let mut outcome = if response.errors.is_empty() {
        Outcome::Ok
    } else {
        Outcome::Errors
    };
    let mut errors = Vec::with_capacity(response.errors.len());
    for (error, places) in response.errors.iter().zip(&places) {
        let (message, extensions) = match code(error) {
            Some(code) if code != INTERNAL => (
                error.message.as_str(),
                error
                    .extensions
                    .as_ref()
                    .map_or(Extensions::Code(code), Extensions::Given),
            ),
            None if is_input_error(error) => {
                (error.message.as_str(), Extensions::Code(BAD_USER_INPUT))
            }
            _ => {
                outcome = Outcome::Internal;
                tracing::error!(error = %error.message, "internal error in a resolver");
                ("internal error", Extensions::Internal(&id))
            }
        };
        errors.push(ErrorBody {
            message,
            locations: places,
            path: &error.path,
            extensions,
        });
    }
    let turned_away = is_turned_away(response);
    let body = Body {
        errors,
        data: (!turned_away).then_some(&response.data),
        order: Some(&ran.order),
        cost: Some(ran.cost),
        extensions: Some(&response.extensions),
    };
    tell(body, outcome)
}

/// What is never refused by the serializer: there are no maps with other keys than texts.
fn text(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| {
        tracing::error!(%error, "an answer could not be written");
        INTERNAL_BODY.to_owned()
    })
}

const INTERNAL_BODY: &str =
    r#"{"errors":[{"message":"internal error","extensions":{"code":"INTERNAL"}}]}"#;

fn status_of(code: Option<&str>) -> StatusCode {
    match code {
        Some(UNAUTHENTICATED) => StatusCode::UNAUTHORIZED,
        Some(FORBIDDEN) => StatusCode::FORBIDDEN,
        Some(RATE_LIMITED) => StatusCode::TOO_MANY_REQUESTS,
        Some(UNAVAILABLE) => StatusCode::SERVICE_UNAVAILABLE,
        None | Some(INTERNAL) => StatusCode::INTERNAL_SERVER_ERROR,
        Some(_) => StatusCode::BAD_REQUEST,
    }
}

fn code(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code),
        Value::Enum(code) => Some(code),
        _ => None,
    }
}

/// The executor's own complaint about a value for a scalar; resolvers' errors never look like this, since theirs carry
/// a code or a source.
fn is_input_error(error: &ServerError) -> bool {
    error.source.is_none() && error.message.starts_with("Failed to parse \"")
}

fn locations(error: &ServerError) -> Vec<Place> {
    error
        .locations
        .iter()
        .map(|at| Place {
            line: at.line,
            column: at.column,
        })
        .collect()
}

fn finish(mut builder: HttpResponseBuilder, media: MediaType, body: &Body<'_>) -> HttpResponse {
    match serde_json::to_vec(body) {
        Ok(text) => builder
            .insert_header((CONTENT_TYPE, HeaderValue::from_static(media.content_type())))
            .body(text),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            HttpResponse::InternalServerError()
                .insert_header((CONTENT_TYPE, HeaderValue::from_static(media.content_type())))
                .body(INTERNAL_BODY)
        }
    }
}

struct Body<'r> {
    errors: Vec<ErrorBody<'r>>,
    data: Option<&'r Value>,
    order: Option<&'r FieldOrder>,
    cost: Option<Cost>,
    extensions: Option<&'r std::collections::BTreeMap<String, Value>>,
}

impl<'r> Body<'r> {
    fn errors(errors: Vec<ErrorBody<'r>>) -> Self {
        Self {
            errors,
            data: None,
            order: None,
            cost: None,
            extensions: None,
        }
    }
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.errors.is_empty() {
            map.serialize_entry("errors", &self.errors)?;
        }
        if let Some(data) = self.data {
            map.serialize_entry("data", &Shown(data, self.order))?;
        }
        if self.cost.is_some() || self.extensions.is_some_and(|all| !all.is_empty()) {
            map.serialize_entry("extensions", &ExtensionsBody(self))?;
        }
        map.end()
    }
}

/// `extensions.cost`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CostBody {
    requested: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    actual: Option<u64>,
    limit: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restored_per_second: Option<i64>,
}

impl CostBody {
    fn of(cost: Cost) -> Self {
        Self {
            requested: cost.requested,
            actual: cost.actual,
            limit: cost.limit,
            // Below zero is a debt, which is none of the caller's to pay but by waiting.
            left: cost.left.map(|left| left.left.max(0)),
            budget: cost.left.map(|left| left.size),
            restored_per_second: cost.left.map(|left| left.per_second),
        }
    }
}

struct ExtensionsBody<'r>(&'r Body<'r>);

impl Serialize for ExtensionsBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let given = self.0.extensions;
        let mut map = serializer.serialize_map(None)?;
        if let Some(cost) = self.0.cost {
            map.serialize_entry("cost", &CostBody::of(cost))?;
        }
        for (key, value) in given.into_iter().flatten() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// A value in the order of the document, without the fields that the gate added for itself.
struct Shown<'r>(&'r Value, Option<&'r FieldOrder>);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.0, self.1) {
            // Below a leaf stands a scalar's own JSON.
            (value, Some(order)) if order.is_leaf() => value.serialize(serializer),
            (Value::Object(fields), Some(order)) => {
                let mut map = serializer.serialize_map(None)?;
                let mut shown = 0;
                // As a rule the executor's order is the document's, and the next field is the one wanted.
                let mut next = 0;
                for (key, below) in order.iter() {
                    let found = match fields.get_index(next) {
                        Some((name, value)) if name == key => Some((next, value)),
                        _ => fields.get_full(key).map(|(index, _, value)| (index, value)),
                    };
                    if let Some((index, value)) = found {
                        next = index + 1;
                        shown += 1;
                        map.serialize_entry(key, &Shown(value, Some(below)))?;
                    }
                }
                debug_assert!(
                    shown + 1 >= fields.len(),
                    "only the hidden field is left out"
                );
                map.end()
            }
            (Value::List(values), order) => {
                let mut list = serializer.serialize_seq(Some(values.len()))?;
                for value in values {
                    list.serialize_element(&Shown(value, order))?;
                }
                list.end()
            }
            (other, _) => other.serialize(serializer),
        }
    }
}

#[derive(Serialize)]
struct Place {
    line: usize,
    column: usize,
}

#[derive(Serialize)]
struct ErrorBody<'r> {
    message: &'r str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    locations: &'r [Place],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    path: &'r [PathSegment],
    extensions: Extensions<'r>,
}

enum Extensions<'r> {
    Code(&'r str),
    Internal(&'r str),
    Given(&'r async_graphql::ErrorExtensionValues),
}

impl Serialize for Extensions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Given(values) => values.serialize(serializer),
            Self::Code(code) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("code", code)?;
                map.end()
            }
            Self::Internal(id) => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("code", INTERNAL)?;
                map.serialize_entry("id", id)?;
                map.end()
            }
        }
    }
}

//! What surrounds every response: the request's id, security headers, one line in the log.
//!
//! Mounted outermost by `server.rs`. The log gets method, route, status and time; never an address, a query or a token.

use std::time::{Duration, Instant};

use actix_web::{
    Error, HttpMessage,
    body::{BodySize, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{
        CACHE_CONTROL, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    },
    middleware::Next,
    web,
};
use tracing::Instrument;
use uuid::Uuid;

use crate::spans;

use super::{connection::Serving, metrics};

/// The id of the request at hand, in the request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct RequestId(pub Uuid);

/// Makes request ids; handed in so that tests can foresee them.
#[derive(Clone, Copy)]
pub struct RequestIds(pub fn() -> Uuid);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The trace of the caller, by the standard of the W3C.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Surrounds one request.
pub async fn frame(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let started = Instant::now();
    let id = request
        .app_data::<web::Data<RequestIds>>()
        .map_or_else(Uuid::now_v7, |ids| (ids.0)());
    request.extensions_mut().insert(RequestId(id));
    let serving = request.conn_data::<Serving>().cloned();
    if let Some(serving) = &serving {
        serving.set(true);
    }
    let inbound = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|text| is_plain_id(text))
        .map(str::to_owned);
    let span = tracing::info_span!("request", %id, inbound, method = %request.method());
    let traceparent = request.headers().get(TRACEPARENT);
    let trace = spans::request(
        request.method().as_str(),
        traceparent.and_then(|value| value.to_str().ok()),
    );
    let answered = next
        .call(request)
        .instrument(trace.clone())
        .instrument(span.clone())
        .await;
    let mut response = match answered {
        Ok(response) => response,
        Err(error) => {
            if let Some(serving) = &serving {
                serving.set(false);
            }
            return Err(error);
        }
    };
    let status = response.status().as_u16();
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(REQUEST_ID, value);
    }
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Only the explorer's files, which are the same for everybody, say otherwise.
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    metrics::response(status);
    // What is streamed, or has become another protocol, goes on being served.
    let whole = matches!(
        response.response().body().size(),
        BodySize::None | BodySize::Sized(_)
    );
    if let Some(serving) = &serving
        && whole
        && status != 101
    {
        serving.set(false);
    }
    let route = response.request().match_pattern();
    spans::answered(&trace, status, route.as_deref(), &id.to_string());
    span.in_scope(|| {
        tracing::info!(
            status,
            route = route.as_deref().unwrap_or("none"),
            milliseconds = milliseconds(started.elapsed()),
            "answered"
        );
    });
    Ok(response)
}

/// A span as the log has it: in milliseconds, to the microsecond, without the noise of binary fractions.
fn milliseconds(span: Duration) -> f64 {
    (span.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

/// Whether an inbound id may stand in the log.
fn is_plain_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_to_the_microsecond() {
        for (nanoseconds, told) in [
            (300_000, "0.3"),
            (1_234_567, "1.235"),
            (70_100_000, "70.1"),
            (0, "0"),
            (2_000_000_300_004, "2000000.3"),
        ] {
            let span = Duration::from_nanos(nanoseconds);
            assert_eq!(milliseconds(span).to_string(), told);
        }
    }

    #[test]
    fn inbound_ids_are_short_and_plain() {
        assert!(is_plain_id("0190-abcDEF"));
        for bad in ["", "a b", "a\"b", "é", &"a".repeat(65)] {
            assert!(!is_plain_id(bad), "{bad}");
        }
    }
}

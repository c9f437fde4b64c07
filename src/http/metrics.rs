//! Figures about requests, and `/metrics` where Prometheus reads them.
//!
//! Recorded through the `metrics` facade; the recorder is installed by the application, which hands its handle in.
//! Labels take few values by construction: kinds, outcomes, codes, status classes. Served to the machine itself, or
//! elsewhere to whoever holds the configured token.

use std::{sync::Once, time::Duration};

use actix_web::{HttpRequest, HttpResponse, http::header::WWW_AUTHENTICATE, web};
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::{bearer::bearer, client_address::is_forwarded};

const OPERATIONS: &str = "graphql_operations_total";
const SECONDS: &str = "graphql_operation_seconds";
const COST: &str = "graphql_operation_cost";
const REFUSED: &str = "graphql_refused_total";
const RESPONSES: &str = "http_responses_total";
const LIVE: &str = "graphql_live_connections";
const CLOSED: &str = "graphql_websockets_closed_total";
const FORWARDED: &str = "http_forwarded_unknown_total";

/// Describes the figures once; called when the server starts, after the recorder is installed.
pub fn describe() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        ::metrics::describe_counter!(OPERATIONS, "requests by kind of operation and outcome");
        ::metrics::describe_histogram!(
            SECONDS,
            ::metrics::Unit::Seconds,
            "time from head to answer"
        );
        ::metrics::describe_histogram!(COST, "cost of admitted operations");
        ::metrics::describe_gauge!(LIVE, "connections that are held open, by transport");
        ::metrics::describe_counter!(CLOSED, "websockets that ended, by close code");
        ::metrics::describe_counter!(REFUSED, "documents that were refused, by code");
        ::metrics::describe_counter!(RESPONSES, "responses by class of status");
        ::metrics::describe_counter!(
            FORWARDED,
            "requests with a forwarding header from a peer that is no trusted proxy"
        );
    });
}

/// One request at the endpoint.
pub(super) fn operation(kind: &'static str, outcome: &'static str, took: Duration) {
    ::metrics::counter!(OPERATIONS, "kind" => kind, "outcome" => outcome).increment(1);
    ::metrics::histogram!(SECONDS, "kind" => kind).record(took.as_secs_f64());
}

/// The cost of an admitted operation.
pub(super) fn cost(kind: &'static str, cost: u64) {
    #[expect(clippy::cast_precision_loss, reason = "costs stay far below 2^53")]
    ::metrics::histogram!(COST, "kind" => kind).record(cost as f64);
}

/// One document that was refused, by the gate or before it.
pub(super) fn refused(code: &'static str) {
    ::metrics::counter!(REFUSED, "code" => code).increment(1);
}

/// A connection that is held open, more or less.
pub(super) fn live(transport: &'static str, change: f64) {
    ::metrics::gauge!(LIVE, "transport" => transport).increment(change);
}

/// A websocket that has ended.
pub(super) fn websocket_closed(code: u16) {
    // Clients may send any code: what is not of a protocol is one.
    let code = match code {
        1000 => "1000",
        1001 => "1001",
        1002 => "1002",
        1006 => "1006",
        1007 => "1007",
        1009 => "1009",
        1013 => "1013",
        4400 => "4400",
        4401 => "4401",
        4403 => "4403",
        4408 => "4408",
        4409 => "4409",
        4429 => "4429",
        _ => "other",
    };
    ::metrics::counter!(CLOSED, "code" => code).increment(1);
}

/// One response of any route.
pub(super) fn response(status: u16) {
    let class = match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    ::metrics::counter!(RESPONSES, "class" => class).increment(1);
}

/// One request that names a client whom an unknown proxy forwarded.
pub(super) fn forwarded_by_stranger() {
    ::metrics::counter!(FORWARDED).increment(1);
}

/// What `/metrics` needs.
#[derive(Clone)]
pub struct MetricsAccess {
    /// Renders the figures; `None` where no recorder is installed.
    pub handle: Option<PrometheusHandle>,
    /// Opens the door to other machines.
    pub token: Option<SecretString>,
}

/// Answers `/metrics`.
pub async fn metrics(request: HttpRequest, access: web::Data<MetricsAccess>) -> HttpResponse {
    let Some(handle) = &access.handle else {
        return HttpResponse::NotFound().finish();
    };
    // A proxy on the same machine is a loopback peer too: what it forwards is from elsewhere.
    let local = request
        .peer_addr()
        .is_some_and(|peer| peer.ip().to_canonical().is_loopback())
        && !is_forwarded(request.headers());
    let token = match (bearer(request.headers()), &access.token) {
        (Ok(Some(given)), Some(expected)) => same(given, expected.expose_secret()),
        _ => false,
    };
    if !local && !token {
        return HttpResponse::Unauthorized()
            .insert_header((WWW_AUTHENTICATE, "Bearer"))
            .finish();
    }
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(handle.render())
}

/// Compares digests, so that the time taken tells nothing about the token.
fn same(given: &str, expected: &str) -> bool {
    Sha256::digest(given.as_bytes()) == Sha256::digest(expected.as_bytes())
}

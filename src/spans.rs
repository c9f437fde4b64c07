//! Spans for a collector of traces: a request, the gate, the operation, its statements, a job.
//!
//! Made by `http`, `jobs` and `db`, sent by `app::traces`; nothing is made unless that has begun. A span tells kinds,
//! names of our own, status, times and the text of statements, which has placeholders where values are: nothing
//! personal. The log has its own lines and does not know of these spans.

use opentelemetry::propagation::Extractor;
use opentelemetry::trace::{Span as _, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{KeyValue, global};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// What spans of this module are called by, for filters.
pub const TARGET: &str = module_path!();
/// The name under which spans are made.
pub const SCOPE: &str = "regulars";
/// As much of a statement as is told.
const LONGEST: usize = 2000;

static STATEMENTS: AtomicBool = AtomicBool::new(false);

/// From now on each statement is a span too.
pub fn tell_statements() {
    STATEMENTS.store(true, Ordering::Relaxed);
}

/// A request at the door; `traceparent` is the header of that name, by which it belongs to a trace of the caller.
pub fn request(method: &str, traceparent: Option<&str>) -> Span {
    let span = tracing::info_span!(
        "request",
        otel.kind = "server",
        http.request.method = method
    );
    if let Some(traceparent) = traceparent.filter(|_| !span.is_disabled()) {
        let parent = global::get_text_map_propagator(|it| it.extract(&Carrier(traceparent)));
        // Without a tracer there is nobody to tell.
        let _ = span.set_parent(parent);
    }
    span
}

/// What became of it.
pub fn answered(span: &Span, status: u16, route: Option<&str>, request_id: &str) {
    if span.is_disabled() {
        return;
    }
    span.set_attribute("http.response.status_code", i64::from(status));
    span.set_attribute("http.route", route.unwrap_or("none").to_owned());
    span.set_attribute("regulars.request_id", request_id.to_owned());
    if status >= 500 {
        span.set_status(Status::error(""));
    }
}

/// The gate, where documents are measured and validated.
pub fn gate() -> Span {
    tracing::info_span!("gate")
}

/// An operation of this kind at work.
pub fn operation(kind: &'static str) -> Span {
    tracing::info_span!("operation", graphql.operation.type = kind)
}

/// A job of this name at work.
pub fn job(name: &str) -> Span {
    tracing::info_span!("job", otel.kind = "consumer", regulars.job = name)
}

/// A statement that has just ended, with placeholders for its values.
pub fn statement(text: &str, took: Duration, has_failed: bool) {
    if !STATEMENTS.load(Ordering::Relaxed) {
        return;
    }
    let parent = Span::current().context();
    // Statements of nobody's work, such as a look whether there is any, would be traces of their own.
    if !parent.span().span_context().is_sampled() {
        return;
    }
    let end = SystemTime::now();
    let tracer = global::tracer(SCOPE);
    let text: String = text.chars().take(LONGEST).collect();
    let mut span = tracer
        .span_builder("statement")
        .with_kind(SpanKind::Client)
        .with_start_time(end.checked_sub(took).unwrap_or(end))
        .with_attributes([KeyValue::new("db.query.text", text)])
        .start_with_context(&tracer, &parent);
    if has_failed {
        span.set_status(Status::error(""));
    }
    span.end_with_timestamp(end);
}

struct Carrier<'a>(&'a str);

impl Extractor for Carrier<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == "traceparent").then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent"]
    }
}

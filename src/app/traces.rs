//! Traces for an OpenTelemetry collector, when one is named: OTLP in protobuf over plain HTTP.
//!
//! Begun with the log. The collector is one beside the program or in its network, which sends on by TLS wherever they
//! have to go: so no other HTTP client and no other TLS is brought in for them. A collector that is away costs nothing
//! but its traces.

use super::StartError;
use crate::config::Traces;
use crate::spans;
use async_trait::async_trait;
use opentelemetry::trace::TracerProvider;
use opentelemetry::{KeyValue, global};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::OnceLock;
use std::time::Duration;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::{Layer, Registry};

/// The longest that a collector may take to connect, to read and to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// More than any answer of a collector.
const LARGEST: u64 = 64 * 1024;
/// Where a collector takes traces.
const PATH: &str = "/v1/traces";

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// The layer that makes traces of spans; none when no collector is named.
///
/// # Errors
/// An address that is none.
pub(super) fn layer(
    settings: &Traces,
) -> Result<Option<Box<dyn Layer<Registry> + Send + Sync>>, StartError> {
    let Some(endpoint) = &settings.endpoint else {
        return Ok(None);
    };
    let refused = |why: &dyn std::fmt::Display| {
        StartError::Refused(format!("traces.endpoint cannot be used: {why}"))
    };
    if !endpoint.starts_with("http://") {
        return Err(refused(
            &"it must be http://host:port of a collector on this machine or in its network; one that is farther away is \
              reached through such a collector, by TLS",
        ));
    }
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Collector)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}{PATH}", endpoint.trim_end_matches('/')))
        .with_timeout(PATIENCE)
        .build()
        .map_err(|error| refused(&error))?;
    let one_in = f64::from(settings.one_in.max(1));
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        // Whoever calls has decided for the whole of a trace.
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
            one_in.recip(),
        ))))
        .with_resource(
            Resource::builder()
                .with_service_name("regulars")
                .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
                .build(),
        )
        .build();
    // It is begun already in a process that runs several programs, which only tests do.
    let provider = PROVIDER.get_or_init(|| provider);
    global::set_tracer_provider(provider.clone());
    global::set_text_map_propagator(TraceContextPropagator::new());
    if settings.statements {
        spans::tell_statements();
    }
    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(spans::SCOPE))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_filter(
            filter_fn(|it| it.is_span() && it.target() == spans::TARGET)
                .with_max_level_hint(LevelFilter::INFO),
        );
    Ok(Some(spans.boxed()))
}

/// Sends what is left, before the program ends.
pub fn finish() {
    if let Some(provider) = PROVIDER.get() {
        // The collector may be away: that is no failure of the program.
        let _ = provider.shutdown_with_timeout(PATIENCE);
    }
}

/// Takes what is sent to the collector. It is called on a thread of the exporter's own, where waiting does no harm.
#[derive(Debug)]
struct Collector;

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        Ok(post(&request)?)
    }
}

fn post(request: &Request<Bytes>) -> io::Result<Response<Bytes>> {
    let wrong = |what: &'static str| io::Error::new(io::ErrorKind::InvalidInput, what);
    let uri = request.uri();
    let host = uri.host().ok_or_else(|| wrong("no host"))?;
    let port = uri.port_u16().unwrap_or(80);
    // An address of IPv6 stands in brackets there.
    let place = (host.trim_matches(['[', ']']), port)
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| wrong("no such host"))?;
    let mut stream = TcpStream::connect_timeout(&place, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let body = request.body();
    let mut head = format!(
        "POST {} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\nContent-Length: {}\r\n",
        uri.path(),
        body.len()
    );
    for (name, value) in request.headers() {
        if let Ok(value) = value.to_str() {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.take(LARGEST).read_to_end(&mut answer)?;
    let status = String::from_utf8_lossy(&answer)
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split(' ').nth(1)?.parse::<u16>().ok())
        .ok_or_else(|| wrong("no answer of HTTP"))?;
    // What a collector says beside its status is not used.
    Response::builder()
        .status(status)
        .body(Bytes::new())
        .map_err(io::Error::other)
}

//! Traces, taken by a small collector: what is in them, whose trace it is, and that nothing personal is.

use crate::support::world::{self, PASSWORD};
use crate::support::{Place, Program, TestServer, World, program};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A collector that keeps what it is sent.
struct Collector {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut reader = BufReader::new(stream.unwrap());
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                assert!(line.starts_with("POST /v1/traces HTTP/1.1"), "{line}");
                let mut length = 0;
                loop {
                    line.clear();
                    reader.read_line(&mut line).unwrap();
                    let lower = line.to_ascii_lowercase();
                    if let Some(value) = lower.strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    if line.trim().is_empty() {
                        break;
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let request = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
                kept.lock().unwrap().push(request);
                reader
                    .get_mut()
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                    .unwrap();
            }
        });
        Self { address, requests }
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.requests.lock().unwrap();
        let scopes = requests
            .iter()
            .flat_map(|request| &request.resource_spans)
            .flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }
}

fn attribute(span: &Span, key: &str) -> String {
    let found = span.attributes.iter().find(|pair| pair.key == key);
    format!("{:?}", found.and_then(|pair| pair.value.clone()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_one_trace_from_the_caller_to_the_statements() {
    let collector = Collector::start();
    let place = World::new().await.server.stop().await;
    let mut program = Program::serve_with(&place, |command| {
        command
            .env(
                "REGULARS_TRACES_ENDPOINT",
                format!("http://{}", collector.address),
            )
            .env("REGULARS_TRACES_STATEMENTS", "true");
    });
    let token = world::sign_in(&program.client, &world::email("ADMIN")).await;
    let create = "mutation($input: CustomerCreateInput!) { customerCreate(input: $input) { customer { id } userErrors { code } } }";
    let planted = [
        "Zyxwvut Planted",
        "planted@person.example",
        PASSWORD,
        &token,
    ];
    let input = json!({ "fullName": planted[0], "contactPoints": [{ "kind": "EMAIL", "value": planted[1] }] });
    let (trace, caller) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
    let answer = program
        .client
        .http()
        .post(program.client.url("/graphql"))
        .bearer_auth(&token)
        .header("traceparent", format!("00-{trace}-{caller}-01"))
        .json(&json!({ "query": create, "variables": { "input": input } }))
        .send()
        .await
        .unwrap();
    assert!(answer.status().is_success());
    // What is left is sent at the end.
    program.signal("TERM");
    assert!(program.ended(Duration::from_secs(30)));
    let all = collector.spans();
    let ours: Vec<&Span> = all
        .iter()
        .filter(|span| hex(&span.trace_id) == trace)
        .collect();
    let one = |name: &str| {
        let mut found = ours.iter().filter(|span| span.name == name);
        let span = *found.next().unwrap_or_else(|| panic!("no span {name}"));
        assert!(found.next().is_none(), "two spans {name}");
        span
    };
    let (request, gate, operation) = (one("request"), one("gate"), one("operation"));
    assert_eq!(hex(&request.parent_span_id), caller);
    assert_eq!(gate.parent_span_id, request.span_id);
    assert_eq!(operation.parent_span_id, request.span_id);
    assert!(attribute(request, "http.response.status_code").contains("200"));
    assert!(attribute(request, "http.route").contains("/graphql"));
    assert!(attribute(operation, "graphql.operation.type").contains("mutation"));
    let statements: Vec<String> = ours
        .iter()
        .filter(|span| span.name == "statement")
        .map(|span| attribute(span, "db.query.text").to_lowercase())
        .collect();
    assert!(
        statements.iter().any(|text| text.contains("insert into")),
        "{statements:?}"
    );
    let told = format!("{all:?}");
    for secret in planted {
        assert!(!told.contains(secret), "{secret} is in a span");
    }
    // Whoever calls without a trace has one of their own.
    assert!(
        all.iter()
            .any(|span| span.name == "request" && hex(&span.trace_id) != trace)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_harms_nobody() {
    let place = TestServer::start().await.stop().await;
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut program = Program::serve_with(&place, |command| {
        command.env("REGULARS_TRACES_ENDPOINT", format!("http://{free}"));
    });
    assert_eq!(program.client.get("/readyz").await.0, 200);
    program.signal("TERM");
    assert!(program.ended(Duration::from_secs(30)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_none_is_refused() {
    let place = Place::new().await;
    for endpoint in ["https://collector.example:4318", "collector:4318"] {
        let output = program::command(&place)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("REGULARS_TRACES_ENDPOINT", endpoint)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && said.contains("must be http://host:port"),
            "{said}"
        );
    }
}

//! Requests that are made to hurt: refused before they cost anything.

use crate::support::{Place, Program, TestServer, World};
use serde_json::json;
use std::fmt::Write;
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Fragments that double at each step: 2 to the power of `levels` fields from some hundred bytes.
fn bomb(levels: usize) -> String {
    let mut text = String::from("{ ...F0 }");
    for level in 0..levels {
        let next = level + 1;
        write!(
            text,
            " fragment F{level} on Query {{ ...F{next} ...F{next} }}"
        )
        .unwrap();
    }
    write!(text, " fragment F{levels} on Query {{ __typename }}").unwrap();
    text
}

fn aliases(count: usize) -> String {
    let fields: String = (0..count).fold(String::new(), |mut text, n| {
        write!(text, " a{n}: __typename").unwrap();
        text
    });
    format!("{{{fields} }}")
}

fn deep(levels: usize) -> String {
    format!("{}{}", "{a".repeat(levels), "}".repeat(levels))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_customers_with_visits_and_lines_is_within_the_cost() {
    let world = World::new().await;
    let token = Some(world.token("STORE_MANAGER"));
    let page = include_str!("../../benches/load/queries/q2.graphql");
    let client = &world.server.client;
    let answer = client.gql(token, page, json!({})).await;
    assert_eq!(answer.data()["customers"]["nodes"], json!([]));
    // Five times as many customers with as many visits as there may be are beyond it still.
    let large = page
        .replace("first: 20", "first: 100")
        .replace("first: 5", "first: 100");
    let answer = client.gql(token, &large, json!({})).await;
    assert_eq!(answer.codes(), ["TOO_COSTLY"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn costly_documents_are_refused() {
    let server = TestServer::start().await;
    for (name, query) in [
        ("bomb", bomb(20)),
        ("aliases", aliases(10_000)),
        ("aliases within the size", aliases(2_000)),
        ("deep", deep(20_000)),
        ("brackets", "[".repeat(50_000)),
        (
            "directives",
            format!("{{ __typename {} }}", "@include(if: true) ".repeat(1_000)),
        ),
    ] {
        let answer = server.client.gql(None, &query, json!({})).await;
        assert_eq!(
            answer.status,
            400,
            "{name}: {:.300}",
            answer.body.to_string()
        );
        assert!(answer.body.get("data").is_none(), "{name}");
    }
    let answer = server.client.gql(None, "{ __typename }", json!({})).await;
    assert_eq!(answer.data()["__typename"], "Query");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_beyond_the_limit_is_not_read() {
    const BODY: usize = 64 << 20;
    let place = Place::new().await;
    let program = Program::serve(&place);
    for with_length in [true, false] {
        let sent = send_body(program.address, BODY, with_length);
        // Without a length it is refused as soon as it is too long; the answer may be lost when the server hangs up.
        assert!(
            sent.status == Some(413) || (!with_length && sent.status.is_none()),
            "{sent:?}"
        );
        // What the system holds on the way is some megabytes at most.
        assert!(sent.taken < BODY / 2, "{sent:?}");
    }
    assert!(program.peak_memory() < 256 << 20);
    let (status, _) = program.client.get("/healthz").await;
    assert_eq!(status, 200);
}

/// What came of a large body.
#[derive(Debug)]
struct Sent {
    /// The status of the answer; none when the server hung up before.
    status: Option<u16>,
    /// Bytes that the connection took.
    taken: usize,
}

/// Sends a body of blanks until all of it is gone or the server takes no more.
fn send_body(address: SocketAddr, bytes: usize, with_length: bool) -> Sent {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_write_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    let framing = if with_length {
        format!("content-length: {bytes}")
    } else {
        "transfer-encoding: chunked".to_owned()
    };
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n{framing}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut piece = vec![b' '; 1 << 16];
    if !with_length {
        piece = [format!("{:x}\r\n", piece.len()).as_bytes(), &piece, b"\r\n"].concat();
    }
    let (mut taken, mut at) = (0, 0);
    while taken < bytes {
        // The server may have answered and hung up already.
        let Ok(written) = stream.write(&piece[at..]) else {
            break;
        };
        taken += written;
        at = (at + written) % piece.len();
    }
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while answer.len() < 13 {
        match stream.read(&mut buffer) {
            Ok(n) if n > 0 => answer.extend_from_slice(&buffer[..n]),
            _ => break,
        }
    }
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text
        .split_whitespace()
        .nth(1)
        .and_then(|word| word.parse().ok());
    Sent { status, taken }
}

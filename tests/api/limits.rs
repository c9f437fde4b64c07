//! Requests that are made to hurt: refused before they cost anything.

use crate::support::{Place, Program, TestServer};
use serde_json::json;
use std::fmt::Write;
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

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

#[tokio::test]
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

/// The time that a process has spent on the processors so far.
fn processor_time(process: u32) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = text
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    // A tick is 10 ms on every Linux that there is.
    Duration::from_millis(ticks * 10)
}

#[tokio::test]
async fn refusing_costs_next_to_nothing() {
    let place = Place::new().await;
    let program = Program::serve(&place);
    const TIMES: u32 = 50;
    for (name, query) in [
        ("bomb", bomb(20)),
        ("aliases", aliases(10_000)),
        ("deep", deep(20_000)),
    ] {
        let before = processor_time(program.id());
        for _ in 0..TIMES {
            let answer = program.client.gql(None, &query, json!({})).await;
            assert_eq!(answer.status, 400, "{name}");
        }
        let each = (processor_time(program.id()) - before) / TIMES;
        assert!(
            each < Duration::from_millis(10),
            "{name} costs {each:?} each"
        );
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_not_read() {
    let place = Place::new().await;
    let program = Program::serve(&place);
    let before = processor_time(program.id());
    let started = Instant::now();
    for _ in 0..10 {
        assert!(send_body(program.address, 64 << 20, true) == Some(413));
        // Without a length it is refused as soon as it is too long.
        assert!(matches!(
            send_body(program.address, 64 << 20, false),
            Some(413) | None
        ));
    }
    // What it costs is measured by hand, on a quiet machine.
    let each = (processor_time(program.id()) - before) / 20;
    eprintln!(
        "{each:?} of processor time each, {:?} in all",
        started.elapsed()
    );
}

/// Sends a body of zeros and gives the status of the answer; none when the server hung up before.
fn send_body(address: SocketAddr, bytes: usize, with_length: bool) -> Option<u16> {
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
    let piece = vec![b' '; 1 << 16];
    for _ in 0..bytes / piece.len() {
        if !with_length && write!(stream, "{:x}\r\n", piece.len()).is_err() {
            break;
        }
        // The server may have answered and hung up already.
        if stream.write_all(&piece).is_err() || (!with_length && stream.write_all(b"\r\n").is_err())
        {
            break;
        }
    }
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while !answer.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(n) if n > 0 => answer.extend_from_slice(&buffer[..n]),
            _ => break,
        }
        if answer.len() > 12 {
            break;
        }
    }
    let text = String::from_utf8_lossy(&answer).into_owned();
    text.split_whitespace().nth(1)?.parse().ok()
}

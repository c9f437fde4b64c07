//! Requests that are made to hurt.

use crate::failure::Result;
use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Fragments that double at each step: 2 to the power of `levels` fields from some hundred bytes.
pub fn bomb(levels: usize) -> String {
    let mut text = String::from("{ ...F0 }");
    for level in 0..levels {
        let next = level + 1;
        // Writing to a text cannot fail.
        let _ = write!(
            text,
            " fragment F{level} on Query {{ ...F{next} ...F{next} }}"
        );
    }
    let _ = write!(text, " fragment F{levels} on Query {{ __typename }}");
    text
}

/// One field under many names.
pub fn aliases(count: usize) -> String {
    let mut text = String::from("{");
    for n in 0..count {
        let _ = write!(text, " a{n}: __typename");
    }
    text.push_str(" }");
    text
}

/// Selections within selections.
pub fn deep(levels: usize) -> String {
    format!("{}{}", "{a".repeat(levels), "}".repeat(levels))
}

/// What came of a large body.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// The status of the answer; none when the server hung up before.
    pub status: Option<u16>,
    /// Bytes of the body that the connection took.
    pub taken: usize,
    /// The server took nothing more, and did not hang up either.
    pub kept_open: bool,
}

/// How long the server may take nothing until it hangs up.
const PATIENCE: Duration = Duration::from_secs(3);

/// Sends a body of blanks, without looking at the answer before it has no choice. Blocks.
pub fn send_body(address: SocketAddr, bytes: usize, with_length: bool) -> Result<Sent> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let framing = if with_length {
        format!("content-length: {bytes}")
    } else {
        "transfer-encoding: chunked".to_owned()
    };
    write!(
        stream,
        "POST /graphql HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n{framing}\r\n\r\n"
    )?;
    let blanks = vec![b' '; 1 << 16];
    let piece = if with_length {
        blanks
    } else {
        [
            format!("{:x}\r\n", blanks.len()).as_bytes(),
            &blanks,
            b"\r\n",
        ]
        .concat()
    };
    let (mut taken, mut kept_open) = (0, false);
    while taken < bytes {
        let rest = piece.get(taken % piece.len()..).unwrap_or_default();
        match stream.write(rest) {
            Ok(written) => taken += written,
            // The server has answered and taken no more, or hung up already.
            Err(error) => {
                kept_open = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                break;
            }
        }
    }
    let mut answer = Vec::new();
    let mut buffer = [0; 1024];
    while answer.len() < 13 {
        match stream.read(&mut buffer) {
            Ok(n) if n > 0 => answer.extend(buffer.iter().take(n)),
            _ => break,
        }
    }
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text
        .split_whitespace()
        .nth(1)
        .and_then(|word| word.parse().ok());
    Ok(Sent {
        status,
        taken,
        kept_open,
    })
}

//! Reads server-sent events as the protocol graphql-sse has them for one operation.
//!
//! Opened by [`super::client::Client::follow`]. It asks nothing again: whoever reads decides what a cut means.

use super::client::{Trouble, data};
use serde_json::Value;
use std::time::Duration;

/// A server says within this time that it is there, with a comment if there is nothing else.
const SILENCE: Duration = Duration::from_secs(45);

/// A subscription that is told.
#[derive(Debug)]
pub struct EventStream {
    response: reqwest::Response,
    read: Vec<u8>,
}

/// What a stream says.
#[derive(Debug)]
pub enum Said {
    /// An answer: its data, or its errors.
    Next(Result<Value, Trouble>),
    /// There is no more to tell.
    Complete,
    /// The connection is gone, and more might have been told.
    CutOff,
}

impl EventStream {
    /// Reads the body of a response.
    pub fn new(response: reqwest::Response) -> Self {
        Self {
            response,
            read: Vec::new(),
        }
    }

    /// What comes next. Dropped while it waits, it has missed nothing.
    pub async fn next(&mut self) -> Said {
        loop {
            while let Some(event) = take_event(&mut self.read) {
                if let Some(said) = parse(&event) {
                    return said;
                }
            }
            match tokio::time::timeout(SILENCE, self.response.chunk()).await {
                Ok(Ok(Some(chunk))) => self.read.extend_from_slice(&chunk),
                _ => return Said::CutOff,
            }
        }
    }
}

/// The first event that has arrived whole.
fn take_event(read: &mut Vec<u8>) -> Option<String> {
    let end = read.windows(2).position(|pair| pair == b"\n\n")?;
    let event: Vec<u8> = read.drain(..end + 2).collect();
    Some(String::from_utf8_lossy(&event).into_owned())
}

/// None for a comment, which only shows that somebody is there.
fn parse(event: &str) -> Option<Said> {
    let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
    match field("event: ")? {
        "complete" => Some(Said::Complete),
        _ => {
            let text = field("data: ").unwrap_or_default();
            Some(Said::Next(data(200, text.to_owned())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_taken_once_they_are_whole() {
        let mut read = b":\n\nevent: next\ndata: {\"data\":{\"n\":1}}\n\nevent: comp".to_vec();
        assert!(parse(&take_event(&mut read).unwrap()).is_none());
        let said = parse(&take_event(&mut read).unwrap());
        assert!(matches!(said, Some(Said::Next(Ok(data))) if data["n"] == 1));
        assert!(take_event(&mut read).is_none());
        read.extend_from_slice(b"lete\ndata: \n\n");
        let said = parse(&take_event(&mut read).unwrap());
        assert!(matches!(said, Some(Said::Complete)));
        assert!(read.is_empty());
    }

    #[test]
    fn errors_keep_their_codes() {
        let event =
            "event: next\ndata: {\"errors\":[{\"extensions\":{\"code\":\"UNAVAILABLE\"}}]}\n\n";
        let Some(Said::Next(Err(Trouble::Refused { codes, .. }))) = parse(event) else {
            panic!("{event} was not read as an error");
        };
        assert_eq!(codes, ["UNAVAILABLE"]);
    }
}

//! The messages of graphql-transport-ws, as text.
//!
//! A client's message is read strictly: what is none closes the connection.

use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use crate::http::params::Params;

/// What a client may send.
#[derive(Debug, PartialEq)]
pub enum Incoming {
    /// Begins the session.
    ConnectionInit(Map<String, Value>),
    /// Wants an answer, with this payload.
    Ping(Option<String>),
    /// Answers, or only shows that it is there.
    Pong,
    /// Asks for an operation.
    Subscribe(String, Params),
    /// Wants no more of an operation.
    Complete(String),
}

/// It is no message of the protocol; the text is fit to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadMessage(String);

impl BadMessage {
    fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[derive(Deserialize)]
struct Message<'m> {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    #[serde(borrow)]
    payload: Option<&'m RawValue>,
}

/// Reads a message.
pub fn read(text: &str) -> Result<Incoming, BadMessage> {
    if !text.trim_start().starts_with('{') {
        return Err(BadMessage::new("a message is a JSON object"));
    }
    let message: Message<'_> = serde_json::from_str(text).map_err(|error| {
        // The parser's text may quote the message.
        BadMessage::new(if error.is_data() {
            "a message has a `type` and perhaps an `id`, both strings, and a `payload`"
        } else {
            "a message is valid JSON"
        })
    })?;
    match message.kind.as_str() {
        "connection_init" => object(message.payload)
            .map(Option::unwrap_or_default)
            .map(Incoming::ConnectionInit),
        "ping" => {
            object(message.payload)?;
            Ok(Incoming::Ping(
                message.payload.map(|payload| payload.get().to_owned()),
            ))
        }
        "pong" => object(message.payload).map(|_| Incoming::Pong),
        "subscribe" => {
            let payload = message
                .payload
                .ok_or_else(|| BadMessage::new("`subscribe` needs a `payload`"))?;
            let params = Params::from_body(payload.get().as_bytes())
                .map_err(|error| BadMessage(error.to_string().replace("body", "payload")))?;
            Ok(Incoming::Subscribe(id(message.id)?, params))
        }
        "complete" => Ok(Incoming::Complete(id(message.id)?)),
        _ => Err(BadMessage::new("no message of a client has this `type`")),
    }
}

fn id(id: Option<String>) -> Result<String, BadMessage> {
    id.filter(|id| !id.is_empty() && id.len() <= 256)
        .ok_or_else(|| BadMessage::new("`id` must be a string of 1 to 256 bytes"))
}

fn object(payload: Option<&RawValue>) -> Result<Option<Map<String, Value>>, BadMessage> {
    payload
        .map(|payload| serde_json::from_str(payload.get()))
        .transpose()
        .map_err(|_| BadMessage::new("the `payload` must be a JSON object"))
}

/// What the server sends about an operation: `payload` is JSON already.
pub fn about(kind: &str, id: &str, payload: &str) -> String {
    // A string is always written.
    let id = serde_json::to_string(id).unwrap_or_default();
    if payload.is_empty() {
        format!(r#"{{"id":{id},"type":"{kind}"}}"#)
    } else {
        format!(r#"{{"id":{id},"type":"{kind}","payload":{payload}}}"#)
    }
}

/// The answer to a ping.
pub fn pong(payload: Option<&str>) -> String {
    match payload {
        Some(payload) => format!(r#"{{"type":"pong","payload":{payload}}}"#),
        None => r#"{"type":"pong"}"#.to_owned(),
    }
}

/// The session has begun.
pub const ACK: &str = r#"{"type":"connection_ack"}"#;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn messages_of_the_protocol_are_read() {
        assert_eq!(
            read(r#"{"type":"connection_init"}"#),
            Ok(Incoming::ConnectionInit(Map::new()))
        );
        assert_eq!(
            read(r#"{"type":"connection_init","payload":null}"#),
            Ok(Incoming::ConnectionInit(Map::new()))
        );
        assert_eq!(
            read(r#" {"type":"ping","payload":{"a":1}}"#),
            Ok(Incoming::Ping(Some(r#"{"a":1}"#.to_owned())))
        );
        assert_eq!(read(r#"{"type":"pong"}"#), Ok(Incoming::Pong));
        let subscribe = read(r#"{"id":"1","type":"subscribe","payload":{"query":"{a}"}}"#).unwrap();
        assert!(
            matches!(&subscribe, Incoming::Subscribe(id, params) if id == "1" && params.query.as_deref() == Some("{a}"))
        );
        assert_eq!(
            read(r#"{"id":"1","type":"complete"}"#),
            Ok(Incoming::Complete("1".to_owned()))
        );
    }

    #[test]
    fn nothing_else_is() {
        for bad in [
            "",
            "null",
            "[]",
            r#"["ping"]"#,
            "{",
            "{}",
            r#"{"type":1}"#,
            r#"{"type":"next","id":"1","payload":{}}"#,
            r#"{"type":"start","id":"1","payload":{"query":"{a}"}}"#,
            r#"{"type":"connection_init","payload":"x"}"#,
            r#"{"type":"ping","payload":[]}"#,
            r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":1,"payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","id":"1","payload":{}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":[]}}"#,
            r#"{"type":"complete"}"#,
            r#"{"type":"ping","type":"ping"}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_id_is_quoted() {
        let text = about("next", "a\"b", "{}");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["id"], "a\"b");
        assert_eq!(
            about("complete", "1", ""),
            r#"{"id":"1","type":"complete"}"#
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "\\PC*") {
            let _ = read(&text);
            let _ = read(&format!("{{\"type\":\"subscribe\",\"id\":\"1\",\"payload\":{text}}}"));
        }
    }
}

//! A client of graphql-transport-ws, and one of server-sent events.

use super::Client;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long something is waited for that must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A websocket.
#[derive(Debug)]
pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// What a server sends.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// A message.
    Message(Value),
    /// The close frame's code; 1006 when the connection ended without one.
    Closed(u16),
}

impl Socket {
    /// Opens one without beginning a session.
    pub async fn open(client: &Client) -> Self {
        let url = client.url("/graphql").replacen("http", "ws", 1);
        let mut request = url.into_client_request().unwrap();
        let protocol = "graphql-transport-ws".parse().unwrap();
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        Self(connect_async(request).await.unwrap().0)
    }

    /// Opens one and begins a session with this token.
    pub async fn begin(client: &Client, token: &str) -> Self {
        let mut socket = Self::open(client).await;
        socket
            .send(json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {token}") } }))
            .await;
        assert_eq!(
            socket.next().await,
            Said::Message(json!({ "type": "connection_ack" }))
        );
        socket
    }

    /// Sends a message.
    pub async fn send(&mut self, message: Value) {
        let message = Message::text(message.to_string());
        self.0.send(message).await.unwrap();
    }

    /// Asks for an operation.
    pub async fn subscribe(&mut self, id: &str, query: &str) {
        let payload = json!({ "query": query });
        self.send(json!({ "type": "subscribe", "id": id, "payload": payload }))
            .await;
    }

    /// What comes next.
    pub async fn next(&mut self) -> Said {
        self.within(PATIENCE)
            .await
            .expect("something was said in time")
    }

    /// What comes within this time.
    pub async fn within(&mut self, time: Duration) -> Option<Said> {
        let next = async {
            loop {
                return match self.0.next().await {
                    Some(Ok(Message::Text(text))) => {
                        Said::Message(serde_json::from_str(&text).unwrap())
                    }
                    Some(Ok(Message::Close(frame))) => {
                        Said::Closed(frame.map_or(1005, |frame| frame.code.into()))
                    }
                    Some(Ok(_)) => continue,
                    Some(Err(_)) | None => Said::Closed(1006),
                };
            }
        };
        tokio::time::timeout(time, next).await.ok()
    }

    /// The payload of the next message, which must be of this kind and about this operation.
    #[track_caller]
    pub fn expect(&mut self, kind: &str, id: &str) -> impl Future<Output = Value> {
        let (kind, id) = (kind.to_owned(), id.to_owned());
        async move {
            match self.next().await {
                Said::Message(message) if message["type"] == kind && message["id"] == id => {
                    message["payload"].clone()
                }
                other => panic!("{other:?} instead of {kind} about {id}"),
            }
        }
    }

    /// The data of the next event of an operation.
    pub async fn told(&mut self, id: &str) -> Value {
        let payload = self.expect("next", id).await;
        assert!(payload.get("errors").is_none(), "{payload:#}");
        let data = payload["data"].as_object().unwrap();
        data.values().next().unwrap().clone()
    }

    /// The codes of the errors with which an operation is refused.
    pub async fn refused(&mut self, id: &str) -> Vec<String> {
        codes(&self.expect("error", id).await)
    }
}

/// The codes of a list of errors.
pub fn codes(errors: &Value) -> Vec<String> {
    let code = |error: &Value| error["extensions"]["code"].as_str().unwrap().to_owned();
    errors.as_array().unwrap().iter().map(code).collect()
}

/// A stream of server-sent events.
#[derive(Debug)]
pub struct EventStream {
    response: reqwest::Response,
    read: String,
}

impl EventStream {
    /// Asks by POST.
    pub async fn open(client: &Client, token: Option<&str>, query: &str) -> Self {
        let mut request = client
            .http()
            .post(client.url("/graphql"))
            .header("accept", "text/event-stream")
            .json(&json!({ "query": query }));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        Self::of(request.send().await.unwrap())
    }

    /// Reads an answer.
    pub fn of(response: reqwest::Response) -> Self {
        assert_eq!(response.status().as_u16(), 200);
        let kind = response.headers()["content-type"].to_str().unwrap();
        assert_eq!(kind, "text/event-stream; charset=utf-8");
        Self {
            response,
            read: String::new(),
        }
    }

    /// The next event: its kind and its data; none at the end of the stream.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some((event, rest)) = self.read.split_once("\n\n") {
                let event = event.to_owned();
                self.read = rest.to_owned();
                // A comment only shows that somebody is there.
                if event.starts_with(':') {
                    continue;
                }
                let (kind, data) = event.split_once('\n').unwrap();
                let data = data.strip_prefix("data: ").unwrap();
                let data = if data.is_empty() {
                    Value::Null
                } else {
                    serde_json::from_str(data).unwrap()
                };
                return Some((kind.strip_prefix("event: ").unwrap().to_owned(), data));
            }
            let chunk = tokio::time::timeout(PATIENCE, self.response.chunk()).await;
            let chunk = chunk.expect("something was sent in time").ok()??;
            self.read.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

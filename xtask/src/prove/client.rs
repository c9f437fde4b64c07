//! Asks a server as any client would, and keeps apart what it said from what was lost on the way.

use super::event_stream::EventStream;
use crate::failure::{During, Failure, Result};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

/// The longest that a subscription is followed over one connection.
const FOLLOWED: Duration = Duration::from_secs(3600);

/// A client of one server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
}

/// Why there are no data.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// No answer came: refused, cut off, too late.
    Lost(String),
    /// The server said no, with these codes.
    Refused {
        /// Each error's `extensions.code`.
        codes: Vec<String>,
        /// The whole answer.
        text: String,
    },
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Lost(why) => Self::new(format!("no answer: {why}")),
            Trouble::Refused { text, .. } => Self::new(format!("refused: {text:.500}")),
        }
    }
}

impl Client {
    /// A client of the server at this address.
    pub fn new(address: SocketAddr) -> Result<Self> {
        // Asked for even where nothing is encrypted; another client may have said it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(90))
            .no_proxy()
            .build()?;
        Ok(Self {
            http,
            base: format!("http://{address}"),
        })
    }

    /// Gets a path; gives status and text.
    pub async fn get(&self, path: &str) -> Result<(u16, String)> {
        let answer = self.http.get(format!("{}{path}", self.base)).send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    /// Asks GraphQL; gives status and text, whatever they are.
    pub async fn post(
        &self,
        token: Option<&str>,
        query: &str,
        variables: &Value,
    ) -> Result<(u16, String), reqwest::Error> {
        let mut request = self
            .http
            .post(format!("{}/graphql", self.base))
            .header("accept", "application/graphql-response+json")
            .json(&json!({ "query": query, "variables": variables }));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    /// Asks GraphQL; gives `data` when there are no errors.
    pub async fn ask(
        &self,
        token: Option<&str>,
        query: &str,
        variables: &Value,
    ) -> Result<Value, Trouble> {
        let (status, text) = self
            .post(token, query, variables)
            .await
            .map_err(|error| Trouble::Lost(error.to_string()))?;
        data(status, text)
    }

    /// Begins a subscription, which is told as server-sent events.
    pub async fn follow(
        &self,
        token: &str,
        query: &str,
        variables: &Value,
    ) -> Result<EventStream, Trouble> {
        let lost = |error: reqwest::Error| Trouble::Lost(error.to_string());
        let answer = self
            .http
            .post(format!("{}/graphql", self.base))
            .header("accept", "text/event-stream")
            .bearer_auth(token)
            .timeout(FOLLOWED)
            .json(&json!({ "query": query, "variables": variables }))
            .send()
            .await
            .map_err(lost)?;
        let status = answer.status().as_u16();
        if status == 200 {
            return Ok(EventStream::new(answer));
        }
        let text = answer.text().await.map_err(lost)?;
        Err(data(status, text).err().unwrap_or_else(|| {
            let codes = vec![format!("HTTP {status}")];
            let text = String::new();
            Trouble::Refused { codes, text }
        }))
    }

    /// Runs the only mutation of a document with one `input`; gives its payload, which must have no user errors.
    pub async fn run(&self, token: Option<&str>, query: &str, input: Value) -> Result<Value> {
        let data = self.ask(token, query, &json!({ "input": input })).await?;
        let payload = data
            .as_object()
            .and_then(|data| data.values().next())
            .during("the answer has no payload")?;
        ensure!(list(payload, "/userErrors").is_empty(), "{payload}");
        Ok(payload.clone())
    }
}

/// The `data` of an answer that has no errors.
pub fn data(status: u16, text: String) -> Result<Value, Trouble> {
    let Ok(mut body) = serde_json::from_str::<Value>(&text) else {
        let codes = vec![format!("HTTP {status} without JSON")];
        return Err(Trouble::Refused { codes, text });
    };
    if body.get("errors").is_none() {
        return Ok(body.get_mut("data").map(Value::take).unwrap_or(Value::Null));
    }
    let codes = list(&body, "/errors")
        .iter()
        .map(|error| text_at(error, "/extensions/code").to_owned())
        .collect();
    Err(Trouble::Refused { codes, text })
}

/// A list within an answer; empty when it is not there.
pub fn list<'v>(value: &'v Value, path: &str) -> &'v [Value] {
    value
        .pointer(path)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// A text within an answer; empty when it is not there.
pub fn text_at<'v>(value: &'v Value, path: &str) -> &'v str {
    value
        .pointer(path)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// A whole number within an answer.
pub fn number_at(value: &Value, path: &str) -> Result<i64> {
    value
        .pointer(path)
        .and_then(Value::as_i64)
        .during(format!("no number at {path} in {value:.300}"))
}

/// An amount of money within an answer, in cents.
pub fn cents_at(value: &Value, path: &str) -> Result<i64> {
    let text = text_at(value, path);
    let (whole, part) = text.split_once('.').unwrap_or((text, "00"));
    format!("{whole}{part:0<2}")
        .parse()
        .during(format!("no amount at {path} in {value:.300}"))
}

/// Cents as the API and files write them.
pub fn amount(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

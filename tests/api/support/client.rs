//! Asks a server as any client would.

use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

/// A client of one server.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The request's id in the log.
    pub request_id: String,
    /// The whole body.
    pub body: Value,
}

impl Client {
    /// A client of the server at this address.
    pub fn new(address: SocketAddr) -> Self {
        // The program brings its own to each sender; a client without one asks for the process's. Another test may have
        // been here before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            http: reqwest::Client::builder()
                .timeout(Duration::from_secs(60))
                .no_proxy()
                .build()
                .unwrap(),
            base: format!("http://{address}"),
        }
    }

    /// The HTTP client below, for what GraphQL clients do not do.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Gets a path; gives status and text.
    pub async fn get(&self, path: &str) -> (u16, String) {
        let answer = self.http.get(self.url(path)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Asks GraphQL; nobody is signed in when there is no token.
    pub async fn gql(&self, token: Option<&str>, query: &str, variables: Value) -> Answer {
        let mut request = self
            .http
            .post(self.url("/graphql"))
            .header("accept", "application/graphql-response+json")
            .json(&json!({ "query": query, "variables": variables }));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let request_id = answer
            .headers()
            .get("x-request-id")
            .map(|id| id.to_str().unwrap().to_owned())
            .unwrap_or_default();
        let text = answer.text().await.unwrap();
        let body = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("status {status}, no JSON ({error}): {text}"));
        Answer {
            status,
            request_id,
            body,
        }
    }

    /// As [`Client::gql`], where an answer may be lost: then there is none.
    pub async fn try_gql(&self, token: &str, query: &str, variables: &Value) -> Option<Answer> {
        let request = self
            .http
            .post(self.url("/graphql"))
            .json(&json!({ "query": query, "variables": variables }))
            .bearer_auth(token);
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        let text = answer.text().await.ok()?;
        Some(Answer {
            status,
            request_id: String::new(),
            body: serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{status}, {error}: {text}")),
        })
    }

    /// The figure `/metrics` tells for a name without labels; 0 when it was never counted.
    pub async fn figure(&self, name: &str) -> u64 {
        let (status, text) = self.get("/metrics").await;
        assert_eq!(status, 200, "{text}");
        text.lines()
            .filter_map(|line| {
                line.strip_prefix(name)?
                    .strip_prefix(' ')?
                    .parse::<f64>()
                    .ok()
            })
            .map(|figure| figure as u64)
            .sum()
    }
}

impl Answer {
    /// The data, when there was no error.
    #[track_caller]
    pub fn data(&self) -> &Value {
        assert!(self.body.get("errors").is_none(), "{:#}", self.body);
        &self.body["data"]
    }

    /// The payload of the only mutation, when it had no user errors.
    #[track_caller]
    pub fn payload(&self) -> &Value {
        let payload = self.any_payload();
        assert_eq!(payload["userErrors"], json!([]), "{payload:#}");
        payload
    }

    /// The payload of the only mutation.
    #[track_caller]
    pub fn any_payload(&self) -> &Value {
        let data = self.data().as_object().unwrap();
        assert_eq!(data.len(), 1, "{data:#?}");
        data.values().next().unwrap()
    }

    /// The codes of the user errors with their fields, such as `INVALID phone`.
    #[track_caller]
    pub fn user_errors(&self) -> Vec<String> {
        let errors = self.any_payload()["userErrors"].as_array().unwrap().clone();
        errors
            .iter()
            .map(|error| {
                let path = error["field"].as_array().cloned().unwrap_or_default();
                let path: Vec<_> = path.iter().filter_map(Value::as_str).collect();
                format!("{} {}", error["code"].as_str().unwrap(), path.join("."))
                    .trim_end()
                    .to_owned()
            })
            .collect()
    }

    /// The codes in `errors`.
    pub fn codes(&self) -> Vec<String> {
        let errors = self.body.get("errors").and_then(Value::as_array).cloned();
        errors
            .unwrap_or_default()
            .iter()
            .map(|error| {
                error["extensions"]["code"]
                    .as_str()
                    .unwrap_or("none")
                    .to_owned()
            })
            .collect()
    }
}

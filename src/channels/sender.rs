//! Sends a message to somebody else's web server.
//!
//! Connects to nothing but what [`Targets`] allows: a name is resolved here, and only those of its addresses that are
//! allowed are handed on to be connected to, so that the address that was looked at is the one that gets the message.
//! Follows no redirect, goes through no proxy, waits no longer than it is told, and reads no more of an answer than its
//! beginning.

use super::target::Targets;
use crate::error::{Error, Result};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of an answer's body that are read at most.
const ANSWER_BYTES: usize = 1024;
/// The longest time for a connection to be made.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How long a connection that nobody uses is kept.
const IDLE_TIME: Duration = Duration::from_secs(30);

/// What is sent: a body of JSON.
#[derive(Clone, Debug)]
pub struct Message {
    /// Where to.
    pub url: String,
    /// Headers beside those that every message has.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
    /// The longest time until the answer's beginning is read.
    pub time: Duration,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// After how long another try makes sense, when the answer says so in seconds.
    pub retry_after: Option<Duration>,
    /// The beginning of its body, as far as it is text.
    pub beginning: String,
}

/// Why nothing came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The address is none that is allowed, or none of those behind its name is.
    Refused,
    /// Nobody knows the name.
    Unresolved,
    /// No connection could be made.
    Unreachable,
    /// The other side's certificate is not good.
    Tls,
    /// The time was up.
    Timeout,
    /// The connection was lost, or what came over it is no HTTP.
    Broken,
}

/// Sends messages. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sender {
    client: reqwest::Client,
    targets: Targets,
}

impl Sender {
    /// A sender to these targets.
    ///
    /// # Errors
    /// [`Error::Internal`] when the cryptography cannot be set up, which only a defect does.
    pub fn new(targets: Targets) -> Result<Self> {
        let failed = |error: &dyn std::fmt::Display| {
            Error::internal(format!("the sender of messages: {error}"))
        };
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls().map_err(|error| failed(&error))?)
            .dns_resolver(Arc::new(Guard(targets)))
            .redirect(Policy::none())
            .no_proxy()
            .no_gzip()
            .referer(false)
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIME)
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(4)
            .user_agent(concat!("regulars/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| failed(&error))?;
        Ok(Self { client, targets })
    }

    /// Which targets it sends to.
    pub fn targets(&self) -> Targets {
        self.targets
    }

    /// Sends a message and reads the beginning of the answer.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn send(&self, message: Message) -> Result<Answer, Fault> {
        let time = message.time;
        tokio::time::timeout(time, self.exchange(message))
            .await
            .unwrap_or(Err(Fault::Timeout))
    }

    async fn exchange(&self, message: Message) -> Result<Answer, Fault> {
        // An address in numbers is not resolved, so the guard never sees it.
        let url = self
            .targets
            .read(&message.url)
            .map_err(|_| Fault::Refused)?;
        let mut headers = HeaderMap::new();
        headers.insert(
            reqwest::header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        for (name, value) in message.headers {
            let value = HeaderValue::from_str(&value).map_err(|_| Fault::Broken)?;
            headers.insert(HeaderName::from_static(name), value);
        }
        let request = self.client.post(url).headers(headers).body(message.body);
        let mut answer = request.send().await.map_err(|error| fault(&error))?;
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(seconds);
        let mut beginning = Vec::new();
        while beginning.len() < ANSWER_BYTES {
            match answer.chunk().await {
                Ok(Some(chunk)) => beginning.extend_from_slice(&chunk),
                // The status has come: what was lost of the body changes nothing.
                Ok(None) | Err(_) => break,
            }
        }
        beginning.truncate(ANSWER_BYTES);
        Ok(Answer {
            status: answer.status().as_u16(),
            retry_after,
            beginning: text(&beginning),
        })
    }
}

fn tls() -> std::result::Result<rustls::ClientConfig, rustls::Error> {
    let mut roots = rustls::RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// The number of seconds of a `Retry-After`; its other form, a date, is passed over.
fn seconds(value: &HeaderValue) -> Option<Duration> {
    value
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
        .map(Duration::from_secs)
}

/// Text as the database can keep it and a person can read it.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .filter(|letter| !letter.is_control() || matches!(letter, '\n' | '\t'))
        .collect()
}

/// Refuses to resolve a name to addresses that are not allowed.
struct Guard(Targets);

/// No address behind a name is allowed.
#[derive(Debug, thiserror::Error)]
#[error("no address behind the name is allowed")]
struct NoneAllowed;

/// A name could not be resolved.
#[derive(Debug, thiserror::Error)]
#[error("the name could not be resolved")]
struct NoneFound(#[source] std::io::Error);

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let targets = self.0;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0))
                .await
                .map_err(NoneFound)?
                .filter(|address| targets.allows(address.ip()))
                .collect();
            if found.is_empty() {
                return Err(NoneAllowed.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn fault(error: &reqwest::Error) -> Fault {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<NoneAllowed>() {
            return Fault::Refused;
        }
        if error.is::<NoneFound>() {
            return Fault::Unresolved;
        }
        if error.is::<rustls::Error>() {
            return Fault::Tls;
        }
        // The TLS library's errors travel inside one of the system's.
        let inner = error.downcast_ref::<std::io::Error>();
        if inner
            .and_then(|error| error.get_ref())
            .is_some_and(|error| error.is::<rustls::Error>())
        {
            return Fault::Tls;
        }
        cause = error.source();
    }
    if error.is_timeout() {
        Fault::Timeout
    } else if error.is_connect() {
        Fault::Unreachable
    } else {
        Fault::Broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(url: String) -> Message {
        Message {
            url,
            headers: Vec::new(),
            body: "{}".to_owned(),
            time: Duration::from_secs(5),
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let guarded = Guard(Targets::default());
        let outcome = guarded.resolve("localhost".parse().unwrap()).await;
        assert!(outcome.err().unwrap().is::<NoneAllowed>());
        let free = Guard(Targets { private: true });
        assert!(free.resolve("localhost".parse().unwrap()).await.is_ok());

        // The guard stands behind the check of the address's text: here that is left out.
        let mut sender = Sender::new(Targets::default()).unwrap();
        sender.targets = Targets { private: true };
        let url = format!("https://localhost:{port}/");
        assert_eq!(sender.send(message(url)).await, Err(Fault::Refused));
        let sender = Sender::new(Targets::default()).unwrap();
        let url = format!("https://127.0.0.1:{port}/");
        assert_eq!(sender.send(message(url)).await, Err(Fault::Refused));
        let accepted = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
        assert!(accepted.is_err(), "somebody has connected");
    }

    #[tokio::test]
    async fn a_certificate_of_nobody_and_silence_are_told_apart() {
        let sender = Sender::new(Targets { private: true }).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut silent = message(format!("http://127.0.0.1:{port}/"));
        silent.time = Duration::from_millis(200);
        assert_eq!(sender.send(silent).await, Err(Fault::Timeout));
        drop(listener);
        let gone = message(format!("http://127.0.0.1:{port}/"));
        assert_eq!(sender.send(gone).await, Err(Fault::Unreachable));
    }
}

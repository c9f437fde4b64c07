//! How the provider is asked: over TLS with the machine's own authorities, without following redirects, in bounded time and
//! size. The protocol on top of it is [`super::provider`]'s matter.

use entity::values::WebAddress;
use openidconnect::http::{Response, StatusCode};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use std::pin::Pin;
use std::time::Duration;

/// Longest time of one question.
const QUESTION: Duration = Duration::from_secs(6);
/// Longest time until the provider takes the connection.
const CONNECT: Duration = Duration::from_secs(4);
/// Bytes of an answer at most: keys and tokens have some thousand.
const LONGEST: usize = 1 << 20;

/// Why there is no answer. Never tells what was sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum TransportError {
    /// The address is none that secrets may be sent to.
    #[error("it names an address that is not https")]
    NotSecure,
    /// It cannot be reached, or the answer breaks off.
    #[error("it cannot be reached: {0}")]
    Unreachable(#[source] reqwest::Error),
    /// It has a defect of its own.
    #[error("it answers {0}")]
    Failing(StatusCode),
    /// The answer has no end.
    #[error("its answer is too long")]
    TooLong,
    /// The answer has no form.
    #[error("its answer has no form: {0}")]
    Malformed(#[source] openidconnect::http::Error),
}

/// Asks a provider.
#[derive(Debug)]
pub(super) struct Transport(reqwest::Client);

impl Transport {
    /// `issuer` is the provider: one on this very machine is not looked for behind a proxy.
    pub fn new(issuer: &WebAddress) -> Result<Self, reqwest::Error> {
        // The library wants one for the process; somebody may have set the same one before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .timeout(QUESTION)
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            // Sign-ins are rare, and a connection that has died meanwhile would cost one of them.
            .pool_max_idle_per_host(0)
            .user_agent(concat!("regulars/", env!("CARGO_PKG_VERSION")));
        if issuer.normal().starts_with("http://") {
            builder = builder.no_proxy();
        }
        builder.build().map(Self)
    }

    /// Sends a question and waits for the whole answer.
    async fn send(&self, question: HttpRequest) -> Result<HttpResponse, TransportError> {
        // What the provider's own document names is looked at like what the operator names.
        WebAddress::parse(&question.uri().to_string()).map_err(|_| TransportError::NotSecure)?;
        let unreachable = |error: reqwest::Error| TransportError::Unreachable(error.without_url());
        let question = question.try_into().map_err(unreachable)?;
        let mut answer = self.0.execute(question).await.map_err(unreachable)?;
        let status = answer.status();
        if status.is_server_error() {
            return Err(TransportError::Failing(status));
        }
        let mut response = Response::builder().status(status);
        for (name, value) in answer.headers() {
            response = response.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + part.len() > LONGEST {
                return Err(TransportError::TooLong);
            }
            body.extend_from_slice(&part);
        }
        response.body(body).map_err(TransportError::Malformed)
    }
}

impl<'c> AsyncHttpClient<'c> for Transport {
    type Error = TransportError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, TransportError>> + Send + 'c>>;

    fn call(&'c self, question: HttpRequest) -> Self::Future {
        Box::pin(self.send(question))
    }
}

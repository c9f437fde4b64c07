//! Signing in through the company's provider: `GET /auth/oidc/start` sends the browser there, `GET /auth/oidc/callback`
//! takes it back and sends it on to the page it came from.
//!
//! Mounted by `server.rs`. Everything about the protocol and about accounts is behind [`Backend`]. A cookie binds the two
//! to one browser; it says nothing to anybody else, and nothing else is ever in a cookie. Where there is no page to
//! return to, the answer is a page of our own, in which no word of the request or of the provider stands.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{
        CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, RETRY_AFTER, SET_COOKIE,
    },
    web,
};
use secrecy::{ExposeSecret, SecretString};

use super::{
    backend::Backend,
    graphql::{self, Endpoint},
};

/// The name makes browsers refuse it from anywhere but this very host, over TLS.
const NAME: &str = "__Host-regulars-sign-in";
/// Seconds that it is kept: as long as somebody may take at the provider. Lax, because it has to come along when the
/// provider sends the browser back.
const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600";
/// Bytes of a query string that are looked at.
const LONGEST: usize = 16 * 1024;
const POLICY: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Where a browser is sent.
pub struct Redirect {
    /// The address.
    pub location: String,
    /// What it keeps until it comes back.
    pub kept: Option<SecretString>,
}

/// With what a browser comes back.
#[derive(Default)]
pub struct SignInReturn {
    /// The parameter `state`.
    pub state: Option<String>,
    /// The parameter `code`.
    pub code: Option<SecretString>,
    /// The parameter `error`.
    pub error: Option<String>,
    /// The parameter `iss`.
    pub issuer: Option<String>,
    /// What the browser has kept.
    pub kept: Option<SecretString>,
}

/// Why a browser is sent nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInRefusal {
    /// There is no such way to sign in here.
    Off,
    /// The page to return to is not allowed.
    ReturnRefused,
    /// Nothing was begun by this browser, or it took too long.
    Ended,
    /// Too many attempts from this address.
    RateLimited {
        /// Time to wait.
        retry_after: Duration,
    },
    /// The service cannot answer at the moment.
    Unavailable,
    /// A defect.
    Internal,
}

/// Sends the browser to the provider.
pub async fn start<B: Backend>(
    request: HttpRequest,
    shared: web::Data<Endpoint<B>>,
) -> HttpResponse {
    let Some(parameters) = Parameters::of(&request) else {
        return refused(SignInRefusal::ReturnRefused);
    };
    let from = graphql::origin(&request, &shared.settings);
    let return_to = parameters.get("return_to");
    let begun = shared
        .backend
        .sign_in_begin(from, return_to, kept(request.headers()))
        .await;
    begun.map_or_else(refused, redirected)
}

/// Takes the browser back from the provider.
pub async fn callback<B: Backend>(
    request: HttpRequest,
    shared: web::Data<Endpoint<B>>,
) -> HttpResponse {
    let Some(parameters) = Parameters::of(&request) else {
        return refused(SignInRefusal::Ended);
    };
    let from = graphql::origin(&request, &shared.settings);
    let back = SignInReturn {
        state: parameters.get("state"),
        code: parameters.get("code").map(SecretString::from),
        error: parameters.get("error"),
        issuer: parameters.get("iss"),
        kept: kept(request.headers()),
    };
    // On a task of its own: a code is good once, so whoever closes the window meanwhile does not leave it half used.
    let finishing = async move { shared.backend.sign_in_finish(from, back).await };
    let finished = actix_web::rt::spawn(finishing).await;
    finished
        .unwrap_or(Err(SignInRefusal::Internal))
        .map_or_else(refused, redirected)
}

/// The parameters of a query string, each at most once.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// None when there is too much of them, or one is there twice: then two readers could read it differently.
    fn of(request: &HttpRequest) -> Option<Self> {
        let query = request.query_string();
        if query.len() > LONGEST {
            return None;
        }
        let mut all: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if all.iter().any(|(known, _)| *known == name) {
                return None;
            }
            all.push((name.into_owned(), value.into_owned()));
        }
        Some(Self(all))
    }

    fn get(&self, name: &str) -> Option<String> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.clone())
            .filter(|value| !value.is_empty())
    }
}

fn kept(headers: &HeaderMap) -> Option<SecretString> {
    headers
        .get_all(COOKIE)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == NAME)
        .map(|(_, value)| SecretString::from(value))
}

fn redirected(to: Redirect) -> HttpResponse {
    let mut response = HttpResponse::Found();
    response.insert_header((LOCATION, to.location));
    if let Some(kept) = to.kept {
        let cookie = format!("{NAME}={}; {ATTRIBUTES}", kept.expose_secret());
        response.insert_header((SET_COOKIE, cookie));
    }
    response.finish()
}

fn refused(refusal: SignInRefusal) -> HttpResponse {
    let (mut response, title, text) = match refusal {
        SignInRefusal::Off => (
            HttpResponse::NotFound(),
            "There is no company sign-in here",
            "Sign in with your e-mail address and password.",
        ),
        SignInRefusal::ReturnRefused => (
            HttpResponse::BadRequest(),
            "This page may not be returned to",
            "The page that sent you here is not among those that the operator allows, or the address is not whole.",
        ),
        SignInRefusal::Ended => (
            HttpResponse::BadRequest(),
            "This sign-in is over",
            "It took too long, was used before, or began in another browser. Go back to the page you came from and sign in \
             again; cookies have to be allowed for that.",
        ),
        SignInRefusal::RateLimited { retry_after } => {
            let mut response = HttpResponse::TooManyRequests();
            let seconds = retry_after.as_secs().max(1);
            response.insert_header((RETRY_AFTER, seconds.to_string()));
            (
                response,
                "Too many attempts",
                "Wait a while and sign in again.",
            )
        }
        SignInRefusal::Unavailable => (
            HttpResponse::ServiceUnavailable(),
            "Nobody can sign in at the moment",
            "Wait a moment and sign in again.",
        ),
        SignInRefusal::Internal => (
            HttpResponse::InternalServerError(),
            "Something went wrong",
            "The log has the cause under the id of this request.",
        ),
    };
    response
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(format!(
            "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
             <body>\n<h1>{title}</h1>\n<p>{text}</p>\n</body>\n</html>\n"
        ))
}

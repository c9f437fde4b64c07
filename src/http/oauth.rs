//! `POST /oauth/token` (RFC 6749, section 4.4): a client gets a token for its id and secret; and
//! `/.well-known/oauth-authorization-server` (RFC 8414), which tells programs where and how.
//!
//! Mounted by `server.rs`. The protocol is here: forms, the two ways to send credentials, the words of errors. Who the
//! client is and what it may do is behind [`Backend`].

use std::{collections::HashMap, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{
            ALLOW, AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HOST,
            HeaderMap, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE,
        },
    },
    web,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{
    backend::Backend,
    body::{self, BodyError},
    graphql::{self, Endpoint},
};

/// The path of the token endpoint.
pub(super) const TOKEN_PATH: &str = "/oauth/token";
/// Bytes of a request for a token at most; an honest one has some 200.
const LARGEST: usize = 8 * 1024;
const FORM: &str = "application/x-www-form-urlencoded";

/// What a client asks for.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// Its id, as it was sent.
    pub client: String,
    /// Its secret.
    pub secret: SecretString,
    /// The scopes that it wants; all that it has, when left out.
    pub scope: Option<String>,
}

/// A token for a client.
#[derive(Debug, Clone)]
pub struct TokenGrant {
    /// The token.
    pub token: SecretString,
    /// For how long it is good, in seconds.
    pub seconds: i64,
    /// What may be done with it, with spaces between.
    pub scope: String,
}

/// Why a client gets no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenRefusal {
    /// There is no such client, its secret is wrong, or it is switched off.
    Client,
    /// It asks for a scope that there is not, or that it does not have.
    Scope,
    /// Too many wrong tries; another one makes sense after the given time.
    RateLimited(Duration),
    /// It cannot be told right now, because the database is away, say.
    Unavailable,
}

/// What the server tells of itself.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// The name in tokens (`iss`).
    pub name: String,
    /// For whom tokens are good (`aud`).
    pub audience: String,
    /// All scopes that there are.
    pub scopes: Vec<&'static str>,
}

/// An error of the protocol: its word, and what is wrong and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OauthError(&'static str, &'static str);

const INVALID_REQUEST: &str = "invalid_request";

/// Without credentials, and with wrong ones.
const INVALID_CLIENT: OauthError = OauthError(
    "invalid_client",
    "the client is unknown, its secret is wrong or has ended, or it is switched off; \
     send client_id and client_secret in the Authorization header (Basic) or in the form",
);

const fn invalid_request(what: &'static str) -> OauthError {
    OauthError(INVALID_REQUEST, what)
}

/// Gives a token.
pub(super) async fn token<B: Backend>(
    request: HttpRequest,
    mut payload: web::Payload,
    shared: web::Data<Endpoint<B>>,
) -> HttpResponse {
    let settings = &shared.settings;
    let read = match body::check_declared(request.headers(), LARGEST) {
        Ok(()) => body::read(&mut payload, LARGEST, settings.body_timeout).await,
        Err(error) => Err(error),
    };
    let body = match read {
        Ok(body) => body,
        Err(error) => return body::instead_of(unread(error), payload),
    };
    if request.method() != Method::POST {
        let error = invalid_request("ask for a token by POST");
        let mut response = refused(StatusCode::METHOD_NOT_ALLOWED, error);
        let allowed = actix_web::http::header::HeaderValue::from_static("POST");
        response.headers_mut().insert(ALLOW, allowed);
        return response;
    }
    let issuer = shared.backend.issuer();
    let targets = targets(&request, &settings.path, issuer.as_ref());
    let asked = match asked(&request, &body, &targets) {
        Ok(asked) => asked,
        Err(error) => return failed(error),
    };
    let origin = graphql::origin(&request, settings);
    let granting = shared.backend.token(origin, asked);
    let granted = tokio::time::timeout(settings.operation_timeout, granting)
        .await
        .unwrap_or(Err(TokenRefusal::Unavailable));
    match granted {
        Ok(grant) => HttpResponse::Ok()
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((PRAGMA, "no-cache"))
            .content_type("application/json")
            .body(
                json!({
                    "access_token": grant.token.expose_secret(),
                    "token_type": "Bearer",
                    "expires_in": grant.seconds,
                    "scope": grant.scope,
                })
                .to_string(),
            ),
        Err(TokenRefusal::Client) => failed(INVALID_CLIENT),
        Err(TokenRefusal::Scope) => failed(OauthError(
            "invalid_scope",
            "a scope is unknown or not granted to this client; leave scope out to get all that are",
        )),
        Err(TokenRefusal::RateLimited(wait)) => later(
            StatusCode::TOO_MANY_REQUESTS,
            wait,
            "too many wrong tries; try again later",
        ),
        Err(TokenRefusal::Unavailable) => later(
            StatusCode::SERVICE_UNAVAILABLE,
            Duration::from_secs(1),
            "no tokens can be given right now; try again",
        ),
    }
}

/// Tells where and how tokens are got.
pub(super) async fn metadata<B: Backend>(
    request: HttpRequest,
    shared: web::Data<Endpoint<B>>,
) -> HttpResponse {
    let Some(issuer) = shared.backend.issuer() else {
        return HttpResponse::NotFound().finish();
    };
    let Some(base) = base(request.headers()) else {
        return failed(invalid_request(
            "the Host header must name the host that is asked",
        ));
    };
    HttpResponse::Ok().content_type("application/json").body(
        json!({
            "issuer": issuer.name,
            "token_endpoint": format!("{base}{TOKEN_PATH}"),
            "jwks_uri": format!("{base}/.well-known/jwks.json"),
            "scopes_supported": issuer.scopes,
            // Nobody is sent here by a browser, so there is no authorization endpoint that would answer anything.
            "response_types_supported": [],
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        })
        .to_string(),
    )
}

/// The address under which the caller has reached us. Whoever is not on this machine does so over TLS, as RFC 6749 wants
/// it of a token endpoint, whatever the last hop behind a proxy is.
fn base(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(HOST)?.to_str().ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte);
    if host.is_empty() || !host.bytes().all(is_plain) {
        return None;
    }
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
        if is_port { name } else { host }
    });
    let is_here = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
    Some(format!(
        "{}://{host}",
        if is_here { "http" } else { "https" }
    ))
}

/// The names of our only resource, by RFC 8707: the endpoint's address and the server's, and what tokens call it.
fn targets(request: &HttpRequest, path: &str, issuer: Option<&Issuer>) -> Vec<String> {
    let mut targets: Vec<String> = issuer
        .map(|issuer| issuer.audience.clone())
        .into_iter()
        .collect();
    if let Some(base) = base(request.headers()) {
        targets.extend([format!("{base}{path}"), format!("{base}/"), base]);
    }
    targets
}

/// Reads what is asked for.
fn asked(
    request: &HttpRequest,
    body: &[u8],
    targets: &[String],
) -> Result<TokenRequest, OauthError> {
    if !request.query_string().is_empty() {
        return Err(invalid_request(
            "send the parameters in the body; addresses end up in logs",
        ));
    }
    let headers = request.headers();
    if !is_form(headers) {
        return Err(invalid_request(
            "the body must be application/x-www-form-urlencoded",
        ));
    }
    let mut form = Form::parse(body)?;
    match form.take("grant_type").as_deref() {
        Some("client_credentials") => {}
        Some(_) => {
            return Err(OauthError(
                "unsupported_grant_type",
                "the grant_type here is client_credentials; people sign in by sessionCreate",
            ));
        }
        None => return Err(invalid_request("grant_type is missing")),
    }
    let (named, secret) = (form.take("client_id"), form.take("client_secret"));
    let (client, secret) = match (basic(headers)?, secret) {
        (Some(_), Some(_)) => {
            return Err(invalid_request(
                "send the credentials in one way: in the Authorization header or in the form",
            ));
        }
        (Some((client, _)), None) if named.as_ref().is_some_and(|named| *named != client) => {
            return Err(invalid_request(
                "client_id is another one than that of the Authorization header",
            ));
        }
        (Some(sent), None) => sent,
        (None, Some(secret)) => (named.ok_or(INVALID_CLIENT)?, SecretString::from(secret)),
        (None, None) => return Err(INVALID_CLIENT),
    };
    if form
        .resources
        .iter()
        .any(|wanted| !targets.contains(wanted))
    {
        return Err(OauthError(
            "invalid_target",
            "tokens are good for this server only; leave resource out, or name its address",
        ));
    }
    Ok(TokenRequest {
        client,
        secret,
        scope: form.take("scope"),
    })
}

fn is_form(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE);
    let (first, second) = (types.next(), types.next());
    let Some(Ok(text)) = first.map(|value| value.to_str()) else {
        return false;
    };
    let mut parts = text.split(';').map(str::trim);
    let is_form = parts
        .next()
        .is_some_and(|media| media.eq_ignore_ascii_case(FORM));
    let is_utf8 = parts.all(|part| {
        part.eq_ignore_ascii_case("charset=utf-8") || part.eq_ignore_ascii_case("charset=\"utf-8\"")
    });
    is_form && is_utf8 && second.is_none() && !headers.contains_key(CONTENT_ENCODING)
}

/// The parameters of a form. One without a value is left out (RFC 6749, section 3.2); only `resource` may come twice
/// (RFC 8707, section 2).
struct Form {
    values: HashMap<String, String>,
    resources: Vec<String>,
}

impl Form {
    fn parse(body: &[u8]) -> Result<Self, OauthError> {
        // What is no UTF-8 would be replaced silently.
        let text = std::str::from_utf8(body);
        let text = text.map_err(|_| invalid_request("the body must be UTF-8"))?;
        let mut form = Self {
            values: HashMap::new(),
            resources: Vec::new(),
        };
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if value.is_empty() {
                continue;
            }
            if name == "resource" {
                form.resources.push(value.into_owned());
                continue;
            }
            let before = form.values.insert(name.into_owned(), value.into_owned());
            if before.is_some() {
                return Err(invalid_request("a parameter is given twice"));
            }
        }
        Ok(form)
    }

    fn take(&mut self, name: &str) -> Option<String> {
        self.values.remove(name)
    }
}

/// The credentials of the `Authorization` header: id and secret, each encoded as in a form (RFC 6749, section 2.3.1).
fn basic(headers: &HeaderMap) -> Result<Option<(String, SecretString)>, OauthError> {
    let mut values = headers.get_all(AUTHORIZATION);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(invalid_request(
            "there is more than one Authorization header",
        ));
    }
    let read = || {
        let (scheme, encoded) = value.to_str().ok()?.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (client, secret) = text.split_once(':')?;
        Some((decoded(client)?, SecretString::from(decoded(secret)?)))
    };
    read().map(Some).ok_or(INVALID_CLIENT)
}

/// A text encoded as the value of a form.
fn decoded(text: &str) -> Option<String> {
    // More than a value would be read as more than one.
    if text.contains(['&', '=']) {
        return None;
    }
    let mut pairs = form_urlencoded::parse(text.as_bytes());
    match (pairs.next(), pairs.next()) {
        (Some((value, _)), None) => Some(value.into_owned()),
        _ => None,
    }
}

fn unread(error: BodyError) -> HttpResponse {
    let (status, what) = match error {
        BodyError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
        BodyError::TooSlow => (
            StatusCode::REQUEST_TIMEOUT,
            "the body did not arrive in time",
        ),
        BodyError::Broken => (StatusCode::BAD_REQUEST, "the body could not be read"),
    };
    let mut response = refused(status, invalid_request(what));
    let close = actix_web::http::header::HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
        .head_mut()
        .set_connection_type(actix_web::http::ConnectionType::Close);
    response
}

fn failed(error: OauthError) -> HttpResponse {
    if error.0 != INVALID_CLIENT.0 {
        return refused(StatusCode::BAD_REQUEST, error);
    }
    let mut response = refused(StatusCode::UNAUTHORIZED, error);
    let challenge = actix_web::http::header::HeaderValue::from_static(
        "Basic realm=\"regulars\", charset=\"UTF-8\"",
    );
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}

fn later(status: StatusCode, wait: Duration, what: &'static str) -> HttpResponse {
    let mut response = refused(status, OauthError("temporarily_unavailable", what));
    let seconds = wait.as_secs_f64().ceil().max(1.0);
    if let Ok(value) = actix_web::http::header::HeaderValue::from_str(&format!("{seconds:.0}")) {
        response.headers_mut().insert(RETRY_AFTER, value);
    }
    response
}

fn refused(status: StatusCode, error: OauthError) -> HttpResponse {
    let OauthError(word, what) = error;
    HttpResponse::build(status)
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((PRAGMA, "no-cache"))
        .content_type("application/json")
        .body(json!({ "error": word, "error_description": what }).to_string())
}

#[cfg(test)]
mod tests;

//! An OpenID Connect provider that does as a test wants, and lies when it should. The real one is in `tests/oidc`.

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use ed25519_dalek::SigningKey;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use url::Url;

pub const CLIENT: &str = "regulars";
pub const SECRET: &str = "a secret between two: +/%&";

/// How tokens are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signature {
    /// As they should be, by the last of its keys.
    #[default]
    Good,
    /// Not at all.
    None,
    /// With the secret that the client knows.
    SharedSecret,
    /// With the public key, taken for a secret.
    PublicKeyAsSecret,
    /// By a stranger's key under the id of the provider's.
    Strange,
}

/// What a test may change at any time.
pub struct Behaviour {
    pub now: DateTime<Utc>,
    /// Claims of the ID token, in place of the usual ones; null takes one away.
    pub claims: Value,
    /// What the userinfo endpoint says; none, and there is no such endpoint.
    pub userinfo: Option<Value>,
    pub signature: Signature,
    /// Of the two keys: which are published, which signs.
    pub published: Vec<u8>,
    pub signing: u8,
    /// Members of its document, in place of the usual ones.
    pub document: Value,
    /// How long it thinks before it answers.
    pub delay: Duration,
    /// The token endpoint gives this status.
    pub status: u16,
    codes: HashMap<String, Asked>,
    pub documents_read: usize,
    pub keys_read: usize,
}

/// What a browser came with.
#[derive(Clone)]
struct Asked {
    nonce: String,
    challenge: String,
    redirect: String,
}

#[derive(Clone)]
pub struct Provider {
    pub issuer: String,
    behaviour: Arc<Mutex<Behaviour>>,
    handle: actix_web::dev::ServerHandle,
}

/// What the way to the provider holds.
pub struct Way {
    pub parameters: HashMap<String, String>,
}

impl Way {
    pub fn read(location: &str) -> Self {
        let parameters = Url::parse(location).unwrap();
        let parameters = parameters.query_pairs().into_owned().collect();
        Self { parameters }
    }

    pub fn get(&self, name: &str) -> &str {
        &self.parameters[name]
    }
}

fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

fn public(number: u8) -> [u8; 32] {
    key(number).verifying_key().to_bytes()
}

fn private(number: u8) -> EncodingKey {
    let mut document = vec![
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04,
        0x20,
    ];
    document.extend_from_slice(&key(number).to_bytes());
    EncodingKey::from_ed_der(&document)
}

fn merge(mut usual: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().into_iter().flatten() {
        if value.is_null() {
            usual.as_object_mut().unwrap().remove(name);
        } else {
            usual[name] = value.clone();
        }
    }
    usual
}

impl Provider {
    pub fn start(now: DateTime<Utc>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let behaviour = Arc::new(Mutex::new(Behaviour {
            now,
            claims: json!({}),
            userinfo: None,
            signature: Signature::Good,
            published: vec![1],
            signing: 1,
            document: json!({}),
            delay: Duration::ZERO,
            status: 200,
            codes: HashMap::new(),
            documents_read: 0,
            keys_read: 0,
        }));
        let shared = web::Data::new((issuer.clone(), behaviour.clone()));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(shared.clone())
                .route("/.well-known/openid-configuration", web::get().to(document))
                .route("/keys", web::get().to(keys))
                .route("/token", web::post().to(token))
                .route("/userinfo", web::get().to(userinfo))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
        let handle = server.handle();
        tokio::spawn(server);
        Self {
            issuer,
            behaviour,
            handle,
        }
    }

    pub async fn stop(&self) {
        self.handle.stop(false).await;
    }

    pub fn with<T>(&self, change: impl FnOnce(&mut Behaviour) -> T) -> T {
        change(&mut self.behaviour.lock().unwrap())
    }

    /// Who signs in next, by changes of the usual claims.
    pub fn claims(&self, claims: Value) {
        self.with(|behaviour| behaviour.claims = claims);
    }

    /// Somebody signs in with the provider: the code with which it sends them back.
    pub fn code(&self, way: &Way) -> String {
        let code = format!("code-{}", uuid::Uuid::new_v4());
        let asked = Asked {
            nonce: way.get("nonce").to_owned(),
            challenge: way.get("code_challenge").to_owned(),
            redirect: way.get("redirect_uri").to_owned(),
        };
        self.with(|behaviour| behaviour.codes.insert(code.clone(), asked));
        code
    }
}

type Shared = web::Data<(String, Arc<Mutex<Behaviour>>)>;

async fn pause(shared: &Shared) {
    let delay = shared.1.lock().unwrap().delay;
    tokio::time::sleep(delay).await;
}

async fn document(shared: Shared) -> HttpResponse {
    pause(&shared).await;
    let issuer = &shared.0;
    let mut behaviour = shared.1.lock().unwrap();
    behaviour.documents_read += 1;
    let mut usual = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
    });
    if behaviour.userinfo.is_some() {
        usual["userinfo_endpoint"] = json!(format!("{issuer}/userinfo"));
    }
    HttpResponse::Ok().json(merge(usual, &behaviour.document))
}

async fn keys(shared: Shared) -> HttpResponse {
    pause(&shared).await;
    let mut behaviour = shared.1.lock().unwrap();
    behaviour.keys_read += 1;
    let keys: Vec<Value> = behaviour
        .published
        .iter()
        .map(|number| {
            json!({
                "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": format!("key-{number}"),
                "x": URL_SAFE_NO_PAD.encode(public(*number)),
            })
        })
        .collect();
    HttpResponse::Ok().json(json!({ "keys": keys }))
}

async fn token(
    request: HttpRequest,
    form: web::Form<HashMap<String, String>>,
    shared: Shared,
) -> HttpResponse {
    pause(&shared).await;
    let issuer = &shared.0;
    let mut behaviour = shared.1.lock().unwrap();
    if behaviour.status != 200 {
        let status = actix_web::http::StatusCode::from_u16(behaviour.status).unwrap();
        return HttpResponse::build(status).body("<h1>broken</h1>");
    }
    // RFC 6749, 2.3.1: both halves are form-encoded before they go into the header.
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = format!("{}:{}", encode(CLIENT), encode(SECRET));
    let expected = format!("Basic {}", STANDARD.encode(basic));
    let header = request.headers().get("authorization");
    if header.and_then(|value| value.to_str().ok()) != Some(&expected) {
        return HttpResponse::Unauthorized().json(json!({ "error": "invalid_client" }));
    }
    let asked = behaviour.codes.remove(&form["code"]);
    let fits = |asked: &Asked| {
        form["grant_type"] == "authorization_code"
            && form["redirect_uri"] == asked.redirect
            && URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"])) == asked.challenge
    };
    let Some(asked) = asked.filter(fits) else {
        let error =
            json!({ "error": "invalid_grant", "error_description": "<script>alert(1)</script>" });
        return HttpResponse::BadRequest().json(error);
    };
    let now = behaviour.now.timestamp();
    let usual = json!({
        "iss": issuer, "aud": CLIENT, "sub": "person-1", "iat": now, "exp": now + 300, "nonce": asked.nonce,
        "email": "associate@shop.example", "email_verified": true, "name": "Mei Lin",
    });
    let claims = merge(usual, &behaviour.claims);
    let mut tokens = json!({
        "access_token": "an access token", "token_type": "Bearer", "expires_in": 300,
    });
    if !claims["no_token"].is_boolean() {
        tokens["id_token"] = json!(sign(&behaviour, &claims));
    }
    HttpResponse::Ok().json(tokens)
}

async fn userinfo(request: HttpRequest, shared: Shared) -> HttpResponse {
    let header = request.headers().get("authorization").unwrap();
    assert_eq!(header.to_str().unwrap(), "Bearer an access token");
    let behaviour = shared.1.lock().unwrap();
    HttpResponse::Ok().json(behaviour.userinfo.as_ref().unwrap())
}

fn sign(behaviour: &Behaviour, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let kid = format!("key-{}", behaviour.signing);
    let by_hand = |header: Value, secret: Option<&[u8]>| {
        let text = format!("{}.{}", part(&header), part(claims));
        let signature = secret.map_or_else(Vec::new, |secret| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        });
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    };
    let signing = match behaviour.signature {
        Signature::Good => behaviour.signing,
        Signature::Strange => 99,
        Signature::None => return by_hand(json!({ "alg": "none", "kid": kid }), None),
        Signature::SharedSecret => {
            return by_hand(json!({ "alg": "HS256" }), Some(SECRET.as_bytes()));
        }
        Signature::PublicKeyAsSecret => {
            let secret = public(behaviour.signing);
            return by_hand(json!({ "alg": "HS256", "kid": kid }), Some(&secret));
        }
    };
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some(kid);
    jsonwebtoken::encode(&header, claims, &private(signing)).unwrap()
}

//! Third-party programs: made by an administrator, asking for tokens as any OAuth library would.

use super::{Answer, Client, World};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use form_urlencoded::Serializer;
use serde_json::{Value, json};

/// A third-party program with what it was given.
#[derive(Clone, Debug)]
pub struct ThirdParty {
    /// Its global id.
    pub id: String,
    /// What it calls itself at the token endpoint.
    pub client_id: String,
    /// The secret that was shown.
    pub secret: String,
}

/// What the token endpoint answered.
#[derive(Debug)]
pub struct TokenAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body.
    pub body: Value,
}

impl TokenAnswer {
    /// The token.
    #[track_caller]
    pub fn token(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        self.body["access_token"].as_str().unwrap().to_owned()
    }

    /// Status and word of an error.
    pub fn error(&self) -> (u16, &str) {
        (self.status, self.body["error"].as_str().unwrap_or("none"))
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Makes a client.
pub const CREATE: &str = "mutation($input: ClientCreateInput!) { clientCreate(input: $input) \
    { client { id clientId version secrets { id hint } } secret userErrors { code field message } } }";

/// Who somebody is, and what they may do.
pub const WHO: &str =
    "{ viewer { kind permissions client { name scopes secrets { hint } createdBy { id } } } }";

impl World {
    /// Asks as the administrator.
    pub async fn as_admin(&self, query: &str, variables: Value) -> Answer {
        let client = &self.server.client;
        client
            .gql(Some(self.token("ADMIN")), query, variables)
            .await
    }

    /// Makes a third-party program with these scopes, as the API calls them, in these places.
    pub async fn third_party(&self, scopes: Value, places: Value) -> ThirdParty {
        let input = json!({ "name": "A storefront", "scopes": scopes, "places": places });
        let answer = self.as_admin(CREATE, json!({ "input": input })).await;
        let payload = answer.payload();
        ThirdParty {
            id: payload["client"]["id"].as_str().unwrap().to_owned(),
            client_id: payload["client"]["clientId"].as_str().unwrap().to_owned(),
            secret: payload["secret"].as_str().unwrap().to_owned(),
        }
    }
}

impl ThirdParty {
    /// Asks for a token, for these scopes or all that it has.
    pub async fn ask(&self, server: &Client, scope: Option<&str>) -> TokenAnswer {
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(scope.map(|scope| ("scope", scope)));
        ask(server, &form, Some((&self.client_id, &self.secret))).await
    }

    /// The token for these scopes, or for all that it has.
    pub async fn token(&self, server: &Client, scope: Option<&str>) -> String {
        self.ask(server, scope).await.token()
    }
}

/// Sends a form to the token endpoint, with credentials in the header where they are given.
pub async fn ask(
    server: &Client,
    form: &[(&str, &str)],
    basic: Option<(&str, &str)>,
) -> TokenAnswer {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let body = Serializer::new(String::new()).extend_pairs(form).finish();
    let mut request = server
        .http()
        .post(server.url("/oauth/token"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    if let Some((client, secret)) = basic {
        let credentials = STANDARD.encode(format!("{}:{}", encoded(client), encoded(secret)));
        request = request.header("authorization", format!("Basic {credentials}"));
    }
    let answer = request.send().await.unwrap();
    TokenAnswer {
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        body: answer.json().await.unwrap(),
    }
}

/// A token's header and claims, as anybody reads them.
pub fn parts(token: &str) -> (Value, Value) {
    let read = |text: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
    let mut parts = token.split('.');
    (read(parts.next().unwrap()), read(parts.next().unwrap()))
}

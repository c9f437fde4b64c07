//! Signing in through the company's provider: a provider of the test's own, a browser, the page behind it.

mod accounts;
mod hostile;
mod provider;
mod ways;

use crate::support::{Answer, Client, TestServer, World};
use chrono::TimeDelta;
use entity::values::WebAddress;
use provider::{CLIENT, Provider, SECRET, Way};
use regulars::config::Configuration;
use secrecy::SecretString;
use serde_json::{Value, json};

/// The page that the operator allows; all pages of its origin may be returned to.
const PAGE: &str = "https://admin.shop.example/in?next=%2Fcards";
const FROM_TICKET: &str = "mutation($ticket: String!) { sessionCreateFromTicket(input: { ticket: $ticket }) { \
    session { accessToken refreshToken expiresAt } userErrors { code field message } } }";

/// A shop whose staff sign in through a provider.
struct Shop {
    world: World,
    provider: Provider,
}

/// A browser between the shop, the provider and the page.
#[derive(Clone, Default)]
struct Browser {
    cookie: Option<String>,
}

/// Where a browser ends up.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    /// At the page, with a ticket.
    Ticket(String),
    /// At the page, with an error.
    Error(String),
    /// At a page of the server's own.
    Page(u16),
}

impl End {
    #[track_caller]
    fn ticket(self) -> String {
        match self {
            Self::Ticket(ticket) => ticket,
            other => panic!("no ticket: {other:?}"),
        }
    }
}

fn error(word: &str) -> End {
    End::Error(word.to_owned())
}

fn configure(configuration: &mut Configuration, issuer: &str) {
    let address = |text: &str| WebAddress::parse(text).unwrap();
    let oidc = &mut configuration.settings.oidc;
    oidc.issuer = Some(address(issuer));
    oidc.client_id = Some(CLIENT.to_owned());
    oidc.client_secret = Some(SecretString::from(SECRET));
    oidc.redirect_url = Some(address("https://api.shop.example/auth/oidc/callback"));
    oidc.return_urls = vec![address("https://admin.shop.example")];
}

impl Shop {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Configuration)) -> Self {
        let provider = Provider::start(crate::support::beginning());
        let server = TestServer::start_with(|configuration| {
            configure(configuration, &provider.issuer);
            change(configuration);
        })
        .await;
        Self {
            world: World::on(server).await,
            provider,
        }
    }

    fn client(&self) -> &Client {
        &self.world.server.client
    }

    /// Time passes, here and at the provider.
    fn wait(&self, span: TimeDelta) {
        self.world.server.clock.advance(span);
        self.provider.with(|behaviour| behaviour.now += span);
    }

    /// Somebody signs in from the start to the end, in a browser of their own.
    async fn sign_in(&self) -> End {
        Browser::default().sign_in(self).await
    }

    /// The same with these changes of what the provider usually says.
    async fn sign_in_as(&self, claims: Value) -> End {
        self.provider.claims(claims);
        self.sign_in().await
    }

    async fn redeem(&self, ticket: &str) -> Answer {
        let variables = json!({ "ticket": ticket });
        self.client().gql(None, FROM_TICKET, variables).await
    }

    /// The access token of somebody who signs in.
    async fn token(&self, claims: Value) -> String {
        let ticket = self.sign_in_as(claims).await.ticket();
        let answer = self.redeem(&ticket).await;
        let session = &answer.payload()["session"];
        session["accessToken"].as_str().unwrap().to_owned()
    }

    /// Who this token makes somebody, with their roles.
    async fn who(&self, token: &str) -> Value {
        let query = "{ viewer { staff { id name email version } roles { role store { code } region { code } } } }";
        let answer = self.client().gql(Some(token), query, json!({})).await;
        answer.data()["viewer"].clone()
    }

    /// The roles that this token gives somebody, in order.
    async fn roles(&self, token: &str) -> Vec<String> {
        let query = "{ viewer { roles { role } } }";
        let answer = self.client().gql(Some(token), query, json!({})).await;
        let roles = answer.data()["viewer"]["roles"].as_array().unwrap().clone();
        let mut roles: Vec<_> = roles
            .iter()
            .map(|grant| grant["role"].as_str().unwrap().to_owned())
            .collect();
        roles.sort();
        roles
    }

    /// The details of the audit entries with this action, newest first.
    async fn audited(&self, action: &str) -> Vec<Value> {
        let query = "query($action: String!) { auditEntries(first: 100, filter: { action: $action }) { \
            nodes { detail actorKind } } }";
        let admin = self.world.token("ADMIN");
        let variables = json!({ "action": action });
        let answer = self.client().gql(Some(admin), query, variables).await;
        let entries = answer.data()["auditEntries"]["nodes"]
            .as_array()
            .unwrap()
            .clone();
        entries
            .iter()
            .map(|entry| entry["detail"].clone())
            .collect()
    }
}

impl Browser {
    async fn get(&self, client: &Client, path: &str) -> reqwest::Response {
        // The browser looks at each address before it goes there.
        let http = crate::support::http()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let mut request = http.get(client.url(path));
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", format!("theme=dark; {cookie}"));
        }
        request.send().await.unwrap()
    }

    /// Goes to the provider; gives the way there, or where it ends up instead.
    async fn start(&mut self, client: &Client) -> Result<Way, End> {
        let page: String = form_urlencoded::byte_serialize(PAGE.as_bytes()).collect();
        let answer = self
            .get(client, &format!("/auth/oidc/start?return_to={page}"))
            .await;
        if let Some(cookie) = answer.headers().get("set-cookie") {
            let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
            self.cookie = Some(cookie.to_owned());
        }
        match answer.headers().get("location") {
            Some(location) if answer.status() == 302 => {
                let location = location.to_str().unwrap();
                if location.starts_with(PAGE) {
                    return Err(ended(location));
                }
                Ok(Way::read(location))
            }
            _ => Err(End::Page(answer.status().as_u16())),
        }
    }

    /// Comes back with these parameters.
    async fn back(&self, client: &Client, parameters: &[(&str, &str)]) -> End {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish();
        let answer = self
            .get(client, &format!("/auth/oidc/callback?{query}"))
            .await;
        let status = answer.status().as_u16();
        match answer.headers().get("location") {
            Some(location) if status == 302 => ended(location.to_str().unwrap()),
            _ => {
                let text = answer.text().await.unwrap();
                assert!(
                    !text.contains("script") && !text.contains("code-"),
                    "{text}"
                );
                End::Page(status)
            }
        }
    }

    async fn sign_in(&mut self, shop: &Shop) -> End {
        let way = match self.start(shop.client()).await {
            Ok(way) => way,
            Err(end) => return end,
        };
        let code = shop.provider.code(&way);
        let parameters = [("state", way.get("state")), ("code", &code)];
        self.back(shop.client(), &parameters).await
    }
}

/// What the page finds in its address.
fn ended(location: &str) -> End {
    let fragment = location.strip_prefix(PAGE).expect(location);
    match fragment
        .strip_prefix('#')
        .and_then(|text| text.split_once('='))
    {
        Some(("ticket", ticket)) => End::Ticket(ticket.to_owned()),
        Some(("error", word)) => End::Error(word.to_owned()),
        _ => panic!("{location}"),
    }
}

//! The way there and back: what browsers are told, where they may go, several nodes, a provider that is away.

use super::provider::{CLIENT, Provider, SECRET};
use super::{Browser, End, FROM_TICKET, PAGE, Shop, ended, error};
use crate::support::world::{PASSWORD, SIGN_IN, email};
use crate::support::{Program, TestServer, World};
use chrono::{TimeDelta, Utc};
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_there_is_bound_to_the_browser_and_tells_nothing() {
    let shop = Shop::new().await;
    let mut browser = Browser::default();
    let page: String = form_urlencoded::byte_serialize(PAGE.as_bytes()).collect();
    let path = format!("/auth/oidc/start?return_to={page}");
    let answer = browser.get(shop.client(), &path).await;
    assert_eq!(answer.status(), 302);
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    let cookie = header("set-cookie");
    assert!(cookie.starts_with("__Host-regulars-sign-in="), "{cookie}");
    assert!(
        cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600"),
        "{cookie}"
    );
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("referrer-policy"), "no-referrer");
    let location = header("location");
    assert!(location.starts_with(&format!("{}/authorize?", shop.provider.issuer)));
    assert!(!location.contains("admin.shop.example"), "{location}");
    let way = browser.start(shop.client()).await.unwrap();
    assert_eq!(way.get("response_type"), "code");
    assert_eq!(way.get("client_id"), CLIENT);
    assert_eq!(way.get("scope"), "openid email profile");
    assert_eq!(way.get("code_challenge_method"), "S256");
    assert_eq!(
        way.get("redirect_uri"),
        "https://api.shop.example/auth/oidc/callback"
    );
    for secret in ["state", "nonce", "code_challenge"] {
        assert_eq!(way.get(secret).len(), 43);
        // Of the state only a hash is kept; the others are of no use to whoever reads them.
        let kept = shop.world.server.place.holding(way.get(secret)).await;
        assert_eq!(kept.is_empty(), secret != "nonce", "{secret}");
    }
    // A session from a ticket is one like any other.
    let code = shop.provider.code(&way);
    let back = [("state", way.get("state")), ("code", code.as_str())];
    let ticket = browser.back(shop.client(), &back).await.ticket();
    let answer = shop.redeem(&ticket).await;
    let session = &answer.payload()["session"];
    let refresh = "mutation($token: String!) { sessionRefresh(input: { refreshToken: $token }) { \
        session { accessToken } userErrors { code } } }";
    let variables = json!({ "token": session["refreshToken"] });
    shop.client().gql(None, refresh, variables).await.payload();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn browsers_return_only_where_the_operator_allows() {
    let shop = Shop::new().await;
    let go = async |return_to: &str| {
        let page: String = form_urlencoded::byte_serialize(return_to.as_bytes()).collect();
        let path = format!("/auth/oidc/start?return_to={page}");
        let answer = Browser::default().get(shop.client(), &path).await;
        answer.status().as_u16()
    };
    assert_eq!(go("https://admin.shop.example").await, 302);
    for refused in [
        "",
        "/in",
        "https://evil.example/",
        "https://admin.shop.example.evil.example/",
        "https://admin.shop.example@evil.example/",
        "https://admin.shop.example:8443/",
        "http://admin.shop.example/",
        "//admin.shop.example/",
        "https://admin.shop.example/#x",
        "https://admin.shop.example\\@evil.example/",
        "javascript://admin.shop.example/%0aalert(1)",
        "https://admin.shop.example/\r\nset-cookie: a=b",
    ] {
        assert_eq!(go(refused).await, 400, "{refused:?}");
    }
    let without = shop.client().get("/auth/oidc/start").await;
    assert_eq!(without.0, 400);
    assert!(
        without.1.contains("may not be returned to"),
        "{}",
        without.1
    );
    let posted = shop
        .client()
        .http()
        .post(shop.client().url("/auth/oidc/callback"));
    assert_eq!(posted.send().await.unwrap().status(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_provider_there_is_no_such_way() {
    let server = TestServer::start().await;
    for path in [
        "/auth/oidc/start?return_to=https://a.example",
        "/auth/oidc/callback",
    ] {
        assert_eq!(server.client.get(path).await.0, 404);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_away_is_told_in_time() {
    let shop = Shop::new().await;
    let away = error("provider_unavailable");
    shop.provider
        .with(|behaviour| behaviour.delay = Duration::from_secs(30));
    let began = Instant::now();
    let many = (0..4).map(|_| shop.sign_in());
    for end in futures_util::future::join_all(many).await {
        assert_eq!(end, away);
    }
    // A crowd waits once.
    assert!(began.elapsed() < Duration::from_secs(16));
    shop.provider
        .with(|behaviour| behaviour.delay = Duration::ZERO);
    shop.wait(TimeDelta::seconds(6));
    shop.sign_in().await.ticket();
    // It is away when somebody comes back.
    shop.provider.with(|behaviour| behaviour.status = 503);
    assert_eq!(shop.sign_in().await, away);
    shop.provider.with(|behaviour| behaviour.status = 200);
    shop.sign_in().await.ticket();
    // What is known of it outlives an hour in which it cannot be asked, for a day.
    let mut browser = Browser::default();
    shop.provider.stop().await;
    shop.wait(TimeDelta::hours(2));
    let way = browser.start(shop.client()).await.unwrap();
    let back = [("state", way.get("state")), ("code", "any")];
    assert_eq!(browser.back(shop.client(), &back).await, away);
    shop.wait(TimeDelta::days(1));
    assert_eq!(browser.start(shop.client()).await.err(), Some(away));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_is_not_the_providers_own_is_not_believed() {
    for document in [
        json!({ "issuer": "https://login.evil.example" }),
        json!({ "authorization_endpoint": "http://login.evil.example/authorize" }),
        json!({ "jwks_uri": "http://login.evil.example/keys" }),
        json!({ "jwks_uri": "file:///etc/passwd" }),
        json!({ "authorization_endpoint": null }),
    ] {
        let shop = Shop::new().await;
        shop.provider
            .with(|behaviour| behaviour.document = document.clone());
        assert_eq!(
            shop.sign_in().await,
            error("provider_answer_invalid"),
            "{document}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_can_try_only_so_often() {
    let shop = Shop::with(|configuration| {
        configuration.settings.security.attempts_by_address = 3;
    })
    .await;
    // Whoever comes in has not tried too often.
    for _ in 0..8 {
        shop.sign_in().await.ticket();
    }
    for _ in 0..6 {
        let end = Browser::default().back(shop.client(), &[]).await;
        assert_eq!(end, End::Page(400));
    }
    assert_eq!(
        Browser::default().back(shop.client(), &[]).await,
        End::Page(429)
    );
    assert_eq!(shop.sign_in().await, End::Page(429));
    shop.wait(TimeDelta::minutes(31));
    shop.sign_in().await.ticket();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_can_be_switched_off() {
    let shop = Shop::new().await;
    let world = shop.world;
    let provider = shop.provider;
    let place = world.server.stop().await;
    let server = TestServer::start_in(place, |configuration| {
        super::configure(configuration, &provider.issuer);
        configuration.settings.security.password_sign_in = false;
    })
    .await;
    let variables = json!({ "email": email("ADMIN"), "password": PASSWORD });
    let answer = server.client.gql(None, SIGN_IN, variables).await;
    assert_eq!(answer.user_errors(), ["NOT_ALLOWED"]);
    let shop = Shop {
        world: World { server, ..world },
        provider,
    };
    shop.token(json!({ "email": email("ADMIN") })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_node_goes_on_where_another_began() {
    let world = World::new().await;
    let provider = Provider::start(Utc::now());
    let node = || {
        Program::serve_with(&world.server.place, |command| {
            command
                .env("REGULARS_OIDC_ISSUER", &provider.issuer)
                .env("REGULARS_OIDC_CLIENT_ID", CLIENT)
                .env("REGULARS_OIDC_CLIENT_SECRET", SECRET)
                .env(
                    "REGULARS_OIDC_REDIRECT_URL",
                    "https://api.shop.example/auth/oidc/callback",
                )
                .env("REGULARS_CORS_ORIGINS", "https://admin.shop.example");
        })
    };
    let (one, other) = (node(), node());
    let mut browser = Browser::default();
    let way = browser.start(&one.client).await.unwrap();
    let code = provider.code(&way);
    let back = [("state", way.get("state")), ("code", code.as_str())];
    let ticket = browser.back(&other.client, &back).await.ticket();
    let variables = json!({ "ticket": ticket });
    let answer = one.client.gql(None, FROM_TICKET, variables).await;
    assert!(answer.payload()["session"]["accessToken"].is_string());
    assert_eq!(ended(&format!("{PAGE}#error=x")), error("x"));
}

//! The token endpoint as any OAuth library meets it: both ways to send credentials, its words for errors, its limits.

use crate::support::oauth::{WHO, ask, parts};
use crate::support::world::{email, sign_in};
use crate::support::{TestServer, World};
use chrono::TimeDelta;
use serde_json::{Value, json};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_gets_a_token_by_either_way_and_is_who_it_says() {
    let world = World::new().await;
    let server = &world.server.client;
    let shop = world
        .third_party(
            json!(["CUSTOMERS_READ", "VISITS_RECORD"]),
            json!({ "storeIds": [world.store] }),
        )
        .await;
    assert!(shop.secret.starts_with("rgs_") && shop.secret.len() == 47);
    let answer = shop.ask(server, None).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.body["token_type"], "Bearer");
    assert_eq!(answer.body["expires_in"], 600);
    assert_eq!(answer.body["scope"], "customers:read visits:record");
    let (header, claims) = parts(&answer.token());
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!(header["alg"], "EdDSA");
    assert_eq!(claims["iss"], "regulars");
    assert_eq!(claims["aud"], "regulars-api");
    assert_eq!(claims["sub"], json!(shop.client_id));
    assert_eq!(claims["client_id"], json!(shop.client_id));
    assert_eq!(claims["scope"], "customers:read visits:record");
    assert_eq!(claims.get("sid"), None);
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        600
    );
    assert!(claims["jti"].is_string());

    let form = [
        GRANT,
        ("client_id", &shop.client_id),
        ("client_secret", &shop.secret),
        ("scope", "customers:read"),
        ("resource", &server.url("/graphql")),
    ];
    let narrow = ask(server, &form, None).await;
    assert_eq!(narrow.body["scope"], "customers:read");
    let answer = server.gql(Some(&narrow.token()), WHO, json!({})).await;
    let viewer = &answer.data()["viewer"];
    assert_eq!(viewer["kind"], "CLIENT");
    assert_eq!(viewer["client"]["name"], "A storefront");
    assert_eq!(
        viewer["client"]["scopes"],
        json!(["CUSTOMERS_READ", "VISITS_RECORD"])
    );
    assert_eq!(
        viewer["client"]["secrets"],
        json!([{ "hint": &shop.secret[43..] }])
    );
    // Who works in the house is nothing to it.
    assert_eq!(viewer["client"]["createdBy"], Value::Null);
    assert_eq!(
        viewer["permissions"],
        json!(["CUSTOMER_READ", "ATTRIBUTE_READ", "GROUP_READ"])
    );
    let staff = "{ viewer { kind client { id } } }";
    let answer = world.as_admin(staff, json!({})).await;
    assert_eq!(
        answer.data()["viewer"],
        json!({ "kind": "STAFF", "client": null })
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_token_endpoint_refuses_it_refuses_as_the_rfcs_say() {
    let world = World::new().await;
    let server = &world.server.client;
    let shop = world
        .third_party(json!(["CATALOG_READ"]), json!({ "wholeCompany": true }))
        .await;
    let sent = Some((shop.client_id.as_str(), shop.secret.as_str()));
    let both = [
        GRANT,
        ("client_id", &shop.client_id),
        ("client_secret", &shop.secret),
    ];
    for (form, basic, expected) in [
        (&both[..], sent, (400, "invalid_request")),
        (&[("scope", "catalog:read")], sent, (400, "invalid_request")),
        (&[GRANT, GRANT], sent, (400, "invalid_request")),
        (
            &[("grant_type", "password")],
            sent,
            (400, "unsupported_grant_type"),
        ),
        (
            &[GRANT, ("scope", "costs:read")],
            sent,
            (400, "invalid_scope"),
        ),
        (
            &[GRANT, ("scope", "everything")],
            sent,
            (400, "invalid_scope"),
        ),
        (
            &[GRANT, ("resource", "https://other.example/")],
            sent,
            (400, "invalid_target"),
        ),
        (&[GRANT], None, (401, "invalid_client")),
    ] {
        let answer = ask(server, form, basic).await;
        assert_eq!(answer.error(), expected, "{form:?}: {answer:?}");
        assert!(answer.body["error_description"].is_string());
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let challenge = answer.header("www-authenticate");
        assert_eq!(
            challenge.is_some_and(|challenge| challenge.starts_with("Basic realm=")),
            expected.0 == 401
        );
    }
    let url = server.url("/oauth/token");
    let answer = server.http().get(&url).send().await.unwrap();
    assert_eq!(answer.status(), 405);
    assert_eq!(answer.headers()["allow"], "POST");
    let large = "x".repeat(9000);
    let answer = ask(server, &[GRANT, ("scope", &large)], sent).await;
    assert_eq!(answer.error(), (413, "invalid_request"));
    let answer = server
        .http()
        .post(&url)
        .json(&json!({ "grant_type": "client_credentials" }));
    assert_eq!(answer.send().await.unwrap().status(), 400);

    let (status, text) = server.get("/.well-known/oauth-authorization-server").await;
    let told: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &told["issuer"]), (200, &json!("regulars")));
    assert_eq!(told["token_endpoint"], json!(url));
    assert_eq!(
        told["jwks_uri"],
        json!(server.url("/.well-known/jwks.json"))
    );
    let scopes = told["scopes_supported"].as_array().unwrap();
    assert!(scopes.contains(&json!("customers:read")), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_tries_are_stopped_and_the_right_secret_is_let_in() {
    let limits = |by_account: u32, by_address: u32| {
        TestServer::start_with(move |configuration| {
            let security = &mut configuration.settings.security;
            security.attempts_by_account = by_account;
            security.attempts_by_address = by_address;
        })
    };
    let world = World::on(limits(2, 6).await).await;
    let server = &world.server.client;
    let shop = world.third_party(json!([]), json!({})).await;
    let nobody = "0190a1b2-0000-7000-8000-000000000001";
    let guess = async |client: &str| ask(server, &[GRANT], Some((client, "rgs_wrong"))).await;
    let (unknown, wrong) = (guess(nobody).await, guess(&shop.client_id).await);
    assert_eq!(unknown.error(), (401, "invalid_client"));
    assert_eq!(unknown.body, wrong.body);
    // The secret of another client is none of this one's.
    let other = world.third_party(json!([]), json!({})).await;
    let mixed = ask(server, &[GRANT], Some((&shop.client_id, &other.secret))).await;
    assert_eq!(mixed.body, wrong.body);
    let limited = guess(&shop.client_id).await;
    assert_eq!(limited.error(), (429, "temporarily_unavailable"));
    assert_eq!(limited.header("retry-after"), Some("900"));
    // Whoever knows the secret is not kept out by those who do not.
    shop.token(server, None).await;
    // One address that tries many clients is stopped, too; people behind it are not.
    guess(nobody).await;
    guess("another").await;
    assert_eq!(guess("a third").await.status, 429);
    sign_in(server, &email("ANALYST")).await;
    let entries = "{ auditEntries(filter: { action: \"client.token_refused\" }) { totalCount } }";
    let answer = world.as_admin(entries, json!({})).await;
    assert_eq!(answer.data()["auditEntries"]["totalCount"], 5);
    world.server.clock.advance(TimeDelta::minutes(16));
    assert_eq!(guess(nobody).await.status, 401);
}

//! Tokens that do not hold, codes and states of others, tickets that were used: nobody comes in.

use super::provider::Signature;
use super::{Browser, End, Shop, error};
use chrono::TimeDelta;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_does_not_hold_lets_nobody_in() {
    let shop = Shop::new().await;
    let now = crate::support::beginning().timestamp();
    let cases = [
        ("nonce", json!({ "nonce": "another" })),
        ("no nonce", json!({ "nonce": null })),
        ("audience", json!({ "aud": "another-client" })),
        (
            "audiences",
            json!({ "aud": ["regulars", "another-client"] }),
        ),
        ("no audience", json!({ "aud": [] })),
        ("issuer", json!({ "iss": "https://login.evil.example" })),
        ("expired", json!({ "iat": now - 600, "exp": now - 60 })),
        (
            "from the future",
            json!({ "iat": now + 3600, "exp": now + 7200 }),
        ),
        ("party", json!({ "azp": "another-client" })),
        (
            "access token",
            json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" }),
        ),
        ("no token", json!({ "no_token": true })),
    ];
    let invalid = error("provider_answer_invalid");
    for (name, claims) in cases {
        assert_eq!(shop.sign_in_as(claims).await, invalid, "{name}");
    }
    shop.provider.claims(json!({}));
    for signature in [
        Signature::None,
        Signature::SharedSecret,
        Signature::PublicKeyAsSecret,
        Signature::Strange,
    ] {
        shop.provider
            .with(|behaviour| behaviour.signature = signature);
        assert_eq!(shop.sign_in().await, invalid, "{signature:?}");
    }
    shop.provider
        .with(|behaviour| behaviour.signature = Signature::Good);
    // The address of this test has failed often, and not too often yet.
    shop.sign_in().await.ticket();
    assert_eq!(shop.audited("staff.identity_link").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_read_again_when_they_turn_and_not_at_every_call() {
    let shop = Shop::new().await;
    shop.sign_in().await.ticket();
    let reads = || {
        shop.provider
            .with(|behaviour| (behaviour.documents_read, behaviour.keys_read))
    };
    assert_eq!(reads(), (1, 1));
    shop.wait(TimeDelta::minutes(1));
    shop.provider.with(|behaviour| behaviour.signing = 2);
    let invalid = error("provider_answer_invalid");
    for _ in 0..3 {
        // Signed by a key that is not published: one look, and no second one so soon.
        assert_eq!(shop.sign_in().await, invalid);
    }
    assert_eq!(reads(), (1, 2));
    shop.provider
        .with(|behaviour| behaviour.published = vec![1, 2]);
    shop.wait(TimeDelta::seconds(11));
    shop.sign_in().await.ticket();
    assert_eq!(reads(), (1, 3));
    // A key that was withdrawn verifies nothing once the hour is over.
    shop.provider
        .with(|behaviour| behaviour.published = vec![2]);
    shop.wait(TimeDelta::minutes(61));
    shop.provider.with(|behaviour| behaviour.signing = 1);
    assert_eq!(shop.sign_in().await, invalid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_comes_back_in_place_of_another_browser() {
    let shop = Shop::new().await;
    let client = shop.client();
    let (mut thief, mut victim) = (Browser::default(), Browser::default());
    let way = thief.start(client).await.unwrap();
    victim.start(client).await.unwrap();
    let code = shop.provider.code(&way);
    let link = [("state", way.get("state")), ("code", code.as_str())];
    // Whoever is sent the link of a stranger does not come in as the stranger, with a cookie or without.
    assert_eq!(victim.back(client, &link).await, End::Page(400));
    // And the link is used up, for the one who made it too.
    assert_eq!(thief.back(client, &link).await, End::Page(400));
    let way = thief.start(client).await.unwrap();
    let code = shop.provider.code(&way);
    let link = [("state", way.get("state")), ("code", code.as_str())];
    assert_eq!(Browser::default().back(client, &link).await, End::Page(400));
    // A cookie that somebody has put there is not gone by.
    let mut tampered = Browser {
        cookie: Some("__Host-regulars-sign-in=known".to_owned()),
    };
    tampered.start(client).await.unwrap();
    assert_ne!(
        tampered.cookie.as_deref(),
        Some("__Host-regulars-sign-in=known")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_is_good_once_and_for_ten_minutes() {
    let shop = Shop::new().await;
    let client = shop.client();
    let mut browser = Browser::default();
    let way = browser.start(client).await.unwrap();
    let code = shop.provider.code(&way);
    let back = [("state", way.get("state")), ("code", code.as_str())];
    browser.back(client, &back).await.ticket();
    assert_eq!(browser.back(client, &back).await, End::Page(400));
    // A code that was used, under a state of its own: the provider refuses it.
    let way = browser.start(client).await.unwrap();
    let back = [("state", way.get("state")), ("code", code.as_str())];
    let invalid = error("provider_answer_invalid");
    assert_eq!(browser.back(client, &back).await, invalid);
    // A code of another sign-in of the same browser: the verifier is not its own.
    let first = browser.start(client).await.unwrap();
    let second = browser.start(client).await.unwrap();
    let code = shop.provider.code(&first);
    let back = [("state", second.get("state")), ("code", code.as_str())];
    assert_eq!(browser.back(client, &back).await, invalid);
    // Two windows of one browser are on their way at once.
    let first = browser.start(client).await.unwrap();
    let second = browser.start(client).await.unwrap();
    for way in [second, first] {
        let code = shop.provider.code(&way);
        let back = [("state", way.get("state")), ("code", code.as_str())];
        browser.back(client, &back).await.ticket();
    }
    let late = browser.start(client).await.unwrap();
    let code = shop.provider.code(&late);
    shop.wait(TimeDelta::minutes(10));
    let back = [("state", late.get("state")), ("code", code.as_str())];
    assert_eq!(browser.back(client, &back).await, End::Page(400));
    for back in [
        vec![],
        vec![("state", "unknown"), ("code", "x")],
        vec![("code", "x")],
    ] {
        assert_eq!(browser.back(client, &back).await, End::Page(400));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_provider_says_is_never_repeated() {
    let shop = Shop::new().await;
    let client = shop.client();
    let mut browser = Browser::default();
    let mut told = Vec::new();
    for word in [
        "access_denied",
        "server_error",
        "invalid_scope",
        "<script>alert(1)</script>",
    ] {
        let way = browser.start(client).await.unwrap();
        let back = [
            ("state", way.get("state")),
            ("error", word),
            ("error_description", "<script>alert(2)</script>"),
        ];
        told.push(browser.back(client, &back).await);
    }
    assert_eq!(
        told,
        [
            error("access_denied"),
            error("provider_unavailable"),
            error("provider_answer_invalid"),
            error("access_denied"),
        ]
    );
    // Another provider has sent the browser back (RFC 9207), and a parameter is there twice.
    for (more, end) in [
        (
            ("iss", "https://login.evil.example"),
            error("provider_answer_invalid"),
        ),
        (("code", "another"), End::Page(400)),
    ] {
        let way = browser.start(client).await.unwrap();
        let code = shop.provider.code(&way);
        let back = [("state", way.get("state")), ("code", code.as_str()), more];
        assert_eq!(browser.back(client, &back).await, end);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_is_good_once_and_for_a_minute() {
    let shop = Shop::new().await;
    let ticket = shop.sign_in().await.ticket();
    let race = (0..8).map(|_| shop.redeem(&ticket));
    let answers = futures_util::future::join_all(race).await;
    let won = answers
        .iter()
        .filter(|answer| answer.any_payload()["session"] != Value::Null)
        .count();
    assert_eq!(won, 1);
    let dead = ["INVALID_CREDENTIALS ticket"];
    assert_eq!(shop.redeem(&ticket).await.user_errors(), dead);
    let ticket = shop.sign_in().await.ticket();
    shop.wait(TimeDelta::seconds(60));
    assert_eq!(shop.redeem(&ticket).await.user_errors(), dead);
    let ticket = shop.sign_in().await.ticket();
    let disable = "mutation($id: ID!) { staffDisable(input: { id: $id }) { userErrors { code } } }";
    let admin = shop.world.token("ADMIN");
    let variables = json!({ "id": shop.world.staff["ASSOCIATE"] });
    shop.client()
        .gql(Some(admin), disable, variables)
        .await
        .payload();
    assert_eq!(shop.redeem(&ticket).await.user_errors(), dead);
    for nothing in ["", "x", &"x".repeat(100_000)] {
        assert_eq!(shop.redeem(nothing).await.user_errors(), dead);
    }
    // A ticket does not stand in the database as it is.
    assert_eq!(shop.world.server.place.holding(&ticket).await, [""; 0]);
}

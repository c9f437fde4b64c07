//! Signing keys that take turns, and tokens that somebody has tampered with.

use super::super::{AuthError, keys, tokens};
use super::*;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use std::sync::Arc;

async fn kids(ctx: &Ctx) -> Vec<String> {
    let set = keys::jwks(ctx).await.unwrap();
    let keys = set["keys"].as_array().unwrap();
    keys.iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn keys_rotate_without_anybody_signed_out() {
    for test in TestDb::all().await {
        let one = Node::first(&test).await;
        let two = Node::start(test.system_on(test.another_node().await)).await;
        account(&one.ctx, "admin@shop.example", Role::Admin, Place::Company).await;
        let old = keys::signer(&one.ctx).await.unwrap().id.clone();
        assert_eq!(keys::signer(&two.ctx).await.unwrap().id, old);

        // An hour before its time the next key is published, and does not sign yet.
        test.clock
            .advance(TimeDelta::days(30) - TimeDelta::minutes(59));
        let (first, second) = tokio::join!(keys::maintain(&one.ctx), keys::maintain(&two.ctx));
        first.and(second).unwrap();
        assert_eq!(test.number("select count(*) from signing_key").await, 2);
        assert_eq!(kids(&one.ctx).await.len(), 2);
        assert_eq!(kids(&two.ctx).await.len(), 2);
        assert_eq!(keys::signer(&two.ctx).await.unwrap().id, old);

        test.clock.advance(TimeDelta::minutes(58));
        let last_of_old = one.sign_in("admin@shop.example").await;
        test.clock.advance(TimeDelta::minutes(1));
        let new = keys::signer(&two.ctx).await.unwrap().id.clone();
        assert_ne!(new, old);
        let first_of_new = two.sign_in("admin@shop.example").await;
        for node in [&one, &two] {
            assert!(node.lets_in(&last_of_old).await);
            assert!(node.lets_in(&first_of_new).await);
        }
        let renewed = sessions::refresh(&one.anonymous(), &last_of_old.refresh_token)
            .await
            .unwrap();
        assert!(two.lets_in(&renewed).await);

        test.clock.advance(TimeDelta::minutes(16));
        assert_eq!(
            kids(&one.ctx).await,
            std::slice::from_ref(&new),
            "the old key has retired"
        );
        one.door.stop().await;
        two.door.stop().await;
        two.ctx.db.close().await.unwrap();
        test.done().await;
    }
}

#[tokio::test]
async fn nodes_that_start_at_once_share_one_key_and_a_wrong_secret_is_told() {
    for test in TestDb::all().await {
        let nodes: Vec<Ctx> = (0..4).map(|_| test.system()).collect();
        let started = nodes.iter().map(|ctx| Authenticator::start(ctx.clone()));
        let doors: Result<Vec<_>> = futures_util::future::join_all(started)
            .await
            .into_iter()
            .collect();
        let doors = doors.unwrap();
        assert_eq!(test.number("select count(*) from signing_key").await, 1);
        let stranger = Ctx {
            secrets: Arc::new(crate::access::Secrets::derive(&[8; 32])),
            ..test.system()
        };
        let told = format!("{:?}", Authenticator::start(stranger).await.unwrap_err());
        assert!(
            told.contains("the configured secret does not open"),
            "{told}"
        );
        for door in doors {
            door.stop().await;
        }
        test.done().await;
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test]
async fn tampered_tokens_are_refused() {
    for test in TestDb::all().await {
        tamper(test).await;
    }
}

async fn tamper(test: TestDb) {
    let node = Node::first(&test).await;
    account(&node.ctx, "admin@shop.example", Role::Admin, Place::Company).await;
    let signed_in = node.sign_in("admin@shop.example").await;
    let good = signed_in.access_token.expose_secret().to_owned();
    let key = keys::signer(&node.ctx).await.unwrap();
    let public = keys::jwks(&node.ctx).await.unwrap()["keys"][0]["x"]
        .as_str()
        .unwrap()
        .to_owned();
    let public = URL_SAFE_NO_PAD.decode(public).unwrap();
    let now = node.ctx.now().timestamp();
    let claims = json!({
        "iss": "regulars", "aud": "regulars-api", "sub": signed_in.staff, "sid": signed_in.session,
        "iat": now, "exp": now + 600, "jti": "x",
    });
    let header = |change: fn(&mut Header)| {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(key.id.clone());
        change(&mut header);
        header
    };
    let sign = |header: &Header, claims: &Value| {
        jsonwebtoken::encode(header, claims, &key.encoding).unwrap()
    };
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        sign(&header(|_| ()), &claims)
    };
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        sign(&header(|_| ()), &claims)
    };
    assert!(
        tokens::verify(&node.ctx, &sign(&header(|_| ()), &claims))
            .await
            .is_ok(),
        "the table's own base"
    );

    let other_key = EncodingKey::from_ed_der(
        &[
            &[
                0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
            ][..],
            &[9; 32],
        ]
        .concat(),
    );
    let hmac_header = json!({ "alg": "HS256", "typ": "at+jwt", "kid": key.id });
    let mut parts: Vec<&str> = good.split('.').collect();
    let forged_claims = part(&with_admin(&claims));
    let body = parts[1];
    parts[1] = &forged_claims;
    let hs256 = {
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(key.id.clone());
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&public)).unwrap()
    };
    let cases = [
        (
            "no algorithm",
            format!("{}.{body}.", part(&json!({ "alg": "none", "kid": key.id }))),
        ),
        (
            "no signature",
            format!("{}.{body}.", good.split('.').next().unwrap()),
        ),
        ("HMAC with the public key", hs256),
        (
            "HMAC header, Ed25519 signature",
            format!("{}.{body}.{}", part(&hmac_header), parts[2]),
        ),
        ("other claims", parts.join(".")),
        (
            "another key's signature",
            jsonwebtoken::encode(&header(|_| ()), &claims, &other_key).unwrap(),
        ),
        (
            "unknown key",
            sign(&header(|h| h.kid = Some("nobody".to_owned())), &claims),
        ),
        ("no key id", sign(&header(|h| h.kid = None), &claims)),
        (
            "another type",
            sign(&header(|h| h.typ = Some("JWT".to_owned())), &claims),
        ),
        (
            "critical extension",
            sign(&header(|h| h.crit = Some(vec!["exp".to_owned()])), &claims),
        ),
        ("another audience", with("aud", json!("storefront"))),
        ("another issuer", with("iss", json!("somebody"))),
        ("from the future", with("iat", json!(now + 60))),
        ("not before", with("nbf", json!(now + 60))),
        ("end beyond time", with("exp", json!(i64::MAX))),
        ("no end", without("exp")),
        ("no audience", without("aud")),
        ("no issuer", without("iss")),
        ("no subject", without("sub")),
        ("no session", without("sid")),
        (
            "a session that never was",
            with("sid", json!(uuid::Uuid::now_v7())),
        ),
        (
            "somebody else's session",
            with("sub", json!(uuid::Uuid::now_v7())),
        ),
        ("nonsense", "nonsense".to_owned()),
        ("empty", String::new()),
        ("endless", "a".repeat(1 << 20)),
        ("other letters", format!("{good}\u{0}")),
    ];
    for (what, token) in &cases {
        let answer = node.door.authenticate(Some(token)).await;
        assert_eq!(answer.err(), Some(AuthError::Invalid), "{what}");
    }
    let expired = with("exp", json!(now - 6));
    assert_eq!(
        node.door.authenticate(Some(&expired)).await.err(),
        Some(AuthError::Expired)
    );
    assert!(node.lets_in(&signed_in).await);
    test.clock
        .advance(TimeDelta::minutes(10) + TimeDelta::seconds(5));
    let late = node.door.authenticate(Some(&good)).await;
    assert_eq!(
        late.err(),
        Some(AuthError::Expired),
        "remembered, yet no longer good"
    );
    node.door.stop().await;
    test.done().await;
}

/// The same claims with one more: any change must break the signature.
fn with_admin(claims: &Value) -> Value {
    let mut claims = claims.clone();
    claims["admin"] = json!(true);
    claims
}

//! Signing in, staying signed in, being signed out.

use crate::support::world::{PASSWORD, SIGN_IN, email, session, sign_in};
use crate::support::{Answer, Client, TestServer, World};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const REFRESH: &str = "mutation($token: String!) { sessionRefresh(input: { refreshToken: $token }) { \
    session { accessToken refreshToken } userErrors { code field message } } }";
const WHO: &str = "{ viewer { __typename } }";

async fn refresh(client: &Client, token: &Value) -> Answer {
    client.gql(None, REFRESH, json!({ "token": token })).await
}

async fn is_in(client: &Client, token: &str) -> bool {
    client
        .gql(Some(token), WHO, json!({}))
        .await
        .codes()
        .is_empty()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_accounts_and_wrong_passwords_get_one_answer() {
    let world = World::new().await;
    let mut answers = Vec::new();
    for (email, password) in [
        (email("ANALYST"), "wrong password entirely"),
        ("nobody@shop.example".to_owned(), PASSWORD),
        ("no address".to_owned(), PASSWORD),
    ] {
        let variables = json!({ "email": email, "password": password });
        let answer = world.server.client.gql(None, SIGN_IN, variables).await;
        assert_eq!(answer.any_payload()["session"], Value::Null);
        answers.push(answer.body);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_access_token_lives_for_minutes_and_is_renewed() {
    let world = World::new().await;
    let client = &world.server.client;
    let session = session(client, &email("ASSOCIATE"), PASSWORD).await;
    let token = session["accessToken"].as_str().unwrap();
    assert!(is_in(client, token).await);
    world.server.clock.advance(TimeDelta::minutes(11));
    let answer = client.gql(Some(token), WHO, json!({})).await;
    assert_eq!(
        (answer.status, answer.codes()),
        (401, vec!["UNAUTHENTICATED".to_owned()])
    );
    let answer = refresh(client, &session["refreshToken"]).await;
    let next = answer.payload()["session"]["accessToken"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(is_in(client, &next).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_used_twice_ends_its_session() {
    let world = World::new().await;
    let client = &world.server.client;
    let session = session(client, &email("ASSOCIATE"), PASSWORD).await;
    let other = sign_in(client, &email("ASSOCIATE")).await;
    let answer = refresh(client, &session["refreshToken"]).await;
    let next = answer.payload()["session"].clone();
    let token = next["accessToken"].as_str().unwrap();
    assert!(is_in(client, token).await);
    // Somebody has copied the first one. Beyond the moment that a repeated request is forgiven, if there is one.
    world.server.clock.advance(TimeDelta::minutes(2));
    let answer = refresh(client, &session["refreshToken"]).await;
    assert_eq!(answer.any_payload()["session"], Value::Null);
    let answer = refresh(client, &next["refreshToken"]).await;
    assert_eq!(answer.any_payload()["session"], Value::Null);
    assert!(!is_in(client, token).await);
    assert!(is_in(client, &other).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_ends_one_session_or_all() {
    let world = World::new().await;
    let client = &world.server.client;
    let who = email("MARKETER");
    let (first, second, third) = (
        sign_in(client, &who).await,
        sign_in(client, &who).await,
        sign_in(client, &who).await,
    );
    let end = "mutation { sessionEnd { userErrors { code } } }";
    client.gql(Some(&first), end, json!({})).await.payload();
    assert!(!is_in(client, &first).await);
    assert!(is_in(client, &second).await);
    let end = "mutation { sessionEndAll(input: { keepPresent: true }) { endedCount userErrors { code } } }";
    let answer = client.gql(Some(&second), end, json!({})).await;
    // The third, and the one that the world signed in with.
    assert_eq!(answer.payload()["endedCount"], 2);
    assert!(!is_in(client, &third).await);
    assert!(is_in(client, &second).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_ends_the_other_sessions() {
    let world = World::new().await;
    let client = &world.server.client;
    let who = email("ANALYST");
    let here = sign_in(client, &who).await;
    let change = "mutation($new: String!, $old: String!) { passwordChange(input: { currentPassword: $old, newPassword: $new }) \
        { staff { id } userErrors { code field message } } }";
    let variables = json!({ "old": PASSWORD, "new": "12345678" });
    let answer = client.gql(Some(&here), change, variables).await;
    assert_eq!(answer.user_errors(), ["WEAK_PASSWORD newPassword"]);
    // The present one changes nothing, and nobody is signed out for it.
    let variables = json!({ "old": PASSWORD, "new": PASSWORD });
    let answer = client.gql(Some(&here), change, variables).await;
    assert_eq!(answer.user_errors(), ["WEAK_PASSWORD newPassword"]);
    assert!(is_in(client, world.token("ANALYST")).await);
    let variables = json!({ "old": PASSWORD, "new": "quite another long sentence" });
    client.gql(Some(&here), change, variables).await.payload();
    assert!(is_in(client, &here).await);
    assert!(!is_in(client, world.token("ANALYST")).await);
    session(client, &who, "quite another long sentence").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_account_is_out_within_two_seconds_on_every_node() {
    let world = World::new().await;
    // Two nodes on the same database, by the real clock.
    let one = crate::support::Program::serve(&world.server.place);
    let other = crate::support::Program::serve(&world.server.place);
    let who = email("ASSOCIATE");
    let here = sign_in(&one.client, &who).await;
    let token = sign_in(&other.client, &who).await;
    assert!(is_in(&other.client, &token).await);
    let admin = sign_in(&one.client, &email("ADMIN")).await;
    let disable = "mutation($id: ID!) { staffDisable(input: { id: $id }) { userErrors { code field message } } }";
    let variables = json!({ "id": world.staff["ASSOCIATE"] });
    one.client
        .gql(Some(&admin), disable, variables)
        .await
        .payload();
    let disabled = Instant::now();
    assert!(!is_in(&one.client, &here).await);
    while is_in(&other.client, &token).await {
        assert!(
            disabled.elapsed() < Duration::from_secs(2),
            "still in after two seconds"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let variables = json!({ "email": who, "password": PASSWORD });
    let answer = other.client.gql(None, SIGN_IN, variables).await;
    assert_eq!(answer.any_payload()["session"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_is_stopped_and_others_are_let_in() {
    let server = TestServer::start_with(|configuration| {
        configuration.settings.security.attempts_by_account = 3;
    })
    .await;
    let world = World::on(server).await;
    let client = &world.server.client;
    let guess = json!({ "email": email("ANALYST"), "password": "a wrong guess" });
    let mut refused = false;
    for _ in 0..6 {
        let answer = client.gql(None, SIGN_IN, guess.clone()).await;
        refused = answer.codes() == ["RATE_LIMITED"];
    }
    assert!(refused);
    // Even the right password is of no use now.
    let right = json!({ "email": email("ANALYST"), "password": PASSWORD });
    assert_eq!(
        client.gql(None, SIGN_IN, right.clone()).await.codes(),
        ["RATE_LIMITED"]
    );
    sign_in(client, &email("MARKETER")).await;
    world.server.clock.advance(TimeDelta::minutes(31));
    client.gql(None, SIGN_IN, right).await.payload();
}

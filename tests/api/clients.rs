//! Third-party programs: made, given tokens, bound to their scopes and places, changed over, switched off.

use crate::support::oauth::{CREATE, ThirdParty, WHO, parts};
use crate::support::world::{PASSWORD, SIGN_IN, email, sign_in};
use crate::support::{Answer, Client, Program, World};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const ROTATE: &str = "mutation($input: ClientSecretRotateInput!) { clientSecretRotate(input: $input) \
    { client { id secrets { id hint expiresAt } } secret userErrors { code field message } } }";
const REVOKE: &str = "mutation($id: ID!) { clientSecretRevoke(input: { id: $id }) \
    { client { secrets { id } } userErrors { code field message } } }";
const DISABLE: &str = "mutation($id: ID!) { clientDisable(input: { id: $id }) \
    { client { enabled disabledAt } userErrors { code field message } } }";
const ENABLE: &str = "mutation($id: ID!) { clientEnable(input: { id: $id }) \
    { client { enabled } userErrors { code field message } } }";
const UPDATE: &str = "mutation($input: ClientUpdateInput!) { clientUpdate(input: $input) \
    { client { version name scopes costBudget { pointsPerSecond bucketPoints } places { wholeCompany stores { id } regions { id } } } \
    userErrors { code field message } } }";

async fn is_in(client: &Client, token: &str) -> bool {
    client
        .gql(Some(token), WHO, json!({}))
        .await
        .codes()
        .is_empty()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_take_turns_with_an_overlap() {
    let world = World::new().await;
    let server = &world.server.client;
    let first = world.third_party(json!(["CATALOG_READ"]), json!({})).await;
    let rotate = async |token: &str, input: Value| {
        server
            .gql(Some(token), ROTATE, json!({ "input": input }))
            .await
    };
    let with = |answer: &Answer| ThirdParty {
        secret: answer.payload()["secret"].as_str().unwrap().to_owned(),
        ..first.clone()
    };
    let admin = world.token("ADMIN").to_owned();
    let answer = rotate(&admin, json!({ "id": first.id })).await;
    let second = with(&answer);
    let secrets = &answer.payload()["client"]["secrets"];
    assert_eq!(secrets[0]["expiresAt"], Value::Null);
    assert_eq!(secrets[1]["hint"], json!(first.secret[43..]));
    // Both are good for a day.
    let by_second = second.token(server, None).await;
    assert!(is_in(server, &by_second).await);
    world.server.clock.advance(TimeDelta::minutes(24 * 60 - 1));
    let late = first.ask(server, None).await;
    assert_eq!(late.body["expires_in"], 60, "no longer than the secret");
    world.server.clock.advance(TimeDelta::minutes(2));
    assert_eq!(
        first.ask(server, None).await.error(),
        (401, "invalid_client")
    );
    assert!(!is_in(server, &late.token()).await);
    let by_second = second.token(server, None).await;

    // At once: what was got by the older one ends with it.
    let admin = sign_in(server, &email("ADMIN")).await;
    let answer = rotate(&admin, json!({ "id": first.id, "overlapMinutes": 0 })).await;
    let third = with(&answer);
    assert!(!is_in(server, &by_second).await);
    assert_eq!(second.ask(server, None).await.status, 401);
    let by_third = third.token(server, None).await;

    // Three at once are the most.
    let long = json!({ "id": first.id, "overlapMinutes": 43200 });
    let fourth = with(&rotate(&admin, long.clone()).await);
    let answer = rotate(&admin, long.clone()).await;
    let newest = answer.payload()["client"]["secrets"][0]["id"].clone();
    let fifth = with(&answer);
    assert_eq!(rotate(&admin, long).await.user_errors(), ["TOO_MANY id"]);
    for wrong in [-1, 43201] {
        let input = json!({ "id": first.id, "overlapMinutes": wrong });
        let answer = rotate(&admin, input).await;
        assert_eq!(answer.user_errors(), ["OUT_OF_RANGE overlapMinutes"]);
    }

    // One that has leaked is revoked, with what was got by it; the others stay.
    let by_fifth = fifth.token(server, None).await;
    let answer = server
        .gql(Some(&admin), REVOKE, json!({ "id": newest }))
        .await;
    assert_eq!(
        answer.payload()["client"]["secrets"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert!(!is_in(server, &by_fifth).await);
    assert_eq!(fifth.ask(server, None).await.status, 401);
    assert!(is_in(server, &by_third).await);
    fourth.token(server, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_client_is_out_within_two_seconds_on_every_node() {
    let world = World::new().await;
    let shop = world
        .third_party(json!(["CATALOG_READ", "COSTS_READ"]), json!({}))
        .await;
    // Two nodes on the same database, by the real clock.
    let one = Program::serve(&world.server.place);
    let other = Program::serve(&world.server.place);
    let token = shop.token(&one.client, None).await;
    assert!(is_in(&one.client, &token).await && is_in(&other.client, &token).await);
    let admin = sign_in(&one.client, &email("ADMIN")).await;

    // A secret that the other node has not heard of yet is good there at once.
    let rotated = one
        .client
        .gql(Some(&admin), ROTATE, json!({ "input": { "id": shop.id } }))
        .await;
    let fresh = ThirdParty {
        secret: rotated.payload()["secret"].as_str().unwrap().to_owned(),
        ..shop.clone()
    };
    assert!(is_in(&other.client, &fresh.token(&one.client, None).await).await);

    // Scopes that are taken away are gone from tokens that have them.
    let permissions = async |node: &Client| {
        let answer = node.gql(Some(&token), WHO, json!({})).await;
        answer.data()["viewer"]["permissions"].clone()
    };
    assert_eq!(
        permissions(&other.client).await,
        json!(["CATALOG_READ", "COST_READ"])
    );
    let input = json!({ "id": shop.id, "version": 1, "scopes": ["CATALOG_READ"] });
    one.client
        .gql(Some(&admin), UPDATE, json!({ "input": input }))
        .await
        .payload();
    let changed = Instant::now();
    assert_eq!(permissions(&one.client).await, json!(["CATALOG_READ"]));
    while permissions(&other.client).await != json!(["CATALOG_READ"]) {
        assert!(changed.elapsed() < Duration::from_secs(2), "still allowed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let variables = json!({ "id": shop.id });
    let answer = one
        .client
        .gql(Some(&admin), DISABLE, variables.clone())
        .await;
    assert_eq!(answer.payload()["client"]["enabled"], false);
    let disabled = Instant::now();
    assert!(!is_in(&one.client, &token).await);
    while is_in(&other.client, &token).await {
        assert!(disabled.elapsed() < Duration::from_secs(2), "still in");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for secret in [&shop, &fresh] {
        let answer = secret.ask(&other.client, None).await;
        assert_eq!(answer.error(), (401, "invalid_client"));
    }
    one.client
        .gql(Some(&admin), ENABLE, variables)
        .await
        .payload();
    shop.token(&other.client, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_and_stale_tokens_are_refused() {
    let world = World::new().await;
    let server = &world.server.client;
    let shop = world.third_party(json!(["CATALOG_READ"]), json!({})).await;
    let good = shop.token(server, None).await;
    let mut texts = good.split('.');
    let (head, body, signature) = (
        texts.next().unwrap(),
        texts.next().unwrap(),
        texts.next().unwrap(),
    );
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let (header, claims) = parts(&good);
    let with = |base: &Value, name: &str, value: Value| {
        let mut changed = base.clone();
        changed[name] = value;
        encode(&changed)
    };
    let other_key = {
        let secret = [
            &[
                0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
            ][..],
            &[9; 32],
        ]
        .concat();
        let key = jsonwebtoken::EncodingKey::from_ed_der(&secret);
        let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = parts(&good).0["kid"].as_str().map(str::to_owned);
        jsonwebtoken::encode(&header, &claims, &key).unwrap()
    };
    let more = with(&claims, "scope", json!("catalog:read customers:read"));
    for forged in [
        format!("{}.{body}.", with(&header, "alg", json!("none"))),
        format!("{}.{body}.{signature}", with(&header, "alg", json!("none"))),
        format!("{head}.{body}."),
        format!("{head}.{more}.{signature}"),
        format!(
            "{head}.{}.{signature}",
            with(&claims, "aud", json!("another"))
        ),
        other_key,
        shop.secret.clone(),
    ] {
        let answer = server.gql(Some(&forged), WHO, json!({})).await;
        assert_eq!(answer.status, 401, "{forged}");
    }
    // What is only a client's opens no door of people, and the other way round.
    let sessions = server.gql(
        Some(&good),
        "{ viewer { sessions { id } roles { role } staff { id } } }",
        json!({}),
    );
    let nothing = json!({ "sessions": [], "roles": [], "staff": null });
    assert_eq!(sessions.await.data()["viewer"], nothing);
    let end = "mutation { sessionEnd { userErrors { code } } }";
    assert_eq!(
        server.gql(Some(&good), end, json!({})).await.codes(),
        ["FORBIDDEN"]
    );
    assert!(is_in(server, &good).await);
    world.server.clock.advance(TimeDelta::seconds(606));
    assert!(!is_in(server, &good).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_are_made_changed_and_listed_by_administrators() {
    let world = World::new().await;
    let server = &world.server.client;
    let create = async |input: Value| world.as_admin(CREATE, json!({ "input": input })).await;
    let input = json!({ "name": "Till", "scopes": ["VISITS_RECORD"], "idempotencyKey": "till-1",
        "places": { "regionIds": [world.region], "storeIds": [world.store, world.store] },
        "costBudget": { "pointsPerSecond": 50, "bucketPoints": 2000 } });
    let made = create(input.clone()).await;
    let again = create(input.clone()).await;
    assert_eq!(
        made.payload()["client"]["id"],
        again.payload()["client"]["id"]
    );
    assert!(made.payload()["secret"].is_string());
    assert_eq!(again.payload()["secret"], Value::Null, "shown once");
    let mut other = input.clone();
    other["name"] = json!("Another till");
    assert_eq!(
        create(other).await.user_errors(),
        ["IDEMPOTENCY_MISMATCH idempotencyKey"]
    );

    for (input, expected) in [
        (json!({ "name": " ", "scopes": [] }), "REQUIRED name"),
        (
            json!({ "name": "x", "scopes": [], "places": { "wholeCompany": true, "storeIds": [world.store] } }),
            "INVALID places",
        ),
        (
            json!({ "name": "x", "scopes": [], "places": { "storeIds": [world.store, "x"] } }),
            "NOT_FOUND places.storeIds.1",
        ),
        (
            json!({ "name": "x", "scopes": [], "places": { "regionIds": ["x"] } }),
            "NOT_FOUND places.regionIds.0",
        ),
        (
            json!({ "name": "x", "scopes": ["CATALOG_WRITE"], "places": { "storeIds": [world.store] } }),
            "NOT_ALLOWED scopes",
        ),
        (
            json!({ "name": "x", "scopes": [], "costBudget": { "pointsPerSecond": 0, "bucketPoints": 1 } }),
            "OUT_OF_RANGE costBudget.pointsPerSecond",
        ),
    ] {
        assert_eq!(
            create(input.clone()).await.user_errors(),
            [expected],
            "{input}"
        );
    }

    let id = made.payload()["client"]["id"].clone();
    let update = async |input: Value| world.as_admin(UPDATE, json!({ "input": input })).await;
    let input = json!({ "id": id, "version": 1, "name": "Till 2", "costBudget": null, "scopes": ["VISITS_RECORD", "CATALOG_WRITE"],
        "places": { "wholeCompany": true } });
    assert_eq!(
        update(input.clone()).await.payload()["client"],
        json!({ "version": 2, "name": "Till 2", "scopes": ["CATALOG_WRITE", "VISITS_RECORD"], "costBudget": null,
            "places": { "wholeCompany": true, "stores": [], "regions": [] } })
    );
    let stale = update(input).await;
    assert_eq!(stale.user_errors(), ["STALE_VERSION version"]);
    assert_eq!(stale.any_payload()["client"]["version"], 2);
    let same = json!({ "id": id, "version": 2, "name": "Till 2" });
    assert_eq!(update(same).await.payload()["client"]["version"], 2);
    let narrower = json!({ "id": id, "version": 2, "places": { "storeIds": [world.store] } });
    assert_eq!(update(narrower).await.user_errors(), ["NOT_ALLOWED scopes"]);

    let shop = world.third_party(json!([]), json!({})).await;
    world
        .as_admin(DISABLE, json!({ "id": shop.id }))
        .await
        .payload();
    let list = "query($on: Boolean) { clients(filter: { enabled: $on }, first: 1) { totalCount pageInfo { hasNextPage endCursor } nodes { id name } } }";
    let all = world.as_admin(list, json!({})).await;
    assert_eq!(all.data()["clients"]["totalCount"], 2);
    assert_eq!(all.data()["clients"]["nodes"][0]["id"], json!(shop.id));
    let next = "query($after: String!) { clients(after: $after) { nodes { name } } }";
    let after = &all.data()["clients"]["pageInfo"]["endCursor"];
    let rest = world.as_admin(next, json!({ "after": after })).await;
    assert_eq!(
        rest.data()["clients"]["nodes"],
        json!([{ "name": "Till 2" }])
    );
    let on = world.as_admin(list, json!({ "on": true })).await;
    assert_eq!(on.data()["clients"]["nodes"][0]["name"], "Till 2");
    let by_id = "query($id: ID!) { client(id: $id) { name createdBy { name } lastUsedAt } node(id: $id) { __typename id } }";
    let found = world.as_admin(by_id, json!({ "id": id })).await;
    assert_eq!(
        found.data()["client"],
        json!({ "name": "Till 2", "createdBy": { "name": "The ADMIN" }, "lastUsedAt": null })
    );
    assert_eq!(found.data()["node"]["__typename"], "Client");
    let unseen = server
        .gql(
            Some(world.token("HEADQUARTERS")),
            "query($id: ID!) { node(id: $id) { id } }",
            json!({ "id": id }),
        )
        .await;
    assert_eq!(unseen.data()["node"], Value::Null);

    // The last use is noted beside the request.
    let till = ThirdParty {
        id: id.as_str().unwrap().to_owned(),
        client_id: made.payload()["client"]["clientId"]
            .as_str()
            .unwrap()
            .to_owned(),
        secret: made.payload()["secret"].as_str().unwrap().to_owned(),
    };
    till.token(server, None).await;
    let asked = Instant::now();
    loop {
        let found = world.as_admin(by_id, json!({ "id": id })).await;
        if found.data()["client"]["lastUsedAt"].is_string() {
            break;
        }
        assert!(asked.elapsed() < Duration::from_secs(10), "never noted");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let words = "{ auditEntries(first: 100, orderBy: OLDEST_FIRST) { nodes { action detail } } }";
    let entries = world.as_admin(words, json!({})).await;
    let entries = entries.data()["auditEntries"]["nodes"]
        .as_array()
        .unwrap()
        .clone();
    let actions: Vec<&str> = entries
        .iter()
        .filter_map(|entry| entry["action"].as_str())
        .filter(|action| action.starts_with("client."))
        .collect();
    assert_eq!(
        actions,
        [
            "client.create",
            "client.update",
            "client.create",
            "client.disable"
        ]
    );
    let variables = json!({ "email": email("ADMIN"), "password": PASSWORD });
    server.gql(None, SIGN_IN, variables).await.payload();
}

//! Automatic persisted queries, as the clients of Apollo and urql ask for them.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{GRAPHQL, Served, one_worker};

fn hash_of(query: &str) -> String {
    Sha256::digest(query.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn by_hash(hash: &str) -> Value {
    json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash } } })
}

fn with_hash(query: &str, hash: &str) -> Value {
    let mut body = by_hash(hash);
    body["query"] = json!(query);
    body
}

async fn asked(served: &Served, body: Value) -> (StatusCode, Value) {
    let response = served.post(body).await;
    (response.status(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_document_is_sent_once_and_known_by_its_hash() {
    let served = Served::start(one_worker());
    let query = "query Hello { hello }";
    let hash = hash_of(query);
    let (status, unknown) = asked(&served, by_hash(&hash)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let error = &unknown["errors"][0];
    // Clients know it by either.
    assert_eq!(error["message"], "PersistedQueryNotFound");
    assert_eq!(error["extensions"]["code"], "PERSISTED_QUERY_NOT_FOUND");
    // Whoever takes the older media type is told so with the status that they expect.
    let older = [("accept", "application/json")];
    let older = served.post_with(by_hash(&hash), &older).await;
    assert_eq!(older.status(), StatusCode::OK);

    let (status, told) = asked(&served, with_hash(query, &hash)).await;
    assert_eq!(status, StatusCode::OK);
    let (status, again) = asked(&served, by_hash(&hash.to_uppercase())).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(again["data"], told["data"]);

    let extensions = by_hash(&hash)["extensions"].to_string();
    let url = reqwest::Url::parse_with_params(
        &served.url("/graphql"),
        [
            ("extensions", extensions.as_str()),
            ("operationName", "Hello"),
        ],
    )
    .unwrap();
    let got = served.client.get(url).header("accept", GRAPHQL).send();
    let got: Value = got.await.unwrap().json().await.unwrap();
    assert_eq!(got["data"], told["data"]);
}

#[tokio::test]
async fn only_what_passed_the_gate_is_kept_and_only_under_its_own_hash() {
    let served = Served::start(one_worker());
    let wrong = "{ nothingOfTheKind }";
    let (status, _) = asked(&served, with_hash(wrong, &hash_of(wrong))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (_, unknown) = asked(&served, by_hash(&hash_of(wrong))).await;
    assert_eq!(unknown["errors"][0]["message"], "PersistedQueryNotFound");

    let (mine, other) = ("{ hello }", "{ hello hello2: hello }");
    let (status, refused) = asked(&served, with_hash(mine, &hash_of(other))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_REQUEST");
    let (_, unknown) = asked(&served, by_hash(&hash_of(other))).await;
    assert_eq!(unknown["errors"][0]["message"], "PersistedQueryNotFound");
    // Nor once it is known.
    asked(&served, with_hash(other, &hash_of(other))).await;
    let (status, _) = asked(&served, with_hash(mine, &hash_of(other))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);

    for broken in [
        json!({ "version": 2, "sha256Hash": hash_of(mine) }),
        json!({ "version": 1, "sha256Hash": "abc" }),
        json!({ "version": 1 }),
        json!("x"),
    ] {
        let body = json!({ "query": mine, "extensions": { "persistedQuery": broken } });
        let (status, refused) = asked(&served, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_REQUEST");
    }
}

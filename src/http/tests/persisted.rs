//! Documents known by their hash: as the clients of Apollo and urql ask for them, and where only registered ones run.

use entity::values::DocumentHash;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::super::{
    DocumentsMode, HttpSettings,
    toy::{AWAY, REGISTERED},
};
use super::{GRAPHQL, Served, one_worker};

fn hash_of(query: &str) -> String {
    DocumentHash::of(query).to_string()
}

fn only_registered() -> HttpSettings {
    HttpSettings {
        documents: DocumentsMode::Registered,
        ..one_worker()
    }
}

#[track_caller]
fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap()
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

#[tokio::test]
async fn a_registered_document_is_known_without_having_been_sent() {
    let served = Served::start(one_worker());
    let [query, mutation] = REGISTERED;
    let id = format!("sha256:{}", hash_of(query));
    for body in [
        by_hash(&hash_of(query)),
        json!({ "documentId": id }),
        json!({ "documentId": hash_of(query) }),
        json!({ "documentId": id, "query": query }),
    ] {
        let (status, told) = asked(&served, body).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        assert_eq!(told["data"]["hello"], "hello you");
    }
    let get = async |parameter: String| {
        let url = served.url(&format!("/graphql?{parameter}"));
        let response = served.client.get(url).header("accept", GRAPHQL).send();
        response.await.unwrap()
    };
    let got = get(format!("documentId={id}")).await;
    assert_eq!(got.status(), StatusCode::OK);
    let got: Value = got.json().await.unwrap();
    assert_eq!(got["data"]["hello"], "hello you");
    // A mutation is one whatever stands for it.
    let refused = get(format!("documentId=sha256:{}", hash_of(mutation))).await;
    assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(refused.headers()["allow"], "POST");
    let (status, _) = asked(&served, json!({ "documentId": hash_of(mutation) })).await;
    assert_eq!(status, StatusCode::OK);

    let mut both = by_hash(&hash_of(query));
    both["documentId"] = json!(hash_of(mutation));
    for wrong in [
        both,
        json!({ "documentId": "x" }),
        json!({ "documentId": 1 }),
    ] {
        let (status, told) = asked(&served, wrong).await;
        assert_eq!(
            (status, code(&told)),
            (StatusCode::BAD_REQUEST, "BAD_REQUEST")
        );
    }
    let (status, told) = asked(&served, by_hash(&hash_of(AWAY))).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(code(&told), "UNAVAILABLE");
    // What needs no looking up runs all the same.
    let (status, _) = asked(&served, json!({ "query": AWAY })).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn where_only_registered_documents_run_nothing_else_does() {
    let served = Served::start(only_registered());
    let [query, mutation] = REGISTERED;
    for body in [
        by_hash(&hash_of(query)),
        json!({ "documentId": hash_of(query) }),
        json!({ "query": query }),
        with_hash(query, &hash_of(query)),
        json!({ "query": mutation }),
    ] {
        let (status, told) = asked(&served, body).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        assert!(told["data"].is_object(), "{told}");
    }
    // One more space is another document.
    for other in [
        "{ hello }",
        "query Registered { hello }",
        "{ __typename }",
        "",
    ] {
        let (status, told) = asked(&served, json!({ "query": other })).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(code(&told), "QUERY_NOT_IN_SAFELIST", "{other}");
        let (_, told) = asked(&served, with_hash(other, &hash_of(other))).await;
        assert_eq!(code(&told), "QUERY_NOT_IN_SAFELIST", "{other}");
        // Nor is it kept; and no client takes this answer as the wish to be sent the document.
        let (status, told) = asked(&served, by_hash(&hash_of(other))).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(code(&told), "PERSISTED_QUERY_NOT_IN_LIST", "{other}");
        let message = told["errors"][0]["message"].as_str().unwrap();
        assert!(!message.starts_with("PersistedQuery"), "{message}");
    }
    let (status, told) = asked(&served, with_hash("{ hello }", &hash_of(query))).await;
    assert_eq!(
        (status, code(&told)),
        (StatusCode::BAD_REQUEST, "BAD_REQUEST")
    );
    for body in [json!({ "query": AWAY }), by_hash(&hash_of(AWAY))] {
        let (status, told) = asked(&served, body).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(code(&told), "UNAVAILABLE");
    }
}

//! GraphQL over HTTP, through the whole program. The finer points are in `src/http/tests.rs` and in the conformance
//! suites that CI runs.

use crate::support::TestServer;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_is_answered_in_the_media_type_asked_for() {
    let server = TestServer::start().await;
    for media in ["application/graphql-response+json", "application/json"] {
        let answer = server
            .client
            .http()
            .post(server.client.url("/graphql"))
            .header("accept", media)
            .json(&json!({ "query": "{ __typename }" }))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        let given = answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(given.starts_with(media), "{given}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["data"]["__typename"], "Query");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mutation_never_runs_over_get() {
    let server = TestServer::start().await;
    let url = server.client.url("/graphql?query=mutation%7B__typename%7D");
    let answer = server.client.http().get(url).send().await.unwrap();
    assert_eq!(answer.status(), 405);
    let url = server.client.url("/graphql?query=%7B__typename%7D");
    let answer = server.client.http().get(url).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_none_is_turned_away() {
    let server = TestServer::start().await;
    let answer = server
        .client
        .gql(Some("nonsense"), "{ __typename }", json!({}))
        .await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.codes(), ["UNAUTHENTICATED"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_not_signed_in_learns_nothing_about_ids() {
    let server = TestServer::start().await;
    for id in ["", "nonsense", "QwAAAAAAAAAAAAAAAAAAAAA"] {
        let answer = server
            .client
            .gql(
                None,
                "query($id: ID!) { node(id: $id) { id } }",
                json!({ "id": id }),
            )
            .await;
        assert_eq!(answer.codes(), ["UNAUTHENTICATED"], "{:#}", answer.body);
        assert_eq!(answer.body["data"]["node"], Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_has_an_id_of_its_own() {
    let server = TestServer::start().await;
    let first = server.client.gql(None, "{ __typename }", json!({})).await;
    let second = server.client.gql(None, "{ __typename }", json!({})).await;
    assert!(!first.request_id.is_empty());
    assert_ne!(first.request_id, second.request_id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_standard_introspection_query_passes() {
    let server = TestServer::start().await;
    let query = "query IntrospectionQuery { __schema { queryType { name } mutationType { name } \
        types { ...FullType } directives { name locations args { ...InputValue } } } } \
        fragment FullType on __Type { kind name description fields(includeDeprecated: true) { name description \
        args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason } inputFields { ...InputValue } \
        interfaces { ...TypeRef } enumValues(includeDeprecated: true) { name } possibleTypes { ...TypeRef } } \
        fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue } \
        fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name \
        ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } }";
    let answer = server.client.gql(None, query, json!({})).await;
    let types = answer.data()["__schema"]["types"].as_array().unwrap().len();
    assert!(types > 20, "{types}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_is_none_of_its_scalar_gets_an_error_that_says_what_is_expected() {
    let server = TestServer::start().await;
    let expected =
        "a DateTime is a moment with its offset as in RFC 3339, such as \"2026-03-01T09:30:00Z\"";
    let literal = "{ auditEntries(filter: { since: \"yesterday\" }) { totalCount } }";
    let variable =
        "query($filter: AuditEntryFilter) { auditEntries(filter: $filter) { totalCount } }";
    for (query, variables, begins) in [
        (literal, json!({}), expected.to_owned()),
        (
            variable,
            json!({ "filter": { "since": "yesterday" } }),
            format!("variable `$filter.since`: {expected}"),
        ),
    ] {
        let answer = server.client.gql(None, query, variables).await;
        assert_eq!(answer.status, 400);
        let message = answer.body["errors"][0]["message"].as_str().unwrap();
        assert!(message.starts_with(&begins), "{message}");
    }
    let number = json!({ "filter": { "since": 1_772_357_400 } });
    let answer = server.client.gql(None, variable, number).await;
    let message = answer.body["errors"][0]["message"].as_str().unwrap();
    assert_eq!(
        message,
        "variable `$filter.since`: a value of type `DateTime` must be given as a string, not as a number"
    );
}

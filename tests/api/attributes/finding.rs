//! Customers are found by what is known of them, by those who see them.

use super::{KNOWN, ask, attribute, choices, customer, data, run, set, setting};
use crate::support::World;
use crate::support::world::{PASSWORD, sign_in};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customers_are_found_by_what_is_known() {
    let world = World::new().await;
    let height = attribute(&world, "height", "INTEGER", json!({ "maximum": "300" })).await;
    let share = attribute(&world, "share", "DECIMAL", json!({})).await;
    let since = attribute(&world, "since", "DATE", json!({})).await;
    let risk = json!({ "choices": choices(&["low", "high"]) });
    let risk = attribute(&world, "risk", "CHOICE", risk).await;
    let papers = json!({ "choices": choices(&["ft", "ft_zh", "wsj"]) });
    let papers = attribute(&world, "papers", "CHOICES", papers).await;
    for (name, tall, part, day, choice, read) in [
        ("Ann", 9, "-1.5", "1999-12-31", "low", json!(["ft"])),
        (
            "Bob",
            10,
            "0.25",
            "2024-02-29",
            "high",
            json!(["ft_zh", "wsj"]),
        ),
        ("Cid", 200, "10", "2026-01-01", "high", json!(["wsj"])),
    ] {
        let id = customer(&world, name).await;
        set(&world, &id, &height, json!({ "integer": tall })).await;
        set(&world, &id, &share, json!({ "decimal": part })).await;
        set(&world, &id, &since, json!({ "date": day })).await;
        set(&world, &id, &risk, json!({ "choice": choice })).await;
        set(&world, &id, &papers, json!({ "choices": read })).await;
        if name == "Cid" {
            let noted = setting(&id, &risk, "NOTED", json!({ "choice": "low" }));
            run(&world, "customerAttributeSet", KNOWN, noted).await;
        }
    }
    customer(&world, "Nobody").await;
    let query = "query($filter: CustomerFilter) { customers(filter: $filter) { totalCount nodes { fullName } } }";
    for (conditions, names) in [
        (
            json!([{ "attributeId": height }]),
            &["Ann", "Bob", "Cid"][..],
        ),
        (
            json!([{ "attributeId": height, "equals": { "integer": 10 } }]),
            &["Bob"],
        ),
        // As numbers, not as texts.
        (
            json!([{ "attributeId": height, "atLeast": { "integer": 10 } }]),
            &["Bob", "Cid"],
        ),
        (
            json!([{ "attributeId": height, "atLeast": { "integer": 9 }, "atMost": { "integer": 10 } }]),
            &["Ann", "Bob"],
        ),
        (
            json!([{ "attributeId": height, "atMost": { "integer": 1000 } }]),
            &["Ann", "Bob", "Cid"],
        ),
        (
            json!([{ "attributeId": height, "among": [{ "integer": 9 }, { "integer": 200 }] }]),
            &["Ann", "Cid"],
        ),
        (
            json!([{ "attributeId": share, "atMost": { "decimal": "0.250" } }]),
            &["Ann", "Bob"],
        ),
        (
            json!([{ "attributeId": share, "equals": { "decimal": "10.0" } }]),
            &["Cid"],
        ),
        (
            json!([{ "attributeId": since, "atLeast": { "date": "2024-02-29" } }]),
            &["Bob", "Cid"],
        ),
        (
            json!([{ "attributeId": risk, "equals": { "choice": "low" } }]),
            &["Ann", "Cid"],
        ),
        (
            json!([{ "attributeId": risk, "provenance": "STATED", "equals": { "choice": "low" } }]),
            &["Ann"],
        ),
        (
            json!([{ "attributeId": risk, "provenance": "DERIVED" }]),
            &[],
        ),
        (
            json!([{ "attributeId": papers, "among": [{ "choice": "wsj" }] }]),
            &["Bob", "Cid"],
        ),
        (
            json!([{ "attributeId": papers, "among": [{ "choice": "ft" }] }]),
            &["Ann"],
        ),
        (
            json!([{ "attributeId": papers, "among": [{ "choices": ["ft", "ft_zh"] }] }]),
            &["Ann", "Bob"],
        ),
        (
            json!([{ "attributeId": papers, "equals": { "choices": ["wsj", "ft_zh"] } }]),
            &["Bob"],
        ),
        (
            json!([{ "attributeId": risk, "equals": { "choice": "high" } }, { "attributeId": height, "atMost": { "integer": 99 } }]),
            &["Bob"],
        ),
    ] {
        for role in ["ADMIN", "ASSOCIATE"] {
            let variables = json!({ "filter": { "attributes": conditions } });
            let seen = data(&world, world.token(role), query, variables).await;
            let nodes = seen["customers"]["nodes"].as_array().unwrap();
            let found: Vec<&str> = nodes
                .iter()
                .map(|node| node["fullName"].as_str().unwrap())
                .collect();
            assert_eq!(found, names, "{conditions}");
            assert_eq!(seen["customers"]["totalCount"], names.len());
        }
    }
    let height_only = json!({ "attributeId": height });
    for conditions in [
        json!([{ "attributeId": world.store }]),
        json!([{ "attributeId": height, "equals": { "text": "tall" } }]),
        json!([{ "attributeId": risk, "atLeast": { "choice": "low" } }]),
        json!([{ "attributeId": risk, "among": [] }]),
        json!([{ "attributeId": papers, "among": [{ "choice": "sz" }] }]),
        Value::Array(vec![height_only; 11]),
    ] {
        let variables = json!({ "filter": { "attributes": conditions } });
        let client = &world.server.client;
        let answer = client
            .gql(Some(world.token("ADMIN")), query, variables)
            .await;
        assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{conditions}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_see_a_customer_neither_reads_nor_sets() {
    let world = World::new().await;
    let input = json!({ "regionId": world.region, "code": "quay", "name": "The Quay" });
    let admin = world.token("ADMIN");
    let store = ask(&world, admin, "storeCreate", "store { id }", input).await;
    let input = json!({ "email": "quay@shop.example", "name": "Quay", "password": PASSWORD,
        "grants": [{ "role": "ASSOCIATE", "storeId": store.payload()["store"]["id"] }] });
    ask(&world, admin, "staffCreate", "staff { id }", input).await;
    let quay = sign_in(&world.server.client, "quay@shop.example").await;
    let ann = customer(&world, "Ann Lee").await;
    let vegan = attribute(&world, "vegan", "BOOLEAN", json!({})).await;
    let made = set(&world, &ann, &vegan, json!({ "boolean": true })).await;
    let input = setting(&ann, &vegan, "NOTED", json!({ "boolean": false }));
    let answer = ask(&world, &quay, "customerAttributeSet", "", input).await;
    assert_eq!(answer.user_errors(), ["NOT_FOUND customerId"]);
    let clear = json!({ "customerId": ann, "attributeId": vegan, "provenance": "STATED" });
    let answer = ask(&world, &quay, "customerAttributeClear", "", clear).await;
    assert_eq!(answer.user_errors(), ["NOT_FOUND customerId"]);
    let query = "query($id: ID!, $attribute: ID!) { node(id: $id) { id } \
        customers(filter: { attributes: [{ attributeId: $attribute }] }) { totalCount } }";
    let variables = json!({ "id": made["id"], "attribute": vegan });
    let seen = data(&world, &quay, query, variables).await;
    assert_eq!(
        seen,
        json!({ "node": null, "customers": { "totalCount": 0 } })
    );
}

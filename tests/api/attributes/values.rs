//! What attributes say of customers: of every kind, in three ways, refused where it is wrong.

use super::{
    DEFINITION, KNOWN, ask, attribute, choices, customer, data, refused, run, set, setting, text,
};
use crate::support::World;
use chrono::TimeDelta;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_of_every_kind_are_set_and_shown() {
    let world = World::new().await;
    let ann = customer(&world, "Ann Lee").await;
    for (key, kind, more, value, shown) in [
        (
            "motto",
            "TEXT",
            json!({}),
            json!({ "text": " tea first " }),
            json!({ "text": "tea first" }),
        ),
        (
            "ring",
            "INTEGER",
            json!({ "unit": "mm" }),
            json!({ "integer": -17 }),
            json!({ "text": "-17 mm", "integer": -17 }),
        ),
        (
            "height",
            "DECIMAL",
            json!({ "unit": "cm" }),
            json!({ "decimal": "0182.50" }),
            json!({ "text": "182.5 cm", "decimal": "182.5" }),
        ),
        (
            "vegan",
            "BOOLEAN",
            json!({}),
            json!({ "boolean": false }),
            json!({ "text": "false", "boolean": false }),
        ),
        (
            "since",
            "DATE",
            json!({}),
            json!({ "date": "1999-12-31" }),
            json!({ "text": "1999-12-31", "date": "1999-12-31" }),
        ),
        (
            "risk",
            "CHOICE",
            json!({ "choices": choices(&["low", "high"]) }),
            json!({ "choice": "high" }),
            json!({ "text": "The high", "choice": { "key": "high", "name": "The high" } }),
        ),
        (
            "papers",
            "CHOICES",
            json!({ "choices": choices(&["ft", "wsj", "nzz"]) }),
            json!({ "choices": ["nzz", "ft"] }),
            json!({ "text": "The ft, The nzz", "choices": [{ "key": "ft" }, { "key": "nzz" }] }),
        ),
    ] {
        let id = attribute(&world, key, kind, more).await;
        let made = set(&world, &ann, &id, value).await;
        let mut expected = json!({ "text": null, "integer": null, "decimal": null, "boolean": null, "date": null,
            "choice": null, "choices": null });
        for (field, value) in shown.as_object().unwrap() {
            expected[field] = value.clone();
        }
        assert_eq!(made["value"], expected, "{key}");
        assert_eq!(made["attribute"]["key"], key);
        assert_eq!(made["customer"]["id"], json!(ann));
        assert_eq!(made["notedBy"]["name"], "The HEADQUARTERS");
        let node = "query($id: ID!) { node(id: $id) { __typename ... on CustomerAttribute { id value { text } } } }";
        let node = data(
            &world,
            world.token("ASSOCIATE"),
            node,
            json!({ "id": made["id"] }),
        )
        .await;
        let expected = json!({ "__typename": "CustomerAttribute", "id": made["id"], "value": { "text": shown["text"] } });
        assert_eq!(node["node"], expected);
        // What was put away is shown and cleared, not set.
        let away = json!({ "id": id, "version": 1 });
        run(&world, "attributeArchive", DEFINITION, away).await;
    }
    let query = "query($id: ID!) { customer(id: $id) { attributes { attribute { id key archivedAt } value { text } } } }";
    let seen = data(&world, world.token("MARKETER"), query, json!({ "id": ann })).await;
    let seen = seen["customer"]["attributes"].as_array().unwrap().clone();
    assert_eq!(seen.len(), 7);
    assert!(
        seen.iter()
            .all(|one| !one["attribute"]["archivedAt"].is_null())
    );
    let id = text(&seen[0]["attribute"]["id"]);
    let again = setting(&ann, &id, "STATED", json!({ "text": "x" }));
    assert_eq!(
        refused(&world, "customerAttributeSet", again).await,
        ["WRONG_STATE attributeId"]
    );
    let clear = json!({ "customerId": ann, "attributeId": id, "provenance": "STATED" });
    let cleared = run(
        &world,
        "customerAttributeClear",
        "customer { attributes { id } }",
        clear.clone(),
    )
    .await;
    assert_eq!(
        cleared["customer"]["attributes"].as_array().unwrap().len(),
        6
    );
    assert_eq!(
        refused(&world, "customerAttributeClear", clear).await,
        ["NOT_FOUND attributeId"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_stated_and_what_was_noted_are_kept_apart() {
    let world = World::new().await;
    let ann = customer(&world, "Ann Lee").await;
    let risk = json!({ "choices": choices(&["low", "high"]) });
    let risk = attribute(&world, "risk", "CHOICE", risk).await;
    let associate = world.token("ASSOCIATE");
    let put = async |provenance: &str, choice: &str| {
        let input = setting(&ann, &risk, provenance, json!({ "choice": choice }));
        ask(&world, associate, "customerAttributeSet", KNOWN, input).await
    };
    let stated = put("STATED", "low").await.payload()["attribute"].clone();
    let noted = put("NOTED", "high").await.payload()["attribute"].clone();
    assert_ne!(stated["id"], noted["id"]);
    assert_eq!(
        put("DERIVED", "low").await.user_errors(),
        ["NOT_ALLOWED provenance"]
    );
    let derived = json!({ "customerId": ann, "attributeId": risk, "provenance": "DERIVED" });
    assert_eq!(
        refused(&world, "customerAttributeClear", derived).await,
        ["NOT_ALLOWED provenance"]
    );
    // Said again: the same entry, confirmed.
    world.server.clock.advance(TimeDelta::minutes(1));
    let again = set(&world, &ann, &risk, json!({ "choice": "low" })).await;
    assert_eq!(again["id"], stated["id"]);
    assert_ne!(again["notedAt"], stated["notedAt"]);
    assert_eq!(again["notedBy"]["name"], "The HEADQUARTERS");
    let query = "query($id: ID!) { customer(id: $id) { version attributes { provenance value { text } } } }";
    let seen = data(&world, associate, query, json!({ "id": ann })).await;
    let both = json!([{ "provenance": "STATED", "value": { "text": "The low" } },
        { "provenance": "NOTED", "value": { "text": "The high" } }]);
    assert_eq!(
        seen["customer"],
        json!({ "version": 1, "attributes": both })
    );
    let clear = json!({ "customerId": ann, "attributeId": risk, "provenance": "STATED" });
    run(&world, "customerAttributeClear", "customer { id }", clear).await;
    let seen = data(&world, associate, query, json!({ "id": ann })).await;
    assert_eq!(seen["customer"]["attributes"], json!([both[1]]));
    let audit =
        "query($id: ID!) { auditEntries(filter: { customer: $id }) { nodes { action detail } } }";
    let entries = data(&world, world.token("ADMIN"), audit, json!({ "id": ann })).await;
    let entries = entries["auditEntries"]["nodes"].as_array().unwrap().clone();
    let actions: Vec<&str> = entries
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    let expected = [
        "customer.attribute_clear",
        "customer.attribute_set",
        "customer.attribute_set",
        "customer.attribute_set",
        "customer.create",
    ];
    assert_eq!(actions, expected);
    let told = json!(entries).to_string();
    assert!(!told.contains("low") && told.contains("NOTED"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_values_are_told_what_is_allowed() {
    let world = World::new().await;
    let ann = customer(&world, "Ann Lee").await;
    let bounded = json!({ "minimum": "30", "maximum": "250" });
    let height = attribute(&world, "height", "INTEGER", bounded).await;
    let risk = json!({ "choices": choices(&["low", "high"]) });
    let risk = attribute(&world, "risk", "CHOICE", risk).await;
    for (customer, attribute, value, error, said) in [
        (
            &ann,
            &height,
            json!({ "text": "tall" }),
            "INVALID value.text",
            "`integer`",
        ),
        (
            &ann,
            &height,
            json!({ "integer": 29 }),
            "OUT_OF_RANGE value.integer",
            "from 30 to 250",
        ),
        (
            &ann,
            &height,
            json!({ "integer": 251 }),
            "OUT_OF_RANGE value.integer",
            "from 30 to 250",
        ),
        (
            &ann,
            &risk,
            json!({ "choice": "middle" }),
            "INVALID value.choice",
            "low, high",
        ),
        (
            &ann,
            &risk,
            json!({ "choices": ["low"] }),
            "INVALID value.choices",
            "`choice`",
        ),
        (
            &ann,
            &world.store,
            json!({ "choice": "low" }),
            "NOT_FOUND attributeId",
            "attribute",
        ),
        (
            &world.store,
            &risk,
            json!({ "choice": "low" }),
            "NOT_FOUND customerId",
            "customer",
        ),
    ] {
        let input = setting(customer, attribute, "STATED", value);
        let office = world.token("HEADQUARTERS");
        let answer = ask(&world, office, "customerAttributeSet", "", input).await;
        assert_eq!(answer.user_errors(), [error]);
        let message = &answer.any_payload()["userErrors"][0]["message"];
        assert!(message.as_str().unwrap().contains(said), "{message}");
    }
    // Exactly one field: what is none of that is refused before anything runs.
    for value in [
        json!({}),
        json!({ "integer": 40, "text": "x" }),
        json!({ "integer": null }),
    ] {
        let input = setting(&ann, &height, "STATED", value);
        let office = world.token("HEADQUARTERS");
        let answer = ask(&world, office, "customerAttributeSet", "", input).await;
        assert_eq!(answer.codes().len(), 1, "{}", answer.body);
    }
    // New bounds do not touch what stands, nor is it lost to the eye.
    set(&world, &ann, &height, json!({ "integer": 200 })).await;
    let narrower = json!({ "id": height, "version": 1, "maximum": "190" });
    run(&world, "attributeUpdate", DEFINITION, narrower).await;
    let query = "query($id: ID!) { customer(id: $id) { attributes { value { integer } } } }";
    let seen = data(&world, world.token("ADMIN"), query, json!({ "id": ann })).await;
    assert_eq!(seen["customer"]["attributes"][0]["value"]["integer"], 200);
    let again = setting(&ann, &height, "STATED", json!({ "integer": 200 }));
    assert_eq!(
        refused(&world, "customerAttributeSet", again).await,
        ["OUT_OF_RANGE value.integer"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_who_set_at_once_leave_one_value() {
    let world = World::new().await;
    let ann = customer(&world, "Ann Lee").await;
    let ring = attribute(&world, "ring", "INTEGER", json!({})).await;
    let all = (0..20).map(|n| set(&world, &ann, &ring, json!({ "integer": n })));
    let made = futures_util::future::join_all(all).await;
    assert!(made.iter().all(|one| one["id"] == made[0]["id"]));
    let query = "query($id: ID!) { customer(id: $id) { attributes { id } } }";
    let seen = data(&world, world.token("ADMIN"), query, json!({ "id": ann })).await;
    assert_eq!(
        seen["customer"]["attributes"],
        json!([{ "id": made[0]["id"] }])
    );
}

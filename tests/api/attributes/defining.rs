//! Attributes are defined, changed and put away.

use super::{DEFINITION, ask, attribute, choices, customer, data, refused, run, set, text};
use crate::support::World;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attribute_is_defined_changed_and_put_away() {
    let world = World::new().await;
    let input = json!({ "key": "risk_preference", "name": " Risk preference ", "description": "Asked once a year", "kind": "CHOICE",
        "choices": [{ "key": "low", "name": "Sleeps well" }, { "key": "high", "name": "敢冒险" }] });
    let made = run(&world, "attributeCreate", DEFINITION, input).await["attribute"].clone();
    let id = text(&made["id"]);
    let expected = json!({ "id": id, "key": "risk_preference", "name": "Risk preference", "description": "Asked once a year",
        "kind": "CHOICE", "choices": [{ "key": "low", "name": "Sleeps well" }, { "key": "high", "name": "敢冒险" }],
        "unit": null, "minimum": null, "maximum": null, "archivedAt": null, "version": 1 });
    assert_eq!(made, expected);
    let height = json!({ "name": "Height", "unit": "cm", "minimum": "030.50", "maximum": "250" });
    attribute(&world, "height", "DECIMAL", height).await;
    let query = format!(
        "query($id: ID!) {{ attributes {{ key minimum maximum unit }} {} node(id: $id) {{ __typename id }} }}",
        DEFINITION.replacen("attribute {", "attribute(id: $id) {", 1)
    );
    let seen = data(
        &world,
        world.token("ASSOCIATE"),
        &query,
        json!({ "id": id }),
    )
    .await;
    let listed = json!([{ "key": "height", "minimum": "30.5", "maximum": "250", "unit": "cm" },
        { "key": "risk_preference", "minimum": null, "maximum": null, "unit": null }]);
    assert_eq!(seen["attributes"], listed, "by name");
    assert_eq!(seen["attribute"], expected);
    assert_eq!(seen["node"], json!({ "__typename": "Attribute", "id": id }));
    // A choice that keeps its key is the same one by another name.
    let change = json!({ "id": id, "version": 1, "name": "Risk", "description": null,
        "choices": [{ "key": "high", "name": "High" }, { "key": "low", "name": "Low" }] });
    let changed =
        run(&world, "attributeUpdate", DEFINITION, change.clone()).await["attribute"].clone();
    assert_eq!(
        (
            &changed["name"],
            &changed["description"],
            &changed["version"]
        ),
        (&json!("Risk"), &Value::Null, &json!(2))
    );
    assert_eq!(changed["choices"][0]["key"], "high");
    let office = world.token("HEADQUARTERS");
    let stale = ask(&world, office, "attributeUpdate", DEFINITION, change).await;
    assert_eq!(stale.user_errors(), ["STALE_VERSION version"]);
    assert_eq!(stale.any_payload()["attribute"], changed);
    let away = json!({ "id": id, "version": 2 });
    run(&world, "attributeArchive", DEFINITION, away).await;
    let query = "{ attributes { key } away: attributes(archived: true) { key } }";
    let seen = data(&world, office, query, json!({})).await;
    let expected =
        json!({ "attributes": [{ "key": "height" }], "away": [{ "key": "risk_preference" }] });
    assert_eq!(seen, expected);
    let out = json!({ "id": id, "version": 3 });
    let out = run(&world, "attributeUnarchive", DEFINITION, out).await["attribute"].clone();
    assert_eq!(out["archivedAt"], Value::Null);
    let audit = "{ auditEntries(first: 20) { nodes { action detail } } }";
    let entries = data(&world, world.token("ADMIN"), audit, json!({})).await;
    let entries = entries["auditEntries"]["nodes"].as_array().unwrap().clone();
    let actions: Vec<&str> = entries
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .filter(|action| action.starts_with("attribute."))
        .collect();
    let expected = [
        "attribute.unarchive",
        "attribute.archive",
        "attribute.change",
        "attribute.create",
        "attribute.create",
    ];
    assert_eq!(actions, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_attribute_is_refused() {
    let world = World::new().await;
    let height = json!({ "minimum": "30", "maximum": "250" });
    let height = attribute(&world, "height", "INTEGER", height).await;
    let new = |more: Value| {
        let mut input = json!({ "key": "one", "name": "One", "kind": "TEXT" });
        for (field, value) in more.as_object().unwrap() {
            input[field] = value.clone();
        }
        input
    };
    let many: Vec<String> = (0..51).map(|n| format!("c{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (more, errors) in [
        (
            json!({ "key": "Risk", "name": " " }),
            &["INVALID key", "REQUIRED name"][..],
        ),
        (json!({ "key": "1st" }), &["INVALID key"]),
        (json!({ "key": "x".repeat(33) }), &["TOO_LONG key"]),
        (json!({ "key": "height" }), &["TAKEN key"]),
        (
            json!({ "choices": choices(&["a"]) }),
            &["NOT_ALLOWED choices"],
        ),
        (json!({ "kind": "CHOICE" }), &["REQUIRED choices"]),
        (
            json!({ "kind": "CHOICES", "choices": choices(&many) }),
            &["TOO_MANY choices"],
        ),
        (
            json!({ "kind": "CHOICES", "choices": choices(&["a", "B", "a"]) }),
            &["INVALID choices.1.key", "TAKEN choices.2.key"],
        ),
        (
            json!({ "unit": "cm", "minimum": "1", "maximum": "2" }),
            &[
                "NOT_ALLOWED unit",
                "NOT_ALLOWED minimum",
                "NOT_ALLOWED maximum",
            ],
        ),
        (
            json!({ "kind": "INTEGER", "minimum": "1.5", "maximum": "many" }),
            &["INVALID minimum", "INVALID maximum"],
        ),
        (
            json!({ "kind": "DECIMAL", "minimum": "1,5" }),
            &["INVALID minimum"],
        ),
        (
            json!({ "kind": "DATE", "minimum": "2026-02-30" }),
            &["INVALID minimum"],
        ),
        (
            json!({ "kind": "DECIMAL", "minimum": "10", "maximum": "9.5" }),
            &["OUT_OF_RANGE maximum"],
        ),
    ] {
        let said = more.to_string();
        assert_eq!(
            refused(&world, "attributeCreate", new(more)).await,
            errors,
            "{said}"
        );
    }
    for (change, errors) in [
        (json!({ "maximum": "29" }), &["OUT_OF_RANGE maximum"][..]),
        (json!({ "minimum": "251" }), &["OUT_OF_RANGE maximum"]),
        (
            json!({ "choices": choices(&["a"]) }),
            &["NOT_ALLOWED choices"],
        ),
        (json!({ "name": "" }), &["REQUIRED name"]),
    ] {
        let mut input = json!({ "id": height, "version": 1 });
        for (field, value) in change.as_object().unwrap() {
            input[field] = value.clone();
        }
        assert_eq!(
            refused(&world, "attributeUpdate", input).await,
            errors,
            "{change}"
        );
    }
    let unknown = json!({ "id": world.store, "version": 1 });
    for field in ["attributeUpdate", "attributeArchive", "attributeUnarchive"] {
        assert_eq!(
            refused(&world, field, unknown.clone()).await,
            ["NOT_FOUND id"],
            "{field}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_choice_in_use_is_not_removed() {
    let world = World::new().await;
    let (ann, bob) = (
        customer(&world, "Ann Lee").await,
        customer(&world, "Bob Kim").await,
    );
    let three = || json!({ "choices": choices(&["a_b", "axb", "c"]) });
    let one = attribute(&world, "one", "CHOICE", three()).await;
    let many = attribute(&world, "many", "CHOICES", three()).await;
    for id in [&ann, &bob] {
        set(&world, id, &one, json!({ "choice": "a_b" })).await;
        set(&world, id, &many, json!({ "choices": ["c", "a_b"] })).await;
    }
    for id in [&one, &many] {
        let without = |keys: &[&str]| json!({ "id": id, "version": 1, "choices": choices(keys) });
        let office = world.token("HEADQUARTERS");
        let answer = ask(
            &world,
            office,
            "attributeUpdate",
            "",
            without(&["axb", "c"]),
        )
        .await;
        assert_eq!(answer.user_errors(), ["WRONG_STATE choices"]);
        let message = answer.any_payload()["userErrors"][0]["message"].to_string();
        assert!(
            message.contains("a_b") && message.contains("2 customer"),
            "{message}"
        );
        // One that reads like it in a pattern is another.
        run(
            &world,
            "attributeUpdate",
            DEFINITION,
            without(&["a_b", "c", "new"]),
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_are_two_hundred_attributes_at_most() {
    let world = World::new().await;
    for n in 0..200 {
        attribute(&world, &format!("a{n}"), "BOOLEAN", json!({})).await;
    }
    let more = json!({ "key": "more", "name": "More", "kind": "BOOLEAN" });
    assert_eq!(refused(&world, "attributeCreate", more).await, ["TOO_MANY"]);
}

//! How complete files are (rule C7): scores and lists by them, confirmations and the clock, rules, merges, erasures.

mod moving;

use crate::support::world::{email, sign_in};
use crate::support::{Answer, World};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

const COMPLETE: &str = "completeness { score upToDate missing notConfirmed \
    fields { field state weight confirmedAt confirmedBy { id } } }";

/// Asks for a mutation, whatever comes of it.
async fn ask(world: &World, token: &str, field: &str, fields: &str, input: Value) -> Answer {
    let upper = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
    let query = format!(
        "mutation($input: {upper}!) {{ {field}(input: $input) {{ {fields} userErrors {{ code field message }} }} }}"
    );
    let client = &world.server.client;
    client
        .gql(Some(token), &query, json!({ "input": input }))
        .await
}

/// As [`ask`] as the administrator, without user errors.
async fn run(world: &World, field: &str, fields: &str, input: Value) -> Value {
    let answer = ask(world, world.token("ADMIN"), field, fields, input).await;
    answer.payload().clone()
}

async fn customer(world: &World, name: &str, more: Value) -> String {
    let mut input = json!({ "fullName": name, "homeStoreId": world.store });
    for (field, value) in more.as_object().unwrap() {
        input[field] = value.clone();
    }
    let made = run(world, "customerCreate", "customer { id }", input).await;
    made["customer"]["id"].as_str().unwrap().to_owned()
}

/// A customer's completeness, and the whole customer as far as it is asked for here.
async fn seen_by(world: &World, token: &str, id: &str) -> Value {
    let query = format!(
        "query($id: ID!) {{ customer(id: $id) {{ id version contactPoints {{ id }} {COMPLETE} }} }}"
    );
    let client = &world.server.client;
    let answer = client.gql(Some(token), &query, json!({ "id": id })).await;
    answer.data()["customer"].clone()
}

async fn seen(world: &World, id: &str) -> Value {
    seen_by(world, world.token("ADMIN"), id).await["completeness"].clone()
}

fn words(list: &Value) -> BTreeSet<&str> {
    let list = list.as_array().unwrap();
    list.iter().map(|word| word.as_str().unwrap()).collect()
}

fn field<'a>(completeness: &'a Value, name: &str) -> &'a Value {
    let fields = completeness["fields"].as_array().unwrap();
    fields.iter().find(|field| field["field"] == name).unwrap()
}

fn phone() -> Value {
    json!([{ "kind": "MOBILE", "value": "+8613800138000" }])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_score_follows_what_is_in_the_file() {
    let world = World::new().await;
    let id = customer(
        &world,
        "Wang Fang",
        json!({ "contactPoints": phone(), "gender": "FEMALE" }),
    )
    .await;
    let file = seen_by(&world, world.token("ADMIN"), &id).await;
    let completeness = &file["completeness"];
    // Name, telephone, gender, home store.
    assert_eq!(completeness["score"], 15 + 18 + 3 + 2);
    assert_eq!(completeness["upToDate"], true);
    assert_eq!(completeness["fields"].as_array().unwrap().len(), 17);
    assert_eq!(words(&completeness["missing"]).len(), 17 - 4);
    assert_eq!(completeness["notConfirmed"], json!([]));
    // Another number of theirs adds nothing; without both, the field is missing.
    let add = json!({ "customerId": id, "kind": "LANDLINE", "value": "+862112345678" });
    run(&world, "contactPointAdd", "contactPoint { id }", add).await;
    assert_eq!(seen(&world, &id).await["score"], 38);
    let remove = json!({ "id": file["contactPoints"][0]["id"] });
    run(&world, "contactPointRemove", "customer { id }", remove).await;
    assert_eq!(seen(&world, &id).await["score"], 38);
    let file = seen_by(&world, world.token("ADMIN"), &id).await;
    let remove = json!({ "id": file["contactPoints"][0]["id"] });
    let left = format!("customer {{ {COMPLETE} }}");
    let left = run(&world, "contactPointRemove", &left, remove).await;
    let completeness = &left["customer"]["completeness"];
    assert_eq!(completeness["score"], 20);
    let gone = json!({ "field": "PHONE", "state": "MISSING", "weight": 18, "confirmedAt": null, "confirmedBy": null });
    assert_eq!(*field(completeness, "PHONE"), gone);
    // A business is asked for less, and for that more.
    let input = json!({ "id": id, "version": file["version"], "kind": "TRADE" });
    run(&world, "customerUpdate", "customer { id }", input).await;
    let completeness = seen(&world, &id).await;
    assert_eq!(completeness["score"], 20 + 3);
    assert!(!words(&completeness["missing"]).contains("BIRTH_DATE"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_field_is_confirmed_for_a_year_by_the_clock_that_is_handed_in() {
    let world = World::new().await;
    let id = customer(
        &world,
        "Wang Fang",
        json!({ "contactPoints": phone(), "gender": "FEMALE" }),
    )
    .await;
    let made_at = field(&seen(&world, &id).await, "GENDER")["confirmedAt"].clone();
    world
        .server
        .clock
        .advance(TimeDelta::days(365) - TimeDelta::seconds(1));
    let admin = sign_in(&world.server.client, &email("ADMIN")).await;
    let now = async || seen_by(&world, &admin, &id).await["completeness"].clone();
    assert_eq!(now().await["notConfirmed"], json!([]));
    world.server.clock.advance(TimeDelta::seconds(1));
    let stale = now().await;
    let all = BTreeSet::from(["FULL_NAME", "GENDER", "PHONE", "HOME_STORE"]);
    assert_eq!(words(&stale["notConfirmed"]), all);
    assert_eq!(stale["score"], 38, "time takes nothing from a score");
    assert_eq!(field(&stale, "GENDER")["state"], "NOT_CONFIRMED");
    assert_eq!(field(&stale, "GENDER")["confirmedAt"], made_at);
    // The associate has asked; what is missing cannot be confirmed, and then nothing is.
    let associate = sign_in(&world.server.client, &email("ASSOCIATE")).await;
    let confirm = async |fields: Value, key: &str| {
        let input = json!({ "customerId": id, "fields": fields, "idempotencyKey": key });
        ask(
            &world,
            &associate,
            "customerConfirm",
            "customer { id }",
            input,
        )
        .await
    };
    let refused = confirm(json!(["PHONE", "BIRTH_DATE", "TASTE"]), "a").await;
    assert_eq!(
        refused.user_errors(),
        ["WRONG_STATE fields.1", "WRONG_STATE fields.2"]
    );
    assert_eq!(
        confirm(json!([]), "a").await.user_errors(),
        ["REQUIRED fields"]
    );
    assert_eq!(words(&now().await["notConfirmed"]), all);
    confirm(json!(["PHONE", "GENDER", "PHONE"]), "a")
        .await
        .payload();
    let fresh = now().await;
    assert_eq!(
        words(&fresh["notConfirmed"]),
        BTreeSet::from(["FULL_NAME", "HOME_STORE"])
    );
    let of_phone = field(&fresh, "PHONE").clone();
    assert_eq!(of_phone["state"], "PRESENT");
    assert_eq!(
        of_phone["confirmedBy"]["id"],
        world.staff["ASSOCIATE"].as_str()
    );
    // The same request once more, from a device that was away, confirms nothing as of now.
    world.server.clock.advance(TimeDelta::minutes(5));
    confirm(json!(["PHONE", "GENDER", "PHONE"]), "a")
        .await
        .payload();
    assert_eq!(*field(&now().await, "PHONE"), of_phone);
    let other = confirm(json!(["GENDER"]), "a").await;
    assert_eq!(other.user_errors(), ["IDEMPOTENCY_MISMATCH idempotencyKey"]);
    // Who writes a field confirms it; who writes what stands there already has changed nothing.
    let version = seen_by(&world, &admin, &id).await["version"].clone();
    let input =
        json!({ "id": id, "version": version, "fullName": "Wang Fangfang", "gender": "FEMALE" });
    ask(&world, &admin, "customerUpdate", "customer { id }", input)
        .await
        .payload();
    let written = now().await;
    assert_eq!(
        words(&written["notConfirmed"]),
        BTreeSet::from(["HOME_STORE"])
    );
    assert!(
        field(&written, "FULL_NAME")["confirmedAt"].as_str()
            > field(&written, "GENDER")["confirmedAt"].as_str()
    );
    let audit = "{ auditEntries(first: 1, filter: { action: \"customer.confirm\" }) { nodes { customerIds } } }";
    let entries = world
        .server
        .client
        .gql(Some(&admin), audit, json!({}))
        .await;
    assert_eq!(
        entries.data()["auditEntries"]["nodes"][0]["customerIds"],
        json!([id])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_least_complete_come_first_and_page_by_page() {
    let world = World::new().await;
    let mut expected = Vec::new();
    for n in 0..24 {
        let mut more = json!({});
        for (bit, (name, value)) in [
            ("gender", "MALE"),
            ("birthDate", "1990-06-15"),
            ("language", "zh"),
        ]
        .into_iter()
        .enumerate()
        {
            if n >> bit & 1 == 1 {
                more[name] = json!(value);
            }
        }
        let score = 17 + [0, 3][n & 1] + [0, 12][n >> 1 & 1] + [0, 3][n >> 2 & 1];
        expected.push((score, customer(&world, "Li Na", more).await));
    }
    expected.sort();
    let query = "query($first: Int, $after: String, $last: Int, $before: String, $filter: CustomerFilter, $direction: OrderDirection!) \
        { customers(first: $first, after: $after, last: $last, before: $before, filter: $filter, \
        orderBy: { field: COMPLETENESS, direction: $direction }) { totalCount nodes { id completeness { score } } \
        pageInfo { hasNextPage hasPreviousPage endCursor startCursor } } }";
    // For whoever sees all stores, and for whoever sees one.
    for role in ["ADMIN", "MARKETER", "STORE_MANAGER"] {
        let page = async |variables: Value| {
            let client = &world.server.client;
            let answer = client.gql(Some(world.token(role)), query, variables).await;
            answer.data()["customers"].clone()
        };
        let told = |list: &Value| -> Vec<(usize, String)> {
            let nodes = list["nodes"].as_array().unwrap().iter();
            nodes
                .map(|node| {
                    (
                        node["completeness"]["score"].as_u64().unwrap() as usize,
                        node["id"].as_str().unwrap().to_owned(),
                    )
                })
                .collect()
        };
        let (mut found, mut after) = (Vec::new(), Value::Null);
        loop {
            let list = page(json!({ "first": 7, "after": after, "direction": "ASC" })).await;
            found.extend(told(&list));
            if list["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = list["pageInfo"]["endCursor"].clone();
        }
        let scores = |list: &[(usize, String)]| list.iter().map(|one| one.0).collect::<Vec<_>>();
        assert_eq!(scores(&found), scores(&expected), "{role}");
        let all: BTreeSet<_> = found.iter().cloned().collect();
        assert_eq!(all, expected.iter().cloned().collect(), "{role}");
        let back = page(json!({ "first": 100, "direction": "DESC" })).await;
        let mut reversed = told(&back);
        reversed.reverse();
        assert_eq!(reversed, found, "{role}");
        let last = page(json!({ "last": 5, "before": after, "direction": "ASC" })).await;
        assert_eq!(told(&last), found[15..20], "{role}");
        let below = page(
            json!({ "first": 100, "direction": "ASC", "filter": { "completenessBelow": 29 } }),
        )
        .await;
        let fewer: Vec<_> = found.iter().filter(|one| one.0 < 29).cloned().collect();
        assert_eq!(told(&below), fewer, "{role}");
        assert_eq!(below["totalCount"], fewer.len(), "{role}");
        assert!(!fewer.is_empty() && fewer.len() < found.len());
    }
    let nobody = json!({ "first": 1, "direction": "ASC", "filter": { "completenessBelow": 0 } });
    let client = &world.server.client;
    let refused = client.gql(Some(world.token("ADMIN")), query, nobody).await;
    assert!(
        refused.body["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("1 to 100"),
        "{}",
        refused.body
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_sees_contact_details_masked_learns_that_there_are_some() {
    let world = World::new().await;
    let id = customer(&world, "Wang Fang", json!({ "contactPoints": phone() })).await;
    let masked = seen_by(&world, world.token("MARKETER"), &id).await;
    assert_eq!(masked["completeness"], seen(&world, &id).await);
    let text = masked.to_string();
    assert!(!text.contains("13800138000"), "{text}");
    let input = json!({ "customerId": id, "fields": ["PHONE"] });
    for role in ["MARKETER", "ANALYST"] {
        let answer = ask(
            &world,
            world.token(role),
            "customerConfirm",
            "customer { id }",
            input.clone(),
        )
        .await;
        assert_eq!(answer.codes(), ["FORBIDDEN"], "{role}");
    }
    // Somebody of another store meets nobody.
    let region = json!({ "regionId": world.region, "code": "pier", "name": "The Pier" });
    let pier = run(&world, "storeCreate", "store { id }", region).await["store"]["id"].clone();
    let elsewhere = customer(&world, "Li Na", json!({ "homeStoreId": pier })).await;
    let input = json!({ "customerId": elsewhere, "fields": ["FULL_NAME"] });
    let answer = ask(
        &world,
        world.token("ASSOCIATE"),
        "customerConfirm",
        "customer { id }",
        input,
    )
    .await;
    assert_eq!(answer.user_errors(), ["NOT_FOUND customerId"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_at_once_leaves_the_right_score() {
    let world = Arc::new(World::new().await);
    let id = customer(&world, "Wang Fang", json!({ "contactPoints": phone() })).await;
    let tasks: Vec<_> = (0..24)
        .map(|n| {
            let (world, id) = (world.clone(), id.clone());
            tokio::spawn(async move {
                let (what, made, input) = match n % 4 {
                    0 => ("customerConfirm", "customer { id }", json!({ "customerId": id, "fields": ["PHONE", "FULL_NAME"] })),
                    1 => (
                        "tasteAdd",
                        "taste { id }",
                        json!({ "customerId": id, "aspect": "BRAND", "attitude": "LIKES", "value": format!("Acme {n}"), "provenance": "STATED" }),
                    ),
                    2 => ("specialDayAdd", "specialDay { id }", json!({ "customerId": id, "label": "Wedding", "date": "2015-05-20" })),
                    _ => (
                        "contactPointAdd",
                        "contactPoint { id }",
                        json!({ "customerId": id, "kind": "EMAIL", "value": format!("a{n}@example.com") }),
                    ),
                };
                let made = run(&world, what, made, input).await;
                // What was added by some is taken off again by themselves.
                if what == "contactPointAdd" {
                    let input = json!({ "id": made["contactPoint"]["id"] });
                    run(&world, "contactPointRemove", "customer { id }", input).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let completeness = seen(&world, &id).await;
    // Name, telephone, home store, taste, day.
    assert_eq!(completeness["score"], 15 + 18 + 2 + 6 + 3);
    assert_eq!(
        field(&completeness, "EMAIL_OR_CHAT")["confirmedAt"],
        Value::Null
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_rules_reach_every_score() {
    let world = World::new().await;
    let id = customer(&world, "Wang Fang", json!({ "contactPoints": phone() })).await;
    let rules =
        "rules { version staleAfterDays changedBy { name } weights { field person trade } }";
    let change = async |input: Value| {
        ask(
            &world,
            world.token("ADMIN"),
            "completenessRulesUpdate",
            rules,
            input,
        )
        .await
    };
    let wrong = json!({ "version": 1, "staleAfterDays": 1, "weights": [{ "field": "PHONE", "person": 101 }, { "field": "PHONE" }] });
    let expected = [
        "OUT_OF_RANGE staleAfterDays",
        "OUT_OF_RANGE weights.0.person",
        "TAKEN weights.1.field",
    ];
    assert_eq!(change(wrong).await.user_errors(), expected);
    let input = json!({ "version": 1, "staleAfterDays": 180, "weights": [{ "field": "PHONE", "person": 0 }, { "field": "FULL_NAME", "person": 45 }] });
    let changed = change(input.clone()).await.payload()["rules"].clone();
    assert_eq!(
        (&changed["version"], &changed["staleAfterDays"]),
        (&json!(2), &json!(180))
    );
    assert_eq!(changed["changedBy"]["name"], "The ADMIN");
    let stale = change(input).await;
    assert_eq!(stale.user_errors(), ["STALE_VERSION version"]);
    assert_eq!(stale.any_payload()["rules"]["version"], 2);
    let began = Instant::now();
    let ask = "{ completenessRules { uncounted } }";
    let left = async || {
        world
            .server
            .client
            .gql(Some(world.token("ANALYST")), ask, json!({}))
            .await
            .data()["completenessRules"]["uncounted"]
            .clone()
    };
    while left().await != 0 {
        assert!(began.elapsed() < Duration::from_secs(30), "nobody counts");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let completeness = seen(&world, &id).await;
    // 45 for the name and 2 for the store, of 112.
    assert_eq!(
        (&completeness["score"], &completeness["upToDate"]),
        (&json!(41), &json!(true))
    );
    assert_eq!(completeness["fields"].as_array().unwrap().len(), 16);
}

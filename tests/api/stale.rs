//! A change that was made from a stale version is refused, and the answer holds the object as it is now.

use crate::support::World;
use serde_json::{Value, json};

/// Asks with an input; gives the payload, whatever its user errors.
async fn ask(world: &World, role: &str, query: &str, input: Value) -> Value {
    let client = &world.server.client;
    let variables = json!({ "input": input });
    let answer = client.gql(Some(world.token(role)), query, variables).await;
    answer.any_payload().clone()
}

/// A mutation's text: its input and what it answers.
fn mutation(field: &str, object: &str, fields: &str) -> String {
    let input = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
    let input = match field {
        "cardFreeze" | "cardUnfreeze" | "cardReportLost" => "CardStepInput".to_owned(),
        _ => input,
    };
    format!(
        "mutation($input: {input}!) {{ {field}(input: $input) {{ {object} {{ id version {fields} }} \
         userErrors {{ code field message }} }} }}"
    )
}

/// Makes a change, and then another one from the version before it: the second is refused, with the object as the
/// first one left it.
async fn second_is_stale(
    world: &World,
    (field, object, fields): (&str, &str, &str),
    id: &str,
    first: Value,
    second: Value,
) -> Value {
    let query = mutation(field, object, fields);
    let made = ask(world, "ADMIN", &query, first).await;
    assert_eq!(made["userErrors"], json!([]), "{field}");
    let stale = ask(world, "ADMIN", &query, second).await;
    assert_eq!(stale["userErrors"][0]["code"], "STALE_VERSION", "{field}");
    assert_eq!(
        stale["userErrors"][0]["field"],
        json!(["version"]),
        "{field}"
    );
    assert_eq!(
        stale[object], made[object],
        "{field}: the object as it is now"
    );
    assert_eq!(made[object]["id"], id, "{field}");
    made[object].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_organization_is_answered_as_it_is_now() {
    let world = World::new().await;
    let client = &world.server.client;
    let ask = "{ company { id version } }";
    let answer = client.gql(Some(world.token("ADMIN")), ask, json!({})).await;
    let company = answer.data()["company"]["id"].as_str().unwrap().to_owned();
    second_is_stale(
        &world,
        ("companyUpdate", "company", "name"),
        &company,
        json!({ "version": 1, "name": "Tea House" }),
        json!({ "version": 1, "name": "Coffee House" }),
    )
    .await;
    let change = |id: &str, name: &str| json!({ "id": id, "version": 1, "name": name });
    for (field, object, id) in [
        ("regionUpdate", "region", &world.region),
        ("storeUpdate", "store", &world.store),
        ("staffUpdate", "staff", &world.staff["ASSOCIATE"]),
    ] {
        let (first, second) = (change(id, "First"), change(id, "Second"));
        second_is_stale(&world, (field, object, "name"), id, first, second).await;
    }
    let archive = |version: i32, archived: bool| json!({ "id": world.store, "version": version, "archived": archived });
    second_is_stale(
        &world,
        ("storeArchive", "store", "archivedAt"),
        &world.store,
        archive(2, true),
        archive(2, false),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programmes_memberships_and_cards_are_answered_as_they_are_now() {
    let world = World::new().await;
    let tier = |name: &str, spend: &str, discount: &str| {
        json!({ "name": name, "discountPercent": discount,
            "spendThreshold": { "amount": spend, "currencyCode": "USD" } })
    };
    let ladder = json!([tier("Member", "0", "0"), tier("Silver", "1000", "5")]);
    let made = ask(
        &world,
        "ADMIN",
        &mutation("programmeCreate", "programme", "tiers { id }"),
        json!({ "code": "club", "name": "Club", "tiers": ladder }),
    )
    .await["programme"]
        .clone();
    let programme = made["id"].as_str().unwrap();
    let change = |name: &str| json!({ "id": programme, "version": 1, "name": name });
    second_is_stale(
        &world,
        ("programmeUpdate", "programme", "name"),
        programme,
        change("First"),
        change("Second"),
    )
    .await;
    let customer = ask(
        &world,
        "ADMIN",
        &mutation("customerCreate", "customer", ""),
        json!({ "fullName": "Ann Lee", "homeStoreId": world.store }),
    )
    .await["customer"]["id"]
        .clone();
    let card = ask(
        &world,
        "ADMIN",
        &mutation("cardIssue", "card", "membership { id version }"),
        json!({ "customerId": customer }),
    )
    .await["card"]
        .clone();
    let membership = &card["membership"];
    let grant =
        |tier: &Value| json!({ "membershipId": membership["id"], "version": 1, "tierId": tier });
    second_is_stale(
        &world,
        ("membershipTierGrant", "membership", "tier { id }"),
        membership["id"].as_str().unwrap(),
        grant(&made["tiers"][1]["id"]),
        grant(&Value::Null),
    )
    .await;
    let id = card["id"].as_str().unwrap();
    let step = |version: i32| json!({ "cardId": id, "version": version });
    for (version, field) in [
        (1, "cardFreeze"),
        (2, "cardUnfreeze"),
        (3, "cardReportLost"),
    ] {
        let (first, second) = (step(version), step(version));
        let now = second_is_stale(&world, (field, "card", "status"), id, first, second).await;
        assert_eq!(now["version"], version + 1);
    }
    let replace = mutation("cardReplace", "card", "status");
    let stale = ask(&world, "ADMIN", &replace, step(1)).await;
    assert_eq!(stale["userErrors"][0]["code"], "STALE_VERSION");
    let now = json!({ "id": id, "version": 4, "status": "LOST" });
    assert_eq!(stale["card"], now, "the old card as it is now");
    // Nobody learns by a stale version of what they do not see.
    let stranger = json!({ "id": customer, "version": 0 });
    let query = mutation("storeUpdate", "store", "name");
    let nothing = ask(&world, "ADMIN", &query, stranger).await;
    assert_eq!(nothing["userErrors"][0]["code"], "NOT_FOUND");
    assert_eq!(nothing["store"], Value::Null);
}

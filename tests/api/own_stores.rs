//! What managers see of their own stores, and what they do not see of others' (rules R1, R3).

use crate::support::World;
use crate::support::world::{PASSWORD, email, sign_in};
use chrono::TimeDelta;
use serde_json::{Value, json};

/// Asks as somebody; the answer has no error.
async fn ask(world: &World, token: &str, query: &str, variables: Value) -> Value {
    let client = &world.server.client;
    client
        .gql(Some(token), query, variables)
        .await
        .data()
        .clone()
}

/// Makes a change as the administrator; the payload has no user errors.
async fn change(world: &World, query: &str, input: Value) -> Value {
    let client = &world.server.client;
    let variables = json!({ "input": input });
    let answer = client
        .gql(Some(world.token("ADMIN")), query, variables)
        .await;
    answer.payload().clone()
}

/// Another store in another region, and a customer of it with a card.
async fn elsewhere(world: &World) -> (String, String, String) {
    let region = "mutation($input: RegionCreateInput!) { regionCreate(input: $input) { region { id } userErrors { message } } }";
    let region =
        change(world, region, json!({ "code": "west", "name": "West" })).await["region"]["id"]
            .take();
    let store = "mutation($input: StoreCreateInput!) { storeCreate(input: $input) { store { id } userErrors { message } } }";
    let input = json!({ "regionId": region, "code": "far", "name": "Far" });
    let store = change(world, store, input).await["store"]["id"].take();
    let tiers = json!([{ "name": "Member", "spendThreshold": { "amount": "0", "currencyCode": "USD" }, "discountPercent": "0" }]);
    let programme = "mutation($input: ProgrammeCreateInput!) { programmeCreate(input: $input) { programme { id } userErrors { message } } }";
    change(
        world,
        programme,
        json!({ "code": "club", "name": "Club", "tiers": tiers }),
    )
    .await;
    let customer = "mutation($input: CustomerCreateInput!) { customerCreate(input: $input) { customer { id } userErrors { message } } }";
    let input = json!({ "fullName": "Ann Far", "homeStoreId": store });
    let customer = change(world, customer, input).await["customer"]["id"].take();
    let card = "mutation($input: CardIssueInput!) { cardIssue(input: $input) { card { number } userErrors { message } } }";
    let card =
        change(world, card, json!({ "customerId": customer })).await["card"]["number"].take();
    let text = |value: Value| value.as_str().unwrap().to_owned();
    (text(store), text(customer), text(card))
}

const RECORD: &str = "mutation($input: VisitRecordInput!) { visitRecord(input: $input) { visit { id customer { fullName } \
    purchases { lines { id } } } userErrors { code field message } } }";

fn bought(card: &str, store: &str) -> Value {
    json!({ "cardNumber": card, "storeId": store, "purchase": { "lines": [{
        "sku": "A", "amount": { "amount": "20.00", "currencyCode": "USD" },
        "unitCost": { "amount": "8.00", "currencyCode": "USD" } }] } })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn costs_are_for_those_who_run_the_store() {
    let world = World::new().await;
    let (far, _, card) = elsewhere(&world).await;
    change(&world, RECORD, bought(&card, &far)).await;
    change(&world, RECORD, bought(&card, &world.store)).await;
    // A manager of the one store who sees the other one's visits by another role.
    let hire = "mutation($input: StaffCreateInput!) { staffCreate(input: $input) { staff { id } userErrors { message } } }";
    let input = json!({ "email": "both@shop.example", "name": "Both", "password": PASSWORD,
        "grants": [{ "role": "STORE_MANAGER", "storeId": world.store }, { "role": "MARKETER" }] });
    change(&world, hire, input).await;
    let token = sign_in(&world.server.client, "both@shop.example").await;
    for (store, seen) in [(&world.store, true), (&far, false)] {
        let query = "query($store: ID!) { visits(filter: { storeId: $store }) { nodes { purchases { lines { sku unitCost { amount } } } } } }";
        let variables = json!({ "store": store });
        let answer = world
            .server
            .client
            .gql(Some(&token), query, variables)
            .await;
        let line = &answer.body["data"]["visits"]["nodes"][0]["purchases"][0]["lines"][0];
        assert_eq!(line["sku"], "A", "{:#}", answer.body);
        if seen {
            assert_eq!(line["unitCost"]["amount"], "8.00");
        } else {
            assert_eq!(line["unitCost"], Value::Null);
            assert_eq!(answer.codes(), ["FORBIDDEN"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_arrived_is_seen_by_the_region_too() {
    let world = World::new().await;
    let (_, customer, card) = elsewhere(&world).await;
    let query = "query($id: ID!) { customer(id: $id) { fullName } }";
    let manager = world.token("REGION_MANAGER");
    let before = ask(&world, manager, query, json!({ "id": customer })).await;
    assert_eq!(before["customer"], Value::Null);
    let variables = json!({ "input": bought(&card, &world.store) });
    let answer = world
        .server
        .client
        .gql(Some(manager), RECORD, variables)
        .await;
    assert_eq!(answer.payload()["visit"]["customer"]["fullName"], "Ann Far");
    for role in ["REGION_MANAGER", "STORE_MANAGER", "ASSOCIATE"] {
        let seen = ask(&world, world.token(role), query, json!({ "id": customer })).await;
        assert_eq!(seen["customer"]["fullName"], "Ann Far", "{role}");
    }
    // What was bought just now was not brought back years ago.
    let line = &answer.payload()["visit"]["purchases"][0]["lines"][0]["id"];
    let back = json!({ "input": { "cardNumber": card, "storeId": world.store, "at": "2020-01-01T00:00:00Z",
        "purchase": { "returns": [{ "lineId": line }] } } });
    let refused = world.server.client.gql(Some(manager), RECORD, back).await;
    assert_eq!(refused.user_errors(), ["OUT_OF_RANGE at"]);
    // The day after, the customer is out of sight again; what was sold in the store stays its managers'.
    world.server.clock.advance(TimeDelta::days(2));
    let visit = &answer.payload()["visit"]["id"];
    let query = "query($id: ID!) { visit(id: $id) { customer { fullName } purchases { lines { id unitCost { amount } } } } }";
    for (role, sees) in [
        ("REGION_MANAGER", true),
        ("STORE_MANAGER", true),
        ("ASSOCIATE", false),
    ] {
        let token = sign_in(&world.server.client, &email(role)).await;
        let variables = json!({ "id": visit });
        let seen = ask(&world, &token, query, variables).await["visit"].take();
        if sees {
            let lines = json!([{ "lines": [{ "id": line, "unitCost": { "amount": "8.00" } }] }]);
            assert_eq!(
                seen,
                json!({ "customer": null, "purchases": lines }),
                "{role}"
            );
        } else {
            assert_eq!(seen, Value::Null, "{role}");
        }
    }
}

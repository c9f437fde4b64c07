//! Groups: made and kept, joined and left, seen by those who see the customers (rule C11).

mod managing;
mod members;

use crate::support::world::{PASSWORD, sign_in};
use crate::support::{Answer, World};
use serde_json::{Value, json};

const MEMBER: &str = "member { id group { name } customer { id } joinedAt leftAt joinedBy { name } leftBy { name } }";

/// Makes a change as whoever has the token; the answer.
async fn ask(world: &World, token: &str, field: &str, fields: &str, input: Value) -> Answer {
    let upper = format!("{}{}", field[..1].to_uppercase(), &field[1..]);
    let of_type = match field {
        "groupUnarchive" => "GroupArchiveInput".to_owned(),
        _ => format!("{upper}Input"),
    };
    let query = format!(
        "mutation($input: {of_type}!) {{ {field}(input: $input) {{ {fields} userErrors {{ code field message }} }} }}"
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

async fn data(world: &World, token: &str, query: &str, variables: Value) -> Value {
    let client = &world.server.client;
    client
        .gql(Some(token), query, variables)
        .await
        .data()
        .clone()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Makes a group with fields beside the name; gives its id.
async fn group(world: &World, name: &str, more: Value) -> String {
    let mut input = json!({ "name": name });
    for (field, value) in more.as_object().unwrap() {
        input[field] = value.clone();
    }
    text(&run(world, "groupCreate", "group { id }", input).await["group"]["id"])
}

async fn customer(world: &World, name: &str, store: &str) -> String {
    let input = json!({ "fullName": name, "homeStoreId": store,
        "contactPoints": [{ "kind": "EMAIL", "value": "somebody@example.com" }] });
    text(&run(world, "customerCreate", "customer { id }", input).await["customer"]["id"])
}

async fn join(world: &World, customer: &str, group: &str) -> Value {
    let input = json!({ "customerId": customer, "groupId": group });
    run(world, "groupJoin", MEMBER, input).await["member"].clone()
}

/// A store beside the world's own, with a manager; their token.
async fn other_store(world: &World) -> (String, String) {
    let input = json!({ "regionId": world.region, "code": "quay", "name": "The Quay" });
    let store = text(&run(world, "storeCreate", "store { id }", input).await["store"]["id"]);
    let input = json!({ "email": "quay@shop.example", "name": "Quay", "password": PASSWORD,
        "grants": [{ "role": "STORE_MANAGER", "storeId": store }] });
    run(world, "staffCreate", "staff { id }", input).await;
    let token = sign_in(&world.server.client, "quay@shop.example").await;
    (store, token)
}

/// The names of the groups that arguments find, in their order.
async fn found(world: &World, token: &str, arguments: &str) -> Vec<String> {
    let query = format!("{{ groups({arguments}) {{ totalCount nodes {{ name }} }} }}");
    let groups = data(world, token, &query, json!({})).await["groups"].take();
    let names: Vec<String> = groups["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| text(&node["name"]))
        .collect();
    assert_eq!(groups["totalCount"], names.len(), "{arguments}");
    names
}

//! Attributes that a shop defines for itself: defined, set, searched for; three ways of knowing kept apart (rule C4).

mod defining;
mod finding;
mod values;

use crate::support::{Answer, World};
use serde_json::{Value, json};

const DEFINITION: &str = "attribute { id key name description kind choices { key name } unit minimum maximum archivedAt version }";
const KNOWN: &str = "attribute { id attribute { key } customer { id } provenance notedBy { name } notedAt \
    value { text integer decimal boolean date choice { key name } choices { key } } }";

/// Makes a change as whoever has the token; the answer.
async fn ask(world: &World, token: &str, field: &str, fields: &str, input: Value) -> Answer {
    let upper = format!("{}{}", field[..1].to_uppercase(), &field[1..]);
    let of_type = match field {
        "attributeUnarchive" => "AttributeArchiveInput".to_owned(),
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

/// As [`ask`] as headquarters, without user errors.
async fn run(world: &World, field: &str, fields: &str, input: Value) -> Value {
    let answer = ask(world, world.token("HEADQUARTERS"), field, fields, input).await;
    answer.payload().clone()
}

/// As [`ask`] as headquarters; the user errors.
async fn refused(world: &World, field: &str, input: Value) -> Vec<String> {
    let answer = ask(world, world.token("HEADQUARTERS"), field, "", input).await;
    answer.user_errors()
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

/// Defines an attribute with fields beside the needed ones; gives its id.
async fn attribute(world: &World, key: &str, kind: &str, more: Value) -> String {
    let mut input = json!({ "key": key, "name": key, "kind": kind });
    for (field, value) in more.as_object().unwrap() {
        input[field] = value.clone();
    }
    let made = run(world, "attributeCreate", "attribute { id }", input).await;
    text(&made["attribute"]["id"])
}

fn choices(keys: &[&str]) -> Value {
    keys.iter()
        .map(|key| json!({ "key": key, "name": format!("The {key}") }))
        .collect()
}

async fn customer(world: &World, name: &str) -> String {
    let input = json!({ "fullName": name, "homeStoreId": world.store });
    let made = run(world, "customerCreate", "customer { id }", input).await;
    text(&made["customer"]["id"])
}

fn setting(customer: &str, attribute: &str, provenance: &str, value: Value) -> Value {
    json!({ "customerId": customer, "attributeId": attribute, "provenance": provenance, "value": value })
}

async fn set(world: &World, customer: &str, attribute: &str, value: Value) -> Value {
    let input = setting(customer, attribute, "STATED", value);
    run(world, "customerAttributeSet", KNOWN, input).await["attribute"].clone()
}

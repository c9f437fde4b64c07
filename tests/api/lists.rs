//! A list costs as many statements for twenty rows as for ten.

use crate::support::world::{email, sign_in};
use crate::support::{Program, World};
use serde_json::{Value, json};

const STATEMENTS: &str = "regulars_db_statements_total";

/// The fewest statements that a request costs. The program's own work is counted with it now and then, so the least of
/// several tries is what the request itself costs.
async fn statements(program: &Program, token: &str, query: &str, first: u32) -> u64 {
    let mut least = u64::MAX;
    for _ in 0..6 {
        let before = program.client.figure(STATEMENTS).await;
        let answer = program
            .client
            .gql(Some(token), query, json!({ "first": first }))
            .await;
        let data = answer.data();
        let list = data.as_object().unwrap().values().next().unwrap();
        assert_eq!(list["nodes"].as_array().unwrap().len() as u32, first);
        least = least.min(program.client.figure(STATEMENTS).await - before);
    }
    least
}

async fn run(world: &World, query: &str, input: Value) -> Value {
    let client = &world.server.client;
    let variables = json!({ "input": input });
    let answer = client
        .gql(Some(world.token("ADMIN")), query, variables)
        .await;
    answer.payload().clone()
}

/// Twenty customers with what hangs on them.
async fn fill(world: &World) {
    let create = "mutation($input: CustomerCreateInput!) { customerCreate(input: $input) \
        { customer { id } userErrors { code field message } } }";
    let record = "mutation($input: VisitRecordInput!) { visitRecord(input: $input) \
        { visit { id } userErrors { code field message } } }";
    for n in 0..20 {
        let input = json!({
            "fullName": format!("Customer {n}"),
            "homeStoreId": world.store,
            "contactPoints": [{ "kind": "EMAIL", "value": format!("customer{n}@example.com") }],
            "tastes": [{ "aspect": "BRAND", "value": "Acme", "attitude": "LIKES", "provenance": "STATED" }],
            "specialDays": [{ "label": "Anniversary", "date": "2015-05-20" }],
        });
        let made = run(world, create, input).await;
        let input = json!({
            "customerId": made["customer"]["id"],
            "storeId": world.store,
            "purchase": { "lines": [{ "sku": "A1", "amount": { "amount": "12.50", "currencyCode": "USD" } }] },
        });
        run(world, record, input).await;
    }
    for n in 0..15 {
        world
            .create_staff(&format!("colleague{n}@shop.example"), "ASSOCIATE")
            .await;
    }
}

#[tokio::test]
async fn lists_cost_the_same_however_long_they_are() {
    let world = World::new().await;
    fill(&world).await;
    // A process of its own, whose figures nobody else counts in.
    let program = Program::serve(&world.server.place);
    // Its clock is the real one, so the token is its own.
    let token = sign_in(&program.client, &email("ADMIN")).await;
    for (name, most, query) in [
        (
            "customers",
            20,
            "query($first: Int!) { customers(first: $first) { nodes { id fullName version homeStore { name region { name } } \
             keeper { name } employer contactPoints { value masked consents { purpose } } tastes { value } \
             specialDays { label } totals { __typename } memberships { id } } } }",
        ),
        (
            "visits",
            12,
            "query($first: Int!) { visits(first: $first) { nodes { id customer { fullName } store { name } \
             servedBy { name } purchases { id net { amount } lines { sku amount { amount } } } } } }",
        ),
        (
            "staff",
            8,
            "query($first: Int!) { staff(first: $first) { nodes { id name grants { role store { name region { name } } } } } }",
        ),
        (
            "auditEntries",
            6,
            "query($first: Int!) { auditEntries(first: $first) { nodes { id action customerIds } } }",
        ),
    ] {
        let few = statements(&program, &token, query, 10).await;
        let many = statements(&program, &token, query, 20).await;
        assert_eq!(few, many, "{name}: statements for 10 and for 20 rows");
        assert!(
            many <= most,
            "{name} costs {many} statements, more than {most}"
        );
    }
}

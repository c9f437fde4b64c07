//! A list costs as many statements for twenty rows as for two, and so do twenty objects by their ids.

use crate::support::world::{email, sign_in};
use crate::support::{Program, World};
use entity::values::Clock;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const STATEMENTS: &str = "regulars_db_statements_total";

/// The fewest statements that a request costs, and its answer. The program's own work is counted with it now and then, and
/// on a busy machine what is loaded at once may come in two parts, so the least of several tries is what the request
/// itself costs: of ten, or of as many as it takes to come down to `enough`, if that is possible at all.
async fn statements(
    program: &Program,
    token: &str,
    query: &str,
    variables: Value,
    enough: Option<u64>,
) -> (u64, Value) {
    let (mut least, mut data) = (u64::MAX, Value::Null);
    settle(program).await;
    for tried in 0..100 {
        if tried >= 10 && enough.is_none_or(|enough| least <= enough) {
            break;
        }
        let before = program.client.figure(STATEMENTS).await;
        let answer = program
            .client
            .gql(Some(token), query, variables.clone())
            .await;
        data = answer.data().clone();
        least = least.min(program.client.figure(STATEMENTS).await - before);
    }
    (least, data)
}

/// Waits until the program has done what the changes before have left it to do, such as numbering their events.
async fn settle(program: &Program) {
    for _ in 0..100 {
        let before = program.client.figure(STATEMENTS).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        if program.client.figure(STATEMENTS).await == before {
            return;
        }
    }
}

/// As [`statements`] for the only list of a query.
async fn of_list(
    program: &Program,
    token: &str,
    query: &str,
    first: usize,
    enough: Option<u64>,
) -> u64 {
    let variables = json!({ "first": first });
    let (least, data) = statements(program, token, query, variables, enough).await;
    let list = data.as_object().unwrap().values().next().unwrap();
    assert_eq!(list["nodes"].as_array().unwrap().len(), first);
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

/// Twenty customers with what hangs on them, and as many colleagues. The first rows of every list have children, so that
/// two of them cost what a list costs.
async fn fill(world: &World) {
    let hire = "mutation($input: StaffCreateInput!) { staffCreate(input: $input) \
        { staff { id } userErrors { code field message } } }";
    for n in 0..20 {
        let input = json!({
            "email": format!("colleague{n}@shop.example"),
            // Before `The ADMIN` in the order of names.
            "name": format!("Colleague {n}"),
            "grants": [{ "role": "ASSOCIATE", "storeId": world.store }],
        });
        run(world, hire, input).await;
    }
    let third_party = "mutation($input: ClientCreateInput!) { clientCreate(input: $input) \
        { client { id } userErrors { code field message } } }";
    let webhook = "mutation($input: WebhookCreateInput!) { webhookCreate(input: $input) \
        { webhook { id } userErrors { code field message } } }";
    for n in 0..20 {
        let places = json!({ "regionIds": [world.region], "storeIds": [world.store] });
        let input =
            json!({ "name": format!("Till {n}"), "scopes": ["CATALOG_READ"], "places": places });
        let made = run(world, third_party, input).await;
        let input = json!({ "clientId": made["client"]["id"], "url": "https://hooks.example/till",
            "kinds": ["PRODUCT_CREATED"], "storeIds": [world.store] });
        run(world, webhook, input).await;
    }
    let category = "mutation($input: CategoryCreateInput!) { categoryCreate(input: $input) \
        { category { id } userErrors { code field message } } }";
    let product = "mutation($input: ProductCreateInput!) { productCreate(input: $input) \
        { product { id } userErrors { code field message } } }";
    for n in 0..20 {
        let names = json!([{ "language": "en", "text": format!("Thing {n}") }]);
        let input = json!({ "code": format!("c{n}"), "names": names });
        let place = run(world, category, input).await;
        let input = json!({ "sku": format!("A{n}"), "names": names, "categoryId": place["category"]["id"],
            "listPrice": { "amount": "14.00", "currencyCode": "USD" } });
        run(world, product, input).await;
    }
    let create = "mutation($input: CustomerCreateInput!) { customerCreate(input: $input) \
        { customer { id } userErrors { code field message } } }";
    let record = "mutation($input: VisitRecordInput!) { visitRecord(input: $input) \
        { visit { id } userErrors { code field message } } }";
    let define = "mutation($input: AttributeCreateInput!) { attributeCreate(input: $input) \
        { attribute { id } userErrors { code field message } } }";
    let set = "mutation($input: CustomerAttributeSetInput!) { customerAttributeSet(input: $input) \
        { attribute { id } userErrors { code field message } } }";
    let group = "mutation($input: GroupCreateInput!) { groupCreate(input: $input) \
        { group { id } userErrors { code field message } } }";
    let join = "mutation($input: GroupJoinInput!) { groupJoin(input: $input) \
        { member { id } userErrors { code field message } } }";
    for n in 0..20 {
        let input = json!({
            "fullName": format!("Customer {n}"),
            "homeStoreId": world.store,
            "contactPoints": [
                { "kind": "EMAIL", "value": format!("customer{n}@example.com") },
                // One that all of them have: each may be any other.
                { "kind": "QQ", "value": "12345678" },
            ],
            "tastes": [{ "aspect": "BRAND", "value": "Acme", "attitude": "LIKES", "provenance": "STATED" }],
            "specialDays": [{ "label": "Anniversary", "date": "2015-05-20" }],
        });
        let made = run(world, create, input).await;
        expect(world, &made["customer"]["id"]).await;
        let input = json!({
            "customerId": made["customer"]["id"],
            "storeId": world.store,
            "purchase": { "lines": [{ "sku": format!("A{n}"), "amount": { "amount": "12.50", "currencyCode": "USD" } }] },
        });
        run(world, record, input).await;
        let input = json!({ "name": format!("Club {n}"), "keeperId": world.staff["ASSOCIATE"], "storeId": world.store });
        let club = run(world, group, input).await;
        let input = json!({ "customerId": made["customer"]["id"], "groupId": club["group"]["id"] });
        run(world, join, input).await;
        let input =
            json!({ "key": format!("a{n}"), "name": "Height", "kind": "INTEGER", "unit": "cm" });
        let height = run(world, define, input).await;
        let input = json!({ "customerId": made["customer"]["id"], "attributeId": height["attribute"]["id"],
            "value": { "integer": n }, "provenance": "NOTED" });
        run(world, set, input).await;
    }
}

/// Somebody is expected, and comes.
async fn expect(world: &World, customer: &Value) {
    let announce = "mutation($input: VisitAnnounceInput!) { visitAnnounce(input: $input) \
        { announcedVisit { id } userErrors { code field message } } }";
    let at = world.server.clock.now() + chrono::TimeDelta::hours(1);
    let input = json!({ "customerId": customer, "storeId": world.store, "expectedAt": at });
    run(world, announce, input).await;
    let arrive = "mutation($input: CustomerArriveInput!) { customerArrive(input: $input) \
        { arrival { id } userErrors { code field message } } }";
    let input = json!({ "customerId": customer, "storeId": world.store });
    run(world, arrive, input).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_cost_the_same_however_long_they_are() {
    let world = World::new().await;
    fill(&world).await;
    // A process of its own, whose figures nobody else counts in.
    let program = Program::serve(&world.server.place);
    // Its clock is the real one, so the token is its own.
    let token = sign_in(&program.client, &email("ADMIN")).await;
    // Asked for by that clock, too: older ones would have served their time.
    for _ in 0..20 {
        crate::support::files::export(&program.client, &token, json!({ "kind": "CARDS" })).await;
    }
    for (name, most, query) in [
        (
            "customers",
            20,
            "query($first: Int!) { customers(first: $first) { nodes { id fullName version homeStore { name region { name } } \
             keeper { name } employer contactPoints { value masked consents { purpose } } tastes { value } \
             specialDays { label } totals { __typename } memberships { id } } } }",
        ),
        (
            "completeness",
            7,
            "query($first: Int!) { customers(first: $first, filter: { completenessBelow: 90 }, orderBy: { field: COMPLETENESS }) { \
             nodes { id completeness { score missing notConfirmed fields { field state confirmedAt confirmedBy { name } } } } } }",
        ),
        (
            "visits",
            14,
            "query($first: Int!) { visits(first: $first) { nodes { id customer { fullName } store { name } \
             servedBy { name } purchases { id net { amount } lines { sku product { name listPrice { amount } } amount { amount } } } } } }",
        ),
        (
            "arrivals",
            20,
            "query($first: Int!) { arrivals(first: $first) { nodes { at store { name } visit { outcome arrival { id } \
             transcript(first: 3) { nodes { text } } } sheet { daysSinceLastVisit \
             recentPurchases { id net { amount } } openEnquiries { id } likes { value } dislikes { value } \
             favoriteCategories { category net { amount } } occasions { on specialDay { label } } announcedVisit { id } \
             customer { fullName card { number } } } } } }",
        ),
        (
            "announcedVisits",
            8,
            "query($first: Int!) { announcedVisits(first: $first) { nodes { expectedAt state customer { fullName } \
             store { name } announcedBy { name } arrival { at visit { id } } } } }",
        ),
        (
            "products",
            5,
            "query($first: Int!) { products(first: $first) { nodes { sku name category { name parts { id } } \
             listPrice { amount } } } }",
        ),
        (
            "customerDuplicates",
            8,
            "query($first: Int!) { customerDuplicates(first: $first) { nodes { reasons first { fullName } second { fullName } } } }",
        ),
        (
            "possible duplicates",
            9,
            "query($first: Int!) { customers(first: $first) { nodes { id merges { id } \
             possibleDuplicates { reasons first { id } second { id } } } } }",
        ),
        (
            "groups",
            11,
            "query($first: Int!) { groups(first: $first) { nodes { name keeper { name } store { name } memberCount \
             members(first: 3) { nodes { joinedBy { name } customer { fullName } } } } } }",
        ),
        (
            "groups of customers",
            6,
            "query($first: Int!) { customers(first: $first) { nodes { id groups { joinedAt group { name } } } } }",
        ),
        (
            "attributes of customers",
            6,
            "query($first: Int!) { customers(first: $first) { nodes { id attributes { value { text } attribute { key } notedBy { name } } } } }",
        ),
        (
            "staff",
            8,
            "query($first: Int!) { staff(first: $first) { nodes { id name grants { role store { name region { name } } } } } }",
        ),
        (
            "transfers",
            8,
            "query($first: Int!) { transfers(first: $first) { nodes { id state requestedBy { name } result { sizeBytes } } } }",
        ),
        (
            "clients",
            8,
            "query($first: Int!) { clients(first: $first) { nodes { id name scopes secrets { hint } createdBy { name } \
             places { wholeCompany regions { name } stores { name region { name } } } } } }",
        ),
        (
            "webhooks",
            8,
            "query($first: Int!) { webhooks(first: $first) { nodes { id url kinds secrets { hint } client { name } \
             stores { name } } } }",
        ),
        (
            "auditEntries",
            6,
            "query($first: Int!) { auditEntries(first: $first) { nodes { id action customerIds } } }",
        ),
    ] {
        let few = of_list(&program, &token, query, 2, None).await;
        let many = of_list(&program, &token, query, 20, Some(few)).await;
        assert_eq!(few, many, "{name}: statements for 2 and for 20 rows");
        assert!(
            many <= most,
            "{name} costs {many} statements, more than {most}"
        );
    }
}

/// All ids that an answer holds, by their first characters: the letter in them names the type.
fn ids(data: &Value, found: &mut BTreeMap<String, BTreeSet<String>>) {
    match data {
        Value::Object(fields) => {
            if let Some(id) = fields.get("id").and_then(Value::as_str) {
                let of_type = id.chars().take(2).collect();
                found.entry(of_type).or_default().insert(id.to_owned());
            }
            fields.values().for_each(|field| ids(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| ids(item, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_by_id_cost_the_same_however_many_they_are() {
    let world = World::new().await;
    fill(&world).await;
    let program = Program::serve(&world.server.place);
    let token = sign_in(&program.client, &email("ADMIN")).await;
    let everything = "{ customers(first: 20) { nodes { id contactPoints { id } tastes { id } specialDays { id } groups { id } attributes { id attribute { id } } } } groups(first: 20) { nodes { id } } \
        visits(first: 20) { nodes { id arrival { id announcedVisit { id } } purchases { id lines { id } } } } staff(first: 20) { nodes { id } } \
        auditEntries(first: 20) { nodes { id } } clients(first: 20) { nodes { id } } }";
    let answer = program
        .client
        .gql(Some(&token), everything, json!({}))
        .await;
    let mut found = BTreeMap::new();
    ids(answer.data(), &mut found);
    assert_eq!(found.len(), 16, "types of objects: {:?}", found.keys());
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }";
    for (of_type, ids) in &found {
        let ids: Vec<&String> = ids.iter().take(20).collect();
        assert_eq!(ids.len(), 20, "objects of type {of_type}");
        let ask = async |ids: &[&String], enough: Option<u64>| {
            let variables = json!({ "ids": ids });
            let (cost, data) = statements(&program, &token, query, variables, enough).await;
            let nodes = data["nodes"].as_array().unwrap().clone();
            let given: Vec<_> = nodes
                .iter()
                .map(|node| node["id"].as_str().unwrap())
                .collect();
            assert_eq!(given, ids, "in the order in which they were asked for");
            cost
        };
        let few = ask(&ids[..2], None).await;
        let many = ask(&ids, Some(few)).await;
        assert_eq!(few, many, "{of_type}: statements for 2 and for 20 objects");
        assert!(many <= 4, "{of_type}: {many} statements");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_hangs_on_a_customer_is_found_by_those_who_see_the_customer() {
    let world = World::new().await;
    let other_store = run(
        &world,
        "mutation($input: StoreCreateInput!) { storeCreate(input: $input) { store { id } userErrors { code field message } } }",
        json!({ "regionId": world.region, "code": "pier", "name": "The Pier" }),
    )
    .await["store"]["id"]
        .clone();
    let make = "mutation($input: CustomerCreateInput!) { customerCreate(input: $input) { customer { \
        contactPoints { id } tastes { id } specialDays { id } } userErrors { code field message } } }";
    let customer = |store: &Value| {
        json!({
            "fullName": "Ann Lee",
            "homeStoreId": store,
            "contactPoints": [{ "kind": "EMAIL", "value": "ann@example.com" }],
            "tastes": [{ "aspect": "BRAND", "value": "Acme", "attitude": "LIKES", "provenance": "STATED" }],
            "specialDays": [{ "label": "Anniversary", "date": "2015-05-20" }],
        })
    };
    for (store, readers) in [
        (json!(world.store), &["ADMIN", "ASSOCIATE", "MARKETER"][..]),
        (other_store, &["ADMIN", "MARKETER"]),
    ] {
        let made = run(&world, make, customer(&store)).await;
        for (part, of_type) in [
            ("contactPoints", "ContactPoint"),
            ("tastes", "Taste"),
            ("specialDays", "SpecialDay"),
        ] {
            let id = &made["customer"][part][0]["id"];
            for role in ["ADMIN", "ASSOCIATE", "MARKETER", "ANALYST"] {
                let query = "query($id: ID!) { node(id: $id) { __typename id } }";
                let client = &world.server.client;
                let answer = client
                    .gql(Some(world.token(role)), query, json!({ "id": id }))
                    .await;
                let expected = if readers.contains(&role) {
                    json!({ "__typename": of_type, "id": id })
                } else {
                    Value::Null
                };
                assert_eq!(answer.data()["node"], expected, "{part} as {role}");
            }
        }
    }
}

//! Exports as jobs: what each role gets, and who may fetch it.

use crate::support::World;
use crate::support::files::{export, fetch, transfer, until};
use serde_json::{Value, json};

/// Exports as a role, to the end; gives the transfer and its lines as JSON.
async fn exported(world: &World, role: &str, kind: &str) -> (String, Vec<Value>) {
    let (client, token) = (&world.server.client, world.token(role));
    let input = json!({ "kind": kind, "format": "JSONL", "idempotencyKey": kind });
    let id = export(client, token, input.clone()).await;
    let again = export(client, token, input).await;
    assert_eq!(again, id, "the same key, the same export");
    let done = until(client, token, &id, "DONE").await;
    let (status, text) = fetch(client, Some(token), &id).await;
    assert_eq!(status, 200, "{text}");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(done["rowsTotal"], done["rowsDone"]);
    assert_eq!(done["rowsDone"], json!(lines.len()));
    assert_eq!(done["result"]["sizeBytes"], json!(text.len().to_string()));
    (id, lines)
}

async fn change(world: &World, query: &str, input: Value) -> Value {
    let client = &world.server.client;
    let answer = client
        .gql(Some(world.token("ADMIN")), query, json!({ "input": input }))
        .await;
    answer.payload().clone()
}

/// Two customers with a phone: one of the store, one of another store.
async fn two_customers(world: &World) -> [String; 2] {
    let far = change(world, "mutation($input: StoreCreateInput!) { storeCreate(input: $input) { store { id } userErrors { message } } }",
        json!({ "regionId": world.region, "code": "far", "name": "Far" })).await["store"]["id"].clone();
    let mut ids = Vec::new();
    for (name, store, phone) in [
        ("Near", json!(world.store), "+8613812345678"),
        ("Far", far, "+8613912345678"),
    ] {
        let made = change(
            world,
            "mutation($input: CustomerCreateInput!) { customerCreate(input: $input) { customer { id } userErrors { message } } }",
            json!({ "fullName": name, "homeStoreId": store, "address": { "lines": ["1 Long Road"], "postalCode": "200000", "city": "Shanghai" },
                "contactPoints": [{ "kind": "MOBILE", "value": phone }] }),
        )
        .await;
        let id = made["customer"]["id"].as_str().unwrap().to_owned();
        change(
            world,
            "mutation($input: VisitRecordInput!) { visitRecord(input: $input) { visit { id } userErrors { message } } }",
            json!({ "customerId": id, "storeId": store, "purchase": { "lines": [{ "sku": "A", "amount": { "amount": "20.00", "currencyCode": "USD" },
                "unitCost": { "amount": "8.00", "currencyCode": "USD" } }] } }),
        )
        .await;
        ids.push(id);
    }
    ids.try_into().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_gets_what_their_role_shows_and_it_is_written_down() {
    let world = World::new().await;
    let [near, _] = two_customers(&world).await;
    let client = &world.server.client;
    let phones = |lines: &[Value]| -> Vec<String> {
        lines
            .iter()
            .map(|line| {
                line["contactPoints"][0]["value"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    };
    let (id, all) = exported(&world, "HEADQUARTERS", "CUSTOMERS").await;
    assert_eq!(phones(&all), ["+8613812345678", "+8613912345678"]);
    let (_, own) = exported(&world, "STORE_MANAGER", "CUSTOMERS").await;
    assert_eq!(phones(&own), ["+8613812345678"], "those of the own store");
    assert_eq!(own[0]["address"]["lines"][0], "1 Long Road");
    let (_, masked) = exported(&world, "MARKETER", "CUSTOMERS").await;
    assert_eq!(phones(&masked), ["+86138****5678", "+86139****5678"]);
    assert_eq!(masked[0]["masked"], json!(true));
    assert_eq!(
        masked[0]["address"],
        json!({ "lines": ["***"], "postalCode": "***", "city": "Shanghai", "country": null })
    );
    for role in ["ASSOCIATE", "ANALYST"] {
        let query = "mutation { exportCreate(input: { kind: CUSTOMERS }) { transfer { id } userErrors { code } } }";
        let refused = client.gql(Some(world.token(role)), query, json!({})).await;
        assert_eq!(refused.codes(), ["FORBIDDEN"], "{role}");
    }
    // What an article cost is for those who run the store.
    for (role, costs) in [
        ("HEADQUARTERS", vec![json!("8.00"), json!("8.00")]),
        ("STORE_MANAGER", vec![json!("8.00")]),
        ("MARKETER", vec![Value::Null, Value::Null]),
    ] {
        let (_, receipts) = exported(&world, role, "PURCHASES").await;
        let seen: Vec<Value> = receipts
            .iter()
            .map(|receipt| receipt["lines"][0]["unitCost"].clone())
            .collect();
        assert_eq!(seen, costs, "{role}");
    }
    // The entries name who was shown in full, and to whom: two, for nobody masked.
    let query = "query($customer: ID!) { auditEntries(filter: { customer: $customer, action: \"customer.read_contact\" }) { nodes { actor detail } } }";
    let entries = client
        .gql(
            Some(world.token("ADMIN")),
            query,
            json!({ "customer": near }),
        )
        .await;
    let entries = entries.data()["auditEntries"]["nodes"]
        .as_array()
        .unwrap()
        .clone();
    let actors: Vec<&Value> = entries.iter().map(|entry| &entry["actor"]).collect();
    assert_eq!(
        actors,
        [
            &json!(world.staff["STORE_MANAGER"]),
            &json!(world.staff["HEADQUARTERS"])
        ]
    );
    assert!(entries[0]["detail"]["export"].is_string());
    somebody_elses_looks_like_nothing(&world, &id).await;
}

async fn somebody_elses_looks_like_nothing(world: &World, id: &str) {
    let client = &world.server.client;
    let manager = world.token("STORE_MANAGER");
    let nothing = fetch(client, Some(manager), "RQ").await;
    assert_eq!(nothing.0, 404);
    assert_eq!(fetch(client, Some(manager), id).await, nothing);
    assert_eq!(transfer(client, manager, id).await, Value::Null);
    let cancel = "mutation($id: ID!) { transferCancel(input: { id: $id }) { transfer { id } userErrors { code field message } } }";
    let refused = client.gql(Some(manager), cancel, json!({ "id": id })).await;
    assert_eq!(refused.user_errors(), ["NOT_FOUND id"]);
    for path in [id, "RQ"] {
        assert_eq!(fetch(client, None, path).await.0, 401);
        assert_eq!(
            fetch(client, Some(world.token("ANALYST")), path).await.0,
            403
        );
    }
    let owner = world.token("HEADQUARTERS");
    let list = "{ transfers(first: 10) { totalCount nodes { id requestedBy { name } } } }";
    let own = client.gql(Some(owner), list, json!({})).await;
    assert_eq!(own.data()["transfers"]["totalCount"], json!(2));
    let all = client
        .gql(Some(world.token("ADMIN")), list, json!({}))
        .await;
    assert_eq!(all.data()["transfers"]["totalCount"], json!(6));
    let refused = client.gql(Some(owner), cancel, json!({ "id": id })).await;
    assert_eq!(refused.user_errors(), ["WRONG_STATE id"], "it is done");
    // An administrator may fetch it, and the answer is fit for nothing but saving.
    let answer = client
        .http()
        .get(client.url(&format!("/transfers/{id}/result")))
        .bearer_auth(world.token("ADMIN"))
        .send()
        .await
        .unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/x-ndjson");
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"customers-2026-03-02.jsonl\""
    );
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("cache-control"), "no-store");
    let node = "query($id: ID!) { node(id: $id) { id ... on Transfer { kind } } }";
    let node = client.gql(Some(owner), node, json!({ "id": id })).await;
    assert_eq!(node.data()["node"]["kind"], "CUSTOMERS");
    // Under other roles than it was made, it is not handed out.
    let staff = client
        .gql(
            Some(world.token("ADMIN")),
            "query($id: ID!) { staffMember(id: $id) { version } }",
            json!({ "id": world.staff["HEADQUARTERS"] }),
        )
        .await;
    let version = staff.data()["staffMember"]["version"].clone();
    change(
        world,
        "mutation($input: StaffUpdateInput!) { staffUpdate(input: $input) { staff { id } userErrors { message } } }",
        json!({ "id": world.staff["HEADQUARTERS"], "version": version, "grants": [{ "role": "MARKETER" }] }),
    )
    .await;
    assert_eq!(fetch(client, Some(owner), id).await.0, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_is_forgotten_when_somebody_in_it_is_erased() {
    let world = World::new().await;
    let [near, _] = two_customers(&world).await;
    let (client, admin) = (&world.server.client, world.token("ADMIN"));
    let (id, lines) = exported(&world, "ADMIN", "CUSTOMERS").await;
    assert_eq!(lines.len(), 2);
    let ask = "query($id: ID!) { customer(id: $id) { version } }";
    let answer = client.gql(Some(admin), ask, json!({ "id": near })).await;
    let input = json!({ "id": near, "version": answer.data()["customer"]["version"], "reason": "REQUESTED" });
    let erase = "mutation($input: CustomerEraseInput!) { customerErase(input: $input) { erasedId userErrors { message } } }";
    assert_eq!(change(&world, erase, input).await["erasedId"], json!(near));
    assert_eq!(fetch(client, Some(admin), &id).await.0, 404);
    let again = json!({ "kind": "CUSTOMERS", "format": "JSONL" });
    let fresh = export(client, admin, again).await;
    until(client, admin, &fresh, "DONE").await;
    let (status, text) = fetch(client, Some(admin), &fresh).await;
    assert_eq!((status, text.lines().count()), (200, 1), "{text}");
    assert!(!text.contains("+8613812345678"), "{text}");
}

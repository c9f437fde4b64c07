//! What clients see and do: the customers of their stores, masked where they have no scope for more, visits where they
//! have one; and that their secrets are nowhere.

use crate::support::oauth::{CREATE, ask};
use crate::support::world::{email, sign_in};
use crate::support::{Answer, Program, World};
use serde_json::{Value, json};

const CUSTOMERS: &str = "{ customers { nodes { fullName contactPoints { value } } } }";
const RECORD: &str = "mutation($input: VisitRecordInput!) { visitRecord(input: $input) \
    { visit { id } userErrors { code field message } } }";
const ISSUE: &str = "mutation($input: CardIssueInput!) { cardIssue(input: $input) \
    { card { number } userErrors { code field message } } }";

async fn change(world: &World, query: &str, input: Value) -> Value {
    let client = &world.server.client;
    let variables = json!({ "input": input });
    let answer = client
        .gql(Some(world.token("ADMIN")), query, variables)
        .await;
    answer.payload().clone()
}

/// A customer of a store; gives the id.
async fn customer(world: &World, name: &str, store: &Value, phone: &str) -> String {
    let query = "mutation($input: CustomerCreateInput!) { customerCreate(input: $input) { customer { id } userErrors { code field message } } }";
    let points = json!([{ "kind": "MOBILE", "value": phone }]);
    let input = json!({ "fullName": name, "homeStoreId": store, "contactPoints": points });
    let made = change(world, query, input).await;
    made["customer"]["id"].as_str().unwrap().to_owned()
}

/// A store in another region; gives both.
async fn elsewhere(world: &World) -> (Value, Value) {
    let query = "mutation($input: RegionCreateInput!) { regionCreate(input: $input) { region { id } userErrors { message } } }";
    let region =
        change(world, query, json!({ "code": "west", "name": "West" })).await["region"]["id"]
            .take();
    let query = "mutation($input: StoreCreateInput!) { storeCreate(input: $input) { store { id } userErrors { message } } }";
    let input = json!({ "regionId": region, "code": "far", "name": "Far" });
    let store = change(world, query, input).await["store"]["id"].take();
    (region, store)
}

async fn club(world: &World) {
    let query = "mutation($input: ProgrammeCreateInput!) { programmeCreate(input: $input) { programme { id } userErrors { message } } }";
    let tiers = json!([{ "name": "Member", "spendThreshold": { "amount": "0", "currencyCode": "USD" }, "discountPercent": "0" }]);
    change(
        world,
        query,
        json!({ "code": "club", "name": "Club", "tiers": tiers }),
    )
    .await;
}

async fn gql(world: &World, token: &str, query: &str, variables: Value) -> Answer {
    world.server.client.gql(Some(token), query, variables).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_sees_the_customers_of_its_stores_masked_as_its_scopes_have_it() {
    let world = World::new().await;
    let server = &world.server.client;
    let (west, far) = elsewhere(&world).await;
    let here = json!(world.store);
    customer(&world, "Ann Here", &here, "+12025550101").await;
    let ben = customer(&world, "Ben Far", &far, "+12025550102").await;
    let homeless = "mutation($input: CustomerCreateInput!) { customerCreate(input: $input) { customer { id } userErrors { code } } }";
    change(&world, homeless, json!({ "fullName": "Cid Nowhere" })).await;
    let names = |answer: &Answer| {
        let nodes = answer.data()["customers"]["nodes"].as_array().unwrap();
        let mut names: Vec<String> = nodes
            .iter()
            .map(|node| node["fullName"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    let masked = "+1******0101";
    for (places, scope, seen, value) in [
        (
            json!({ "storeIds": [here] }),
            "customers:read",
            vec!["Ann Here"],
            masked,
        ),
        (
            json!({ "storeIds": [here] }),
            "customers:read contacts:read",
            vec!["Ann Here"],
            "+12025550101",
        ),
        (
            json!({ "regionIds": [west] }),
            "customers:read",
            vec!["Ben Far"],
            "",
        ),
        (
            json!({ "wholeCompany": true }),
            "customers:read",
            vec!["Ann Here", "Ben Far", "Cid Nowhere"],
            "",
        ),
        (json!({}), "customers:read contacts:read", vec![], ""),
    ] {
        let shop = world
            .third_party(json!(["CUSTOMERS_READ", "CONTACTS_READ"]), places.clone())
            .await;
        let token = shop.token(server, Some(scope)).await;
        let answer = gql(&world, &token, CUSTOMERS, json!({})).await;
        assert_eq!(names(&answer), seen, "{places}");
        if !value.is_empty() {
            let points = &answer.data()["customers"]["nodes"][0]["contactPoints"];
            let is_masked = scope == "customers:read";
            assert_eq!(points[0]["value"] != "+12025550101", is_masked, "{points}");
        }
        let one = "query($id: ID!) { customer(id: $id) { fullName } node(id: $id) { id } }";
        let answer = gql(&world, &token, one, json!({ "id": ben })).await;
        let is_seen = seen.contains(&"Ben Far");
        assert_eq!(!answer.data()["customer"].is_null(), is_seen);
        assert_eq!(!answer.data()["node"].is_null(), is_seen);
        // Part of a number is for those who see it whole.
        let prefix = "{ customers(filter: { phonePrefix: \"+1202555\" }) { nodes { fullName } } }";
        let answer = gql(&world, &token, prefix, json!({})).await;
        if scope == "customers:read" {
            assert_eq!(answer.codes(), ["FORBIDDEN"]);
        } else {
            assert_eq!(names(&answer), seen);
        }
    }

    // Whoever has arrived or is expected is shown to the people of a store, not to its programs.
    let arrive = "mutation($input: CustomerArriveInput!) { customerArrive(input: $input) { userErrors { code field message } } }";
    change(
        &world,
        arrive,
        json!({ "customerId": ben, "storeId": here }),
    )
    .await;
    let associate = gql(&world, world.token("ASSOCIATE"), CUSTOMERS, json!({})).await;
    assert_eq!(names(&associate), ["Ann Here", "Ben Far"]);
    let shop = world
        .third_party(json!(["CUSTOMERS_READ"]), json!({ "storeIds": [here] }))
        .await;
    let token = shop.token(server, None).await;
    let answer = gql(&world, &token, CUSTOMERS, json!({})).await;
    assert_eq!(names(&answer), ["Ann Here"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_till_records_visits_with_its_scope_and_under_its_name() {
    let world = World::new().await;
    let server = &world.server.client;
    let (_, far) = elsewhere(&world).await;
    club(&world).await;
    let here = json!(world.store);
    let ann = customer(&world, "Ann Here", &here, "+12025550101").await;
    let ben = customer(&world, "Ben Far", &far, "+12025550102").await;
    let card = change(&world, ISSUE, json!({ "customerId": ben })).await["card"]["number"].take();
    let scopes = json!([
        "CUSTOMERS_READ",
        "VISITS_READ",
        "VISITS_RECORD",
        "CUSTOMERS_WRITE"
    ]);
    let places = json!({ "storeIds": [here] });
    let till = world.third_party(scopes.clone(), places.clone()).await;
    let token = till.token(server, None).await;
    let reader = till.token(server, Some("customers:read visits:read")).await;
    let visit = |customer: &str, key: &str| json!({ "input": { "customerId": customer, "idempotencyKey": key } });
    let answer = gql(&world, &reader, RECORD, visit(&ann, "1")).await;
    assert_eq!(answer.codes(), ["FORBIDDEN"]);
    let recorded = gql(&world, &token, RECORD, visit(&ann, "1")).await;
    let first = recorded.payload()["visit"]["id"].clone();
    let again = gql(&world, &token, RECORD, visit(&ann, "1")).await;
    assert_eq!(again.payload()["visit"]["id"], first);
    // The same key of another client is another key.
    let other = world.third_party(scopes, places).await;
    let others = other.token(server, None).await;
    let answer = gql(&world, &others, RECORD, visit(&ann, "1")).await;
    assert_ne!(answer.payload()["visit"]["id"], first);

    // A customer of elsewhere is nobody to it, unless they show their card; then they are recorded, not shown.
    let answer = gql(&world, &token, RECORD, visit(&ben, "2")).await;
    assert_eq!(answer.user_errors(), ["NOT_FOUND customerId"]);
    let shown = json!({ "input": { "cardNumber": card } });
    let query = "mutation($input: VisitRecordInput!) { visitRecord(input: $input) \
        { visit { servedBy { name } customer { fullName } } userErrors { code field message } } }";
    let answer = gql(&world, &token, query, shown).await;
    assert_eq!(
        answer.payload()["visit"],
        json!({ "servedBy": null, "customer": null })
    );
    // Nor can it record in a store that is none of its own.
    let input = json!({ "input": { "customerId": ann, "storeId": far } });
    let answer = gql(&world, &token, RECORD, input).await;
    assert!(
        !answer.any_payload()["userErrors"]
            .as_array()
            .unwrap()
            .is_empty()
    );

    let entries = "query($actor: ID!) { auditEntries(filter: { actor: $actor }) { nodes { action actorKind actor } } }";
    let variables = json!({ "actor": till.id });
    let answer = gql(&world, world.token("ADMIN"), entries, variables).await;
    let by_till = json!({ "action": "visit.record", "actorKind": "CLIENT", "actor": till.id });
    let nodes = answer.data()["auditEntries"]["nodes"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(nodes, vec![by_till; 2]);

    // Staff are named to colleagues only; what people wrote is theirs all the same.
    let note = "mutation($id: ID!) { customerNoteAdd(input: { customerId: $id, text: \"likes jasmine\" }) { note { author { name } } userErrors { code } } }";
    gql(&world, world.token("ASSOCIATE"), note, json!({ "id": ann }))
        .await
        .payload();
    let answer = gql(&world, &token, note, json!({ "id": ann })).await;
    assert_eq!(answer.payload()["note"]["author"], Value::Null);
    let notes = "query($id: ID!) { customer(id: $id) { keeper { name } notes { nodes { text author { name } } } } }";
    let answer = gql(&world, &token, notes, json!({ "id": ann })).await;
    let nodes = answer.data()["customer"]["notes"]["nodes"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(nodes.len(), 2);
    assert!(
        nodes.iter().all(|note| note["author"].is_null()),
        "{nodes:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_and_tokens_are_kept_nowhere() {
    let world = World::new().await;
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log");
    let program = Program::serve_with(&world.server.place, |command| {
        command
            .env("REGULARS_LOG", "trace")
            .env("REGULARS_LOG_FORMAT", "json")
            .stderr(std::fs::File::create(&log).unwrap());
    });
    let client = &program.client;
    let admin = sign_in(client, &email("ADMIN")).await;
    let input = json!({ "name": "Till", "scopes": ["CATALOG_READ"] });
    let made = client
        .gql(Some(&admin), CREATE, json!({ "input": input }))
        .await;
    let secret = made.payload()["secret"].as_str().unwrap().to_owned();
    let id = made.payload()["client"]["clientId"].as_str().unwrap();
    let grant = ("grant_type", "client_credentials");
    let token = ask(client, &[grant], Some((id, &secret))).await.token();
    let in_form = [grant, ("client_id", id), ("client_secret", secret.as_str())];
    ask(client, &in_form, None).await.token();
    let wrong = "rgs_a-secret-that-somebody-has-mistyped-somehow";
    assert_eq!(ask(client, &[grant], Some((id, wrong))).await.status, 401);
    assert_eq!(ask(client, &[grant], Some((&secret, id))).await.status, 401);
    client
        .gql(Some(&token), "{ viewer { kind } }", json!({}))
        .await
        .data();
    let body = secret.strip_prefix("rgs_").unwrap();
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.contains("/oauth/token"), "the log is a real one");
    for hidden in [body, wrong, token.as_str()] {
        assert!(!text.contains(hidden), "in the log: {hidden}");
        let held = world.server.place.holding(hidden).await;
        assert!(held.is_empty(), "{hidden} is in {held:?}");
    }
}

//! Webhooks: what is told to whom, signed how, tried how often, in which order, and where nothing is sent at all.

use crate::support::receiver::Receiver;
use crate::support::world::{email, sign_in};
use crate::support::{Answer, TestServer, World};
use chrono::TimeDelta;
use regulars::config::Configuration;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const CREATE: &str = "mutation($input: WebhookCreateInput!) { webhookCreate(input: $input) \
    { webhook { id version enabled kinds } secret userErrors { code field message } } }";
const ROTATE: &str = "mutation($input: WebhookSecretRotateInput!) { webhookSecretRotate(input: $input) \
    { webhook { secrets { hint expiresAt } } secret userErrors { code field message } } }";
const UPDATE: &str = "mutation($input: WebhookUpdateInput!) { webhookUpdate(input: $input) \
    { webhook { version url kinds stores { id } } userErrors { code field message } } }";
const ENABLE: &str = "mutation($input: WebhookEnableInput!) { webhookEnable(input: $input) \
    { webhook { enabled } userErrors { code field message } } }";
const DISABLE: &str = "mutation($input: WebhookDisableInput!) { webhookDisable(input: $input) \
    { webhook { enabled disabledReason } userErrors { code field message } } }";
const TEST: &str = "mutation($input: WebhookTestInput!) { webhookTest(input: $input) \
    { delivery { id state eventType } userErrors { code field message } } }";
const REPLAY: &str = "mutation($input: WebhookReplayInput!) { webhookReplay(input: $input) \
    { delivery { id state attemptCount } userErrors { code field message } } }";
const READ: &str = "query($id: ID!) { webhook(id: $id) { id url enabled disabledReason secrets { hint } \
    deliveries { totalCount nodes { id messageId eventType eventPosition state attemptCount nextAttemptAt finishedAt \
    attempts { status error milliseconds answer } } } } }";
const CLIENT_DISABLE: &str = "mutation($input: ClientDisableInput!) { clientDisable(input: $input) \
    { client { enabled } userErrors { code field message } } }";
const CLIENT_UPDATE: &str = "mutation($input: ClientUpdateInput!) { clientUpdate(input: $input) \
    { client { version } userErrors { code field message } } }";
const CUSTOMER: &str = "mutation($input: CustomerCreateInput!) { customerCreate(input: $input) \
    { customer { id } userErrors { code field message } } }";
const CHANGE: &str = "mutation($input: CustomerUpdateInput!) { customerUpdate(input: $input) \
    { customer { id } userErrors { code field message } } }";
const STORE: &str = "mutation($input: StoreCreateInput!) { storeCreate(input: $input) \
    { store { id } userErrors { code field message } } }";

fn private(configuration: &mut Configuration) {
    configuration.settings.webhooks.private_targets = true;
}

/// A shop whose webhooks may go to this machine.
struct Shop {
    world: World,
    admin: String,
}

impl Shop {
    async fn open() -> Self {
        let world = World::on(TestServer::start_with(private).await).await;
        let admin = world.token("ADMIN").to_owned();
        Self { world, admin }
    }

    async fn gql(&self, query: &str, variables: Value) -> Answer {
        let client = &self.world.server.client;
        client.gql(Some(&self.admin), query, variables).await
    }

    async fn run(&self, query: &str, input: Value) -> Value {
        let answer = self.gql(query, json!({ "input": input })).await;
        answer.payload().clone()
    }

    /// Moves the clock; tokens live for minutes, so the administrator signs in again.
    async fn later(&mut self, by: TimeDelta) {
        self.world.server.clock.advance(by);
        self.admin = sign_in(&self.world.server.client, &email("ADMIN")).await;
    }

    /// A client of the whole company with the usual scopes; gives its id.
    async fn client(&self) -> String {
        let scopes = json!(["CUSTOMERS_READ", "VISITS_READ"]);
        let places = json!({ "wholeCompany": true });
        self.world.third_party(scopes, places).await.id
    }

    /// A webhook of a client; gives its id and its secret.
    async fn hook(&self, client: &str, url: &str, kinds: Value) -> (String, String) {
        let input = json!({ "clientId": client, "url": url, "kinds": kinds });
        let made = self.run(CREATE, input).await;
        (text(&made["webhook"]["id"]), text(&made["secret"]))
    }

    async fn customer(&self, store: &str) -> String {
        let input = json!({ "fullName": "Ann Secret", "homeStoreId": store });
        text(&self.run(CUSTOMER, input).await["customer"]["id"])
    }

    async fn read(&self, hook: &str) -> Value {
        let answer = self.gql(READ, json!({ "id": hook })).await;
        answer.data()["webhook"].clone()
    }

    async fn deliveries(&self, hook: &str) -> Vec<Value> {
        let read = self.read(hook).await;
        read["deliveries"]["nodes"].as_array().unwrap().clone()
    }

    /// Waits until the last delivery of a webhook is as it should be.
    async fn until(&self, hook: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let all = self.deliveries(hook).await;
            match all.first() {
                Some(delivery) if is_so(delivery) => return delivery.clone(),
                _ => assert!(begun.elapsed() < Duration::from_secs(30), "{all:#?}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value}"))
        .to_owned()
}

fn tried(times: i64) -> impl Fn(&Value) -> bool {
    move |delivery| delivery["attemptCount"] == times
}

fn stands(state: &'static str) -> impl Fn(&Value) -> bool {
    move |delivery| delivery["state"] == state
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_signed_by_each_secret_and_names_ids_alone() {
    let mut shop = Shop::open().await;
    let receiver = Receiver::start().await;
    let client = shop.client().await;
    let input = json!({ "clientId": client, "url": receiver.url, "kinds": ["CUSTOMER_CREATED"], "idempotencyKey": "1" });
    let made = shop.run(CREATE, input.clone()).await;
    let (hook, first) = (text(&made["webhook"]["id"]), text(&made["secret"]));
    let again = shop.run(CREATE, input).await;
    assert_eq!(again["webhook"]["id"], made["webhook"]["id"]);
    assert_eq!(again["secret"], Value::Null);

    let customer = shop.customer(&shop.world.store).await;
    let message = receiver.wait_for(1).await.remove(0);
    assert!(message.is_signed_by(&first));
    assert_eq!(message.signatures(), 1);
    assert_eq!(message.headers["content-type"], "application/json");
    assert_eq!(message.body["type"], "customer.created");
    assert!(message.body["timestamp"].as_str().unwrap().ends_with('Z'));
    let data = &message.body["data"];
    assert_eq!(data["customerId"], json!(customer));
    assert_eq!(data["subjectId"], json!(customer));
    assert_eq!(data["storeId"], json!(shop.world.store));
    assert!(!message.text.contains("Secret"), "{}", message.text);
    let told = shop.until(&hook, stands("DELIVERED")).await;
    assert_eq!(told["messageId"], json!(message.id()));
    assert_eq!(told["eventPosition"], data["position"]);
    assert_eq!(told["attempts"][0]["status"], 204);

    let rotated = shop
        .run(ROTATE, json!({ "id": hook, "overlapMinutes": 60 }))
        .await;
    let second = text(&rotated["secret"]);
    shop.run(TEST, json!({ "id": hook })).await;
    let message = receiver.wait_for(2).await.remove(1);
    assert_eq!(message.body["type"], "webhook.test");
    assert_eq!(message.body["data"]["subjectId"], json!(hook));
    assert_eq!(message.signatures(), 2);
    assert!(message.is_signed_by(&first) && message.is_signed_by(&second));
    shop.later(TimeDelta::minutes(61)).await;
    shop.run(TEST, json!({ "id": hook })).await;
    let message = receiver.wait_for(3).await.remove(2);
    assert_eq!(message.signatures(), 1);
    assert!(message.is_signed_by(&second));

    let read = shop.read(&hook).await.to_string();
    for secret in [first, second] {
        assert!(!read.contains(&secret[6..20]), "{read}");
    }
    for _ in 0..2 {
        shop.run(ROTATE, json!({ "id": hook })).await;
    }
    let input = json!({ "input": { "id": hook } });
    assert_eq!(shop.gql(ROTATE, input).await.user_errors(), ["TOO_MANY id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_taken_is_tried_again_with_growing_waits() {
    let mut shop = Shop::open().await;
    let (receiver, elsewhere) = (Receiver::start().await, Receiver::start().await);
    let (hook, _) = shop
        .hook(
            &shop.client().await,
            &receiver.url,
            json!(["CUSTOMER_CREATED"]),
        )
        .await;
    receiver.answers(302, &format!("location: {}\r\n", elsewhere.url));
    let customer = shop.customer(&shop.world.store).await;
    let delivery = shop.until(&hook, tried(1)).await;
    assert_eq!(delivery["attempts"][0]["status"], 302);
    assert_eq!(delivery["attempts"][0]["answer"], "heard");
    assert_eq!(elsewhere.got().len(), 0, "a redirect was followed");
    // Not before its time.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(receiver.got().len(), 1);
    receiver.answers(429, "retry-after: 3600\r\n");
    shop.later(TimeDelta::seconds(6)).await;
    shop.until(&hook, tried(2)).await;
    // Five minutes would be usual; the receiver wants an hour.
    shop.later(TimeDelta::minutes(20)).await;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(receiver.got().len(), 2);
    receiver.answers(500, "");
    shop.later(TimeDelta::minutes(50)).await;
    shop.until(&hook, tried(3)).await;
    for (tries, hours) in [(4, 1), (5, 3), (6, 6), (7, 12), (8, 16), (9, 23), (10, 27)] {
        shop.later(TimeDelta::hours(hours)).await;
        shop.until(&hook, tried(tries)).await;
    }
    let delivery = shop.until(&hook, stands("FAILED")).await;
    assert_eq!(delivery["nextAttemptAt"], Value::Null);
    let got = receiver.got();
    assert!(got.iter().all(|message| message.id() == got[0].id()));
    assert!(got.iter().all(|message| message.text == got[0].text));
    let entries =
        "query($id: ID!) { auditEntries(filter: { customer: $id }) { nodes { action } } }";
    let answer = shop.gql(entries, json!({ "id": customer })).await;
    assert!(answer.body.to_string().contains("webhook.delivery_failed"));

    // Once more, by hand: the receiver knows it by its id.
    receiver.answers(200, "");
    let again = json!({ "deliveryId": delivery["id"] });
    shop.run(REPLAY, again.clone()).await;
    shop.until(&hook, stands("DELIVERED")).await;
    assert_eq!(receiver.got()[10].id(), got[0].id());
    assert_eq!(
        shop.deliveries(&hook).await[0]["attempts"]
            .as_array()
            .unwrap()
            .len(),
        11
    );

    // Gone for good.
    receiver.answers(410, "");
    shop.run(REPLAY, again.clone()).await;
    shop.until(&hook, stands("FAILED")).await;
    let read = shop.read(&hook).await;
    assert_eq!(
        (&read["enabled"], &read["disabledReason"]),
        (&json!(false), &json!("GONE"))
    );
    let answer = shop.gql(REPLAY, json!({ "input": again })).await;
    assert_eq!(answer.user_errors(), ["WRONG_STATE deliveryId"]);
    shop.customer(&shop.world.store).await;
    shop.run(ENABLE, json!({ "id": hook })).await;
    receiver.answers(200, "");
    shop.run(TEST, json!({ "id": hook })).await;
    shop.until(&hook, stands("DELIVERED")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_hangs_holds_up_nobody_and_a_customer_is_told_of_in_order() {
    let mut shop = Shop::open().await;
    let (silent, quick) = (Receiver::start().await, Receiver::start().await);
    let client = shop.client().await;
    let kinds = json!(["CUSTOMER_CREATED", "CUSTOMER_CHANGED"]);
    silent.hangs();
    shop.hook(&client, &silent.url, kinds.clone()).await;
    let (hook, _) = shop.hook(&client, &quick.url, kinds).await;
    let begun = Instant::now();
    for _ in 0..8 {
        shop.customer(&shop.world.store).await;
    }
    quick.wait_for(8).await;
    assert!(begun.elapsed() < Duration::from_secs(12), "{begun:?}");
    assert_eq!(silent.got().len(), 4, "few at a time");

    quick.answers(503, "");
    let customer = shop.customer(&shop.world.store).await;
    quick.wait_for(9).await;
    shop.until(&hook, tried(1)).await;
    for (version, name) in [(1, "Ann One"), (2, "Ann Two"), (3, "Ann Three")] {
        let input = json!({ "id": customer, "version": version, "fullName": name });
        shop.run(CHANGE, input).await;
    }
    // Others are told of meanwhile.
    let other = shop.customer(&shop.world.store).await;
    let got = quick.wait_for(10).await;
    assert_eq!(got[9].body["data"]["customerId"], json!(other));
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(quick.got().len(), 10, "what came later has waited");
    quick.answers(200, "");
    shop.later(TimeDelta::seconds(6)).await;
    quick.wait_for(15).await;
    let positions: Vec<i64> = quick.got()[10..]
        .iter()
        .filter(|message| message.body["data"]["customerId"] == json!(customer))
        .map(|message| text(&message.body["data"]["position"]).parse().unwrap())
        .collect();
    assert_eq!(positions.len(), 4);
    assert!(positions.is_sorted(), "{positions:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_is_told_what_it_may_see_and_no_more() {
    let shop = Shop::open().await;
    let here = shop.world.store.clone();
    let input = json!({ "regionId": shop.world.region, "code": "far", "name": "Far" });
    let far = text(&shop.run(STORE, input).await["store"]["id"]);
    let (bound, filtered) = (Receiver::start().await, Receiver::start().await);
    let of_here = shop
        .world
        .third_party(json!(["CUSTOMERS_READ"]), json!({ "storeIds": [here] }))
        .await
        .id;
    let kinds = json!(["CUSTOMER_CREATED"]);
    // More than its scopes let it see it cannot be told of.
    let input = json!({ "clientId": of_here, "url": bound.url, "kinds": ["CUSTOMER_CREATED", "VISIT_RECORDED"] });
    let answer = shop.gql(CREATE, json!({ "input": input })).await;
    assert_eq!(answer.user_errors(), ["NOT_ALLOWED kinds.1"]);
    let input = json!({ "clientId": of_here, "url": bound.url, "kinds": [] });
    let answer = shop.gql(CREATE, json!({ "input": input })).await;
    assert_eq!(answer.user_errors(), ["REQUIRED kinds"]);
    let (of_places, _) = shop.hook(&of_here, &bound.url, kinds.clone()).await;
    let everywhere = shop.client().await;
    let input =
        json!({ "clientId": everywhere, "url": filtered.url, "kinds": kinds, "storeIds": [far] });
    let by_store = text(&shop.run(CREATE, input).await["webhook"]["id"]);

    let (ann, ben) = (shop.customer(&here).await, shop.customer(&far).await);
    let got = bound.wait_for(1).await;
    assert_eq!(got[0].body["data"]["customerId"], json!(ann));
    let got = filtered.wait_for(1).await;
    assert_eq!(got[0].body["data"]["customerId"], json!(ben));
    let stale = json!({ "id": by_store, "version": 7, "storeIds": [] });
    let answer = shop.gql(UPDATE, json!({ "input": stale })).await;
    assert_eq!(answer.user_errors(), ["STALE_VERSION version"]);
    let unknown = json!({ "id": by_store, "version": 1, "storeIds": ["x"] });
    let answer = shop.gql(UPDATE, json!({ "input": unknown })).await;
    assert_eq!(answer.user_errors(), ["NOT_FOUND storeIds.0"]);
    let wider = json!({ "id": by_store, "version": 1, "storeIds": [] });
    assert_eq!(shop.run(UPDATE, wider).await["webhook"]["version"], 2);
    shop.customer(&here).await;
    filtered.wait_for(2).await;
    bound.wait_for(2).await;
    assert_eq!((bound.got().len(), filtered.got().len()), (2, 2));

    // What is in line is looked at again before it goes out.
    let delivery = shop.until(&of_places, stands("DELIVERED")).await;
    let narrower = json!({ "id": of_here, "version": 1, "scopes": ["CATALOG_READ"] });
    shop.run(CLIENT_UPDATE, narrower).await;
    shop.run(REPLAY, json!({ "deliveryId": delivery["id"] }))
        .await;
    shop.until(&of_places, stands("CANCELLED")).await;
    shop.run(CLIENT_DISABLE, json!({ "id": everywhere })).await;
    shop.run(TEST, json!({ "id": by_store })).await;
    shop.until(&by_store, stands("CANCELLED")).await;
    shop.customer(&far).await;
    let off = shop.run(DISABLE, json!({ "id": of_places })).await;
    assert_eq!(off["webhook"]["disabledReason"], "BY_HAND");
    let answer = shop
        .gql(TEST, json!({ "input": { "id": of_places } }))
        .await;
    assert_eq!(answer.user_errors(), ["WRONG_STATE id"]);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!((bound.got().len(), filtered.got().len()), (2, 2));
    // It is there for administrators, by its id too, and for nobody else.
    let node = "query($id: ID!) { node(id: $id) { __typename } }";
    let answer = shop.gql(node, json!({ "id": by_store })).await;
    assert_eq!(answer.data()["node"]["__typename"], "Webhook");
    let answer = shop.gql(node, json!({ "id": delivery["id"] })).await;
    assert_eq!(answer.data()["node"]["__typename"], "WebhookDelivery");
    let (server, manager) = (&shop.world.server.client, shop.world.token("STORE_MANAGER"));
    let answer = server
        .gql(Some(manager), node, json!({ "id": by_store }))
        .await;
    assert_eq!(answer.data()["node"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_into_networks_that_are_not_public() {
    let shop = Shop::open().await;
    let receiver = Receiver::start().await;
    let client = shop.client().await;
    let (numbers, _) = shop
        .hook(&client, &receiver.url, json!(["CUSTOMER_CREATED"]))
        .await;
    let named = receiver.url.replace("127.0.0.1", "localhost");
    let (name, _) = shop
        .hook(&client, &named, json!(["CUSTOMER_CREATED"]))
        .await;
    shop.run(TEST, json!({ "id": name })).await;
    receiver.wait_for(1).await;
    let Shop { world, .. } = shop;
    let World {
        server,
        region,
        store,
        tokens,
        staff,
    } = world;
    // The operator has thought better of it.
    let server = TestServer::start_in(server.stop().await, |_| {}).await;
    let admin = tokens["ADMIN"].clone();
    let world = World {
        server,
        region,
        store,
        tokens,
        staff,
    };
    let shop = Shop { world, admin };
    for url in [
        "http://hooks.example/",
        "https://localhost:8443/",
        "https://127.0.0.1/",
        "https://0x7f.1/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:127.0.0.1]/",
        "https://me:secret@hooks.example/",
        "nonsense",
    ] {
        let input = json!({ "clientId": client, "url": url, "kinds": ["CUSTOMER_CREATED"] });
        let answer = shop.gql(CREATE, json!({ "input": input })).await;
        assert_eq!(answer.user_errors(), ["INVALID url"], "{url}");
    }
    for hook in [numbers, name] {
        shop.run(TEST, json!({ "id": hook })).await;
        let delivery = shop.until(&hook, tried(1)).await;
        assert_eq!(delivery["attempts"][0]["error"], "ADDRESS_REFUSED");
        assert_eq!(delivery["attempts"][0]["status"], Value::Null);
    }
    assert_eq!(receiver.got().len(), 1);
}

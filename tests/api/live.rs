//! What happens is told as it happens: over websockets and as server-sent events, to those who may hear it.

use crate::arrivals::Door;
use crate::support::Client;
use crate::support::socket::{EventStream, Said, Socket, codes};
use crate::support::world::{email, sign_in};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Long enough for what must not come.
const MOMENT: Duration = Duration::from_millis(700);

fn visits(store: &str, after: Option<&str>) -> String {
    let after = after.map_or(String::new(), |after| format!(", after: \"{after}\""));
    format!(
        "subscription {{ visitRecorded(storeId: \"{store}\"{after}) {{ position visit {{ id note }} }} }}"
    )
}

fn arrivals(store: &str) -> String {
    format!(
        "subscription {{ customerArrived(storeId: \"{store}\") {{ position store {{ name }} visit {{ id }} \
         arrival {{ receivedBy {{ name }} }} customer {{ fullName contactPoints {{ value }} }} }} }}"
    )
}

impl Door {
    fn client(&self) -> &Client {
        &self.world.server.client
    }

    async fn socket(&self, role: &str) -> Socket {
        Socket::begin(self.client(), self.world.token(role)).await
    }

    /// Records a visit with a note; gives its id.
    async fn visited(&self, store: &str, note: &str) -> String {
        let input = json!({ "customerId": self.customer, "storeId": store, "note": note });
        let made = self
            .run("ADMIN", "visitRecord", "visit { id }", input)
            .await;
        made["visit"]["id"].as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_serves_in_the_store_hears_who_walks_in() {
    let door = Door::open().await;
    let phone = json!({ "customerId": door.customer, "kind": "MOBILE", "value": "+14155550123" });
    door.run("ADMIN", "contactPointAdd", "contactPoint { id }", phone)
        .await;
    let mut associate = door.socket("ASSOCIATE").await;
    let mut admin = door.socket("ADMIN").await;
    for socket in [&mut associate, &mut admin] {
        socket.subscribe("here", &arrivals(&door.world.store)).await;
    }
    admin.subscribe("there", &arrivals(&door.far)).await;
    associate.subscribe("there", &arrivals(&door.far)).await;
    assert_eq!(associate.refused("there").await, ["BAD_USER_INPUT"]);
    tokio::time::sleep(Duration::from_millis(100)).await;
    // Whom the store has never seen shows their card.
    let input = json!({ "cardNumber": door.card });
    door.run("ASSOCIATE", "customerArrive", "arrival { id }", input)
        .await;
    let told = associate.told("here").await;
    assert_eq!(told["customer"]["fullName"], "Wang Xiaoming");
    assert_eq!(told["store"]["name"], "The Bund");
    assert_eq!(told["arrival"]["receivedBy"]["name"], "The ASSOCIATE");
    assert_eq!(told["visit"], Value::Null);
    // As everywhere: an associate sees contact details in full only of those whom they keep.
    let masked = told["customer"]["contactPoints"][0]["value"].as_str();
    assert_ne!(masked, Some("+14155550123"), "{told}");
    let told = admin.told("here").await;
    assert_eq!(
        told["customer"]["contactPoints"][0]["value"],
        "+14155550123"
    );
    // What was shown in full is in the audit log, under an id of its own.
    let query = "{ auditEntries(first: 5, filter: { action: \"customer.read_contact\" }) { nodes { requestId } } }";
    let entries = door.query("ADMIN", query).await;
    assert_eq!(
        entries["auditEntries"]["nodes"].as_array().unwrap().len(),
        1
    );
    // A visit straight at the till is an arrival too.
    let visit = door.visited(&door.far, "till").await;
    let told = admin.told("there").await;
    assert_eq!(
        (&told["visit"]["id"], &told["arrival"]),
        (&json!(visit), &Value::Null)
    );
    assert_eq!(associate.within(MOMENT).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_goes_on_behind_a_position_without_a_gap() {
    let door = Door::open().await;
    let mut socket = door.socket("ADMIN").await;
    socket.subscribe("v", &visits(&door.far, None)).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let first = door.visited(&door.far, "first").await;
    let told = socket.told("v").await;
    assert_eq!(told["visit"]["id"], first);
    let position = told["position"].as_str().unwrap().to_owned();
    drop(socket);
    let mut missed = Vec::new();
    for n in 0..5 {
        missed.push(door.visited(&door.far, &format!("missed {n}")).await);
        door.visited(&door.world.store, "elsewhere").await;
    }
    // Over a websocket and as a stream, while more happens.
    let mut socket = door.socket("ADMIN").await;
    socket
        .subscribe("v", &visits(&door.far, Some(&position)))
        .await;
    let token = Some(door.world.token("ADMIN"));
    let query = visits(&door.far, Some(&position));
    let mut stream = EventStream::open(door.client(), token, &query).await;
    missed.push(door.visited(&door.far, "now").await);
    for visit in &missed {
        assert_eq!(socket.told("v").await["visit"]["id"], *visit);
        let (kind, told) = stream.next().await.unwrap();
        assert_eq!(kind, "next");
        assert_eq!(told["data"]["visitRecorded"]["visit"]["id"], *visit);
    }
    assert_eq!(socket.within(MOMENT).await, None);
    // A position from nowhere, and one that is no longer kept.
    for (position, why) in [("9000000000", "no position"), ("0", "no longer kept")] {
        if position == "0" {
            door.world
                .server
                .place
                .tamper("delete from event where position <= 3")
                .await;
        }
        socket
            .subscribe("bad", &visits(&door.far, Some(position)))
            .await;
        let errors = socket.expect("error", "bad").await;
        assert_eq!(codes(&errors), ["BAD_USER_INPUT"]);
        assert!(errors[0]["message"].as_str().unwrap().contains(why));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_read_with_its_position_and_what_is_told_behind_it_make_the_whole() {
    let door = Door::open().await;
    let token = door.world.token("ADMIN").to_owned();
    let begun = AtomicBool::new(false);
    let recording = async {
        let mut made = BTreeSet::new();
        // While somebody begins to follow, and some more; the last one says so.
        let mut more = 10;
        while more > 0 {
            more -= i32::from(begun.load(Ordering::SeqCst));
            made.insert(door.visited(&door.far, "one").await);
        }
        made.insert(door.visited(&door.far, "the last").await);
        made
    };
    let following = async {
        let mut seen = BTreeSet::new();
        let query = format!(
            "{{ eventPosition visits(first: 100, filter: {{ storeId: \"{}\" }}) {{ nodes {{ id }} }} }}",
            door.far
        );
        let state = door.query("ADMIN", &query).await;
        begun.store(true, Ordering::SeqCst);
        for visit in state["visits"]["nodes"].as_array().unwrap() {
            seen.insert(visit["id"].as_str().unwrap().to_owned());
        }
        let mut socket = Socket::begin(door.client(), &token).await;
        let position = state["eventPosition"].as_str().unwrap();
        socket
            .subscribe("v", &visits(&door.far, Some(position)))
            .await;
        let mut told = BTreeSet::new();
        loop {
            let visit = socket.told("v").await["visit"].clone();
            let id = visit["id"].as_str().unwrap().to_owned();
            assert!(told.insert(id.clone()), "told twice: {id}");
            seen.insert(id);
            if visit["note"] == "the last" {
                return seen;
            }
        }
    };
    let (made, seen) = tokio::join!(recording, following);
    assert_eq!(made, seen);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_signed_out_hears_nothing_more() {
    let door = Door::open().await;
    let query = visits(&door.world.store, None);
    // By signing out.
    let token = sign_in(door.client(), &email("STORE_MANAGER")).await;
    let mut socket = Socket::begin(door.client(), &token).await;
    socket.subscribe("v", &query).await;
    let mut stream = EventStream::open(door.client(), Some(&token), &query).await;
    let end = "mutation { sessionEndAll(input: { keepPresent: false }) { userErrors { code } } }";
    door.client()
        .gql(Some(&token), end, json!({}))
        .await
        .payload();
    assert_eq!(socket.next().await, Said::Closed(4403));
    assert_eq!(stream.next().await, None);
    // By being switched off.
    let mut socket = door.socket("ASSOCIATE").await;
    socket.subscribe("v", &query).await;
    let input = json!({ "id": door.world.staff["ASSOCIATE"] });
    door.run("ADMIN", "staffDisable", "staff { id }", input)
        .await;
    assert_eq!(socket.next().await, Said::Closed(4403));
    // When the token ends.
    let mut socket = door.socket("REGION_MANAGER").await;
    socket.subscribe("v", &query).await;
    let token = Some(door.world.token("REGION_MANAGER"));
    let mut stream = EventStream::open(door.client(), token, &query).await;
    assert_eq!(socket.within(Duration::from_millis(1500)).await, None);
    door.world.server.clock.advance(TimeDelta::minutes(12));
    assert_eq!(socket.next().await, Said::Closed(4403));
    assert_eq!(stream.next().await, None);
    // With a token of no use, nothing begins.
    let mut socket = Socket::open(door.client()).await;
    let payload = json!({ "authorization": "Bearer eyJhbGciOiJub25lIn0.e30." });
    socket
        .send(json!({ "type": "connection_init", "payload": payload }))
        .await;
    assert_eq!(socket.next().await, Said::Closed(4403));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_loses_a_role_hears_nothing_more_of_what_it_showed() {
    let door = Door::open().await;
    let id = door
        .world
        .create_staff_as("two@shop.example", &json!({ "role": "HEADQUARTERS" }))
        .await;
    let token = sign_in(door.client(), "two@shop.example").await;
    let mut socket = Socket::begin(door.client(), &token).await;
    socket.subscribe("v", &visits(&door.far, None)).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    door.visited(&door.far, "seen").await;
    assert_eq!(socket.told("v").await["visit"]["note"], "seen");
    let input = json!({ "id": id, "version": 1, "grants": [{ "role": "MARKETER" }] });
    door.run("ADMIN", "staffUpdate", "staff { id }", input)
        .await;
    door.visited(&door.far, "unseen").await;
    let payload = socket.expect("next", "v").await;
    assert_eq!(codes(&payload["errors"]), ["FORBIDDEN"]);
    assert!(!payload.to_string().contains("unseen"));
    socket.expect("complete", "v").await;
    // The connection is theirs all the same.
    socket.subscribe("q", "{ viewer { roles { role } } }").await;
    let viewer = socket.told("q").await;
    assert_eq!(viewer["roles"][0]["role"], "MARKETER");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cards_and_exports_are_followed_by_those_who_see_them() {
    let door = Door::open().await;
    let mut admin = door.socket("ADMIN").await;
    let cards = format!(
        "subscription {{ cardChanged(customerId: \"{}\") {{ card {{ number status version id }} }} }}",
        door.customer
    );
    admin.subscribe("cards", &cards).await;
    let mut manager = door.socket("STORE_MANAGER").await;
    manager.subscribe("cards", &cards).await;
    assert_eq!(manager.refused("cards").await, ["BAD_USER_INPUT"]);
    let query = format!(
        "{{ customer(id: \"{}\") {{ cards {{ id version }} }} }}",
        door.customer
    );
    let card = door.query("ADMIN", &query).await["customer"]["cards"][0].clone();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let freeze = format!(
        "mutation {{ cardFreeze(input: {{ cardId: {}, version: {} }}) {{ userErrors {{ code }} }} }}",
        card["id"], card["version"]
    );
    door.query("ADMIN", &freeze).await;
    // That it was issued may be given its place in the order only now.
    while admin.told("cards").await["card"]["status"] != "FROZEN" {}

    let input = json!({ "kind": "CARDS", "idempotencyKey": "live" });
    let made = door
        .run("ADMIN", "exportCreate", "transfer { id }", input)
        .await;
    let job = format!(
        "subscription {{ jobProgressed(id: \"{}\") {{ position transfer {{ state rowsDone }} }} }}",
        made["transfer"]["id"].as_str().unwrap()
    );
    manager.subscribe("job", &job).await;
    assert_eq!(manager.refused("job").await, ["BAD_USER_INPUT"]);
    admin.subscribe("job", &job).await;
    let mut last = Value::Null;
    loop {
        match admin.next().await {
            Said::Message(message) if message["type"] == "next" => {
                last = message["payload"]["data"]["jobProgressed"]["transfer"].clone();
            }
            Said::Message(message) if message["type"] == "complete" => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(last, json!({ "state": "DONE", "rowsDone": 1 }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_keep_the_rules_of_http() {
    let door = Door::open().await;
    let admin = door.world.token("ADMIN");
    let get = async |query: &str, accept: &str| {
        let request = door.client().http().get(door.client().url("/graphql"));
        let request = request.query(&[("query", query)]).bearer_auth(admin);
        request.header("accept", accept).send().await.unwrap()
    };
    let query = visits(&door.far, None);
    let mut stream = EventStream::of(get(&query, "text/event-stream").await);
    tokio::time::sleep(Duration::from_millis(100)).await;
    door.visited(&door.far, "got").await;
    let (_, told) = stream.next().await.unwrap();
    assert_eq!(told["data"]["visitRecorded"]["visit"]["note"], "got");
    let change = "mutation { sessionEndAll(input: { keepPresent: true }) { userErrors { code } } }";
    let answer = get(change, "text/event-stream").await;
    assert_eq!(answer.status().as_u16(), 405);
    // A subscription is no answer in JSON.
    let answer = get(&query, "application/json").await;
    assert_eq!(answer.status().as_u16(), 405);
    let answer = door.client().gql(Some(admin), &query, json!({})).await;
    assert_eq!(
        (answer.status, answer.codes()),
        (400, vec!["BAD_REQUEST".to_owned()])
    );
    // What is refused is told within the stream; a query is one event.
    for (token, query, code) in [
        (
            Some(admin),
            "subscription { no }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
        (
            Some(admin),
            "query A { __typename } query B { __typename }",
            "OPERATION_RESOLUTION_FAILURE",
        ),
        (None, &*query, "UNAUTHENTICATED"),
    ] {
        let mut stream = EventStream::open(door.client(), token, query).await;
        let (kind, told) = stream.next().await.unwrap();
        assert_eq!(
            (kind.as_str(), codes(&told["errors"])),
            ("next", vec![code.to_owned()])
        );
        assert_eq!(
            stream.next().await,
            Some(("complete".to_owned(), Value::Null))
        );
        assert_eq!(stream.next().await, None);
    }
    let mut stream = EventStream::open(door.client(), Some(admin), "{ company { name } }").await;
    let (_, told) = stream.next().await.unwrap();
    assert_eq!(told["data"]["company"]["name"], "My company");
    assert_eq!(stream.next().await.unwrap().0, "complete");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_says_so() {
    let door = Door::open().await;
    let mut socket = door.socket("ADMIN").await;
    socket.subscribe("v", &visits(&door.far, None)).await;
    let token = Some(door.world.token("ADMIN"));
    let mut stream = EventStream::open(door.client(), token, &visits(&door.far, None)).await;
    let Door { world, .. } = door;
    let (_, said) = tokio::join!(world.server.stop(), socket.next());
    assert_eq!(said, Said::Closed(1001));
    assert_eq!(stream.next().await, None);
}

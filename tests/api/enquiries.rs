//! Chats that a customer began: kept as they were said, continued, read page by page.

use crate::arrivals::Door;
use serde_json::{Value, json};

fn said(author: &str, text: &str) -> Value {
    json!({ "author": author, "text": text })
}

impl Door {
    async fn enquire(&self, transcript: Value) -> Value {
        let input = json!({
            "customerId": self.customer, "storeId": self.far, "channel": "ENQUIRY", "transcript": transcript,
        });
        let fields = "visit { id outcome transcript { totalCount nodes { id place author staff { id } text } } }";
        self.run("ADMIN", "visitRecord", fields, input).await["visit"].clone()
    }

    async fn transcript(&self, id: &Value, arguments: &str) -> Value {
        let query = format!(
            "{{ visit(id: {id}) {{ transcript({arguments}) {{ totalCount nodes {{ place text }} \
            pageInfo {{ hasNextPage hasPreviousPage endCursor startCursor }} }} }} }}"
        );
        self.query("ADMIN", &query).await["visit"]["transcript"].clone()
    }
}

fn texts(transcript: &Value) -> Vec<&str> {
    let nodes = transcript["nodes"].as_array().unwrap();
    nodes
        .iter()
        .map(|node| node["text"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_is_kept_and_goes_on() {
    let door = Door::open().await;
    let visit = door
        .enquire(json!([
            said("CUSTOMER", "Do you have pots?"),
            said("STAFF", "Which size?\nWe have two.")
        ]))
        .await;
    assert_eq!(visit["outcome"], "NO_PURCHASE");
    assert_eq!(visit["transcript"]["totalCount"], 2);
    let entries = &visit["transcript"]["nodes"];
    assert_eq!(
        (&entries[0]["author"], &entries[0]["staff"]),
        (&json!("CUSTOMER"), &Value::Null)
    );
    assert_eq!(entries[1]["text"], "Which size?\nWe have two.");
    let continued = json!({
        "visitId": visit["id"], "idempotencyKey": "k-1",
        "entries": [said("CUSTOMER", "The small one"), said("STAFF", "Yes"), said("CUSTOMER", "Thanks")],
    });
    // The network repeats it.
    for _ in 0..2 {
        door.run(
            "ADMIN",
            "enquiryContinue",
            "visit { id }",
            continued.clone(),
        )
        .await;
    }
    let all = door.transcript(&visit["id"], "first: 100").await;
    assert_eq!(all["totalCount"], 5);
    let first = door.transcript(&visit["id"], "first: 2").await;
    assert_eq!(texts(&first)[0], "Do you have pots?");
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let cursor = &first["pageInfo"]["endCursor"];
    let next = door
        .transcript(&visit["id"], &format!("first: 2, after: {cursor}"))
        .await;
    assert_eq!(texts(&next), ["The small one", "Yes"]);
    let last = door.transcript(&visit["id"], "last: 1").await;
    assert_eq!(texts(&last), ["Thanks"]);
    let cursor = &last["pageInfo"]["startCursor"];
    let before = door
        .transcript(&visit["id"], &format!("last: 2, before: {cursor}"))
        .await;
    assert_eq!(texts(&before), ["The small one", "Yes"]);
    let query = format!(
        "{{ node(id: {}) {{ ... on EnquiryEntry {{ text }} }} }}",
        entries[0]["id"]
    );
    assert_eq!(
        door.query("ADMIN", &query).await["node"]["text"],
        "Do you have pots?"
    );
    // Whoever does not see the visit sees nothing of it.
    assert_eq!(door.query("ASSOCIATE", &query).await["node"], Value::Null);
    assert_eq!(
        door.errors("ASSOCIATE", "enquiryContinue", continued).await,
        ["NOT_FOUND visitId"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_at_once_has_places_without_gaps() {
    let door = Door::open().await;
    let visit = door.enquire(json!([])).await;
    let say = |n: i32| {
        let entries = json!([
            said("CUSTOMER", &format!("{n} a")),
            said("STAFF", &format!("{n} b"))
        ]);
        let input = json!({ "visitId": visit["id"], "entries": entries });
        door.run("ADMIN", "enquiryContinue", "visit { id }", input)
    };
    futures_util::future::join_all((0..12).map(say)).await;
    let all = door.transcript(&visit["id"], "first: 100").await;
    let nodes = all["nodes"].as_array().unwrap();
    let places: Vec<i64> = nodes
        .iter()
        .map(|node| node["place"].as_i64().unwrap())
        .collect();
    assert_eq!(places, (1..=24).collect::<Vec<_>>());
    for both in texts(&all).chunks(2) {
        assert_eq!(
            both[0].replace(" a", ""),
            both[1].replace(" b", ""),
            "said together, kept together"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_said_in_an_enquiry_is_refused() {
    let door = Door::open().await;
    let visit = |more: Value| {
        let mut input = json!({ "customerId": door.customer, "storeId": door.far });
        for (field, value) in more.as_object().unwrap() {
            input[field] = value.clone();
        }
        input
    };
    let in_store = visit(json!({ "transcript": [said("STAFF", "Hello")] }));
    assert_eq!(
        door.errors("ADMIN", "visitRecord", in_store).await,
        ["INVALID transcript"]
    );
    let wrong = visit(json!({ "channel": "ENQUIRY", "transcript": [
        said("STAFF", "Hello"), said("STAFF", "  "),
        { "author": "CUSTOMER", "text": "later", "at": "2030-01-01T00:00:00Z" },
        said("CUSTOMER", &"x".repeat(4001)),
    ] }));
    assert_eq!(
        door.errors("ADMIN", "visitRecord", wrong).await,
        [
            "REQUIRED transcript.1.text",
            "OUT_OF_RANGE transcript.2.at",
            "TOO_LONG transcript.3.text"
        ]
    );
    let many: Vec<Value> = (0..201).map(|_| said("STAFF", "Hello")).collect();
    let many = visit(json!({ "channel": "ENQUIRY", "transcript": many }));
    assert_eq!(
        door.errors("ADMIN", "visitRecord", many).await,
        ["TOO_MANY transcript"]
    );
    let made = door
        .run("ADMIN", "visitRecord", "visit { id }", visit(json!({})))
        .await;
    let id = &made["visit"]["id"];
    let on = json!({ "visitId": id, "entries": [said("STAFF", "Hello")] });
    assert_eq!(
        door.errors("ADMIN", "enquiryContinue", on).await,
        ["WRONG_STATE visitId"]
    );
    let nothing = json!({ "visitId": id, "entries": [] });
    assert_eq!(
        door.errors("ADMIN", "enquiryContinue", nothing).await,
        ["REQUIRED entries"]
    );
    // A transcript has an end.
    let visit = door.enquire(json!([])).await;
    let hundreds: Vec<Value> = (0..200).map(|_| said("STAFF", "Hello")).collect();
    let more = json!({ "visitId": visit["id"], "entries": hundreds });
    for _ in 0..10 {
        door.run("ADMIN", "enquiryContinue", "visit { id }", more.clone())
            .await;
    }
    assert_eq!(
        door.errors("ADMIN", "enquiryContinue", more).await,
        ["TOO_MANY entries"]
    );
}

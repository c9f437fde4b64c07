//! Appointments: announced, moved, called off, missed, kept.

use crate::arrivals::{Door, text};
use chrono::TimeDelta;
use entity::values::Clock;
use serde_json::{Value, json};

const FIELDS: &str = "announcedVisit { id version state note expectedAt store { id } attendedBy { id } announcedBy { id } \
    cancelReason arrival { id visit { id } } }";

impl Door {
    /// The input of an appointment at the far customer's in the first store, hours from now.
    fn appointment(&self, hours: i64) -> Value {
        let at = self.world.server.clock.now() + TimeDelta::hours(hours);
        json!({ "customerId": self.customer, "storeId": self.world.store, "expectedAt": at })
    }

    async fn announce(&self, hours: i64, more: Value) -> Value {
        let mut input = self.appointment(hours);
        for (field, value) in more.as_object().unwrap() {
            input[field] = value.clone();
        }
        self.run("ADMIN", "visitAnnounce", FIELDS, input).await["announcedVisit"].clone()
    }

    async fn announced(&self, id: &Value) -> Value {
        let query = format!(
            "{{ node(id: {id}) {{ ... on AnnouncedVisit {{ {} }} }} }}",
            inner()
        );
        self.query("ADMIN", &query).await["node"].clone()
    }
}

fn inner() -> &'static str {
    let inner = FIELDS.strip_prefix("announcedVisit { ");
    inner.and_then(|inner| inner.strip_suffix(" }")).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_prepares_and_the_customer_comes() {
    let mut door = Door::open().await;
    assert!(!door.sees("ASSOCIATE").await);
    let visit = door.announce(26, json!({ "note": "three suits" })).await;
    assert_eq!(
        (&visit["state"], &visit["version"]),
        (&json!("EXPECTED"), &json!(1))
    );
    assert!(door.sees("ASSOCIATE").await, "so that they can prepare");
    let list = "{ announcedVisits(filter: { state: EXPECTED }) { totalCount nodes { note } } }";
    let seen = door.query("ASSOCIATE", list).await;
    assert_eq!(
        seen["announcedVisits"]["nodes"],
        json!([{ "note": "three suits" }])
    );
    // The day before: here by chance, and not as announced.
    let shown = json!({ "cardNumber": door.card });
    let fields = "arrival { id announcedVisit { id } sheet { announcedVisit { id } customer { announcedVisits { id } } } }";
    let early = door
        .run("ASSOCIATE", "customerArrive", fields, shown.clone())
        .await;
    assert_eq!(early["arrival"]["announcedVisit"], Value::Null);
    assert_eq!(early["arrival"]["sheet"]["announcedVisit"], Value::Null);
    let ahead = &early["arrival"]["sheet"]["customer"]["announcedVisits"];
    assert_eq!(ahead, &json!([{ "id": visit["id"] }]));
    door.later(TimeDelta::hours(26)).await;
    let arrival = door.run("ASSOCIATE", "customerArrive", fields, shown).await["arrival"].clone();
    assert_eq!(arrival["announcedVisit"]["id"], visit["id"]);
    assert_eq!(arrival["sheet"]["announcedVisit"]["id"], visit["id"]);
    let now = door.announced(&visit["id"]).await;
    assert_eq!(
        (&now["state"], &now["version"]),
        (&json!("ARRIVED"), &json!(2))
    );
    let record = json!({ "cardNumber": door.card });
    let made = door
        .run("ASSOCIATE", "visitRecord", "visit { id }", record)
        .await;
    let now = door.announced(&visit["id"]).await;
    assert_eq!(now["arrival"]["visit"]["id"], made["visit"]["id"]);
    // One that is over is not changed.
    let change = json!({ "id": visit["id"], "version": 2, "note": "two suits" });
    assert_eq!(
        door.errors("ADMIN", "announcedVisitUpdate", change).await,
        ["WRONG_STATE id"]
    );
    let cancel = json!({ "id": visit["id"], "version": 2 });
    assert_eq!(
        door.errors("ADMIN", "announcedVisitCancel", cancel).await,
        ["WRONG_STATE id"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_goes_straight_to_the_till_has_come_too() {
    let door = Door::open().await;
    let visit = door.announce(2, json!({})).await;
    let record = json!({ "cardNumber": door.card });
    let fields = "visit { id arrival { announcedVisit { id } } }";
    let made = door.run("ASSOCIATE", "visitRecord", fields, record).await["visit"].clone();
    assert_eq!(made["arrival"]["announcedVisit"]["id"], visit["id"]);
    let now = door.announced(&visit["id"]).await;
    assert_eq!(now["state"], "ARRIVED");
    assert_eq!(now["arrival"]["visit"]["id"], made["id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_come_has_missed_it_and_may_be_given_another_day() {
    let mut door = Door::open().await;
    let visit = door.announce(2, json!({})).await;
    // Until midnight they may come still.
    door.later(TimeDelta::hours(15) - TimeDelta::seconds(1))
        .await;
    assert_eq!(door.announced(&visit["id"]).await["state"], "EXPECTED");
    door.later(TimeDelta::seconds(1)).await;
    assert_eq!(door.announced(&visit["id"]).await["state"], "MISSED");
    assert!(!door.sees("ASSOCIATE").await);
    let list = "{ expected: announcedVisits(filter: { state: EXPECTED }) { totalCount } \
        missed: announcedVisits(filter: { state: MISSED }) { totalCount } }";
    let seen = door.query("ADMIN", list).await;
    assert_eq!(seen["expected"]["totalCount"], 0);
    assert_eq!(seen["missed"]["totalCount"], 1);
    let at = door.world.server.clock.now() + TimeDelta::days(3);
    let change = json!({ "id": visit["id"], "version": 1, "expectedAt": at, "note": "again" });
    let changed = door
        .run("ADMIN", "announcedVisitUpdate", FIELDS, change)
        .await;
    assert_eq!(changed["announcedVisit"]["state"], "EXPECTED");
    assert_eq!(changed["announcedVisit"]["note"], "again");
    assert!(door.sees("ASSOCIATE").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_attends_sees_them_until_it_is_called_off() {
    let door = Door::open().await;
    let keeper = door
        .world
        .create_staff("second@shop.example", "ASSOCIATE")
        .await;
    let visit = door.announce(2, json!({ "attendedById": keeper })).await;
    assert_eq!(visit["attendedBy"]["id"], keeper);
    assert!(!door.sees("ASSOCIATE").await, "another one attends to them");
    let change =
        json!({ "id": visit["id"], "version": 1, "attendedById": door.world.staff["ASSOCIATE"] });
    door.run("ADMIN", "announcedVisitUpdate", FIELDS, change.clone())
        .await;
    assert!(door.sees("ASSOCIATE").await);
    let stale = door
        .ask("ADMIN", "announcedVisitUpdate", FIELDS, change)
        .await;
    assert_eq!(stale.user_errors(), ["STALE_VERSION version"]);
    let present = &stale.any_payload()["announcedVisit"];
    assert_eq!(present["version"], 2, "the answer tells how it stands now");
    let cancel = json!({ "id": visit["id"], "version": 2, "reason": "has a cold" });
    let cancelled = door
        .run("ASSOCIATE", "announcedVisitCancel", FIELDS, cancel)
        .await;
    assert_eq!(cancelled["announcedVisit"]["state"], "CANCELLED");
    assert_eq!(cancelled["announcedVisit"]["cancelReason"], "has a cold");
    assert!(!door.sees("ASSOCIATE").await);
    let audit = "{ auditEntries(filter: { action: \"visit.announcement_cancel\" }) { nodes { customerIds detail } } }";
    let seen = door.query("ADMIN", audit).await;
    let entries = &seen["auditEntries"]["nodes"];
    assert_eq!(entries[0]["customerIds"], json!([door.customer]));
    assert!(
        !entries.to_string().contains("cold"),
        "no text in the audit log"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_network_repeats_is_announced_once() {
    let door = Door::open().await;
    let mut input = door.appointment(5);
    input["idempotencyKey"] = json!("k-1");
    let tell = || door.ask("ADMIN", "visitAnnounce", FIELDS, input.clone());
    let told = futures_util::future::join_all((0..8).map(|_| tell())).await;
    let ids: std::collections::BTreeSet<String> = told
        .iter()
        .map(|answer| text(&answer.payload()["announcedVisit"]["id"]))
        .collect();
    assert_eq!(ids.len(), 1);
    let mut other = input.clone();
    other["note"] = json!("something else");
    assert_eq!(
        door.errors("ADMIN", "visitAnnounce", other).await,
        ["IDEMPOTENCY_MISMATCH idempotencyKey"]
    );
    let same = door.appointment(5);
    assert_eq!(
        door.errors("ADMIN", "visitAnnounce", same).await,
        ["TAKEN expectedAt"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_announced_is_refused() {
    let door = Door::open().await;
    let with = |field: &str, value: Value| {
        let mut input = door.appointment(5);
        input[field] = value;
        input
    };
    for (input, errors) in [
        (door.appointment(-1), vec!["OUT_OF_RANGE expectedAt"]),
        (door.appointment(24 * 400), vec!["OUT_OF_RANGE expectedAt"]),
        (with("customerId", json!("x")), vec!["NOT_FOUND customerId"]),
        (with("storeId", json!("x")), vec!["NOT_FOUND storeId"]),
        (
            with("attendedById", json!(door.customer)),
            vec!["NOT_FOUND attendedById"],
        ),
        (with("note", json!("x".repeat(2001))), vec!["TOO_LONG note"]),
        (
            with("idempotencyKey", json!("")),
            vec!["INVALID idempotencyKey"],
        ),
    ] {
        assert_eq!(door.errors("ADMIN", "visitAnnounce", input).await, errors);
    }
    // Whoever attends to them sees them, so nobody is named who does not serve in that store.
    let stranger = json!({ "role": "ASSOCIATE", "storeId": door.far });
    let stranger = door
        .world
        .create_staff_as("stranger@shop.example", &stranger)
        .await;
    for other in [stranger, door.world.staff["ANALYST"].clone()] {
        let input = with("attendedById", json!(other));
        assert_eq!(
            door.errors("ADMIN", "visitAnnounce", input).await,
            ["NOT_ALLOWED attendedById"]
        );
    }
    // Somebody whom one does not see cannot be asked in.
    let unseen = door.appointment(5);
    assert_eq!(
        door.errors("ASSOCIATE", "visitAnnounce", unseen).await,
        ["NOT_FOUND customerId"]
    );
    for n in 0..20 {
        door.announce(30 + n, json!({})).await;
    }
    let more = door.appointment(100);
    assert_eq!(
        door.errors("ADMIN", "visitAnnounce", more).await,
        ["TOO_MANY customerId"]
    );
    let foreign = json!({ "id": "x", "version": 1 });
    assert_eq!(
        door.errors("ADMIN", "announcedVisitCancel", foreign).await,
        ["NOT_FOUND id"]
    );
}

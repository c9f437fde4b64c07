//! Somebody walks in: who is here, what to know of them, and what comes of it.

use crate::support::world::{email, sign_in};
use crate::support::{Answer, World};
use chrono::TimeDelta;
use entity::values::Clock;
use serde_json::{Value, json};

/// A shop with a second store, in which a customer is at home whom the first one has never seen.
pub struct Door {
    pub world: World,
    /// The second store.
    pub far: String,
    /// The customer.
    pub customer: String,
    /// The number of their card.
    pub card: String,
}

fn usd(amount: &str) -> Value {
    json!({ "amount": amount, "currencyCode": "USD" })
}

impl Door {
    pub async fn open() -> Self {
        let world = World::new().await;
        let mut door = Self {
            world,
            far: String::new(),
            customer: String::new(),
            card: String::new(),
        };
        let store = json!({ "regionId": door.world.region, "code": "hill", "name": "The Hill" });
        let store = door
            .run("ADMIN", "storeCreate", "store { id }", store)
            .await;
        door.far = text(&store["store"]["id"]);
        let tiers =
            json!([{ "name": "Member", "spendThreshold": usd("0"), "discountPercent": "0" }]);
        let club = json!({ "code": "club", "name": "Club", "tiers": tiers });
        door.run("ADMIN", "programmeCreate", "programme { id }", club)
            .await;
        let customer = json!({
            "fullName": "Wang Xiaoming", "homeStoreId": door.far, "birthDate": "1990-03-09",
            "tastes": [
                { "aspect": "CATEGORY", "value": "Green tea", "attitude": "LIKES", "provenance": "STATED" },
                { "aspect": "CATEGORY", "value": "Coffee", "attitude": "DISLIKES", "provenance": "NOTED" },
            ],
            "specialDays": [
                { "label": "Wedding", "date": "2015-03-02" },
                { "label": "Autumn", "date": "2015-10-01" },
            ],
        });
        let made = door
            .run("ADMIN", "customerCreate", "customer { id }", customer)
            .await;
        door.customer = text(&made["customer"]["id"]);
        let card = json!({ "customerId": door.customer });
        let card = door
            .run("ADMIN", "cardIssue", "card { number }", card)
            .await;
        door.card = text(&card["card"]["number"]);
        door
    }

    pub async fn ask(&self, role: &str, field: &str, fields: &str, input: Value) -> Answer {
        let query = format!(
            "mutation($input: {}{}Input!) {{ {field}(input: $input) {{ {fields} userErrors {{ code field message }} }} }}",
            field[..1].to_uppercase(),
            &field[1..]
        );
        let token = Some(self.world.token(role));
        let client = &self.world.server.client;
        client.gql(token, &query, json!({ "input": input })).await
    }

    pub async fn run(&self, role: &str, field: &str, fields: &str, input: Value) -> Value {
        self.ask(role, field, fields, input).await.payload().clone()
    }

    /// What comes of an input that is wrong.
    pub async fn errors(&self, role: &str, field: &str, input: Value) -> Vec<String> {
        self.ask(role, field, "__typename", input)
            .await
            .user_errors()
    }

    pub async fn query(&self, role: &str, query: &str) -> Value {
        let token = Some(self.world.token(role));
        let client = &self.world.server.client;
        client.gql(token, query, json!({})).await.data().clone()
    }

    /// Does somebody with this role see the customer?
    pub async fn sees(&self, role: &str) -> bool {
        let query = format!("{{ customer(id: \"{}\") {{ id }} }}", self.customer);
        self.query(role, &query).await["customer"] != Value::Null
    }

    /// Moves the clock, and signs everybody in again whose token has run out by it.
    pub async fn later(&mut self, by: TimeDelta) {
        self.world.server.clock.advance(by);
        for (role, token) in &mut self.world.tokens {
            *token = sign_in(&self.world.server.client, &email(role)).await;
        }
    }

    /// Records a purchase in the second store, days before today.
    async fn bought(&self, days_ago: i64, category: &str, amount: &str) -> Value {
        let at = self.world.server.clock.now() - TimeDelta::days(days_ago);
        let line = json!({ "name": category, "category": category, "amount": usd(amount) });
        let visit = json!({
            "customerId": self.customer, "storeId": self.far, "at": at,
            "purchase": { "lines": [line] },
        });
        let fields = "visit { id purchases { id lines { id } } }";
        self.run("ADMIN", "visitRecord", fields, visit).await["visit"].clone()
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

const SHEET: &str = "arrival { id businessDate receivedBy { id } visit { id } announcedVisit { id } sheet { day \
    daysSinceLastVisit lastVisit { outcome channel } customer { fullName card { number } memberships { tier { name } } } \
    recentPurchases(first: 2) { bought { amount } } openEnquiries { note } likes { value } dislikes { value } \
    favoriteCategories { category receipts net { amount } lastBoughtOn } occasions { on inDays specialDay { label } } \
    announcedVisit { note } } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_shows_their_card_is_known_until_midnight() {
    let mut door = Door::open().await;
    let tea = door.bought(400, "Black tea", "900.00").await;
    assert_ne!(tea, Value::Null);
    door.bought(90, "Green tea", "80.00").await;
    let cups = door.bought(60, "Cups", "50.00").await;
    let back = json!({
        "customerId": door.customer, "storeId": door.far,
        "at": door.world.server.clock.now() - TimeDelta::days(50),
        "purchase": { "returns": [{ "lineId": cups["purchases"][0]["lines"][0]["id"] }] },
    });
    door.run("ADMIN", "visitRecord", "visit { id }", back).await;
    door.bought(40, "Green tea", "20.00").await;
    let asked = json!({
        "customerId": door.customer, "storeId": door.far, "channel": "ENQUIRY", "note": "asked for a pot",
        "at": door.world.server.clock.now() - TimeDelta::days(7),
    });
    door.run("ADMIN", "visitRecord", "visit { id }", asked)
        .await;

    assert!(!door.sees("ASSOCIATE").await);
    let unseen = door
        .errors(
            "ASSOCIATE",
            "customerArrive",
            json!({ "customerId": door.customer }),
        )
        .await;
    assert_eq!(unseen, ["NOT_FOUND customerId"]);
    let shown = json!({ "cardNumber": door.card });
    let arrival = door.run("ASSOCIATE", "customerArrive", SHEET, shown).await["arrival"].clone();
    assert_eq!(arrival["businessDate"], "2026-03-02");
    assert_eq!(arrival["receivedBy"]["id"], door.world.staff["ASSOCIATE"]);
    assert_eq!(
        (&arrival["visit"], &arrival["announcedVisit"]),
        (&Value::Null, &Value::Null)
    );
    let sheet = &arrival["sheet"];
    assert_eq!(sheet["day"], "2026-03-02");
    assert_eq!(sheet["customer"]["fullName"], "Wang Xiaoming");
    assert_eq!(sheet["customer"]["card"]["number"], door.card);
    assert_eq!(
        sheet["customer"]["memberships"][0]["tier"]["name"],
        "Member"
    );
    assert_eq!(sheet["daysSinceLastVisit"], 7);
    assert_eq!(
        sheet["lastVisit"],
        json!({ "outcome": "NO_PURCHASE", "channel": "ENQUIRY" })
    );
    assert_eq!(
        sheet["openEnquiries"],
        json!([{ "note": "asked for a pot" }])
    );
    assert_eq!(
        sheet["recentPurchases"],
        json!([{ "bought": { "amount": "20.00" } }, { "bought": { "amount": "0.00" } }])
    );
    assert_eq!(sheet["likes"], json!([{ "value": "Green tea" }]));
    assert_eq!(sheet["dislikes"], json!([{ "value": "Coffee" }]));
    // What was given back is no favourite, and what was bought more than a year ago neither.
    assert_eq!(
        sheet["favoriteCategories"],
        json!([{ "category": "Green tea", "receipts": 2, "net": { "amount": "100.00" }, "lastBoughtOn": "2026-01-21" }])
    );
    assert_eq!(
        sheet["occasions"],
        json!([
            { "on": "2026-03-02", "inDays": 0, "specialDay": { "label": "Wedding" } },
            { "on": "2026-03-09", "inDays": 7, "specialDay": Value::Null },
        ])
    );
    assert_eq!(sheet["announcedVisit"], Value::Null);

    assert!(door.sees("ASSOCIATE").await);
    let contact = format!(
        "{{ customer(id: \"{}\") {{ contactPoints {{ masked }} arrivalSheet {{ daysSinceLastVisit }} }} }}",
        door.customer
    );
    assert_ne!(
        door.query("ASSOCIATE", &contact).await["customer"],
        Value::Null
    );
    // Nine in the morning and fifteen hours are midnight.
    door.later(TimeDelta::hours(15) - TimeDelta::seconds(1))
        .await;
    assert!(door.sees("ASSOCIATE").await);
    door.later(TimeDelta::seconds(1)).await;
    assert!(!door.sees("ASSOCIATE").await);
    // The manager of the store goes on seeing who was there, and nothing more of them.
    let list = "{ arrivals { totalCount nodes { businessDate customer { id } sheet { day } } } }";
    let seen = door.query("STORE_MANAGER", list).await;
    let gone =
        json!({ "businessDate": "2026-03-02", "customer": Value::Null, "sheet": Value::Null });
    assert_eq!(
        seen["arrivals"],
        json!({ "totalCount": 1, "nodes": [gone] })
    );
    assert_eq!(
        door.query("ASSOCIATE", list).await["arrivals"]["totalCount"],
        0
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_many_times_at_once_it_is_one_arrival_until_a_visit_is_recorded() {
    let door = Door::open().await;
    let shown = json!({ "cardNumber": door.card });
    let tell = || {
        door.run(
            "ASSOCIATE",
            "customerArrive",
            "arrival { id }",
            shown.clone(),
        )
    };
    let told = futures_util::future::join_all((0..16).map(|_| tell())).await;
    let first = told[0]["arrival"]["id"].clone();
    assert!(told.iter().all(|answer| answer["arrival"]["id"] == first));
    let list = "{ arrivals(filter: { recorded: false }) { totalCount nodes { id } } \
        auditEntries(filter: { action: \"customer.arrive\" }) { totalCount } }";
    let seen = door.query("ADMIN", list).await;
    assert_eq!(seen["arrivals"]["totalCount"], 1);
    assert_eq!(
        seen["auditEntries"]["totalCount"], 1,
        "what is no change leaves no entry"
    );

    let visit = json!({ "cardNumber": door.card, "noPurchaseReason": "JUST_LOOKING" });
    let fields = "visit { id arrival { id } }";
    let visit = door.run("ASSOCIATE", "visitRecord", fields, visit).await["visit"].clone();
    assert_eq!(visit["arrival"]["id"], first);
    let again = tell().await["arrival"]["id"].clone();
    assert_ne!(again, first, "they have come another time");
    let query = format!(
        "{{ nodes(ids: [{first}, {again}]) {{ id ... on Arrival {{ visit {{ id }} }} }} \
        done: arrivals(filter: {{ recorded: true, on: \"2026-03-02\", storeId: \"{}\" }}) {{ nodes {{ id }} }} \
        other: arrivals(filter: {{ on: \"2026-03-01\" }}) {{ totalCount }} }}",
        door.world.store
    );
    let seen = door.query("ADMIN", &query).await;
    assert_eq!(
        seen["nodes"][0],
        json!({ "id": first, "visit": { "id": visit["id"] } })
    );
    assert_eq!(
        seen["nodes"][1],
        json!({ "id": again, "visit": Value::Null })
    );
    assert_eq!(seen["done"]["nodes"], json!([{ "id": first }]));
    assert_eq!(seen["other"]["totalCount"], 0);
    // An order on the web is no way in: the arrival waits for what comes of it at the counter.
    let order = json!({ "cardNumber": door.card, "channel": "ONLINE_ORDER" });
    let order = door.run("ASSOCIATE", "visitRecord", fields, order).await["visit"].clone();
    assert_eq!(order["arrival"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_cannot_have_come_is_refused() {
    let door = Door::open().await;
    for (input, errors) in [
        (json!({}), ["REQUIRED customerId"]),
        (
            json!({ "customerId": door.customer, "cardNumber": door.card }),
            ["INVALID cardNumber"],
        ),
        (json!({ "cardNumber": "12" }), ["INVALID cardNumber"]),
        (
            json!({ "customerId": door.world.store }),
            ["NOT_FOUND customerId"],
        ),
        (
            json!({ "cardNumber": door.card, "storeId": door.far }),
            ["NOT_FOUND storeId"],
        ),
    ] {
        let found = door
            .errors("ASSOCIATE", "customerArrive", input.clone())
            .await;
        assert_eq!(found, errors, "{input}");
    }
    let anywhere = json!({ "customerId": door.customer });
    let found = door.errors("ADMIN", "customerArrive", anywhere).await;
    assert_eq!(found, ["REQUIRED storeId"]);
    let query = format!(
        "{{ customer(id: \"{}\") {{ arrivalSheet(storeId: \"{}\") {{ day }} }} }}",
        door.customer, door.customer
    );
    let none = door.query("ADMIN", &query).await;
    assert_eq!(none["customer"]["arrivalSheet"], Value::Null);
    for (field, message) in [
        (
            "occasions(withinDays: 91) { on }",
            "withinDays takes 0 to 90",
        ),
        ("recentPurchases(first: 0) { id }", "first takes 1 to 10"),
    ] {
        let query = format!(
            "{{ customer(id: \"{}\") {{ arrivalSheet {{ {field} }} }} }}",
            door.customer
        );
        let token = Some(door.world.token("ADMIN"));
        let answer = door.world.server.client.gql(token, &query, json!({})).await;
        assert!(format!("{answer:?}").contains(message), "{answer:?}");
    }
}

//! At the counter: a customer joins, shows the card, buys, brings back; told twice, told wrong.

use crate::support::World;
use serde_json::{Value, json};

const RECORD: &str = "mutation($input: VisitRecordInput!) { visitRecord(input: $input) { visit { id outcome businessDate \
    customer { id card { number } memberships { version tier { name } tierChanges { reason netSpend { amount } } } \
    totals { visits receipts bought { amount } returned { amount } net { amount } } } \
    purchases { receipt { source number } lines { id quantity amount { amount } } } } userErrors { code field message } } }";

struct Counter {
    world: World,
    customer: String,
}

impl Counter {
    async fn open() -> Self {
        let world = World::new().await;
        let counter = Self {
            world,
            customer: String::new(),
        };
        let ladder = json!([
            { "name": "Member", "spendThreshold": usd("0"), "discountPercent": "0" },
            { "name": "Silver", "spendThreshold": usd("1000.00"), "discountPercent": "2.50" },
        ]);
        counter
            .run(
                "ADMIN",
                "mutation($input: ProgrammeCreateInput!) { programmeCreate(input: $input) { programme { id } userErrors { code field message } } }",
                json!({ "code": "club", "name": "Club", "tiers": ladder }),
            )
            .await;
        let made = counter
            .run(
                "ASSOCIATE",
                "mutation($input: CustomerCreateInput!) { customerCreate(input: $input) { customer { id } userErrors { code field message } } }",
                json!({ "fullName": "王小明" }),
            )
            .await;
        let customer = made["customer"]["id"].as_str().unwrap().to_owned();
        let issued = counter.issue(&customer, None).await;
        assert_eq!(issued["card"]["status"], "ACTIVE");
        Self {
            customer,
            ..counter
        }
    }

    async fn run(&self, role: &str, query: &str, input: Value) -> Value {
        let client = &self.world.server.client;
        let answer = client
            .gql(
                Some(self.world.token(role)),
                query,
                json!({ "input": input }),
            )
            .await;
        answer.payload().clone()
    }

    async fn issue(&self, customer: &str, key: Option<&str>) -> Value {
        let query = "mutation($input: CardIssueInput!) { cardIssue(input: $input) { card { id number status version } userErrors { code field message } } }";
        let input = json!({ "customerId": customer, "idempotencyKey": key });
        let client = &self.world.server.client;
        let answer = client
            .gql(
                Some(self.world.token("ASSOCIATE")),
                query,
                json!({ "input": input }),
            )
            .await;
        answer.any_payload().clone()
    }

    async fn buy(&self, number: &str, amount: &str) -> Value {
        self.run("ASSOCIATE", RECORD, self.receipt(number, amount))
            .await["visit"]
            .clone()
    }

    fn receipt(&self, number: &str, amount: &str) -> Value {
        json!({
            "customerId": self.customer,
            "purchase": {
                "receipt": { "source": "till-1", "number": number },
                "lines": [{ "name": "Oolong", "quantity": "2", "amount": usd(amount) }],
            },
        })
    }

    async fn errors(&self, input: Value) -> Vec<String> {
        let client = &self.world.server.client;
        let answer = client
            .gql(
                Some(self.world.token("ASSOCIATE")),
                RECORD,
                json!({ "input": input }),
            )
            .await;
        assert_eq!(answer.any_payload()["visit"], Value::Null);
        answer.user_errors()
    }
}

fn usd(amount: &str) -> Value {
    json!({ "amount": amount, "currencyCode": "USD" })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spend_raises_the_tier_and_a_return_takes_it_back() {
    let counter = Counter::open().await;
    let visit = counter.buy("1", "999.99").await;
    assert_eq!(
        visit["customer"]["memberships"][0]["tier"]["name"],
        "Member"
    );
    let visit = counter.buy("2", "0.01").await;
    let membership = &visit["customer"]["memberships"][0];
    assert_eq!(membership["tier"]["name"], "Silver");
    let line = visit["purchases"][0]["lines"][0]["id"].clone();
    let back = json!({ "customerId": counter.customer, "purchase": { "returns": [{ "lineId": line, "quantity": "1" }] } });
    let visit = counter.run("ASSOCIATE", RECORD, back).await["visit"].clone();
    assert_eq!(visit["outcome"], "RETURN");
    let membership = &visit["customer"]["memberships"][0];
    assert_eq!(membership["tier"]["name"], "Member");
    let reasons: Vec<_> = membership["tierChanges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| &change["reason"])
        .collect();
    assert_eq!(reasons, ["ENROLLED", "SPEND_REACHED", "RETURN_UNDID"]);
    assert_eq!(visit["customer"]["totals"]["net"]["amount"], "999.99");
    assert_eq!(visit["customer"]["totals"]["receipts"], 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_network_repeats_happens_once() {
    let counter = Counter::open().await;
    let first = counter.buy("1", "10.00").await;
    let again = counter.buy("1", "10.00").await;
    assert_eq!(first["id"], again["id"]);
    assert_eq!(again["customer"]["totals"]["visits"], 1);
    assert_eq!(
        counter.errors(counter.receipt("1", "11.00")).await,
        ["RECEIPT_CONFLICT purchase.receipt.number"]
    );
    let keyed = |note: &str| json!({ "customerId": counter.customer, "note": note, "idempotencyKey": "k-1" });
    let first = counter.run("ASSOCIATE", RECORD, keyed("a tea")).await;
    let again = counter.run("ASSOCIATE", RECORD, keyed("a tea")).await;
    assert_eq!(first["visit"]["id"], again["visit"]["id"]);
    assert_eq!(
        counter.errors(keyed("another tea")).await,
        ["IDEMPOTENCY_MISMATCH idempotencyKey"]
    );
    // Keys of different callers never meet.
    let other = counter
        .run("STORE_MANAGER", RECORD, keyed("another tea"))
        .await;
    assert_ne!(other["visit"]["id"], first["visit"]["id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_gets_an_error_that_says_where() {
    let counter = Counter::open().await;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut input = counter.receipt("1", "1.00");
        change(&mut input);
        input
    };
    let line = "/purchase/lines/0";
    let set = |path: &str, value: Value| {
        let path = format!("{line}{path}");
        with(&|input| {
            let (parent, member) = path.rsplit_once('/').unwrap();
            input.pointer_mut(parent).unwrap()[member] = value.clone();
        })
    };
    let cases = [
        (
            set("/quantity", json!("-1")),
            "OUT_OF_RANGE purchase.lines.0.quantity",
        ),
        (
            set("/quantity", json!("0")),
            "OUT_OF_RANGE purchase.lines.0.quantity",
        ),
        (
            set("/quantity", json!("1.0001")),
            "OUT_OF_RANGE purchase.lines.0.quantity",
        ),
        (
            set("/amount", usd("-1.00")),
            "OUT_OF_RANGE purchase.lines.0.amount.amount",
        ),
        (
            set("/amount", usd("1.001")),
            "INVALID purchase.lines.0.amount.amount",
        ),
        (
            set(
                "/amount",
                json!({ "amount": "1.00", "currencyCode": "EUR" }),
            ),
            "CURRENCY_MISMATCH purchase.lines.0.amount.currencyCode",
        ),
        (
            set("/name", json!("tea\u{0}")),
            "INVALID purchase.lines.0.name",
        ),
        (
            set("/name", json!("tea\u{202e}")),
            "INVALID purchase.lines.0.name",
        ),
        (
            set("/name", json!("x".repeat(1000))),
            "TOO_LONG purchase.lines.0.name",
        ),
        (
            with(&|input| input["at"] = json!("2999-01-01T00:00:00Z")),
            "OUT_OF_RANGE at",
        ),
        (
            with(&|input| input["customerId"] = json!("bm9uZQ")),
            "NOT_FOUND customerId",
        ),
        (
            with(&|input| input["storeId"] = json!(counter.customer)),
            "NOT_FOUND storeId",
        ),
        (
            with(&|input| input["cardNumber"] = json!("8800000000000000")),
            "INVALID cardNumber",
        ),
    ];
    for (input, expected) in cases {
        assert_eq!(counter.errors(input).await, [expected]);
    }
    let visit = counter.buy("2", "1.00").await;
    assert_eq!(
        visit["customer"]["totals"]["visits"], 1,
        "nothing refused was written"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_card_is_replaced_in_one_step_and_the_old_number_is_dead() {
    let counter = Counter::open().await;
    let number = counter.buy("1", "1.00").await["customer"]["card"]["number"]
        .as_str()
        .unwrap()
        .to_owned();
    let by_card = |number: &str, receipt: &str| {
        let mut input = counter.receipt(receipt, "2.00");
        let object = input.as_object_mut().unwrap();
        object.remove("customerId");
        object.insert("cardNumber".into(), json!(number));
        input
    };
    counter
        .run("ASSOCIATE", RECORD, by_card(&number, "2"))
        .await;
    let second = counter.issue(&counter.customer, None).await;
    assert_eq!(second["userErrors"][0]["code"], "WRONG_STATE");
    let client = &counter.world.server.client;
    let cards = "query($id: ID!) { customer(id: $id) { cards { id number status version } } }";
    let ask = || async {
        let answer = client
            .gql(
                Some(counter.world.token("ASSOCIATE")),
                cards,
                json!({ "id": counter.customer }),
            )
            .await;
        answer.data()["customer"]["cards"].clone()
    };
    let card = ask().await[0].clone();
    let replace = "mutation($input: CardReplaceInput!) { cardReplace(input: $input) { card { number status replaces { status } } userErrors { code field message } } }";
    let input = json!({ "cardId": card["id"], "version": card["version"], "reason": "lost on the tram", "idempotencyKey": "lost-1" });
    let new = counter.run("ASSOCIATE", replace, input.clone()).await["card"].clone();
    assert_eq!(
        (&new["status"], &new["replaces"]["status"]),
        (&json!("ACTIVE"), &json!("REPLACED"))
    );
    assert_ne!(new["number"], json!(number));
    let again = counter.run("ASSOCIATE", replace, input).await["card"].clone();
    assert_eq!(again["number"], new["number"], "the same key replaces once");
    assert_eq!(ask().await.as_array().unwrap().len(), 2);
    assert_eq!(
        counter.errors(by_card(&number, "3")).await,
        ["WRONG_STATE cardNumber"]
    );
    counter
        .run(
            "ASSOCIATE",
            RECORD,
            by_card(new["number"].as_str().unwrap(), "4"),
        )
        .await;
}

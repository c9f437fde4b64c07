//! `regulars doctor --thorough`: each thing that may not agree is found, on both engines.

use crate::support::{Engine, Place, Program, World, program};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn told(place: &Place) -> (bool, String) {
    let output = program::run(place, ["doctor", "--thorough"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), text)
}

async fn ask(world: &World, query: &str, input: Value) -> Value {
    let answer = world
        .server
        .client
        .gql(Some(world.token("ADMIN")), query, json!({ "input": input }))
        .await;
    answer.payload().clone()
}

/// A shop with two customers, a card that was replaced, a purchase of which a part was brought back, and a product.
async fn shop() -> Place {
    let world = World::new().await;
    let usd = |amount: &str| json!({ "amount": amount, "currencyCode": "USD" });
    let mut club = Value::Null;
    for code in ["friends", "club"] {
        let tiers =
            json!([{ "name": "Member", "spendThreshold": usd("0"), "discountPercent": "0" }]);
        let create = "mutation($input: ProgrammeCreateInput!) { programmeCreate(input: $input) { programme { id } userErrors { code field message } } }";
        club = ask(
            &world,
            create,
            json!({ "code": code, "name": code, "tiers": tiers }),
        )
        .await["programme"]["id"]
            .clone();
    }
    let create = "mutation($input: CustomerCreateInput!) { customerCreate(input: $input) { customer { id } userErrors { code field message } } }";
    let first = ask(&world, create, json!({ "fullName": "Ann" })).await["customer"]["id"].clone();
    ask(&world, create, json!({ "fullName": "Bob" })).await;
    let issue = "mutation($input: CardIssueInput!) { cardIssue(input: $input) { card { id version } userErrors { code field message } } }";
    let card = ask(
        &world,
        issue,
        json!({ "customerId": first, "programmeId": club }),
    )
    .await["card"]
        .clone();
    let replace = "mutation($input: CardReplaceInput!) { cardReplace(input: $input) { card { id } userErrors { code field message } } }";
    ask(
        &world,
        replace,
        json!({ "cardId": card["id"], "version": card["version"], "reason": "lost" }),
    )
    .await;
    let record = "mutation($input: VisitRecordInput!) { visitRecord(input: $input) { visit { purchases { lines { id } } } userErrors { code field message } } }";
    let lines = json!([
        { "name": "Tea", "quantity": "2", "amount": usd("20.00") },
        { "name": "Cup", "quantity": "1", "amount": usd("5.00") },
    ]);
    let sold = ask(
        &world,
        record,
        json!({ "customerId": first, "storeId": world.store, "purchase": { "lines": lines } }),
    )
    .await;
    let line = &sold["visit"]["purchases"][0]["lines"][0]["id"];
    ask(
        &world,
        record,
        json!({ "customerId": first, "storeId": world.store,
            "purchase": { "returns": [{ "lineId": line, "quantity": "1" }] } }),
    )
    .await;
    let define = "mutation($input: AttributeCreateInput!) { attributeCreate(input: $input) { attribute { id } userErrors { code field message } } }";
    let height = json!({ "key": "height", "name": "Height", "kind": "INTEGER" });
    let height = ask(&world, define, height).await["attribute"]["id"].clone();
    let set = "mutation($input: CustomerAttributeSetInput!) { customerAttributeSet(input: $input) { attribute { id } userErrors { code field message } } }";
    ask(
        &world,
        set,
        json!({ "customerId": first, "attributeId": height, "value": { "integer": 180 }, "provenance": "STATED" }),
    )
    .await;
    let product = "mutation($input: ProductCreateInput!) { productCreate(input: $input) { product { id } userErrors { code field message } } }";
    ask(
        &world,
        product,
        json!({ "sku": "TEA-1", "names": [{ "language": "en", "text": "Tea" }], "listPrice": usd("10.00") }),
    )
    .await;
    let place = world.server.stop().await;
    // A server whose clock goes gives all events their positions.
    let mut program = Program::serve(&place);
    let began = Instant::now();
    while told(&place).1.contains("wait for their positions") {
        assert!(began.elapsed() < Duration::from_secs(30), "events wait");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    program.signal("TERM");
    assert!(program.ended(Duration::from_secs(30)));
    place
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_does_not_agree_is_found() {
    let place = shop().await;
    let (is_well, text) = told(&place);
    let has_failed = text.lines().any(|line| line.starts_with("fail"));
    assert!(is_well && !has_failed, "{text}");
    for line in [
        "ok    returns        undo no more than was bought",
        "ok    events         have positions without a gap",
        "ok    completeness   agrees with what is in the files",
        "ok    sums           2 customers, 2 visits, 2 purchases of 1500 minor units net",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let (sqlite, postgres) = (Some(Engine::Sqlite), Some(Engine::Postgres));
    // One after the other: what was found before is found still.
    let breaches = [
        (
            None,
            "update customer_total set bought_minor = bought_minor + 1",
            "fail  totals         2 customer(s) whose totals are not the sums",
        ),
        (
            None,
            "delete from customer_total",
            "fail  totals         2 visit(s) of customers who have no totals",
        ),
        (
            None,
            "update purchase set returned_minor = returned_minor + 1 where bought_minor > 0",
            "fail  receipts       1 purchase(s) whose sums are not those of their lines",
        ),
        (
            None,
            "update purchase set customer_id = (select id from customer where full_name = 'Bob')",
            "fail  receipts       2 purchase(s) of another customer",
        ),
        (
            None,
            "update purchase_line set quantity_milli = -3000 where returns_line_id is not null",
            "fail  returns        1 line(s) of which more was given back",
        ),
        (
            None,
            "drop index card_one_active; update card set status = 'ACTIVE'",
            "fail  cards          1 membership(s) with more than one active card",
        ),
        (
            None,
            "update card set customer_id = (select id from customer where full_name = 'Bob')",
            "fail  cards          2 card(s) of another customer",
        ),
        (
            None,
            "update membership set tier_id = (select tier.id from tier join programme on programme.id = tier.programme_id \
             where programme.code = 'friends')",
            "fail  memberships    1 membership(s) with a tier of another programme",
        ),
        (
            None,
            "update customer_attribute set number = null",
            "fail  attributes     1 value(s) of a number or a day",
        ),
        (
            None,
            "update customer set completeness = completeness + 1 where full_name = 'Ann'",
            "fail  completeness   1 customer(s) whose score is not what their file gives",
        ),
        (
            None,
            "delete from customer_search where customer_id = (select id from customer where full_name = 'Ann')",
            "fail  search         1 customer(s) whom the search does not find",
        ),
        (
            None,
            "delete from product_search",
            "fail  search         1 product(s) that the search does not find",
        ),
        (
            sqlite,
            "delete from customer_search_index_docsize",
            "fail  search         1 row(s) of the search whose words are not in the index",
        ),
        (
            None,
            "insert into event (position, kind, subject_id, at, actor_kind, payload) \
             select position + 2, kind, subject_id, at, actor_kind, payload from event order by position desc limit 1",
            "fail  events         1 gap(s)",
        ),
        (
            None,
            "update lease set position = 1 where name = 'sequencer'",
            "fail  events         1 lease(s)",
        ),
        (
            postgres,
            "update pg_index set indisvalid = false where indexrelid = 'card_customer'::regclass",
            "fail  indexes        1 index(es)",
        ),
        (
            postgres,
            "set session_replication_role = replica; delete from store",
            "row(s) of visit refer to nothing by store_id",
        ),
    ];
    for (only, statement, found) in breaches {
        if only.is_some_and(|only| only != Engine::of_this_run()) {
            continue;
        }
        place.tamper(statement).await;
        let (is_well, text) = told(&place);
        assert!(!is_well && text.contains(found), "{statement}: {text}");
    }
}

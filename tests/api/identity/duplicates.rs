//! Duplicates are found by what two files share, told as a word; an export holds everything.

use super::{Shop, each};
use crate::support::Answer;
use crate::support::world::{PASSWORD, sign_in};
use entity::values::Clock;
use serde_json::{Value, json};

const PAIRS: &str = "query($first: Int, $after: String) { customerDuplicates(first: $first, after: $after) { totalCount \
    nodes { first { id } second { id } reasons } pageInfo { hasNextPage endCursor } } }";

async fn ask(shop: &Shop, query: &str, variables: Value) -> Answer {
    shop.client.gql(Some(&shop.admin), query, variables).await
}

/// What the ids of pairs lead to, for whoever asks.
async fn by_ids(shop: &Shop, ids: &Value) -> Value {
    let nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on DuplicatePair { reasons } } }";
    let answer = ask(shop, nodes, json!({ "ids": ids })).await;
    answer.data()["nodes"].clone()
}

async fn pairs(shop: &Shop) -> Value {
    ask(shop, PAIRS, json!({})).await.data()["customerDuplicates"].clone()
}

fn mobile(number: &str) -> Value {
    json!([{ "kind": "MOBILE", "value": number }])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_files_are_told_by_what_they_share() {
    let shop = Shop::open().await;
    let born = |points: Value| json!({ "birthDate": "1990-06-15", "contactPoints": points });
    // They share an address, too, and are one pair all the same.
    let two = |number: &str| {
        let mut points = mobile(number);
        let mail = json!({ "kind": "EMAIL", "value": "zoe@example.com" });
        points.as_array_mut().unwrap().push(mail);
        points
    };
    let a = shop
        .customer("Zoë Müller", born(two("+8613800138000")))
        .await;
    let b = shop
        .customer("zoe  muller", born(two("+86 138-0013-8000")))
        .await;
    // The same name and another day; the same day and another name; an address that was removed.
    shop.customer("Zoe Muller", json!({ "birthDate": "1990-06-16" }))
        .await;
    shop.customer("Zoe Miller", json!({ "birthDate": "1990-06-15" }))
        .await;
    let c = shop
        .customer(
            "Carla Gamma",
            json!({ "contactPoints": mobile("+8613800138000") }),
        )
        .await;
    let found = pairs(&shop).await;
    assert_eq!(found["totalCount"], 3);
    let both = json!(["CONTACT_POINT", "NAME_AND_BIRTH_DATE"]);
    let one = json!(["CONTACT_POINT"]);
    let pair = |first: &str, second: &str, reasons: &Value| json!({ "first": { "id": first }, "second": { "id": second }, "reasons": reasons });
    assert_eq!(
        found["nodes"],
        json!([pair(&a, &b, &both), pair(&a, &c, &one), pair(&b, &c, &one)])
    );
    // Page by page the same, each once.
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = ask(&shop, PAIRS, json!({ "first": 1, "after": after })).await;
        let page = page.data()["customerDuplicates"].clone();
        seen.extend(page["nodes"].as_array().unwrap().clone());
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            break;
        }
    }
    assert_eq!(json!(seen), found["nodes"]);
    let own = "query($id: ID!) { customer(id: $id) { possibleDuplicates { first { id } second { id } reasons } } }";
    let answer = ask(&shop, own, json!({ "id": c })).await;
    assert_eq!(
        answer.data()["customer"]["possibleDuplicates"],
        json!([pair(&a, &c, &one), pair(&b, &c, &one)])
    );
    // Each has an id that leads to it.
    let answer = ask(
        &shop,
        "{ customerDuplicates { nodes { id reasons } } }",
        json!({}),
    )
    .await;
    let known = answer.data()["customerDuplicates"]["nodes"].clone();
    let ids: Value = known
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["id"].clone())
        .collect();
    assert_eq!(by_ids(&shop, &ids).await, known);
    // A mother and her daughter.
    let two = json!({ "customerId": c, "otherId": a });
    shop.run("customerDuplicateDismiss", "customer { id }", two.clone())
        .await;
    shop.run("customerDuplicateDismiss", "customer { id }", two)
        .await;
    assert_eq!(pairs(&shop).await["totalCount"], 2);
    let mut left = known;
    left[1] = Value::Null;
    assert_eq!(by_ids(&shop, &ids).await, left, "the two are two");
    // What was changed is told anew, and what was merged no longer.
    let change = json!({ "id": b, "version": 1, "birthDate": "1990-06-17" });
    shop.run("customerUpdate", "customer { id }", change).await;
    assert_eq!(pairs(&shop).await["nodes"][0]["reasons"], one);
    let merge = shop.merge(&a, &b).await;
    assert_eq!(pairs(&shop).await["totalCount"], 0);
    assert_eq!(shop.undo(&merge).await, Vec::<String>::new());
    assert_eq!(pairs(&shop).await["totalCount"], 2);
    let wrong = json!({ "customerId": a, "otherId": a });
    let wrong = shop.ask("customerDuplicateDismiss", "customer { id }", wrong);
    assert_eq!(wrong.await.user_errors(), ["INVALID otherId"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_learns_of_customers_out_of_sight() {
    let shop = Shop::open().await;
    let store = json!({ "regionId": shop.world.region, "code": "quay", "name": "The Quay" });
    let store = shop.run("storeCreate", "store { id }", store).await["store"]["id"].clone();
    let hire = json!({ "email": "quay@shop.example", "name": "Quay", "password": PASSWORD,
        "grants": [{ "role": "STORE_MANAGER", "storeId": store }] });
    shop.run("staffCreate", "staff { id }", hire).await;
    let number = mobile("+8613800138000");
    shop.customer("Anna Alpha", json!({ "contactPoints": number }))
        .await;
    let own = json!({ "contactPoints": number, "homeStoreId": store });
    let own = shop.customer("Anna Beta", own).await;
    let answer = ask(&shop, "{ customerDuplicates { nodes { id } } }", json!({})).await;
    let id = json!([answer.data()["customerDuplicates"]["nodes"][0]["id"]]);
    assert_ne!(by_ids(&shop, &id).await[0], Value::Null);
    let quay = sign_in(&shop.client, "quay@shop.example").await;
    let quay = Shop {
        admin: quay,
        ..shop
    };
    assert_eq!(pairs(&quay).await["totalCount"], 0);
    assert_eq!(pairs(&quay).await["nodes"], json!([]));
    assert_eq!(by_ids(&quay, &id).await, json!([null]));
    let query = "query($id: ID!) { customer(id: $id) { fullName possibleDuplicates { reasons } } }";
    let answer = ask(&quay, query, json!({ "id": own })).await;
    assert_eq!(answer.data()["customer"]["possibleDuplicates"], json!([]));
    // An associate, who could make a customer with a number to learn whose it is, is told nothing.
    let associate = Shop {
        admin: quay.world.token("ASSOCIATE").to_owned(),
        ..quay
    };
    assert_eq!(by_ids(&associate, &id).await, json!([null]));
    let answer = ask(
        &associate,
        "{ customers { nodes { possibleDuplicates { reasons } } } }",
        json!({}),
    )
    .await;
    assert!(
        answer.codes().contains(&"FORBIDDEN".to_owned()),
        "{}",
        answer.body
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_holds_everything_and_is_written_down() {
    let shop = Shop::open().await;
    let input = json!({
        "birthDate": "1990-06-15", "employer": "Tea House",
        "contactPoints": mobile("+8613800138000"),
        "tastes": [{ "aspect": "BRAND", "value": "Acme", "attitude": "LIKES", "provenance": "STATED" }],
        "specialDays": [{ "label": "Anniversary", "date": "2015-05-20" }],
    });
    let a = shop.customer("Anna Alpha", input).await;
    let b = shop
        .customer("Anna Beta", json!({ "motive": "a gift" }))
        .await;
    let point = shop.all(&a).await["contactPoints"][0]["id"].clone();
    let consent = json!({ "contactPointId": point, "purpose": "CARE", "granted": true, "method": "IN_STORE" });
    shop.run("consentRecord", "consent { __typename }", consent)
        .await;
    let note = json!({ "customerId": a, "text": "likes tea" });
    shop.run("customerNoteAdd", "note { id }", note).await;
    let group = json!({ "name": "Tea tasters" });
    let group = shop.run("groupCreate", "group { id }", group).await["group"]["id"].clone();
    let both = json!({ "customerId": a, "groupId": group });
    shop.run("groupJoin", "member { id }", both).await;
    let height = json!({ "key": "height", "name": "Height", "kind": "DECIMAL", "unit": "cm" });
    let height = shop
        .run("attributeCreate", "attribute { id }", height)
        .await;
    let height = json!({ "customerId": a, "attributeId": height["attribute"]["id"], "provenance": "NOTED",
        "value": { "decimal": "182.5" } });
    shop.run("customerAttributeSet", "attribute { id }", height)
        .await;
    let card = shop.card(&a).await;
    let store = &shop.world.store;
    let at = shop.world.server.clock.now() + chrono::TimeDelta::days(1);
    let visit = json!({ "customerId": a, "storeId": store, "expectedAt": at });
    shop.run("visitAnnounce", "announcedVisit { id }", visit)
        .await;
    let here = json!({ "customerId": a, "storeId": store });
    shop.run("customerArrive", "arrival { id }", here).await;
    // A chat that ended with a purchase.
    let mut chat = shop.receipt(json!({ "customerId": a }), "1", "12.00");
    chat["channel"] = json!("ENQUIRY");
    chat["transcript"] = json!([{ "author": "CUSTOMER", "text": "Is it in stock?" }]);
    shop.record(chat).await;
    shop.merge(&a, &b).await;
    let query = "query($id: ID!) { customerDataExport(id: $id) { format version content } }";
    let answer = ask(&shop, query, json!({ "id": a })).await;
    let export = &answer.data()["customerDataExport"];
    assert_eq!(export["format"], "regulars.customer");
    assert_eq!(export["version"], 1);
    let content: Value = serde_json::from_str(export["content"].as_str().unwrap()).unwrap();
    for (table, path) in regulars::domain::identity::export::HELD {
        let held = content.pointer(path).unwrap_or(&Value::Null);
        // No import has named this customer.
        let empty = held.is_null() || *held == json!([]);
        assert_eq!(empty, *table == "customer_reference", "{table} at {path}");
    }
    assert_eq!(content["files"][0]["fullName"], "Anna Alpha");
    assert_eq!(content["files"][1]["fullName"], "Anna Beta");
    assert_eq!(content["contactPoints"][0]["value"], "+8613800138000");
    assert_eq!(
        content["memberships"][0]["cards"][0]["number"],
        card["number"]
    );
    assert_eq!(
        content["visits"][0]["purchases"][0]["lines"][0]["amountMinor"],
        1200
    );
    assert_eq!(content["notes"][0]["text"], "likes tea");
    assert_eq!(content["attributes"][0]["key"], "height");
    assert_eq!(content["attributes"][0]["value"], "182.5 cm");
    assert_eq!(content["groups"][0]["group"], "Tea tasters");
    // By its former id it is the same file.
    let former = ask(&shop, query, json!({ "id": b })).await;
    assert_ne!(former.data()["customerDataExport"], Value::Null);
    let audit =
        "{ auditEntries(filter: { action: \"customer.export\" }) { nodes { customerIds } } }";
    let entries = ask(&shop, audit, json!({})).await.data()["auditEntries"]["nodes"].clone();
    assert_eq!(each(&entries, "customerIds"), [&json!([a]), &json!([a])]);
    let nobody = ask(&shop, query, json!({ "id": "bm9uZQ" })).await;
    assert_eq!(nobody.data()["customerDataExport"], Value::Null);
}

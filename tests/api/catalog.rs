//! The catalogue: categories, products and their prices.

use crate::support::{Answer, World};
use chrono::TimeDelta;
use entity::values::Clock;
use serde_json::{Value, json};

const ERRORS: &str = "userErrors { code field message }";

/// Makes a change as a role; the answer.
async fn ask(world: &World, role: &str, field: &str, object: &str, input: Value) -> Answer {
    let name = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
    let query =
        format!("mutation($input: {name}!) {{ {field}(input: $input) {{ {object} {ERRORS} }} }}");
    let client = &world.server.client;
    let variables = json!({ "input": input });
    client.gql(Some(world.token(role)), &query, variables).await
}

/// As [`ask`] as headquarters; the payload, which has no user errors.
async fn change(world: &World, field: &str, object: &str, input: Value) -> Value {
    let answer = ask(world, "HEADQUARTERS", field, object, input).await;
    answer.payload().clone()
}

/// As [`ask`] as headquarters; the codes of the user errors with their fields.
async fn refused(world: &World, field: &str, input: Value) -> Vec<String> {
    let answer = ask(world, "HEADQUARTERS", field, "", input).await;
    answer.user_errors()
}

async fn data(world: &World, role: &str, query: &str) -> Value {
    let client = &world.server.client;
    let answer = client.gql(Some(world.token(role)), query, json!({})).await;
    answer.data().clone()
}

fn usd(amount: &str) -> Value {
    json!({ "amount": amount, "currencyCode": "USD" })
}

async fn category(world: &World, code: &str, parent: Option<&str>) -> String {
    let names = json!([{ "language": "en", "text": code }]);
    let input = json!({ "code": code, "names": names, "parentId": parent });
    let made = change(world, "categoryCreate", "category { id }", input).await;
    made["category"]["id"].as_str().unwrap().to_owned()
}

/// Makes a product with fields beside the needed ones; gives its id.
async fn product(world: &World, sku: &str, names: Value, more: Value) -> String {
    let mut input = json!({ "sku": sku, "names": names, "listPrice": usd("20.00") });
    for (field, value) in more.as_object().unwrap() {
        input[field] = value.clone();
    }
    let made = change(world, "productCreate", "product { id }", input).await;
    made["product"]["id"].as_str().unwrap().to_owned()
}

/// The SKUs that a filter finds, in their order.
async fn found(world: &World, arguments: &str) -> Vec<String> {
    let query = format!("{{ products({arguments}) {{ totalCount nodes {{ sku }} }} }}");
    let data = data(world, "ASSOCIATE", &query).await;
    let nodes = data["products"]["nodes"].as_array().unwrap();
    let skus: Vec<String> = nodes
        .iter()
        .map(|node| node["sku"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(data["products"]["totalCount"], skus.len(), "{arguments}");
    skus
}

fn english(text: &str) -> Value {
    json!([{ "language": "en", "text": text }])
}

/// Four products in a tree of categories.
async fn fill(world: &World) -> (String, String) {
    let tea = category(world, "tea", None).await;
    let green = category(world, "green", Some(&tea)).await;
    let names = json!([{ "language": "en", "text": "Dragon Well" }, { "language": "ZH", "text": "龙井茶" }]);
    let more = json!({ "categoryId": green, "brand": "Hupao Spring", "series": "Before Qingming", "memberOnly": true,
        "barcode": "036000291452", "unitCost": usd("7.50"), "introducedOn": "2026-03-01" });
    product(world, "TEA-1", names, more).await;
    let more = json!({ "categoryId": tea, "brand": "Hupao Spring", "introducedOn": "2025-03-01" });
    product(world, "TEA-2", english("Assam"), more).await;
    let more = json!({ "discountable": false });
    product(world, "CUP", english("Zisha cup"), more).await;
    let old = product(
        world,
        "OLD",
        english("Brick tea"),
        json!({ "categoryId": tea }),
    )
    .await;
    change(
        world,
        "productArchive",
        "product { archivedAt }",
        json!({ "id": old, "version": 1 }),
    )
    .await;
    (tea, green)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_are_found_by_whatever_is_known_of_them() {
    let world = World::new().await;
    let (tea, green) = fill(&world).await;
    for (arguments, skus) in [
        ("", &["TEA-2", "TEA-1", "CUP"][..]),
        ("orderBy: { field: SKU }", &["CUP", "TEA-1", "TEA-2"]),
        (
            "orderBy: { field: SKU, direction: DESC }",
            &["TEA-2", "TEA-1", "CUP"],
        ),
        (
            "orderBy: { field: INTRODUCED_ON, direction: DESC }",
            &["TEA-1", "TEA-2"],
        ),
        ("filter: { query: \"dragonwell\" }", &["TEA-1"]),
        ("filter: { query: \"龙井\" }", &["TEA-1"]),
        ("filter: { query: \"hupao\" }", &["TEA-2", "TEA-1"]),
        ("filter: { query: \"qingming\" }", &["TEA-1"]),
        ("filter: { query: \"tea-2\" }", &["TEA-2"]),
        ("filter: { query: \"0036000291452\" }", &["TEA-1"]),
        ("filter: { query: \"brick\" }", &[]),
        ("filter: { query: \"brick\", archived: true }", &["OLD"]),
        ("filter: { sku: \"CUP\" }", &["CUP"]),
        ("filter: { sku: \"cup\" }", &[]),
        ("filter: { barcode: \"0-36000-29145-2\" }", &["TEA-1"]),
        ("filter: { barcode: \"036000291453\" }", &[]),
        (
            "filter: { brand: \"Hupao Spring\", series: \"Before Qingming\" }",
            &["TEA-1"],
        ),
        ("filter: { memberOnly: true }", &["TEA-1"]),
        ("filter: { discountable: false }", &["CUP"]),
        ("filter: { introducedFrom: \"2025-03-02\" }", &["TEA-1"]),
        ("filter: { introducedTo: \"2025-03-01\" }", &["TEA-2"]),
        (
            &format!("filter: {{ categoryId: \"{tea}\" }}"),
            &["TEA-2", "TEA-1"],
        ),
        (
            &format!("filter: {{ categoryId: \"{green}\" }}"),
            &["TEA-1"],
        ),
        ("filter: { categoryId: \"x\" }", &[]),
    ] {
        let arguments = if arguments.is_empty() {
            "first: 10"
        } else {
            arguments
        };
        assert_eq!(found(&world, arguments).await, skus, "{arguments}");
    }
    // Page by page, there and back.
    let mut after = Value::Null;
    let mut seen = Vec::new();
    loop {
        let query = format!(
            "{{ products(first: 1, after: {after}) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ sku }} }} }}"
        );
        let page = data(&world, "ANALYST", &query).await["products"].take();
        seen.push(page["nodes"][0]["sku"].clone());
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(json!(seen), json!(["TEA-2", "TEA-1", "CUP"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_product_is_shown_as_it_was_made() {
    let world = World::new().await;
    let (_, green) = fill(&world).await;
    let fields = "id sku name zh: name(language: \"zh-CN\") fr: name(language: \"fr\") names { language text } brand series \
        barcode listPrice { amount currencyCode } unitCost { amount } introducedOn memberOnly discountable archivedAt version \
        category { code name parts { code } parent { code parts { code } } }";
    let query = format!("{{ products(filter: {{ sku: \"TEA-1\" }}) {{ nodes {{ {fields} }} }} }}");
    let shown = data(&world, "STORE_MANAGER", &query).await["products"]["nodes"][0].take();
    let id = shown["id"].clone();
    let expected = json!({ "id": id, "sku": "TEA-1", "name": "Dragon Well", "zh": "龙井茶", "fr": "Dragon Well",
        "names": [{ "language": "en", "text": "Dragon Well" }, { "language": "zh", "text": "龙井茶" }],
        "brand": "Hupao Spring", "series": "Before Qingming", "barcode": "0036000291452",
        "listPrice": usd("20.00"), "unitCost": { "amount": "7.50" }, "introducedOn": "2026-03-01", "memberOnly": true,
        "discountable": true, "archivedAt": null, "version": 1,
        "category": { "code": "green", "name": "green", "parts": [],
            "parent": { "code": "tea", "parts": [{ "code": "green" }] } } });
    assert_eq!(shown, expected);
    for query in [
        format!("{{ product(id: {id}) {{ {fields} }} }}"),
        format!("{{ product: node(id: {id}) {{ ... on Product {{ {fields} }} }} }}"),
    ] {
        assert_eq!(data(&world, "ADMIN", &query).await["product"], expected);
    }
    // What it cost the shop is for managers.
    let client = &world.server.client;
    let query = format!("{{ product(id: {id}) {{ unitCost {{ amount }} }} }}");
    let answer = client
        .gql(Some(world.token("ASSOCIATE")), &query, json!({}))
        .await;
    assert_eq!(answer.codes(), ["FORBIDDEN"]);
    let answer = client
        .gql(
            Some(world.token("ADMIN")),
            "{ products { nodes { name(language: \"x\") } } }",
            json!({}),
        )
        .await;
    assert_eq!(answer.codes()[0], "BAD_USER_INPUT");
    let all = data(&world, "ANALYST", "{ categories { code parent { code } } }").await;
    assert_eq!(
        all["categories"],
        json!([{ "code": "green", "parent": { "code": "tea" } }, { "code": "tea", "parent": null }])
    );
    // Changed, cleared, and what is left out stays.
    let input = json!({ "id": id, "version": 1, "series": null, "barcode": "73513537", "categoryId": null,
        "names": [{ "language": "ko", "text": "용정차" }] });
    let made = change(
        &world,
        "productUpdate",
        "product { name series barcode brand version category { id } }",
        input,
    )
    .await;
    assert_eq!(
        made["product"],
        json!({ "name": "용정차", "series": null, "barcode": "0000073513537", "brand": "Hupao Spring", "version": 2,
            "category": null })
    );
    assert_eq!(
        found(&world, "filter: { query: \"용정\" }").await,
        ["TEA-1"]
    );
    assert_eq!(
        found(&world, "filter: { query: \"dragon\" }").await,
        [""; 0]
    );
    let stale = json!({ "id": id, "version": 1, "brand": "Another" });
    let answer = ask(
        &world,
        "ADMIN",
        "productUpdate",
        "product { version brand }",
        stale,
    )
    .await;
    assert_eq!(answer.user_errors(), ["STALE_VERSION version"]);
    let product = &answer.any_payload()["product"];
    assert_eq!(*product, json!({ "version": 2, "brand": "Hupao Spring" }));
    // A line of a receipt leads to the product that it names.
    let make = json!({ "fullName": "Ann", "homeStoreId": world.store });
    let made = ask(&world, "ADMIN", "customerCreate", "customer { id }", make).await;
    let visit = json!({ "customerId": made.payload()["customer"]["id"], "storeId": world.store,
        "purchase": { "lines": [{ "sku": "TEA-1", "amount": usd("19.00") }, { "sku": "GONE", "amount": usd("1.00") }] } });
    let lines = "visit { purchases { lines { sku product { id } } } }";
    let made = ask(&world, "ADMIN", "visitRecord", lines, visit).await;
    assert_eq!(
        made.payload()["visit"]["purchases"][0]["lines"],
        json!([{ "sku": "TEA-1", "product": { "id": id } }, { "sku": "GONE", "product": null }])
    );
    // A category that was put away takes no product.
    change(
        &world,
        "categoryArchive",
        "category { archivedAt }",
        json!({ "id": green, "version": 1 }),
    )
    .await;
    let input = json!({ "id": id, "version": 2, "categoryId": green });
    assert_eq!(
        refused(&world, "productUpdate", input).await,
        ["WRONG_STATE categoryId"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_price_holds_from_its_moment_on() {
    let world = World::new().await;
    let id = product(&world, "TEA", english("Tea"), json!({})).await;
    let price = "price { id listPrice { amount } validFrom setBy { id } }";
    let now = world.server.clock.now();
    let set = async |amount: &str, from: Option<TimeDelta>| {
        let from = from.map(|later| now + later);
        let input = json!({ "productId": id, "listPrice": usd(amount), "validFrom": from });
        ask(&world, "HEADQUARTERS", "productPriceSet", price, input).await
    };
    let holds = async || {
        let query = format!("{{ product(id: \"{id}\") {{ listPrice {{ amount }} }} }}");
        data(&world, "ASSOCIATE", &query).await["product"]["listPrice"]["amount"].take()
    };
    assert_eq!(holds().await, "20.00");
    // Within the life of an access token.
    let soon = TimeDelta::minutes(2);
    let answer = set("25.00", Some(soon)).await;
    let later = answer.payload()["price"].clone();
    assert_eq!(later["setBy"]["id"], world.staff["HEADQUARTERS"]);
    let then = set("30.00", Some(soon * 2)).await.payload()["price"].clone();
    assert_eq!(holds().await, "20.00");
    for (amount, from, error) in [
        ("26.00", Some(soon), "TAKEN validFrom"),
        (
            "26.00",
            Some(TimeDelta::seconds(-1)),
            "OUT_OF_RANGE validFrom",
        ),
        ("-1.00", None, "OUT_OF_RANGE listPrice"),
        ("1.001", None, "INVALID listPrice.amount"),
    ] {
        assert_eq!(set(amount, from).await.user_errors(), [error], "{amount}");
    }
    // The price that holds then anyway is no change.
    assert_eq!(
        set("25.00", Some(soon * 3 / 2)).await.payload()["price"],
        later
    );
    world
        .server
        .clock
        .advance(soon - TimeDelta::microseconds(1));
    assert_eq!(holds().await, "20.00");
    world.server.clock.advance(TimeDelta::microseconds(1));
    assert_eq!(holds().await, "25.00");
    // What holds stays in the history; what is to come can be taken back.
    let cancel = async |price: &Value| {
        let input = json!({ "id": price["id"] });
        let object =
            "product { listPrice { amount } prices { totalCount nodes { listPrice { amount } } } }";
        ask(&world, "HEADQUARTERS", "productPriceCancel", object, input).await
    };
    assert_eq!(cancel(&later).await.user_errors(), ["WRONG_STATE id"]);
    let left = cancel(&then).await;
    assert_eq!(
        left.payload()["product"],
        json!({ "listPrice": { "amount": "25.00" }, "prices": { "totalCount": 2,
            "nodes": [{ "listPrice": { "amount": "25.00" } }, { "listPrice": { "amount": "20.00" } }] } })
    );
    assert_eq!(cancel(&then).await.user_errors(), ["NOT_FOUND id"]);
    let gone = data(
        &world,
        "ADMIN",
        &format!("{{ node(id: {}) {{ id }} }}", then["id"]),
    )
    .await;
    assert_eq!(gone["node"], Value::Null);
    // Amounts are kept in the company's currency from now on.
    let input = json!({ "version": 1, "currencyCode": "EUR" });
    let answer = ask(&world, "ADMIN", "companyUpdate", "", input).await;
    assert_eq!(answer.user_errors(), ["WRONG_STATE currencyCode"]);
    let input =
        json!({ "productId": id, "listPrice": { "amount": "1.00", "currencyCode": "EUR" } });
    assert_eq!(
        refused(&world, "productPriceSet", input).await,
        ["CURRENCY_MISMATCH listPrice.currencyCode"]
    );
    // Every change left an entry behind.
    let entries = data(
        &world,
        "ADMIN",
        "{ auditEntries(first: 20) { nodes { action } } }",
    )
    .await;
    let entries = entries["auditEntries"].to_string();
    for action in [
        "product.create",
        "product.price_set",
        "product.price_cancel",
    ] {
        assert!(
            entries.contains(&format!("\"{action}\"")),
            "{action}: {entries}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_product_is_refused() {
    let world = World::new().await;
    let barcode = json!({ "barcode": "4006381333931" });
    product(&world, "TEA", english("Tea"), barcode).await;
    let long = "x".repeat(1_000_000);
    for (field, value, error) in [
        ("sku", json!("TEA"), "TAKEN sku"),
        ("sku", json!(" "), "REQUIRED sku"),
        ("sku", json!("a\u{0}b"), "INVALID sku"),
        ("sku", json!("a\u{202e}b"), "INVALID sku"),
        ("sku", json!("x".repeat(65)), "TOO_LONG sku"),
        ("names", json!([]), "REQUIRED names"),
        (
            "names",
            json!([{ "language": "english", "text": "a" }]),
            "INVALID names",
        ),
        (
            "names",
            json!([{ "language": "en", "text": long }]),
            "TOO_LONG names",
        ),
        (
            "names",
            json!([{ "language": "en", "text": "a" }, { "language": "EN", "text": "b" }]),
            "INVALID names",
        ),
        ("barcode", json!("04006381333931"), "TAKEN barcode"),
        ("barcode", json!("4006381333932"), "INVALID barcode"),
        ("brand", json!("x".repeat(101)), "TOO_LONG brand"),
        ("categoryId", json!(world.store), "NOT_FOUND categoryId"),
        ("unitCost", usd("-0.01"), "OUT_OF_RANGE unitCost"),
        ("listPrice", usd("10000000000.01"), "OUT_OF_RANGE listPrice"),
        (
            "introducedOn",
            json!("1899-12-31"),
            "OUT_OF_RANGE introducedOn",
        ),
    ] {
        let mut input = json!({ "sku": "NEW", "names": english("New"), "listPrice": usd("1.00") });
        input[field] = value;
        assert_eq!(refused(&world, "productCreate", input).await, [error]);
    }
    assert_eq!(found(&world, "first: 10").await, ["TEA"]);
    let nowhere = json!({ "id": world.store, "version": 1 });
    assert_eq!(
        refused(&world, "productUpdate", nowhere).await,
        ["NOT_FOUND id"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tree_has_no_circle_and_an_end() {
    let world = World::new().await;
    let mut chain = vec![category(&world, "level-1", None).await];
    for level in 2..=8 {
        let parent = chain.last().unwrap();
        let made = category(&world, &format!("level-{level}"), Some(parent)).await;
        chain.push(made);
    }
    let input = json!({ "code": "level-9", "names": english("9"), "parentId": chain[7] });
    assert_eq!(
        refused(&world, "categoryCreate", input).await,
        ["OUT_OF_RANGE parentId"]
    );
    let top = category(&world, "top", None).await;
    for (id, parent, error) in [
        (&chain[0], &chain[0], "INVALID parentId"),
        (&chain[0], &chain[7], "INVALID parentId"),
        (&chain[0], &top, "OUT_OF_RANGE parentId"),
        (&top, &world.store, "NOT_FOUND parentId"),
    ] {
        let input = json!({ "id": id, "version": 1, "parentId": parent });
        assert_eq!(refused(&world, "categoryUpdate", input).await, [error]);
    }
    let input = json!({ "code": "top", "names": english("Again") });
    assert_eq!(
        refused(&world, "categoryCreate", input).await,
        ["TAKEN code"]
    );
    // Moved with all its parts, and back to the top.
    let input = json!({ "id": chain[4], "version": 1, "parentId": top });
    let moved = change(
        &world,
        "categoryUpdate",
        "category { version parent { code } parts { code } }",
        input,
    )
    .await;
    assert_eq!(
        moved["category"],
        json!({ "version": 2, "parent": { "code": "top" }, "parts": [{ "code": "level-6" }] })
    );
    let input = json!({ "id": chain[4], "version": 2, "parentId": null });
    let moved = change(
        &world,
        "categoryUpdate",
        "category { parent { code } }",
        input,
    )
    .await;
    assert_eq!(moved["category"]["parent"], Value::Null);
    // Two moves at once that would close a circle together: one of them is refused.
    let (one, other) = (
        category(&world, "one", None).await,
        category(&world, "other", None).await,
    );
    let put = |id: &str, parent: &str| json!({ "id": id, "version": 1, "parentId": parent });
    let (first, second) = tokio::join!(
        ask(&world, "ADMIN", "categoryUpdate", "", put(&one, &other)),
        ask(
            &world,
            "HEADQUARTERS",
            "categoryUpdate",
            "",
            put(&other, &one)
        ),
    );
    let mut errors = first.user_errors();
    errors.extend(second.user_errors());
    assert_eq!(errors, ["INVALID parentId"]);
}

//! An erased person is found nowhere, and the sums stay.

use super::Shop;
use crate::support::Program;
use crate::support::program::succeed;
use crate::support::world::{email, sign_in};
use async_graphql::parser::types::{ServiceDocument, TypeKind, TypeSystemDefinition};
use regulars::graphql::root;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::File;
use std::process::Stdio;

/// What stands in every field that holds something personal.
const PLANT: &str = "qzxplant";
/// A number that nobody else has.
const PHONE: &str = "13987650123";

/// Fields of inputs in which the test below plants.
const PLANTED: &[&str] = &[
    "AddressInput.city",
    "AddressInput.lines",
    "AddressInput.postalCode",
    "AnnouncedVisitCancelInput.reason",
    "AnnouncedVisitUpdateInput.note",
    "AttributeValueInput.text",
    "CardIssueInput.idempotencyKey",
    "CardReplaceInput.idempotencyKey",
    "CardReplaceInput.reason",
    "CardStepInput.reason",
    "ConsentRecordInput.evidence",
    "ContactPointAddInput.label",
    "ContactPointAddInput.value",
    "ContactPointUpdateInput.label",
    "CustomerConfirmInput.idempotencyKey",
    "CustomerContactPointInput.label",
    "CustomerContactPointInput.value",
    "CustomerCreateInput.buyingPurpose",
    "CustomerCreateInput.employer",
    "CustomerCreateInput.fullName",
    "CustomerCreateInput.idempotencyKey",
    "CustomerCreateInput.motive",
    "CustomerCreateInput.occupation",
    "CustomerCreateInput.position",
    "CustomerCreateInput.regionName",
    "CustomerCreateInput.salutation",
    "CustomerCreateInput.statedNeed",
    "CustomerMergeInput.idempotencyKey",
    "CustomerNoteAddInput.text",
    "CustomerSpecialDayInput.label",
    "CustomerSpecialDayInput.person",
    "CustomerTasteInput.value",
    "CustomerUpdateInput.buyingPurpose",
    "CustomerUpdateInput.employer",
    "CustomerUpdateInput.fullName",
    "CustomerUpdateInput.motive",
    "CustomerUpdateInput.occupation",
    "CustomerUpdateInput.position",
    "CustomerUpdateInput.regionName",
    "CustomerUpdateInput.salutation",
    "CustomerUpdateInput.statedNeed",
    "EnquiryContinueInput.idempotencyKey",
    "EnquiryEntryInput.text",
    "IncomeInput.reason",
    "PurchaseLineInput.discountReason",
    "SpecialDayAddInput.label",
    "SpecialDayAddInput.person",
    "TasteAddInput.value",
    "VisitAnnounceInput.idempotencyKey",
    "VisitAnnounceInput.note",
    "VisitRecordInput.idempotencyKey",
    "VisitRecordInput.note",
];

/// Fields in which nothing can be planted, or that stay on purpose.
const NOT_PLANTED: &[(&str, &str)] = &[
    ("AddressInput.country", "a code of a list"),
    ("AttributeValueInput.choice", "a key of a list"),
    ("AttributeValueInput.choices", "keys of a list"),
    ("CustomerArriveInput.cardNumber", "only looked up"),
    ("CustomerCreateInput.birthDate", "a date"),
    ("CustomerCreateInput.language", "a tag of a language"),
    ("CustomerSpecialDayInput.date", "a date"),
    ("CustomerUpdateInput.birthDate", "a date"),
    ("CustomerUpdateInput.language", "a tag of a language"),
    ("MoneyInput.currencyCode", "a code of a list"),
    ("PurchaseLineInput.brand", "what was sold"),
    ("PurchaseLineInput.category", "what was sold"),
    ("PurchaseLineInput.name", "what was sold"),
    ("PurchaseLineInput.sku", "what was sold"),
    ("ReceiptInput.number", "the shop's books"),
    ("ReceiptInput.source", "the shop's books"),
    ("SpecialDayAddInput.date", "a date"),
    ("VisitRecordInput.cardNumber", "only looked up"),
];

/// Mutations that concern no customer.
const OTHER_TOPICS: [&str; 16] = [
    "session",
    "password",
    "company",
    "region",
    "store",
    "staff",
    "category",
    "product",
    "programme",
    "job",
    // What it is called is of a program.
    "client",
    // Where somebody else is told of ids.
    "webhook",
    // What defines them is of the shop; what they say of a customer is another mutation.
    "attribute",
    // What it says is of the group; who is in it are ids.
    "group",
    // What they name is a kind of data, never a customer.
    "export",
    "transfer",
];

/// The fields with text of the inputs that mutations of customers take.
fn text_fields(document: &ServiceDocument) -> BTreeSet<String> {
    let types = || {
        document
            .definitions
            .iter()
            .filter_map(|definition| match definition {
                TypeSystemDefinition::Type(of_type) => Some(&of_type.node),
                _ => None,
            })
    };
    let bare = |text: &str| text.replace(['!', '[', ']'], "");
    let mut waiting: Vec<String> = types()
        .filter(|of_type| of_type.name.node == "Mutation")
        .filter_map(|of_type| match &of_type.kind {
            TypeKind::Object(object) => Some(&object.fields),
            _ => None,
        })
        .flatten()
        .filter(|field| {
            let name = field.node.name.node.as_str();
            !OTHER_TOPICS.iter().any(|topic| name.starts_with(topic))
        })
        .flat_map(|field| &field.node.arguments)
        .map(|argument| bare(&argument.node.ty.node.to_string()))
        .collect();
    let (mut seen, mut found) = (BTreeSet::new(), BTreeSet::new());
    while let Some(name) = waiting.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        for of_type in types().filter(|of_type| of_type.name.node == name.as_str()) {
            let TypeKind::InputObject(input) = &of_type.kind else {
                continue;
            };
            for field in &input.fields {
                let of = bare(&field.node.ty.node.to_string());
                if of == "String" {
                    found.insert(format!("{name}.{}", field.node.name.node));
                }
                waiting.push(of);
            }
        }
    }
    found
}

#[test]
fn every_text_that_the_api_takes_is_planted_or_stays_on_purpose() {
    let document = async_graphql::parser::parse_schema(root::sdl()).unwrap();
    let decided: BTreeSet<String> = PLANTED
        .iter()
        .copied()
        .chain(NOT_PLANTED.iter().map(|(field, _)| *field))
        .map(str::to_owned)
        .collect();
    assert_eq!(text_fields(&document), decided);
}

/// A text that is found again, another one each time.
fn plant() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{PLANT}{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

fn file() -> Value {
    json!({
        "fullName": format!("{} {}", plant(), plant()), "salutation": plant(), "birthDate": "1990-06-15",
        "regionName": plant(), "employer": plant(), "position": plant(), "occupation": plant(),
        "buyingPurpose": plant(), "statedNeed": plant(), "motive": plant(),
        "address": { "lines": [plant()], "postalCode": plant(), "city": plant(), "country": "CN" },
        "income": { "band": "LOW", "provenance": "ESTIMATED", "reason": plant() },
    })
}

/// Makes a customer in whom something is planted in every field; gives their id.
async fn planted(shop: &Shop, receipt: &str) -> String {
    let mut input = file();
    input["idempotencyKey"] = json!(plant());
    input["contactPoints"] = json!([
        { "kind": "EMAIL", "value": format!("{}@example.com", plant()), "label": plant() },
        { "kind": "MOBILE", "value": format!("+86{PHONE}") },
    ]);
    input["tastes"] = json!([{ "aspect": "BRAND", "value": plant(), "attitude": "LIKES", "provenance": "STATED" }]);
    input["specialDays"] = json!([{ "label": plant(), "person": plant(), "date": "2015-05-20" }]);
    let id = shop.customer(&plant(), input).await;
    let mut change = file();
    change["id"] = json!(id);
    change["version"] = json!(1);
    shop.run("customerUpdate", "customer { id }", change).await;
    for kind in ["QQ", "WECHAT"] {
        // One is removed again, and kept for its consent.
        let value = if kind == "QQ" {
            "12345678".to_owned()
        } else {
            plant()
        };
        let point = json!({ "customerId": id, "kind": kind, "value": value, "label": plant() });
        let point = shop
            .run("contactPointAdd", "contactPoint { id }", point)
            .await;
        let point = point["contactPoint"]["id"].clone();
        let label = json!({ "id": point, "label": plant() });
        shop.run("contactPointUpdate", "contactPoint { id }", label)
            .await;
        let consent = json!({ "contactPointId": point, "purpose": "CARE", "granted": true, "method": "IMPORT", "evidence": plant() });
        shop.run("consentRecord", "consent { __typename }", consent)
            .await;
        if kind == "WECHAT" {
            shop.run(
                "contactPointRemove",
                "customer { id }",
                json!({ "id": point }),
            )
            .await;
        }
    }
    let confirm = json!({ "customerId": id, "fields": ["FULL_NAME"], "idempotencyKey": plant() });
    shop.run("customerConfirm", "customer { id }", confirm)
        .await;
    let note = json!({ "customerId": id, "text": plant() });
    shop.run("customerNoteAdd", "note { id }", note).await;
    let taste = json!({ "customerId": id, "aspect": "HOBBY", "value": plant(), "attitude": "LIKES", "provenance": "NOTED" });
    shop.run("tasteAdd", "taste { id }", taste).await;
    let key = format!("motto{receipt}");
    let motto = json!({ "key": key, "name": "Motto", "kind": "TEXT" });
    let motto = shop.run("attributeCreate", "attribute { id }", motto).await;
    for provenance in ["STATED", "NOTED", "STATED"] {
        let value = json!({ "customerId": id, "attributeId": motto["attribute"]["id"], "provenance": provenance,
            "value": { "text": plant() } });
        shop.run("customerAttributeSet", "attribute { id }", value)
            .await;
    }
    let day =
        json!({ "customerId": id, "label": plant(), "person": plant(), "date": "2016-05-20" });
    shop.run("specialDayAdd", "specialDay { id }", day).await;
    let card = json!({ "customerId": id, "idempotencyKey": plant() });
    let card = shop.run("cardIssue", "card { id }", card).await;
    let card = card["card"]["id"].clone();
    let step = json!({ "cardId": card, "version": 1, "reason": plant() });
    shop.run("cardReportLost", "card { id }", step).await;
    let new = json!({ "cardId": card, "version": 2, "reason": plant(), "idempotencyKey": plant() });
    shop.run("cardReplace", "card { id }", new).await;
    let mut visit = shop.receipt(json!({ "customerId": id }), receipt, "1200.00");
    visit["note"] = json!(plant());
    visit["idempotencyKey"] = json!(plant());
    visit["purchase"]["lines"][0]["discountReason"] = json!(plant());
    shop.record(visit).await;
    announced(shop, &id).await;
    id
}

/// Plants in what somebody asked, and in the visits that are announced for them.
async fn announced(shop: &Shop, customer: &str) {
    let store = &shop.world.store;
    let entry = || json!([{ "author": "CUSTOMER", "text": plant() }]);
    let chat = json!({ "customerId": customer, "storeId": store, "channel": "ENQUIRY", "transcript": entry() });
    let chat = shop.record(chat).await["id"].clone();
    let more = json!({ "visitId": chat, "entries": entry(), "idempotencyKey": plant() });
    shop.run("enquiryContinue", "visit { id }", more).await;
    for ends in [true, false] {
        let at = chrono::Utc::now() + chrono::TimeDelta::days(if ends { 3 } else { 4 });
        let visit = json!({ "customerId": customer, "storeId": store, "expectedAt": at, "note": plant(),
            "idempotencyKey": plant() });
        let made = shop
            .run("visitAnnounce", "announcedVisit { id }", visit)
            .await;
        let id = made["announcedVisit"]["id"].clone();
        let change = json!({ "id": id, "version": 1, "note": plant() });
        shop.run("announcedVisitUpdate", "announcedVisit { id }", change)
            .await;
        if ends {
            let cancel = json!({ "id": id, "version": 2, "reason": plant() });
            shop.run("announcedVisitCancel", "announcedVisit { id }", cancel)
                .await;
        }
    }
    let here = json!({ "customerId": customer, "storeId": store });
    shop.run("customerArrive", "arrival { id }", here).await;
}

/// What the sums are made of: how many visits, what was bought on them, by which ids.
async fn sums(shop: &Shop) -> Value {
    let query = "{ visits(first: 20) { totalCount nodes { id at businessDate outcome \
        purchases { id receipt { source number } bought { amount } lines { id name quantity amount { amount } } } } } }";
    let answer = shop.client.gql(Some(&shop.admin), query, json!({})).await;
    answer.data()["visits"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_planted_is_found_nowhere_and_the_sums_stay() {
    let shop = Shop::open().await;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let program = Program::serve_with(&shop.world.server.place, |command| {
        let log = File::create(&log).unwrap();
        command
            .env("REGULARS_LOG", "debug")
            .stderr(Stdio::from(log));
    });
    let shop = Shop {
        client: program.client.clone(),
        admin: sign_in(&program.client, &email("ADMIN")).await,
        ..shop
    };
    let place = &shop.world.server.place;
    // One person with three files: two made by hand, one by an import.
    let one = planted(&shop, "1").await;
    let other = planted(&shop, "2").await;
    let csv = folder.path().join("purchases.csv");
    let row = format!("{PLANT}-external,{PLANT} imported,2025-02-03,1,20.00\n");
    std::fs::write(
        &csv,
        format!("customer_id,name,date,quantity,amount\n{row}"),
    )
    .unwrap();
    let import = || {
        let map = "customer=customer_id,name=name,date=date,quantity=quantity,amount=amount";
        let csv = csv.display().to_string();
        let arguments = ["import", "purchases", &csv, "--map", map, "--store", "bund"];
        succeed(place, arguments)
    };
    import();
    let found =
        "query($name: String!) { customers(filter: { name: $name }) { totalCount nodes { id } } }";
    let ask = async |name: &str| {
        let variables = json!({ "name": name });
        let answer = shop.client.gql(Some(&shop.admin), found, variables).await;
        answer.data()["customers"].clone()
    };
    let imported = ask("imported").await["nodes"][0]["id"].clone();
    let imported = imported.as_str().unwrap().to_owned();
    let friend = json!({ "referredById": one, "giftFromId": one });
    let friend = shop.customer("A Friend", friend).await;
    let mut pair = shop.pair(&one, &other).await;
    pair["idempotencyKey"] = json!(plant());
    shop.run("customerMerge", "merge { id }", pair).await;
    let made = shop.merge(&one, &imported).await;
    let card = shop.all(&one).await["cards"].as_array().unwrap().clone();
    let card = card.iter().find(|card| card["status"] == "ACTIVE").unwrap()["number"].clone();

    let club = json!({ "name": "Tea tasters" });
    let club = shop.run("groupCreate", "group { id }", club).await["group"]["id"].clone();
    for id in [&one, &friend] {
        let both = json!({ "customerId": id, "groupId": club });
        shop.run("groupJoin", "member { id }", both).await;
    }
    let in_group = json!({ "id": one });
    let in_group = shop
        .client
        .gql(
            Some(&shop.admin),
            "query($id: ID!) { customer(id: $id) { groups { id } } }",
            in_group,
        )
        .await;
    let in_group = in_group.data()["customer"]["groups"][0]["id"].clone();

    let before = sums(&shop).await;
    assert_eq!(before["totalCount"], 5);
    assert!(
        !place.holding(PLANT).await.is_empty(),
        "what is sought can be found"
    );
    assert!(!place.holding(PHONE).await.is_empty());
    let input = |version: Value| json!({ "id": one, "version": version, "reason": "REQUESTED" });
    let stale = shop.ask("customerErase", "erasedId", input(json!(1))).await;
    assert_eq!(stale.user_errors(), ["STALE_VERSION version"]);
    let version = shop.all(&one).await["version"].clone();
    let erased = shop.run("customerErase", "erasedId", input(version)).await;
    assert_eq!(erased["erasedId"], json!(one));

    let card_number = card.as_str().unwrap();
    for text in [PLANT, PHONE, card_number] {
        assert_eq!(place.holding(text).await, Vec::<String>::new(), "{text}");
    }
    assert_eq!(sums(&shop).await, before);
    for id in [&one, &other, &imported] {
        assert_eq!(shop.all(id).await, Value::Null);
    }
    let node =
        "query($id: ID!) { node(id: $id) { id } visits(first: 5) { nodes { customer { id } } } }";
    let answer = shop
        .client
        .gql(Some(&shop.admin), node, json!({ "id": one }))
        .await;
    assert_eq!(answer.data()["node"], Value::Null);
    let of = super::each(&answer.data()["visits"]["nodes"], "customer");
    assert_eq!(of, [&Value::Null; 5]);
    // Of the group, nobody is left but the friend; the membership is nobody's.
    let members = "query($id: ID!, $member: ID!) { group(id: $id) { memberCount members { nodes { customer { id } } } \
        former: members(filter: FORMER) { totalCount } } node(id: $member) { id } }";
    let variables = json!({ "id": club, "member": in_group });
    let answer = shop.client.gql(Some(&shop.admin), members, variables).await;
    let expected = json!({ "memberCount": 1, "members": { "nodes": [{ "customer": { "id": friend } }] },
        "former": { "totalCount": 0 } });
    assert_eq!(answer.data()["group"], expected);
    assert_eq!(answer.data()["node"], Value::Null);
    let friend = shop.all(&friend).await;
    assert_eq!(friend["referredBy"], Value::Null);
    assert_eq!(shop.undo(&made).await, ["NOT_FOUND mergeId"]);
    // Nothing can be written to nobody.
    let visit = shop.receipt(json!({ "cardNumber": card }), "7", "1.00");
    let visit = shop.ask("visitRecord", "visit { id }", visit).await;
    assert_eq!(visit.user_errors(), ["NOT_FOUND cardNumber"]);
    let visit = shop.receipt(json!({ "customerId": other }), "7", "1.00");
    let visit = shop.ask("visitRecord", "visit { id }", visit).await;
    assert_eq!(visit.user_errors(), ["NOT_FOUND customerId"]);
    // Again it is done already, whatever the version.
    let again = shop.run("customerErase", "erasedId", input(json!(0))).await;
    assert_eq!(again["erasedId"], json!(one));
    // The audit log says who erased which id, and why.
    let audit =
        "{ auditEntries(filter: { action: \"customer.erase\" }) { nodes { customerIds detail } } }";
    let answer = shop.client.gql(Some(&shop.admin), audit, json!({})).await;
    let entries = answer.data()["auditEntries"]["nodes"].clone();
    assert_eq!(super::each(&entries, "customerIds"), [&json!([one])]);
    assert!(entries.to_string().contains("REQUESTED"));
    // The same export comes in again, and with a purchase since: no person comes back.
    import();
    std::fs::write(
        &csv,
        format!(
            "customer_id,name,date,quantity,amount\n{row}{}",
            row.replace("20.00", "21.00")
        ),
    )
    .unwrap();
    import();
    assert_eq!(ask("imported").await["totalCount"], 0);
    assert_eq!(sums(&shop).await["totalCount"], 6);
    assert_eq!(place.holding(PLANT).await, Vec::<String>::new());

    drop(program);
    let said = std::fs::read_to_string(&log).unwrap();
    for text in [PLANT, PHONE, card_number] {
        assert!(!said.contains(text), "the log holds {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_those_who_may_erase() {
    let shop = Shop::open().await;
    let one = shop.customer("Anna Alpha", json!({})).await;
    let input = json!({ "id": one, "version": 1, "reason": "NO_LONGER_NEEDED" });
    let manager = Shop {
        admin: shop.world.token("STORE_MANAGER").to_owned(),
        ..shop
    };
    let answer = manager.ask("customerErase", "erasedId", input).await;
    assert_eq!(answer.codes(), ["FORBIDDEN"]);
    assert_ne!(manager.all(&one).await, Value::Null);
}

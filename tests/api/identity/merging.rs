//! A merge moves everything, and its undoing brings everything back.

use super::{Shop, each};
use chrono::TimeDelta;
use entity::values::Clock;
use serde_json::{Value, json};

/// Without what a merge and its undoing write anew.
fn comparable(mut customer: Value) -> Value {
    let object = customer.as_object_mut().unwrap();
    object.remove("version");
    for membership in customer["memberships"].as_array_mut().unwrap() {
        membership.as_object_mut().unwrap().remove("tierChanges");
    }
    customer
}

/// Two files of one person, each with everything.
async fn two_files(shop: &Shop) -> (String, String) {
    let keep = shop
        .customer(
            "Wang Xiaoming",
            json!({
                "birthDate": "1990-06-15",
                "contactPoints": [{ "kind": "MOBILE", "value": "+8613800138000" }],
                "tastes": [{ "aspect": "BRAND", "value": "Acme", "attitude": "LIKES", "provenance": "STATED" }],
            }),
        )
        .await;
    let merge = shop
        .customer(
            "Wang Xiao-ming",
            json!({
                "employer": "Tea House", "statedNeed": "a gift", "salutation": "Mr",
                "birthDate": "1991-01-01",
                "income": { "band": "HIGH", "provenance": "STATED" },
                "contactPoints": [
                    { "kind": "MOBILE", "value": "+8613800138000", "label": "work" },
                    { "kind": "MOBILE", "value": "+8613900139000", "preferred": true },
                    { "kind": "EMAIL", "value": "ming@example.com" },
                ],
                "tastes": [
                    { "aspect": "BRAND", "value": "Acme", "attitude": "DISLIKES", "provenance": "STATED" },
                    { "aspect": "HOBBY", "value": "chess", "attitude": "LIKES", "provenance": "STATED" },
                ],
                "specialDays": [{ "label": "Anniversary", "date": "2015-05-20" }],
            }),
        )
        .await;
    for (key, values) in [
        ("height", &[(&keep, "180"), (&merge, "181")][..]),
        ("weight", &[(&merge, "80")]),
    ] {
        let define = json!({ "key": key, "name": key, "kind": "DECIMAL" });
        let made = shop
            .run("attributeCreate", "attribute { id }", define)
            .await;
        for (id, value) in values {
            let input = json!({ "customerId": id, "attributeId": made["attribute"]["id"], "provenance": "STATED",
                "value": { "decimal": value } });
            shop.run("customerAttributeSet", "attribute { id }", input)
                .await;
        }
    }
    for (name, members) in [
        ("Tea tasters", &[&keep, &merge][..]),
        ("Chess club", &[&merge]),
        ("Left again", &[&merge]),
    ] {
        let group = json!({ "name": name });
        let group = shop.run("groupCreate", "group { id }", group).await["group"]["id"].clone();
        for id in members {
            let both = json!({ "customerId": id, "groupId": group });
            shop.run("groupJoin", "member { id }", both.clone()).await;
            if name == "Left again" {
                shop.run("groupLeave", "member { id }", both).await;
            }
        }
    }
    for id in [&keep, &merge] {
        let note = json!({ "customerId": id, "text": format!("a note on {id}") });
        shop.run("customerNoteAdd", "note { id }", note).await;
        let points = shop.all(id).await["contactPoints"].clone();
        // The number that both have.
        let mut points = points.as_array().unwrap().iter();
        let shared = points.find(|point| point["value"] == "+8613800138000");
        let shared = shared.unwrap();
        let consent = json!({ "contactPointId": shared["id"], "purpose": "CARE", "granted": id == &merge, "method": "IN_STORE" });
        shop.run("consentRecord", "consent { __typename }", consent)
            .await;
        shop.card(id).await;
    }
    for id in [&keep, &merge] {
        let store = &shop.world.store;
        let at = shop.world.server.clock.now() + TimeDelta::days(2);
        let visit = json!({ "customerId": id, "storeId": store, "expectedAt": at });
        shop.run("visitAnnounce", "announcedVisit { id }", visit)
            .await;
        let here = json!({ "customerId": id, "storeId": store });
        shop.run("customerArrive", "arrival { id }", here).await;
    }
    shop.buy(&keep, "1", "600.00").await;
    shop.buy(&merge, "2", "500.00").await;
    (keep, merge)
}

/// How many members the groups have, by name; counted and listed alike.
async fn members(shop: &Shop) -> Vec<i64> {
    let query = "{ groups { nodes { memberCount members { totalCount nodes { id } } } } }";
    let answer = shop.client.gql(Some(&shop.admin), query, json!({})).await;
    let groups = answer.data()["groups"]["nodes"].as_array().unwrap().clone();
    let count = |group: &Value| {
        let members = &group["members"];
        let listed = members["nodes"].as_array().unwrap().len();
        assert_eq!(members["totalCount"], listed);
        assert_eq!(group["memberCount"], listed);
        i64::try_from(listed).unwrap()
    };
    groups.iter().map(count).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_moves_and_comes_back() {
    let shop = Shop::open().await;
    let (keep, merge) = two_files(&shop).await;
    let friend = shop
        .customer(
            "A Friend",
            json!({ "referredById": merge, "giftFromId": merge }),
        )
        .await;
    let before = (shop.all(&keep).await, shop.all(&merge).await);
    let made = shop.merge(&keep, &merge).await;
    let one = shop.all(&keep).await;
    assert_eq!(one["fullName"], "Wang Xiaoming", "the kept one's own stays");
    assert_eq!(one["birthDate"]["text"], "1990-06-15");
    assert_eq!(one["employer"], "Tea House", "what it lacked is filled");
    assert_eq!(one["income"]["band"], "HIGH");
    assert_eq!(
        each(&one["contactPoints"], "value").len(),
        3,
        "the same number once: {one:#}"
    );
    let shared = &one["contactPoints"].as_array().unwrap();
    let shared = shared
        .iter()
        .find(|point| point["value"] == "+8613800138000")
        .unwrap();
    assert_eq!(shared["preferred"], true);
    assert_eq!(each(&one["tastes"], "value"), ["Acme", "chess"]);
    assert_eq!(one["tastes"][0]["attitude"], "LIKES");
    assert_eq!(one["specialDays"].as_array().unwrap().len(), 1);
    let known: Vec<String> = each(&one["attributes"], "value")
        .iter()
        .map(|value| value["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(known, ["180", "80"], "the kept one's, and what it lacked");
    let clubs = json!([{ "name": "Tea tasters" }, { "name": "Chess club" }]);
    let clubs = clubs.as_array().unwrap().iter().collect::<Vec<_>>();
    assert_eq!(each(&one["groups"], "group"), clubs, "each once");
    assert_eq!(one["former"].as_array().unwrap().len(), 1);
    assert_eq!(members(&shop).await, [1, 0, 1]);
    assert_eq!(one["notes"]["nodes"].as_array().unwrap().len(), 2);
    assert_eq!(one["visits"]["nodes"].as_array().unwrap().len(), 2);
    for visit in one["visits"]["nodes"].as_array().unwrap() {
        assert_ne!(
            visit["arrival"],
            Value::Null,
            "what was told of it goes with it"
        );
    }
    assert_eq!(one["announcedVisits"].as_array().unwrap().len(), 2);
    assert_eq!(one["totals"]["net"]["amount"], "1100.00");
    assert_eq!(one["totals"]["visits"], 2);
    assert_eq!(one["memberships"].as_array().unwrap().len(), 1);
    assert_eq!(
        one["memberships"][0]["tier"]["name"], "Silver",
        "what both have spent counts"
    );
    assert_eq!(each(&one["cards"], "status"), ["ACTIVE", "REPLACED"]);
    assert_eq!(shop.all(&friend).await["referredBy"]["id"], keep);
    assert_eq!(shop.all(&friend).await["giftFrom"]["id"], keep);
    // The old id and the node of it are another name for the kept one.
    assert_eq!(shop.all(&merge).await, one);
    let node = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Customer { fullName } } \
        customers(filter: { query: \"Wang\" }) { nodes { id } totalCount } }";
    let answer = shop
        .client
        .gql(Some(&shop.admin), node, json!({ "ids": [merge, keep] }))
        .await;
    assert_eq!(
        each(&answer.data()["nodes"], "id"),
        [&json!(keep), &json!(keep)]
    );
    assert_eq!(answer.data()["customers"]["totalCount"], 1);

    assert_eq!(shop.undo(&made).await, Vec::<String>::new());
    assert_eq!(members(&shop).await, [1, 0, 2]);
    let after = (shop.all(&keep).await, shop.all(&merge).await);
    assert_eq!(comparable(after.0), comparable(before.0));
    assert_eq!(comparable(after.1), comparable(before.1));
    assert_eq!(shop.all(&friend).await["referredBy"]["id"], merge);
    let answer = shop
        .client
        .gql(Some(&shop.admin), node, json!({ "ids": [merge, keep] }))
        .await;
    assert_eq!(
        each(&answer.data()["nodes"], "id"),
        [&json!(merge), &json!(keep)]
    );
    assert_eq!(answer.data()["customers"]["totalCount"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_old_id_and_the_old_card_book_on_the_kept_customer() {
    let shop = Shop::open().await;
    let (keep, merge) = two_files(&shop).await;
    let number = shop.all(&merge).await["cards"][0]["number"].clone();
    let first = shop.buy(&merge, "9", "1.00").await;
    shop.merge(&keep, &merge).await;
    let by_id = shop.buy(&merge, "10", "2.00").await;
    let by_card = shop.receipt(json!({ "cardNumber": number }), "11", "3.00");
    let by_card = shop.record(by_card).await;
    assert_eq!(by_id["customer"]["id"], keep);
    assert_eq!(by_card["customer"]["id"], keep);
    // A till that sends a receipt again from before the merge, by either name.
    for who in [
        json!({ "customerId": merge }),
        json!({ "customerId": keep }),
        json!({ "cardNumber": number }),
    ] {
        let again = shop.record(shop.receipt(who, "9", "1.00")).await;
        assert_eq!(again["id"], first["id"]);
    }
    let other = shop.receipt(json!({ "customerId": keep }), "9", "1.01");
    let other = shop.ask("visitRecord", "visit { id }", other).await;
    assert_eq!(
        other.user_errors(),
        ["RECEIPT_CONFLICT purchase.receipt.number"]
    );
    assert_eq!(shop.all(&keep).await["totals"]["net"]["amount"], "1106.00");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_recorded_since_stays_unless_it_hangs_on_what_goes_back() {
    let shop = Shop::open().await;
    let (keep, merge) = two_files(&shop).await;
    let number = shop.all(&merge).await["cards"][0]["number"].clone();
    let bought = shop.all(&merge).await["visits"]["nodes"][0].clone();
    let made = shop.merge(&keep, &merge).await;
    let one = shop.all(&keep).await;
    // Changed, noted, bought and brought back since.
    let weight = "{ attributes { id key } }";
    let weight = shop.client.gql(Some(&shop.admin), weight, json!({})).await;
    let weight = weight.data()["attributes"].as_array().unwrap().clone();
    let weight = weight.iter().find(|one| one["key"] == "weight").unwrap()["id"].clone();
    shop.world.server.clock.advance(TimeDelta::seconds(1));
    let weight = json!({ "customerId": keep, "attributeId": weight, "provenance": "STATED", "value": { "decimal": "82" } });
    shop.run("customerAttributeSet", "attribute { id }", weight)
        .await;
    let chess = one["groups"].as_array().unwrap();
    let chess = chess
        .iter()
        .find(|member| member["group"]["name"] == "Chess club")
        .unwrap();
    let node = "query($id: ID!) { node(id: $id) { ... on GroupMember { group { id } } } }";
    let chess = shop
        .client
        .gql(Some(&shop.admin), node, json!({ "id": chess["id"] }))
        .await;
    let chess = json!({ "customerId": keep, "groupId": chess.data()["node"]["group"]["id"] });
    shop.run("groupLeave", "member { id }", chess).await;
    let change = json!({ "id": keep, "version": one["version"], "employer": "Coffee House" });
    shop.run("customerUpdate", "customer { id }", change).await;
    let note = json!({ "customerId": keep, "text": "since" });
    shop.run("customerNoteAdd", "note { id }", note).await;
    shop.record(shop.receipt(json!({ "cardNumber": number }), "20", "40.00"))
        .await;
    let back = json!({
        "customerId": keep, "storeId": shop.world.store,
        "purchase": { "returns": [{ "lineId": bought["purchases"][0]["lines"][0]["id"], "quantity": "1" }] },
    });
    shop.record(back).await;
    let email = one["contactPoints"].as_array().unwrap();
    let email = email.iter().find(|point| point["kind"] == "EMAIL").unwrap();
    let consent = json!({ "contactPointId": email["id"], "purpose": "MARKETING", "granted": true, "method": "PHONE" });
    shop.run("consentRecord", "consent { __typename }", consent)
        .await;
    assert_eq!(shop.undo(&made).await, Vec::<String>::new());
    let (kept, merged) = (shop.all(&keep).await, shop.all(&merge).await);
    assert_eq!(kept["employer"], "Coffee House", "said since");
    assert_eq!(merged["employer"], "Tea House");
    let weights = [&kept, &merged].map(|one| one["attributes"][1]["value"]["text"].clone());
    assert_eq!(weights, ["82", "80"], "said since, and as it was");
    // Whoever was in the club was let go from it.
    assert_eq!(
        each(&kept["groups"], "group"),
        [&json!({ "name": "Tea tasters" })]
    );
    assert_eq!(
        each(&merged["groups"], "group"),
        [&json!({ "name": "Tea tasters" })]
    );
    assert_eq!(merged["former"].as_array().unwrap().len(), 2);
    assert!(kept["notes"]["nodes"].to_string().contains("since"));
    assert!(!merged["notes"]["nodes"].to_string().contains("since"));
    // Bought by the old card: nobody can tell by whom, and the kept customer's it was when it was recorded.
    assert_eq!(kept["totals"]["bought"]["amount"], "640.00");
    assert_eq!(kept["totals"]["returned"]["amount"], "0.00");
    // The return goes with what it gives back.
    assert_eq!(merged["totals"]["bought"]["amount"], "500.00");
    assert_eq!(merged["totals"]["returned"]["amount"], "250.00");
    assert_eq!(kept["memberships"][0]["tier"]["name"], "Member");
    let mail = merged["contactPoints"].as_array().unwrap();
    let mail = mail.iter().find(|point| point["kind"] == "EMAIL").unwrap();
    assert_eq!(mail["consents"][0]["purpose"], "MARKETING");
    // Everything goes on for both, and a third of the same line is refused.
    shop.buy(&merge, "21", "1.00").await;
    shop.buy(&keep, "22", "1.00").await;
    let too_many = json!({
        "customerId": merge, "storeId": shop.world.store,
        "purchase": { "returns": [{ "lineId": bought["purchases"][0]["lines"][0]["id"], "quantity": "2" }] },
    });
    let refused = shop.ask("visitRecord", "visit { id }", too_many).await;
    assert_eq!(
        refused.user_errors(),
        ["RETURN_EXCEEDS purchase.returns.0.quantity"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_merged_or_undone_is_refused() {
    let shop = Shop::open().await;
    let [a, b, c] = [
        shop.customer("Anna Alpha", json!({})).await,
        shop.customer("Anna Beta", json!({})).await,
        shop.customer("Anna Gamma", json!({})).await,
    ];
    let refused = async |input: Value| {
        let answer = shop.ask("customerMerge", "merge { id }", input).await;
        assert_eq!(answer.any_payload()["merge"], Value::Null);
        answer.user_errors()
    };
    let input = shop.pair(&a, &a).await;
    assert_eq!(refused(input).await, ["INVALID mergeId"]);
    let mut stale = shop.pair(&a, &b).await;
    stale["keepVersion"] = json!(0);
    stale["mergeVersion"] = json!(7);
    assert_eq!(
        refused(stale).await,
        ["STALE_VERSION keepVersion", "STALE_VERSION mergeVersion"]
    );
    // Into one whose file was put away; the other way round is well.
    let away = json!({ "id": a, "version": 1 });
    shop.run("customerArchive", "customer { id }", away).await;
    let input = shop.pair(&a, &b).await;
    assert_eq!(refused(input).await, ["WRONG_STATE keepId"]);
    let out = json!({ "id": a, "version": 2 });
    shop.run("customerUnarchive", "customer { id }", out).await;

    // A chain: B takes C, A takes B. The id of C leads to A.
    let lower = shop.merge(&b, &c).await;
    let before = shop.pair(&a, &b).await;
    let upper = shop.merge(&a, &b).await;
    assert_eq!(shop.all(&c).await["id"], json!(a));
    assert_eq!(
        refused(before).await.len(),
        2,
        "the one is stale, the other gone"
    );
    assert_eq!(shop.undo(&lower).await, ["WRONG_STATE mergeId"]);
    assert_eq!(shop.undo(&upper).await, Vec::<String>::new());
    assert_eq!(shop.all(&c).await["id"], json!(b));
    assert_eq!(shop.undo(&upper).await, ["WRONG_STATE mergeId"], "twice");
    assert_eq!(shop.undo(&lower).await, Vec::<String>::new());
    assert_eq!(shop.all(&c).await["id"], json!(c));

    // Two into one: the last one first.
    let first = shop.merge(&a, &b).await;
    let second = shop.merge(&a, &c).await;
    assert_eq!(shop.undo(&first).await, ["WRONG_STATE mergeId"]);
    assert_eq!(shop.undo(&second).await, Vec::<String>::new());
    // To the last moment of the thirtieth day, and no longer.
    shop.world.server.clock.advance(TimeDelta::days(30));
    let token =
        crate::support::world::sign_in(&shop.client, &crate::support::world::email("ADMIN")).await;
    let shop = Shop {
        admin: token,
        ..shop
    };
    let third = shop.merge(&a, &c).await;
    assert_eq!(shop.undo(&third).await, Vec::<String>::new());
    assert_eq!(shop.undo(&first).await, Vec::<String>::new());
    let fourth = shop.merge(&a, &b).await;
    shop.world
        .server
        .clock
        .advance(TimeDelta::days(30) + TimeDelta::seconds(1));
    let token =
        crate::support::world::sign_in(&shop.client, &crate::support::world::email("ADMIN")).await;
    let shop = Shop {
        admin: token,
        ..shop
    };
    assert_eq!(shop.undo(&fourth).await, ["WRONG_STATE mergeId"]);
    assert_eq!(shop.undo("bm9uZQ").await, ["NOT_FOUND mergeId"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_merges_once_and_nobody_merges_whom_they_do_not_see() {
    let shop = Shop::open().await;
    let a = shop.customer("Anna Alpha", json!({})).await;
    let b = shop.customer("Anna Beta", json!({})).await;
    let mut input = shop.pair(&a, &b).await;
    input["idempotencyKey"] = json!("merge-1");
    let first = shop
        .run("customerMerge", "merge { id }", input.clone())
        .await;
    let again = shop
        .run("customerMerge", "merge { id }", input.clone())
        .await;
    assert_eq!(first["merge"]["id"], again["merge"]["id"]);
    input["mergeVersion"] = json!(9);
    let other = shop.ask("customerMerge", "merge { id }", input).await;
    assert_eq!(other.user_errors(), ["IDEMPOTENCY_MISMATCH idempotencyKey"]);
    // A manager of another store.
    let region = shop.world.region.clone();
    let store = json!({ "regionId": region, "code": "quay", "name": "The Quay" });
    let store = shop.run("storeCreate", "store { id }", store).await;
    let hire = json!({ "email": "quay@shop.example", "name": "Quay", "password": crate::support::world::PASSWORD,
        "grants": [{ "role": "STORE_MANAGER", "storeId": store["store"]["id"] }] });
    shop.run("staffCreate", "staff { id }", hire).await;
    let quay = crate::support::world::sign_in(&shop.client, "quay@shop.example").await;
    let c = shop.customer("Anna Gamma", json!({})).await;
    let input = shop.pair(&a, &c).await;
    let quay = Shop {
        admin: quay,
        ..shop
    };
    let answer = quay.ask("customerMerge", "merge { id }", input).await;
    assert_eq!(
        answer.user_errors(),
        ["NOT_FOUND keepId", "NOT_FOUND mergeId"]
    );
    let merge = first["merge"]["id"].as_str().unwrap();
    assert_eq!(quay.undo(merge).await, ["NOT_FOUND mergeId"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relations_never_close_a_circle() {
    let shop = Shop::open().await;
    let a = shop.customer("Anna Alpha", json!({})).await;
    let d = shop
        .customer("Dora Delta", json!({ "referredById": a }))
        .await;
    let b = shop
        .customer("Anna Beta", json!({ "referredById": d }))
        .await;
    // A would be referred by D, whom A has referred.
    let made = shop.merge(&a, &b).await;
    assert_eq!(shop.all(&a).await["referredBy"], Value::Null);
    assert_eq!(shop.all(&d).await["referredBy"]["id"], json!(a));
    assert_eq!(shop.undo(&made).await, Vec::<String>::new());
    assert_eq!(shop.all(&b).await["referredBy"]["id"], json!(d));
    // The other way round D would be referred by B, who is referred by D.
    let made = shop.merge(&b, &a).await;
    assert_eq!(shop.all(&d).await["referredBy"], Value::Null);
    assert_eq!(shop.all(&b).await["referredBy"]["id"], json!(d));
    assert_eq!(shop.undo(&made).await, Vec::<String>::new());
    assert_eq!(shop.all(&d).await["referredBy"]["id"], json!(a));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_higher_tier_and_one_card_in_use_stay() {
    let shop = Shop::open().await;
    let a = shop.customer("Anna Alpha", json!({})).await;
    let b = shop.customer("Anna Beta", json!({})).await;
    let frozen = shop.card(&a).await;
    let step = json!({ "cardId": frozen["id"], "version": 1, "reason": "on holiday" });
    shop.run("cardFreeze", "card { status }", step).await;
    let active = shop.card(&b).await;
    shop.buy(&b, "1", "5000.00").await;
    let made = shop.merge(&a, &b).await;
    let one = shop.all(&a).await;
    assert_eq!(one["memberships"][0]["tier"]["name"], "Gold");
    assert_eq!(each(&one["cards"], "status"), ["REPLACED", "ACTIVE"]);
    // The card that stays is lost and replaced: the new one goes back with it.
    let lost = json!({ "cardId": active["id"], "version": active["version"], "reason": "lost" });
    let new = shop.run("cardReplace", "card { number }", lost).await["card"]["number"].clone();
    assert_eq!(shop.undo(&made).await, Vec::<String>::new());
    let (kept, merged) = (shop.all(&a).await, shop.all(&b).await);
    assert_eq!(kept["memberships"][0]["tier"]["name"], "Member");
    assert_eq!(each(&kept["cards"], "status"), ["FROZEN"]);
    assert_eq!(kept["cards"][0]["statusReason"], "on holiday");
    assert_eq!(merged["memberships"][0]["tier"]["name"], "Gold");
    assert_eq!(each(&merged["cards"], "status"), ["REPLACED", "ACTIVE"]);
    assert_eq!(merged["cards"][1]["number"], new);
}

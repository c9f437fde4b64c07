//! Moving in, kind by kind: what a file brings, what is known already, what contradicts, what is left out.

use crate::support::Mover;
use serde_json::{Value, json};

const CUSTOMERS: &str = "customer=no,name=name,gender=sex,birth_date=born,mobile=mobile,email=email,\
    consent_marketing=offers,consent_at=said,consent_evidence=proof,home_store=store,importance=class,\
    city=city,address=street,note=note,language=lang";

fn at<'a>(rows: &'a [Value], name: &str) -> &'a Value {
    rows.iter()
        .find(|row| row["fullName"] == name)
        .unwrap_or_else(|| panic!("nobody is called {name}: {rows:#?}"))
}

fn rejected(line: u32, column: &str, code: &str) -> (u32, String, String) {
    (line, column.to_owned(), code.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customers_file_comes_in_whole_and_once() {
    let mover = Mover::new().await;
    mover.file(
        "customers.csv",
        "no,name,sex,born,mobile,email,offers,said,proof,store,class,city,street,note,lang\n\
         1,王小明,男,L1990-06-15,+86 138 0013 8000,Ming@Shop.example,yes,2024-05-01,form 17,bund,KEY,Shanghai,\"1 Bund\n2nd floor\",likes tea,zh-cn\n\
         2,Ada Lovelace,f,1815-12-10,,,,,,,,,,,\n\
         3,Bo,,1990-02-30,,,,,,,,,,,\n\
         4,Cy Young,,1990-02-03,,cy@shop.example,no,,,,,,,,\n",
    );
    let dry = mover.import("customers", "customers.csv", CUSTOMERS, &["--dry-run"]);
    assert!(
        dry.contains("2 customers would be made, 0 known already"),
        "{dry}"
    );
    assert!(
        mover.customers().await.is_empty(),
        "a dry run writes nothing"
    );
    let (said, rejects) = mover.with_rejects("customers", "customers.csv", CUSTOMERS);
    assert!(said.contains("2 customers made, 0 known already"), "{said}");
    assert!(
        said.contains("no reference") || !said.contains("open"),
        "{said}"
    );
    assert_eq!(
        rejects,
        [
            rejected(4, "born", "BAD_DATE"),
            rejected(5, "born", "BAD_DATE")
        ],
        "1815 lies before 1880"
    );
    let first = mover.customers().await;
    let ming = at(&first, "王小明");
    assert_eq!(ming["gender"], "MALE");
    assert_eq!(ming["importance"], "KEY");
    assert_eq!(ming["homeStore"]["code"], "bund");
    assert_eq!(ming["language"], "zh-CN");
    assert_eq!(
        ming["address"],
        json!({ "lines": ["1 Bund", "2nd floor"], "postalCode": null, "city": "Shanghai", "country": null })
    );
    assert_eq!(ming["notes"]["nodes"], json!([{ "text": "likes tea" }]));
    assert_eq!(ming["acquisitionSource"], "IMPORT");
    let points = ming["contactPoints"].as_array().unwrap();
    assert_eq!(points.len(), 2);
    for point in points {
        assert_eq!(point["preferred"], true);
        assert_eq!(
            point["consents"],
            json!([{ "purpose": "MARKETING", "granted": true, "method": "IMPORT", "evidence": "form 17",
                "at": "2024-05-01T04:00:00Z" }])
        );
    }
    let cy = at(&first, "Cy Young");
    assert_eq!(cy["contactPoints"][0]["consents"][0]["granted"], false);
    // Once more, and once more in other columns: nothing changes.
    let again = mover.import("customers", "customers.csv", CUSTOMERS, &[]);
    assert!(
        again.contains("0 customers made, 2 known already"),
        "{again}"
    );
    assert_eq!(mover.customers().await, first);
    let found = mover
        .ask("{ customers(filter: { query: \"小明\" }) { nodes { fullName } } }")
        .await;
    assert_eq!(found["customers"]["nodes"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_consent_is_raised_without_proof_and_every_withdrawal_counts() {
    let mover = Mover::new().await;
    let map = "customer=no,name=name,email=email,consent_care=care,consent_care_at=care_at,consent_care_evidence=care_proof,\
        consent_marketing=offers,consent_marketing_at=offers_at,consent_marketing_evidence=offers_proof";
    mover.file(
        "consents.csv",
        "no,name,email,care,care_at,care_proof,offers,offers_at,offers_proof\n\
         1,No Proof,a@shop.example,yes,2024-01-01,,no,,\n\
         2,No Day,b@shop.example,yes,,form 2,yes,2024-01-01,form 2\n\
         3,No Address,,yes,2024-01-01,form 3,,,\n\
         4,Other Word,d@shop.example,perhaps,2024-01-01,form 4,,,\n",
    );
    let (said, rejects) = mover.with_rejects("customers", "consents.csv", map);
    assert!(
        said.contains("3 customers made") && said.contains("3 details left out"),
        "{said}"
    );
    assert_eq!(
        rejects,
        [
            rejected(5, "care", "UNKNOWN_WORD"),
            rejected(2, "care", "NO_EVIDENCE"),
            rejected(3, "care", "NO_EVIDENCE"),
            rejected(4, "care", "NO_EVIDENCE"),
        ]
    );
    let all = mover.customers().await;
    let consents = |name: &str| {
        let mut consents = at(&all, name)["contactPoints"][0]["consents"].clone();
        for consent in consents.as_array_mut().into_iter().flatten() {
            consent.as_object_mut().unwrap().remove("at");
        }
        consents
    };
    assert_eq!(
        consents("No Proof"),
        json!([{ "purpose": "MARKETING", "granted": false, "method": "IMPORT", "evidence": "export of pos" }])
    );
    assert_eq!(
        consents("No Day"),
        json!([{ "purpose": "MARKETING", "granted": true, "method": "IMPORT", "evidence": "form 2" }])
    );
    // A withdrawal is about every contact point, whatever the row names; without a day it is said once.
    mover.file("withdrawn.csv", "no,email,offers\n2,b2@shop.example,no\n");
    let map = "customer=no,email=email,consent_marketing=offers";
    let said = mover.import("customers", "withdrawn.csv", map, &[]);
    assert!(said.contains("1 filled in"), "{said}");
    let all = mover.customers().await;
    for point in at(&all, "No Day")["contactPoints"].as_array().unwrap() {
        assert_eq!(point["consents"][0]["granted"], false, "{point}");
    }
    let said = mover.import("customers", "withdrawn.csv", map, &[]);
    assert!(said.contains("0 customers made, 1 known already"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_receipts_brought_is_filled_in_and_what_people_entered_stays() {
    let mover = Mover::new().await;
    mover.file(
        "till.csv",
        "no,day,sum\n1,2025-03-01,5.00\n2,2025-03-01,5.00\n3,2025-03-01,5.00\n",
    );
    let till = "customer=no,date=day,amount=sum";
    mover.import("purchases", "till.csv", till, &["--store", "bund"]);
    // Somebody corrects one of them before the file of customers comes.
    let id = mover
        .ask("{ customers(filter: { query: \"customer 2\" }) { nodes { id version } } }")
        .await["customers"]["nodes"][0]
        .clone();
    let input = json!({ "id": id["id"], "version": id["version"], "employer": "Gas works", "gender": "FEMALE" });
    mover
        .change("customerUpdate", "customer { id }", input)
        .await;
    let map = "customer=no,name=name,employer=firm,gender=sex,importance=class,kind=kind,acquisition_source=how";
    mover.file(
        "customers.csv",
        "no,name,firm,sex,class,kind,how\n\
         1,Ann Lee,Water works,F,KEY,TRADE,REFERRAL\n\
         2,Bob Kim,Water works,F,,,\n\
         3,Cho Min,,,REGULAR,,\n",
    );
    let (said, rejects) = mover.with_rejects("customers", "customers.csv", map);
    assert!(
        said.contains("0 customers made, 2 filled in, 0 known"),
        "{said}"
    );
    assert_eq!(rejects, [rejected(3, "firm", "CONTRADICTION")]);
    let all = mover.customers().await;
    let ann = at(&all, "Ann Lee");
    assert_eq!(
        (
            &ann["kind"],
            &ann["importance"],
            &ann["acquisitionSource"],
            &ann["totals"]["receipts"]
        ),
        (
            &json!("TRADE"),
            &json!("KEY"),
            &json!("REFERRAL"),
            &json!(1)
        )
    );
    assert_eq!(
        at(&all, "Customer 2")["employer"],
        "Gas works",
        "nothing of a rejected row is applied"
    );
    // The file corrected: the rest of the row comes in, though somebody has changed the file.
    mover.file(
        "customers.csv",
        "no,name,firm,sex,class,kind,how\n2,Bob Kim,Gas works,F,,,\n1,Ann Li,,,,,\n",
    );
    let (_, rejects) = mover.with_rejects("customers", "customers.csv", map);
    assert_eq!(rejects, [rejected(3, "name", "CONTRADICTION")]);
    assert_eq!(
        at(&mover.customers().await, "Bob Kim")["employer"],
        "Gas works"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cards_keep_their_numbers_and_tiers() {
    let mover = Mover::new().await;
    mover.programme().await;
    mover.file(
        "customers.csv",
        "no,name\n1,Ann Lee\n2,Bob Kim\n3,Cho Min\n",
    );
    mover.import("customers", "customers.csv", "customer=no,name=name", &[]);
    let map = "number=card,customer=no,programme=club,tier=tier,tier_since=since,status=status,issued_on=issued,valid_until=until";
    mover.file(
        "cards.csv",
        "card,no,club,tier,since,status,issued,until\n\
         VIP-00123,1,club,Gold,2024-02-01,active,2020-01-01,\n\
         VIP-00099,1,club,Silver,2019-02-01,replaced,2019-01-01,\n\
         1234 5678,2,,Member,,,2025-01-01,2025-12-31\n\
         VIP-00124,1,club,Gold,,ACTIVE,,\n\
         VIP-00125,3,club,,,,2999-01-01,\n\
         VIP,3,club,,,,,\n\
         4539148803436467,3,club,,,,,\n",
    );
    let (said, rejects) = mover.with_rejects("cards", "cards.csv", map);
    assert!(said.contains("4 cards brought in"), "{said}");
    assert_eq!(
        rejects,
        [
            rejected(6, "issued", "FUTURE_DATE"),
            rejected(7, "card", "BAD_VALUE"),
            rejected(5, "status", "SECOND_ACTIVE_CARD"),
        ]
    );
    let all = mover.customers().await;
    let ann = at(&all, "Ann Lee");
    assert_eq!(
        ann["memberships"],
        json!([{ "tier": { "name": "Gold" }, "grantedTier": { "name": "Gold" }, "programme": { "code": "club" } }])
    );
    assert_eq!(
        ann["cards"],
        json!([{ "number": "VIP-00099", "status": "REPLACED", "validUntil": null },
            { "number": "VIP-00123", "status": "ACTIVE", "validUntil": null }])
    );
    let bob = at(&all, "Bob Kim");
    assert_eq!(
        bob["memberships"][0]["grantedTier"],
        Value::Null,
        "the lowest tier is everybody's"
    );
    assert_eq!(
        bob["cards"][0],
        json!({ "number": "12345678", "status": "EXPIRED", "validUntil": "2025-12-31" })
    );
    let history = mover
        .ask(
            "{ customers(first: 5, filter: { name: \"Ann\" }) { nodes { memberships { enrolledAt tierChanges { reason at \
             from { name } to { name } netSpend { amount } threshold { amount } } } } } }",
        )
        .await;
    assert_eq!(
        history["customers"]["nodes"][0]["memberships"][0],
        json!({ "enrolledAt": "2020-01-01T04:00:00Z", "tierChanges": [{ "reason": "IMPORTED", "at": "2024-02-01T04:00:00Z",
            "from": null, "to": { "name": "Gold" }, "netSpend": { "amount": "0.00" }, "threshold": { "amount": "500.00" } }] })
    );
    // At the till by number, and by the one box, however it is typed.
    for number in [
        "vip-00123",
        " VIP-00123",
        "4539 1488 0343 6467",
        "1234 5678",
    ] {
        for filter in ["cardNumber", "query"] {
            let query =
                format!("{{ customers(filter: {{ {filter}: \"{number}\" }}) {{ totalCount }} }}");
            assert_eq!(
                mover.ask(&query).await["customers"]["totalCount"],
                1,
                "{filter} {number}"
            );
        }
    }
    let input = json!({ "cardNumber": "vip-00123", "storeId": mover.world.store, "noPurchaseReason": "JUST_LOOKING" });
    let visit = mover
        .change("visitRecord", "visit { customer { fullName } }", input)
        .await;
    assert_eq!(visit["visit"]["customer"]["fullName"], "Ann Lee");
    // Once more: known. History with a return behind the threshold does not take the tier away.
    let again = mover.import("cards", "cards.csv", map, &[]);
    assert!(
        again.contains("0 cards brought in, 4 known already"),
        "{again}"
    );
    mover.file(
        "till.csv",
        "no,day,sum\n1,2024-03-01,600.00\n1,2024-03-02,-550.00\n",
    );
    mover.import(
        "purchases",
        "till.csv",
        "customer=no,date=day,amount=sum",
        &["--store", "bund"],
    );
    assert_eq!(
        at(&mover.customers().await, "Ann Lee")["memberships"][0]["tier"]["name"],
        "Gold"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_is_never_given_to_another_one() {
    let mover = Mover::new().await;
    mover.programme().await;
    mover.file("customers.csv", "no,name\n1,Ann Lee\n2,Bob Kim\n");
    mover.import("customers", "customers.csv", "customer=no,name=name", &[]);
    let map = "number=card,customer=no,status=status";
    mover.file("cards.csv", "card,no,status\nVIP-1,1,\n");
    mover.import("cards", "cards.csv", map, &[]);
    mover.file("cards.csv", "card,no,status\nvip-1,2,\nVIP-1,1,FROZEN\n");
    let (said, rejects) = mover.with_rejects("cards", "cards.csv", map);
    assert!(said.contains("0 cards brought in, 0 known"), "{said}");
    assert_eq!(
        rejects,
        [
            rejected(2, "no", "CONTRADICTION"),
            rejected(3, "status", "CONTRADICTION")
        ]
    );
    // Frozen here, the card is what it is here, whatever an old file says.
    let card = mover
        .ask("{ customers(filter: { cardNumber: \"VIP-1\" }) { nodes { card { id } } } }")
        .await["customers"]["nodes"][0]["card"]["id"]
        .clone();
    mover
        .change(
            "cardFreeze",
            "card { id }",
            json!({ "cardId": card, "version": 1 }),
        )
        .await;
    mover.file("cards.csv", "card,no,status\nVIP-1,1,ACTIVE\n");
    let (said, rejects) = mover.with_rejects("cards", "cards.csv", map);
    assert!(said.contains("1 known already"), "{said}");
    assert!(rejects.is_empty(), "{rejects:?}");
}

const PRODUCTS: &str = "sku=sku,name=name,name_zh=zh,name_ko-KR=ko,category_path=shelf,brand=brand,unit_cost=cost,\
    list_price=price,price_from=since,introduced_on=new,member_only=club,discountable=off,barcode=ean";

async fn products(mover: &Mover) -> Value {
    let data = mover
        .ask(
            "{ products(orderBy: { field: SKU }) { nodes { sku names { language text } brand series barcode unitCost { amount } \
             listPrice { amount } introducedOn memberOnly discountable category { code names { text } parent { names { text } } } \
             prices { nodes { listPrice { amount } validFrom } } } } }",
        )
        .await;
    data["products"]["nodes"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn products_come_in_with_names_categories_and_prices() {
    let mover = Mover::new().await;
    let header = "sku,name,zh,ko,shelf,brand,cost,price,since,new,club,off,ean\n";
    mover.file(
        "products.csv",
        format!(
            "{header}TEA-1,Dragon Well,龙井茶,용정차,Tea > Green tea,Hupao,7.50,20.00,2025-01-01,2024-12-01,yes,no,036000291452\n\
             TEA-1,Dragon Well,,,,,,22.00,2025-06-01,,,,\n\
             TEA-2,Assam,,,Tea,,,18.00,2025-01-01,,,,036000291452\n\
             TEA-3,,,,Tea,,,18.00,2025-01-01,,,,\n\
             CUP,Cup,,,,,,-1.00,2025-01-01,,,,\n\
             POT,Pot,,,Tea > Things,,,30.00,2025-01-01,,,,\n"
        ),
    );
    let dry = mover.import("products", "products.csv", PRODUCTS, &["--dry-run"]);
    assert!(dry.contains("2 products would be made"), "{dry}");
    assert_eq!(
        mover
            .ask("{ products { totalCount } categories { code } }")
            .await,
        json!({ "products": { "totalCount": 0 }, "categories": [] }),
        "a dry run writes nothing"
    );
    let (said, rejects) = mover.with_rejects("products", "products.csv", PRODUCTS);
    assert!(
        said.contains("2 products made, 1 filled in, 0 known already"),
        "{said}"
    );
    assert_eq!(
        rejects,
        [
            rejected(6, "price", "BAD_AMOUNT"),
            rejected(4, "ean", "TAKEN"),
            rejected(5, "name", "MISSING"),
        ]
    );
    let first = products(&mover).await;
    let tea = &first[1];
    assert_eq!(tea["sku"], "TEA-1");
    assert_eq!(
        tea["names"],
        json!([{ "language": "en", "text": "Dragon Well" }, { "language": "ko-KR", "text": "용정차" },
            { "language": "zh", "text": "龙井茶" }])
    );
    assert_eq!(tea["category"]["names"][0]["text"], "Green tea");
    assert_eq!(tea["category"]["parent"]["names"][0]["text"], "Tea");
    assert_eq!(
        (&tea["listPrice"]["amount"], &tea["unitCost"]["amount"]),
        (&json!("22.00"), &json!("7.50"))
    );
    assert_eq!(
        (&tea["memberOnly"], &tea["discountable"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        tea["prices"]["nodes"],
        json!([{ "listPrice": { "amount": "22.00" }, "validFrom": "2025-05-31T16:00:00Z" },
            { "listPrice": { "amount": "20.00" }, "validFrom": "2024-12-31T16:00:00Z" }])
    );
    let again = mover.import("products", "products.csv", PRODUCTS, &[]);
    assert!(
        again.contains("0 products made, 3 known already"),
        "{again}"
    );
    assert_eq!(products(&mover).await, first);
    // A newer price is one more price; anything else that says otherwise is refused, row by row.
    mover.file(
        "newer.csv",
        format!("{header}TEA-1,,,,,,,25.00,2026-01-01,,,,\nTEA-1,,,,,Other,,26.00,2026-02-01,,,,\nPOT,,壶,,,Yixing,,,,,,,\n"),
    );
    let (said, rejects) = mover.with_rejects("products", "newer.csv", PRODUCTS);
    assert!(said.contains("0 products made, 2 filled in"), "{said}");
    assert_eq!(rejects, [rejected(3, "brand", "CONTRADICTION")]);
    let all = products(&mover).await;
    assert_eq!(all[1]["prices"]["nodes"].as_array().unwrap().len(), 3);
    assert_eq!(
        (&all[0]["brand"], &all[0]["names"][1]["text"]),
        (&json!("Yixing"), &json!("壶"))
    );
    for word in ["龙井", "壶", "Hupao"] {
        let query = format!("{{ products(filter: {{ query: \"{word}\" }}) {{ totalCount }} }}");
        assert_eq!(
            mover.ask(&query).await["products"]["totalCount"],
            1,
            "{word}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staff_come_in_without_passwords() {
    let mover = Mover::new().await;
    let map = "email=mail,name=name,roles=roles,disabled=off";
    mover.file(
        "staff.csv",
        "mail,name,roles,off\n\
         Ann@Shop.example,Ann Lee,ASSOCIATE@bund;MARKETER,no\n\
         bob@shop.example,Bob Kim,REGION_MANAGER@east,yes\n\
         cho@shop.example,Cho Min,ASSOCIATE@nowhere,\n\
         dan@shop.example,Dan Kim,KING,\n\
         admin@shop.example,Somebody Else,,\n",
    );
    let dry = mover.import("staff", "staff.csv", map, &["--dry-run"]);
    assert!(dry.contains("2 accounts would be made"), "{dry}");
    let (said, rejects) = mover.with_rejects("staff", "staff.csv", map);
    assert!(
        said.contains("2 accounts made") && said.contains("reset-password"),
        "{said}"
    );
    assert_eq!(
        rejects,
        [
            rejected(5, "roles", "UNKNOWN_WORD"),
            rejected(4, "roles", "UNKNOWN_PLACE"),
            rejected(6, "name", "CONTRADICTION"),
        ]
    );
    let listed = "{ staff(first: 100) { nodes { email name enabled passwordChangedAt grants { role store { code } region { code } } } } }";
    let all = mover.ask(listed).await;
    let find = |mail: &str| {
        let nodes = all["staff"]["nodes"].as_array().unwrap();
        nodes
            .iter()
            .find(|node| node["email"] == mail)
            .unwrap()
            .clone()
    };
    let mut ann = find("ann@shop.example");
    ann["grants"]
        .as_array_mut()
        .unwrap()
        .sort_by_key(|grant| grant["role"].to_string());
    assert_eq!(
        ann,
        json!({ "email": "ann@shop.example", "name": "Ann Lee", "enabled": true, "passwordChangedAt": null,
            "grants": [{ "role": "ASSOCIATE", "store": { "code": "bund" }, "region": null },
                { "role": "MARKETER", "store": null, "region": null }] })
    );
    assert_eq!(find("bob@shop.example")["enabled"], false);
    let again = mover.import("staff", "staff.csv", map, &[]);
    assert!(
        again.contains("0 accounts made, 2 known already"),
        "{again}"
    );
    // Nobody gets more rights by a file.
    mover.file(
        "more.csv",
        "mail,name,roles,off\nann@shop.example,Ann Lee,ADMIN,no\n",
    );
    let (_, rejects) = mover.with_rejects("staff", "more.csv", map);
    assert_eq!(rejects, [rejected(2, "roles", "CONTRADICTION")]);
}

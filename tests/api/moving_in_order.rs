//! Moving in: the order of files is free, what refers to nothing yet waits, and an import that is killed goes on.

use crate::support::Mover;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::process::Stdio;
use std::time::Duration;

const STAFF: &str = "email=mail,name=name,roles=roles";
const CUSTOMERS: &str = "customer=no,name=name,mobile=mobile,home_store=store,keeper=keeper,referred_by=by,gift_from=gift";
const CARDS: &str =
    "number=card,customer=no,programme=club,tier=tier,tier_since=since,status=status";
const TILL: &str = "customer=no,date=day,amount=sum,receipt=receipt";

fn write_files(mover: &Mover) {
    mover.file(
        "staff.csv",
        "mail,name,roles\nkeep@shop.example,Kim Keeper,ASSOCIATE@bund\ncount@shop.example,Cy Count,ANALYST\n",
    );
    // Everybody but the last one was referred by the one on the next line.
    mover.file(
        "customers.csv",
        "no,name,mobile,store,keeper,by,gift\n\
         1,Ann Lee,+8613800138001,bund,keep@shop.example,2,3\n\
         2,Bob Kim,+8613800138002,bund,count@shop.example,3,\n\
         3,Cho Min,+8613800138003,,keep@shop.example,,99\n",
    );
    mover.file(
        "cards.csv",
        "card,no,club,tier,since,status\nA-0001,1,club,Silver,2024-05-01,\nA-0000,1,club,Silver,,REPLACED\nB-0001,2,club,Gold,2024-06-01,FROZEN\nX-0001,77,club,Gold,,\n",
    );
    mover.file(
        "till.csv",
        "no,day,sum,receipt\n1,2024-06-01,150.00,r1\n3,2024-06-02,20.00,r2\n1,2024-07-01,400.00,r3\n2,2024-07-02,5.00,r4\n",
    );
}

fn import(mover: &Mover, kind: &str) -> String {
    match kind {
        "staff" => mover.import("staff", "staff.csv", STAFF, &[]),
        "customers" => mover.import("customers", "customers.csv", CUSTOMERS, &[]),
        "cards" => mover.import("cards", "cards.csv", CARDS, &[]),
        _ => mover.import("purchases", "till.csv", TILL, &["--store", "bund"]),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_of_files_does_not_matter() {
    let mut states: Vec<Vec<Value>> = Vec::new();
    for order in [
        ["staff", "customers", "cards", "purchases"],
        ["purchases", "cards", "customers", "staff"],
        ["cards", "purchases", "staff", "customers"],
    ] {
        let mover = Mover::new().await;
        mover.programme().await;
        write_files(&mover);
        let mut said = String::new();
        for kind in order {
            said = import(&mover, kind);
        }
        // Who is nowhere, and who may not: told with file and line, whichever file came last.
        for line in [
            "3 references are open",
            "customers.csv, line 4: GIFT_FROM 99: no file has brought this customer yet",
            "customers.csv, line 3: KEEPER count@shop.example: this member of staff",
            "cards.csv, line 5: CARD 77: no file has brought the holder yet",
        ] {
            assert!(said.contains(line), "{order:?}: {said}");
        }
        let mut customers = mover.customers().await;
        // The till knows a store for whom the file of customers names none; only then is one kept.
        for customer in &mut customers {
            if customer["fullName"] == "Cho Min" {
                customer["homeStore"] = Value::Null;
            }
        }
        states.push(customers);
        for kind in order {
            let said = import(&mover, kind);
            let made = ["0 receipts", "0 customers", "0 cards", "0 accounts"];
            assert!(made.iter().any(|made| said.contains(made)), "{said}");
            assert!(!said.contains("filled in"), "{said}");
        }
        let mut again = mover.customers().await;
        for customer in &mut again {
            if customer["fullName"] == "Cho Min" {
                customer["homeStore"] = Value::Null;
            }
        }
        assert_eq!(Some(&again), states.last(), "again changes nothing");
    }
    assert_eq!(states[0], states[1]);
    assert_eq!(states[0], states[2]);
    let ann = &states[0][0];
    assert_eq!(
        (
            &ann["referredBy"]["fullName"],
            &ann["giftFrom"]["fullName"],
            &ann["keeper"]["email"]
        ),
        (
            &json!("Bob Kim"),
            &json!("Cho Min"),
            &json!("keep@shop.example")
        )
    );
    assert_eq!(
        ann["memberships"][0],
        json!({ "tier": { "name": "Gold" }, "grantedTier": { "name": "Silver" }, "programme": { "code": "club" } }),
        "550 were spent"
    );
    assert_eq!(states[0][1]["memberships"][0]["tier"]["name"], "Gold");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_comes_in_with_what_it_waits_for() {
    let mover = Mover::new().await;
    mover.file("cards.csv", "card,no,club,tier\nA-0001,1,club,Platinum\n");
    let cards = "number=card,customer=no,programme=club,tier=tier";
    let said = mover.import("cards", "cards.csv", cards, &[]);
    assert!(
        said.contains("no file has brought the holder yet"),
        "{said}"
    );
    mover.file(
        "customers.csv",
        "no,name,store,by\n1,Ann Lee,pier,1b\n1b,Bob Kim,,1c\n1c,Cho Min,,1\n",
    );
    let customers = "customer=no,name=name,home_store=store,referred_by=by";
    let said = mover.import("customers", "customers.csv", customers, &[]);
    for line in [
        "cards.csv, line 2: CARD 1: no programme has this code yet",
        "customers.csv, line 2: HOME_STORE pier: no store has this code yet",
        "customers.csv, line 4: REFERRED_BY 1: it would close a circle",
    ] {
        assert!(said.contains(line), "{said}");
    }
    let found = mover
        .ask("{ customers(filter: { cardNumber: \"A-0001\" }) { totalCount } }")
        .await;
    assert_eq!(found["customers"]["totalCount"], 0);
    mover.programme().await;
    let region = &mover.world.region;
    let input = json!({ "regionId": region, "code": "pier", "name": "The pier" });
    mover.change("storeCreate", "store { id }", input).await;
    // Any import looks for all of it.
    mover.file("staff.csv", "mail,name,roles\nkim@shop.example,Kim Kim,\n");
    let said = mover.import("staff", "staff.csv", STAFF, &[]);
    assert!(said.contains("2 references are open"), "{said}");
    assert!(
        said.contains("the programme has no tier of this name yet"),
        "{said}"
    );
    let all = mover.customers().await;
    assert_eq!(all[0]["homeStore"]["code"], "pier");
    assert_eq!(all[0]["referredBy"]["fullName"], "Bob Kim");
    assert_eq!(
        all[2]["referredBy"],
        Value::Null,
        "the link that closes the circle is left open"
    );
    let place = &mover.world.server.place;
    let listed = crate::support::program::succeed(place, ["import", "open"]);
    assert!(
        listed.contains("CARD 1:") && listed.contains("REFERRED_BY 1:"),
        "{listed}"
    );
    let doctor = crate::support::program::succeed(place, ["doctor"]);
    assert!(doctor.contains("warn  references"), "{doctor}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_category_may_come_after_its_products() {
    let mover = Mover::new().await;
    mover.file("products.csv", "sku,name,shelf\nTEA-1,Dragon Well,green\n");
    let map = "sku=sku,name=name,category=shelf";
    let said = mover.import("products", "products.csv", map, &[]);
    assert!(
        said.contains("products.csv, line 2: CATEGORY green: no category has this code yet"),
        "{said}"
    );
    let names = json!([{ "language": "en", "text": "Green tea" }]);
    let input = json!({ "code": "green", "names": names });
    mover
        .change("categoryCreate", "category { id }", input)
        .await;
    let said = mover.import("products", "products.csv", map, &[]);
    assert!(!said.contains("open"), "{said}");
    let found = mover
        .ask("{ products { nodes { category { code } } } }")
        .await;
    assert_eq!(found["products"]["nodes"][0]["category"]["code"], "green");
}

/// Beside a server that has the same database open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_of_customers_that_is_killed_goes_on_without_a_double_or_a_gap() {
    const ROWS: u32 = 6000;
    let mover = Mover::new().await;
    let mut text = String::from("no,name,mobile,email,by,offers,proof\n");
    for n in 0..ROWS {
        // Everybody was referred by somebody who comes later, but for the last ones.
        let by = n + 7;
        writeln!(
            text,
            "{n},Customer No {n},+86138{n:08},c{n}@shop.example,{by},yes,form {n}"
        )
        .unwrap();
    }
    mover.file("many.csv", text);
    let map = "customer=no,name=name,mobile=mobile,email=email,referred_by=by,consent_marketing=offers,consent_evidence=proof";
    let count = async || {
        let data = mover.ask("{ customers { totalCount } }").await;
        data["customers"]["totalCount"].as_u64().unwrap()
    };
    // A batch has 1,000 rows: the kills meet the next one, wherever it is.
    for made in [1, 1001, 3001, 5001] {
        let mut command = mover.command("customers", "many.csv", map);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while count().await < made && child.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // SIGKILL; it may be through already on a fast machine.
        let _ = child.kill();
        child.wait().unwrap();
        assert!(count().await >= made);
    }
    let said = mover.import("customers", "many.csv", map, &[]);
    assert!(said.contains("7 references are open"), "{said}");
    assert_eq!(count().await, u64::from(ROWS));
    let said = mover.import("customers", "many.csv", map, &[]);
    assert!(
        said.contains(&format!("0 customers made, {ROWS} known already")),
        "{said}"
    );
    let query = "{ customers(filter: { phone: \"+8613800000003\" }) { nodes { fullName referredBy { fullName } \
        contactPoints { consents { granted } } } } }";
    assert_eq!(
        mover.ask(query).await["customers"]["nodes"],
        json!([{ "fullName": "Customer No 3", "referredBy": { "fullName": "Customer No 10" },
            "contactPoints": [{ "consents": [] }, { "consents": [] }] }])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_imports_of_the_same_customers_at_once_make_each_of_them_once() {
    let mover = Mover::new().await;
    let mut text = String::from("no,name,mobile\n");
    for n in 0..3000 {
        writeln!(text, "{n},Customer No {n},+86138{n:08}").unwrap();
    }
    mover.file("many.csv", text);
    let map = "customer=no,name=name,mobile=mobile";
    let both: Vec<_> = (0..2)
        .map(|_| {
            mover
                .command("customers", "many.csv", map)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for one in both {
        let output = one.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success() && said.contains("no row rejected"),
            "{said}{error}"
        );
    }
    let data = mover.ask("{ customers { totalCount } }").await;
    assert_eq!(data["customers"]["totalCount"], 3000);
}

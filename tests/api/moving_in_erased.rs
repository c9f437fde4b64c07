//! Moving in after somebody was erased, or their file was merged: files that still name them bring nobody back.

use crate::support::Mover;
use crate::support::program::succeed;
use serde_json::{Value, json};

const CUSTOMERS: &str = "customer=no,name=name,mobile=mobile,referred_by=by";

/// The id and the version of a customer.
async fn found(mover: &Mover, name: &str) -> Value {
    let ask =
        format!("{{ customers(filter: {{ name: \"{name}\" }}) {{ nodes {{ id version }} }} }}");
    mover.ask(&ask).await["customers"]["nodes"][0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_file_brings_an_erased_customer_back() {
    let mover = Mover::new().await;
    mover.programme().await;
    mover.file(
        "customers.csv",
        "no,name,mobile,by\n\
         71,Ann Unforgotten,+8613800138000,79\n\
         72,Bo Keeps,,71\n",
    );
    mover.file("cards.csv", "number,no\nOLD-71,71\nOLD-72,72\n");
    mover.import("customers", "customers.csv", CUSTOMERS, &[]);
    // 79 is in no file yet.
    let place = &mover.world.server.place;
    let open = succeed(place, ["import", "open"]);
    assert!(open.contains("79"), "{open}");
    let ann = found(&mover, "Ann").await;
    let input = json!({ "id": ann["id"], "version": ann["version"], "reason": "REQUESTED" });
    mover.change("customerErase", "erasedId", input).await;
    let open = succeed(place, ["import", "open"]);
    assert!(
        !open.contains("79"),
        "what was open of her is forgotten: {open}"
    );

    let (_, rejects) = mover.with_rejects("customers", "customers.csv", CUSTOMERS);
    assert_eq!(rejects, [(2, "no".to_owned(), "ERASED".to_owned())]);
    let (_, rejects) = mover.with_rejects("cards", "cards.csv", "number=number,customer=no");
    assert_eq!(rejects, [(2, "no".to_owned(), "ERASED".to_owned())]);
    let there = mover.customers().await;
    let names: Vec<&Value> = there.iter().map(|row| &row["fullName"]).collect();
    assert_eq!(names, [&json!("Bo Keeps")]);
    assert_eq!(there[0]["cards"][0]["number"], "OLD-72");
    assert_eq!(there[0]["referredBy"], Value::Null);
    let open = succeed(place, ["import", "open"]);
    assert!(!open.contains("71"), "nothing waits for her: {open}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_fills_in_whoever_the_customer_is_now() {
    let mover = Mover::new().await;
    mover.file(
        "customers.csv",
        "no,name,mobile,by\n81,Ann Lee,,\n82,Anne Lee,,\n",
    );
    mover.import("customers", "customers.csv", CUSTOMERS, &[]);
    let (kept, merged) = (
        found(&mover, "Ann Lee").await,
        found(&mover, "Anne Lee").await,
    );
    let input = json!({ "keepId": kept["id"], "keepVersion": kept["version"],
        "mergeId": merged["id"], "mergeVersion": merged["version"] });
    mover.change("customerMerge", "merge { id }", input).await;
    // What the other system tells of the second number is told of the one that is left.
    mover.file("more.csv", "no,mobile\n82,+8613900139000\n");
    mover.import("customers", "more.csv", "customer=no,mobile=mobile", &[]);
    let there = mover.customers().await;
    assert_eq!(there.len(), 1, "{there:#?}");
    assert_eq!(there[0]["fullName"], "Ann Lee");
    assert_eq!(there[0]["contactPoints"][0]["value"], "+8613900139000");
}

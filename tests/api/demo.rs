//! The demonstration as its users make and see it: the same seed is the same shop on either engine, and what makes no
//! shop is refused before anything is made.

use crate::support::program::{fail, succeed};
use crate::support::{Client, Place, Program};
use serde_json::{Value, json};

const PASSWORD: &str = "regulars-demo";

/// Everything that is told of customers and does not depend on keys.
const CUSTOMERS: &str = "query ($after: String) { customers(first: 10, after: $after) { pageInfo { hasNextPage endCursor } nodes {
    kind fullName salutation gender language regionName importance createdAt homeStore { code region { code } } keeper { name }
    birthDate { __typename } contactPoints { kind value preferred consents { purpose granted evidence } }
    tastes { aspect value attitude } card { number status } memberships { tier { name } tierChanges { reason at } }
    totals { visits receipts bought { amount } returned { amount } lastVisitOn }
    visits(first: 5) { nodes { channel outcome at businessDate servedBy { name } purchases { receipt { source number }
        lines { line sku product { sku name category { code } listPrice { amount } } quantity amount { amount currencyCode } discountReason } } } }
} } }";

async fn token(client: &Client, email: &str) -> String {
    let sign_in = "mutation ($input: SessionCreateInput!) { sessionCreate(input: $input) { session { accessToken } userErrors { code } } }";
    let input = json!({ "input": { "email": email, "password": PASSWORD } });
    let answer = client.gql(None, sign_in, input).await;
    answer.payload()["session"]["accessToken"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// All customers as headquarters see them, in an order that does not depend on keys.
async fn content(client: &Client) -> Vec<String> {
    let token = token(client, "headquarters@demo.example").await;
    let (mut all, mut after) = (Vec::new(), Value::Null);
    loop {
        let answer = client
            .gql(Some(&token), CUSTOMERS, json!({ "after": after }))
            .await;
        let page = &answer.data()["customers"];
        all.extend(
            page["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(Value::to_string),
        );
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            all.sort_unstable();
            return all;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// Fills a place, serves it, and gives what is told of all customers.
async fn told(place: &Place, seed: &str) -> Vec<String> {
    let scale = [
        "--customers",
        "90",
        "--visits",
        "900",
        "--stores",
        "12",
        "--seed",
        seed,
    ];
    let fill = ["demo", "--no-serve"].into_iter().chain(scale);
    let said = succeed(place, fill);
    assert!(said.contains("Made 90 customers with "), "{said}");
    let program = Program::demo(place, &scale);
    let content = content(&program.client).await;
    drop(program);
    // What adds up for the doctor too: the accounts are the only thing that is wrong with a demonstration.
    let doctor = crate::support::program::run(place, ["doctor"]);
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(
        !said.contains("refer to nothing") && !said.contains("damaged"),
        "{said}"
    );
    content
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seed_is_the_same_shop_through_the_api_on_either_engine() {
    let here = told(&Place::new().await, "3").await;
    assert_eq!(here.len(), 90);
    let lines: usize = here
        .iter()
        .map(|one| one.matches("\"discountReason\"").count())
        .sum();
    assert!(lines > 300, "{lines} lines");
    assert!(
        !here.iter().any(|one| one.contains("\"product\":null")),
        "a line without product"
    );
    let embedded = told(&Place::embedded(), "3").await;
    for (one, other) in here.iter().zip(&embedded) {
        assert_eq!(one, other);
    }
    assert_eq!(here.len(), embedded.len());
    assert_ne!(here, told(&Place::embedded(), "4").await, "another seed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_makes_no_shop_is_refused_before_anything_is_made() {
    let place = Place::empty().await;
    for (wrong, hint) in [
        (
            ["--stores", "0"],
            "the number of stores must be 1 to 10000, and 0 is not",
        ),
        (
            ["--customers", "0"],
            "the number of customers must be 1 to 2000000",
        ),
        (["--customers", "5000000"], "and 5000000 is not"),
        (
            ["--visits", "7"],
            "2000 customers make 2000 to 200000 visits, and 7 is not",
        ),
        (
            ["--visits", "9000000"],
            "give another number of visits or of customers",
        ),
        (["--visits", "-5"], "give a whole number, such as 2000"),
        (["--stores", "many"], "give a whole number, such as 2000"),
    ] {
        let said = fail(&place, ["demo", "--no-serve"].iter().chain(&wrong));
        assert!(said.contains(hint), "{wrong:?}: {said}");
    }
    assert!(!place.data.join("regulars.db").exists());
}

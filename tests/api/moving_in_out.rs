//! Moving in: what one shop has exported is taken by another one, and a file that says two things of one customer is told so.

use crate::support::Mover;
use crate::support::program::succeed;
use std::collections::BTreeMap;

const CUSTOMERS: &str = "customer=customer,name=name,birth_date=birth_date,mobile=mobile,email=email,consent_service=consent_service,\
    consent_service_at=consent_service_at,consent_service_evidence=consent_service_evidence,consent_marketing=consent_marketing,\
    consent_marketing_at=consent_marketing_at,consent_marketing_evidence=consent_marketing_evidence,home_store=home_store";
const CARDS: &str = "number=number,customer=customer,programme=programme,tier=tier,tier_since=tier_since,status=status,issued_on=issued_on";

/// The columns of an export that another shop is to have alike, by the first of them.
fn exported(mover: &Mover, kind: &str, columns: &str) -> BTreeMap<String, Vec<String>> {
    let file = mover.path(&format!("{kind}.csv")).display().to_string();
    succeed(
        &mover.world.server.place,
        ["export", kind, "--out", file.as_str()],
    );
    let mut reader = csv::Reader::from_path(&file).unwrap();
    let header = reader.headers().unwrap().clone();
    let places: Vec<usize> = columns
        .split(',')
        .map(|pair| pair.trim().split('=').next_back().unwrap())
        .map(|name| header.iter().position(|column| column == name).unwrap())
        .collect();
    reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            let cells: Vec<String> = places
                .iter()
                .map(|place| record[*place].to_owned())
                .collect();
            (cells[0].clone(), cells)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exports_of_customers_and_cards_are_taken_as_they_are() {
    let (one, other) = (Mover::new().await, Mover::new().await);
    one.programme().await;
    other.programme().await;
    one.file(
        "first.csv",
        "no,name,born,phone,store,service,offers,at,proof\n\
         1,Ann Lee,1990-05-23,+8613800138001,bund,yes,no,2024-03-05 23:30,\"form 17, page 2\"\n\
         2,Bob Kim,L1990-05-23,+8613800138002,,yes,,2024-03-06,form 18\n\
         3,Cho Min,,,bund,,,,\n",
    );
    one.import(
        "customers",
        "first.csv",
        "customer=no,name=name,birth_date=born,mobile=phone,home_store=store,consent_service=service,\
         consent_marketing=offers,consent_at=at,consent_evidence=proof",
        &[],
    );
    one.file(
        "cards.csv",
        "card,no,tier,since,issued,status\nA-0001,1,Gold,2024-05-01,2023-01-31,\nB-0001,2,,,2023-02-01,FROZEN\n",
    );
    one.import(
        "cards",
        "cards.csv",
        "number=card,customer=no,tier=tier,tier_since=since,issued_on=issued,status=status",
        &[],
    );
    for (kind, map, count) in [("customers", CUSTOMERS, 3), ("cards", CARDS, 2)] {
        let before = exported(&one, kind, map);
        assert_eq!(before.len(), count);
        let name = format!("{kind}.csv");
        std::fs::copy(one.path(&name), other.path("in.csv")).unwrap();
        let (said, rejects) = other.with_rejects(kind, "in.csv", map);
        assert_eq!(rejects, [], "{said}");
        assert_eq!(exported(&other, kind, map), before);
        // Once more, here and where it came from: everything is known.
        for mover in [&other, &one] {
            std::fs::copy(one.path(&name), mover.path("in.csv")).unwrap();
            let (said, rejects) = mover.with_rejects(kind, "in.csv", map);
            assert_eq!(rejects, [], "{said}");
            assert!(said.contains(&format!("{count} known already")), "{said}");
        }
    }
    let ann = &exported(&other, "customers", CUSTOMERS)["1"];
    assert_eq!(ann[5], "GRANTED");
    assert_eq!(ann[7], "form 17, page 2");
    assert_eq!(ann[8], "WITHDRAWN");
}

/// The first row of a file is no guess: a later one that says otherwise is rejected, also where receipts have brought the
/// customer, whose name and store are guesses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_rows_that_contradict_each_other_are_not_settled_in_silence() {
    let mover = Mover::new().await;
    mover.file("till.csv", "no,day,sum,receipt\n1,2024-06-01,150.00,r1\n");
    mover.import(
        "purchases",
        "till.csv",
        "customer=no,date=day,amount=sum,receipt=receipt",
        &["--store", "bund"],
    );
    mover.file(
        "customers.csv",
        "no,name,store\n1,Ann Lee,pier\n1,Bob Kim,pier\n1,Ann Lee,quay\n2,Cho Min,\n2,Dan Wu,\n",
    );
    let map = "customer=no,name=name,home_store=store";
    let (said, rejects) = mover.with_rejects("customers", "customers.csv", map);
    let contradicts =
        |line: u32, column: &str| (line, column.to_owned(), "CONTRADICTION".to_owned());
    assert_eq!(
        rejects,
        [
            contradicts(3, "name"),
            contradicts(4, "store"),
            contradicts(6, "name")
        ],
        "{said}"
    );
    let names = mover
        .ask("{ customers(orderBy: { field: NAME }) { nodes { fullName } } }")
        .await;
    let names: Vec<&str> = names["customers"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["fullName"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["Ann Lee", "Cho Min"]);
}

//! Merges beside tills and beside each other, on two nodes, so that no queue within one program orders them: sums are exact,
//! and nothing gets lost between two files.

use super::Shop;
use crate::support::Program;
use crate::support::world::{email, sign_in};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::task::JoinSet;

/// The shop as two programs serve it, whose clocks are real.
async fn two_nodes() -> ([Program; 2], [Arc<Shop>; 2]) {
    let shop = Shop::open().await;
    let nodes = [(); 2].map(|()| Program::serve(&shop.world.server.place));
    let admin = sign_in(&nodes[0].client, &email("ADMIN")).await;
    let shops = [0, 1].map(|node| {
        Arc::new(Shop {
            client: nodes[node].client.clone(),
            admin: admin.clone(),
            ..shop.clone()
        })
    });
    (nodes, shops)
}

const TILLS: usize = 16;
const RECEIPTS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tills_go_on_while_two_files_become_one_and_two_again() {
    let (_nodes, shops) = two_nodes().await;
    let shop = &shops[0];
    let keep = shop.customer("Anna Alpha", json!({})).await;
    let merge = shop.customer("Anna Beta", json!({})).await;
    let cards = [
        shop.card(&keep).await["number"].clone(),
        shop.card(&merge).await["number"].clone(),
    ];
    let recorded = Arc::new(AtomicUsize::new(0));
    let mut tills = JoinSet::new();
    for till in 0..TILLS {
        let shop = shops[till % 2].clone();
        let (recorded, cards) = (recorded.clone(), cards.clone());
        let ids = [keep.clone(), merge.clone()];
        tills.spawn(async move {
            for n in 0..RECEIPTS {
                let who = match (till + n) % 4 {
                    side @ (0 | 1) => json!({ "customerId": ids[side] }),
                    side => json!({ "cardNumber": cards[side - 2] }),
                };
                let input = shop.receipt(who, &format!("{till}/{n}"), "1.01");
                shop.record(input).await;
                recorded.fetch_add(1, SeqCst);
            }
        });
    }
    let mut merges = 0;
    while recorded.load(SeqCst) < TILLS * RECEIPTS {
        // One that failed records nothing any more.
        while let Some(ended) = tills.try_join_next() {
            ended.unwrap();
        }
        let made = shop.merge(&keep, &merge).await;
        merges += 1;
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        if recorded.load(SeqCst) < TILLS * RECEIPTS {
            assert_eq!(shop.undo(&made).await, Vec::<String>::new());
        }
    }
    while let Some(ended) = tills.join_next().await {
        ended.unwrap();
    }
    assert!(merges > 0);
    // The last merge may stand.
    let (kept, merged) = (shop.all(&keep).await, shop.all(&merge).await);
    let files = if kept["id"] == merged["id"] {
        vec![kept]
    } else {
        vec![kept, merged]
    };
    let all = TILLS * RECEIPTS;
    let sum = |field: &str| -> usize {
        let count =
            |file: &Value| usize::try_from(file["totals"][field].as_u64().unwrap()).unwrap();
        files.iter().map(count).sum()
    };
    assert_eq!(sum("visits"), all);
    assert_eq!(sum("receipts"), all);
    let cents = |file: &Value| {
        let text = file["totals"]["net"]["amount"].as_str().unwrap();
        text.replace('.', "").parse::<usize>().unwrap()
    };
    assert_eq!(files.iter().map(cents).sum::<usize>(), all * 101);
    // The totals are those of the visits that are there.
    for file in &files {
        let count = "query($id: ID!) { visits(filter: { customerId: $id }) { totalCount } }";
        let answer = shop
            .client
            .gql(Some(&shop.admin), count, json!({ "id": file["id"] }))
            .await;
        assert_eq!(
            answer.data()["visits"]["totalCount"],
            file["totals"]["visits"]
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_merges_of_one_customer_one_is_done() {
    let (_nodes, shops) = two_nodes().await;
    let shop = &shops[0];
    for round in 0..12 {
        let mut files = Vec::new();
        for name in ["Alpha", "Beta", "Gamma"] {
            files.push(shop.customer(&format!("{name} {round}"), json!({})).await);
        }
        // A takes B, and at the same time C takes B, or B takes A.
        let other = if round % 2 == 0 {
            (files[2].clone(), files[1].clone())
        } else {
            (files[1].clone(), files[0].clone())
        };
        let inputs = [
            shop.pair(&files[0], &files[1]).await,
            shop.pair(&other.0, &other.1).await,
        ];
        let mut both = JoinSet::new();
        for (node, input) in inputs.into_iter().enumerate() {
            let shop = shops[node].clone();
            both.spawn(async move {
                let answer = shop.ask("customerMerge", "merge { id }", input).await;
                answer.user_errors()
            });
        }
        let mut done = 0;
        while let Some(errors) = both.join_next().await {
            let errors = errors.unwrap();
            done += usize::from(errors.is_empty());
            let known = |error: &String| {
                error.starts_with("STALE_VERSION") || error.starts_with("WRONG_STATE")
            };
            assert!(errors.iter().all(known), "{errors:?}");
        }
        assert_eq!(done, 1, "round {round}");
    }
}

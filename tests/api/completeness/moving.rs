//! Scores and confirmations of files that come in, become one, or go.

use super::{COMPLETE, customer, field, phone, run, seen, words};
use crate::support::world::{email, sign_in};
use crate::support::{Mover, World};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// The list of a query, when the schedule has had everybody counted.
async fn counted(mover: &mut Mover, query: &str) -> Value {
    // It fires by the clock that the test moves, and whoever signed in before is signed out by it.
    mover.world.server.clock.advance(TimeDelta::minutes(5));
    let admin = sign_in(&mover.world.server.client, &email("ADMIN")).await;
    mover.world.tokens.insert("ADMIN", admin);
    let began = Instant::now();
    loop {
        let list = mover.ask(query).await["customers"]["nodes"].clone();
        let all = list.as_array().unwrap();
        if all
            .iter()
            .all(|one| one["completeness"]["upToDate"] == true)
        {
            // Asked again: this list was ordered before all of its scores were there.
            return mover.ask(query).await["customers"]["nodes"].clone();
        }
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "nobody counts: {list:#}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_confirms_nothing_and_is_counted_afterwards() {
    let mut mover = Mover::new().await;
    mover.file(
        "customers.csv",
        "no,name,phone,sex\n1,Wang Fang,+8613800138000,FEMALE\n2,,+8613800138001,\n",
    );
    mover.file("more.csv", "no,name,born\n1,Wang Fang,1990-06-15\n");
    let map = "customer=no,name=name,mobile=phone,gender=sex";
    mover.import("customers", "customers.csv", map, &[]);
    let query = format!(
        "{{ customers(orderBy: {{ field: COMPLETENESS }}) {{ nodes {{ fullName {COMPLETE} }} }} }}"
    );
    let before = mover.ask(&query).await["customers"]["nodes"].clone();
    assert_eq!(
        (
            &before[0]["completeness"]["score"],
            &before[0]["completeness"]["upToDate"]
        ),
        (&Value::Null, &json!(false))
    );
    let after = counted(&mut mover, &query).await;
    // Of the second one only the telephone number is known: the name was made up.
    assert_eq!(
        (
            &after[0]["completeness"]["score"],
            &after[1]["completeness"]["score"]
        ),
        (&json!(18), &json!(36))
    );
    assert_eq!(
        words(&after[1]["completeness"]["notConfirmed"]),
        BTreeSet::from(["FULL_NAME", "GENDER", "PHONE"])
    );
    assert!(words(&after[0]["completeness"]["missing"]).contains("FULL_NAME"));
    // Another file fills in: the old score stands until it is counted.
    let map = "customer=no,name=name,birth_date=born";
    mover.import("customers", "more.csv", map, &[]);
    let before = mover.ask(&query).await["customers"]["nodes"].clone();
    let known = &before[1]["completeness"];
    assert_eq!(
        (&known["score"], &known["upToDate"]),
        (&json!(36), &json!(false))
    );
    assert_eq!(
        counted(&mut mover, &query).await[1]["completeness"]["score"],
        48
    );
}

/// Two files of one person: what was confirmed of each, at different times.
async fn two_files(world: &World) -> (String, String) {
    let kept = json!({ "contactPoints": phone(), "gender": "MALE", "birthDate": "1990-06-15" });
    let kept = customer(world, "Wang Xiaoming", kept).await;
    world.server.clock.advance(TimeDelta::seconds(60));
    let merged = json!({
        "contactPoints": [{ "kind": "MOBILE", "value": "+8613900139000" }],
        "gender": "MALE", "birthDate": "1991-01-01", "salutation": "Mr Wang",
    });
    let merged = customer(world, "Wang Xiao-ming", merged).await;
    world.server.clock.advance(TimeDelta::seconds(60));
    (kept, merged)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merge_carries_what_was_confirmed_of_the_same_and_undoing_it_restores_it() {
    let world = World::new().await;
    let (keep, merge) = two_files(&world).await;
    let (kept, merged) = (seen(&world, &keep).await, seen(&world, &merge).await);
    let input = json!({ "keepId": keep, "mergeId": merge, "keepVersion": 1, "mergeVersion": 1 });
    let made = run(&world, "customerMerge", "merge { id }", input).await["merge"]["id"].clone();
    let one = seen(&world, &keep).await;
    assert_eq!(
        one["score"],
        kept["score"].as_i64().unwrap() + 3,
        "the salutation was filled in"
    );
    assert_eq!(one["upToDate"], true);
    // The same gender, confirmed later; a salutation that was filled in; one more number.
    for name in ["GENDER", "SALUTATION", "PHONE", "HOME_STORE"] {
        assert_eq!(field(&one, name), field(&merged, name), "{name}");
    }
    // Another birth date and another spelling were confirmed, not those that stand here.
    for name in ["BIRTH_DATE", "FULL_NAME"] {
        assert_eq!(field(&one, name), field(&kept, name), "{name}");
    }
    let confirm = json!({ "customerId": keep, "fields": ["GENDER", "SALUTATION"] });
    run(&world, "customerConfirm", "customer { id }", confirm).await;
    let since = field(&seen(&world, &keep).await, "GENDER").clone();
    let input = json!({ "mergeId": made });
    run(&world, "customerMergeUndo", "merge { undoneAt }", input).await;
    assert_eq!(seen(&world, &merge).await, merged);
    let parted = seen(&world, &keep).await;
    assert_eq!(parted["score"], kept["score"]);
    // What was confirmed of the kept file since the merge stays; what is not in it any more has gone with its confirmation.
    assert_eq!(*field(&parted, "GENDER"), since);
    for name in [
        "SALUTATION",
        "PHONE",
        "BIRTH_DATE",
        "FULL_NAME",
        "HOME_STORE",
    ] {
        assert_eq!(field(&parted, name), field(&kept, name), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_confirmed_is_the_customers_to_take_along_and_goes_with_them() {
    let world = World::new().await;
    let id = customer(
        &world,
        "Wang Fang",
        json!({ "contactPoints": [{ "kind": "WECHAT", "value": "wangfang" }] }),
    )
    .await;
    let query = "query($id: ID!) { customerDataExport(id: $id) { content } }";
    let client = &world.server.client;
    let answer = client
        .gql(Some(world.token("ADMIN")), query, json!({ "id": id }))
        .await;
    let content = &answer.data()["customerDataExport"]["content"];
    let content: Value = match content {
        Value::String(text) => serde_json::from_str(text).unwrap(),
        other => other.clone(),
    };
    let confirmed: Vec<_> = content["confirmations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["field"].as_str().unwrap())
        .collect();
    assert_eq!(confirmed, ["EMAIL_OR_CHAT", "FULL_NAME", "HOME_STORE"]);
    assert!(!world.server.place.holding("EMAIL_OR_CHAT").await.is_empty());
    let erase = json!({ "id": id, "version": 1, "reason": "REQUESTED" });
    let payload = "erasedId";
    run(&world, "customerErase", payload, erase).await;
    assert_eq!(
        world.server.place.holding("EMAIL_OR_CHAT").await,
        Vec::<String>::new()
    );
    let said = crate::support::program::run(&world.server.place, ["doctor", "--thorough"]);
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("ok    completeness   agrees"), "{said}");
}

//! Customers join and leave, and are seen by those who see them.

use super::{MEMBER, ask, customer, data, group, join, other_store, run, text};
use crate::support::{Answer, World};
use chrono::TimeDelta;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customers_join_and_leave_and_the_history_stays() {
    let world = World::new().await;
    let club = group(&world, "Tea tasters", json!({})).await;
    let ann = customer(&world, "Ann Lee", &world.store).await;
    let both = json!({ "customerId": ann, "groupId": club });
    let associate = world.token("ASSOCIATE");
    let refused = async |field: &str, input: Value| {
        let answer = ask(&world, associate, field, "", input).await;
        answer.user_errors()
    };
    assert_eq!(
        refused("groupLeave", both.clone()).await,
        ["NOT_FOUND groupId"]
    );
    let member = ask(&world, associate, "groupJoin", MEMBER, both.clone()).await;
    let member = member.payload()["member"].clone();
    assert_eq!(member["customer"]["id"], json!(ann));
    assert_eq!(member["joinedBy"]["name"], "The ASSOCIATE");
    assert_eq!(member["leftAt"], Value::Null);
    assert_eq!(refused("groupJoin", both.clone()).await, ["TAKEN groupId"]);
    for (input, error) in [
        (
            json!({ "customerId": "x", "groupId": club }),
            "NOT_FOUND customerId",
        ),
        (
            json!({ "customerId": ann, "groupId": "x" }),
            "NOT_FOUND groupId",
        ),
    ] {
        assert_eq!(refused("groupJoin", input.clone()).await, [error]);
        assert_eq!(refused("groupLeave", input).await, [error]);
    }
    world.server.clock.advance(TimeDelta::minutes(1));
    let left = run(&world, "groupLeave", MEMBER, both.clone()).await["member"].clone();
    assert_eq!(left["id"], member["id"]);
    assert_eq!(left["leftBy"]["name"], "The ADMIN");
    assert_ne!(left["leftAt"], Value::Null);
    world.server.clock.advance(TimeDelta::minutes(1));
    let again = join(&world, &ann, &club).await;
    assert_ne!(again["id"], member["id"]);
    let query = "query($id: ID!, $group: ID!, $member: ID!) { customer(id: $id) { groups { id group { name } } former: groups(former: true) { id leftAt } } \
        group(id: $group) { version memberCount members { totalCount nodes { id } } former: members(filter: FORMER) { totalCount nodes { id } } } \
        node(id: $member) { __typename id } }";
    let variables = json!({ "id": ann, "group": club, "member": member["id"] });
    let seen = data(&world, associate, query, variables).await;
    let of_customer = json!({ "groups": [{ "id": again["id"], "group": { "name": "Tea tasters" } }],
        "former": [{ "id": member["id"], "leftAt": left["leftAt"] }] });
    assert_eq!(seen["customer"], of_customer);
    let of_group = json!({ "version": 1, "memberCount": 1, "members": { "totalCount": 1, "nodes": [{ "id": again["id"] }] },
        "former": { "totalCount": 1, "nodes": [{ "id": member["id"] }] } });
    assert_eq!(seen["group"], of_group);
    assert_eq!(
        seen["node"],
        json!({ "__typename": "GroupMember", "id": member["id"] })
    );
    // One that was put away is left, not joined.
    let away = json!({ "id": club, "version": 1 });
    run(&world, "groupArchive", "group { id }", away).await;
    run(&world, "groupLeave", MEMBER, both.clone()).await;
    assert_eq!(
        refused("groupJoin", both.clone()).await,
        ["WRONG_STATE groupId"]
    );
    let audit =
        "query($id: ID!) { auditEntries(filter: { customer: $id }) { nodes { action detail } } }";
    let entries = data(&world, world.token("ADMIN"), audit, json!({ "id": ann })).await;
    let entries = entries["auditEntries"]["nodes"].as_array().unwrap().clone();
    let actions: Vec<&str> = entries
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .filter(|action| action.starts_with("customer.group"))
        .collect();
    let expected = [
        "customer.group_leave",
        "customer.group_join",
        "customer.group_leave",
        "customer.group_join",
    ];
    assert_eq!(actions, expected);
    // A file that was put away is not written to.
    let away = json!({ "id": ann, "version": 1 });
    run(&world, "customerArchive", "customer { id }", away).await;
    assert_eq!(refused("groupJoin", both).await, ["WRONG_STATE customerId"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_are_seen_by_those_who_see_the_customers() {
    let world = World::new().await;
    let (quay, quay_manager) = other_store(&world).await;
    let club = group(&world, "Tea tasters", json!({})).await;
    let here = customer(&world, "Ann Here", &world.store).await;
    let there = customer(&world, "Bob There", &quay).await;
    let other = customer(&world, "Cid Nobody", &world.store).await;
    for id in [&here, &there] {
        join(&world, id, &club).await;
        world.server.clock.advance(TimeDelta::seconds(1));
    }
    let query = "query($group: ID!) { group(id: $group) { memberCount members { totalCount nodes { customer { fullName \
        contactPoints { value masked } } } } } customers(filter: { group: $group }) { totalCount nodes { fullName } } }";
    for (token, names, masked) in [
        (world.token("ADMIN"), &["Bob There", "Ann Here"][..], false),
        (world.token("MARKETER"), &["Bob There", "Ann Here"], true),
        (world.token("ASSOCIATE"), &["Ann Here"], true),
        (quay_manager.as_str(), &["Bob There"], false),
    ] {
        let seen = data(&world, token, query, json!({ "group": club })).await;
        let members = &seen["group"]["members"];
        let listed: Vec<&str> = members["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| {
                let point = &node["customer"]["contactPoints"][0];
                assert_eq!(point["masked"], masked, "{point}");
                assert_eq!(point["value"] == "somebody@example.com", !masked);
                node["customer"]["fullName"].as_str().unwrap()
            })
            .collect();
        assert_eq!(listed, names);
        assert_eq!(members["totalCount"], names.len());
        assert_eq!(seen["group"]["memberCount"], names.len());
        assert_eq!(seen["customers"]["totalCount"], names.len());
    }
    // Whoever does not see a customer neither lets them join nor leave, nor finds their membership.
    let strange = json!({ "customerId": there, "groupId": club });
    for field in ["groupJoin", "groupLeave"] {
        let answer = ask(&world, world.token("ASSOCIATE"), field, "", strange.clone()).await;
        assert_eq!(answer.user_errors(), ["NOT_FOUND customerId"], "{field}");
    }
    let member = "query($id: ID!) { customer(id: $id) { groups { id } } }";
    let member = data(&world, &quay_manager, member, json!({ "id": there })).await;
    let member = member["customer"]["groups"][0]["id"].clone();
    let node = "query($id: ID!) { node(id: $id) { id } }";
    for (token, seen) in [
        (quay_manager.as_str(), true),
        (world.token("ASSOCIATE"), false),
        (world.token("ANALYST"), false),
    ] {
        let found = data(&world, token, node, json!({ "id": member })).await;
        assert_eq!(found["node"] != Value::Null, seen);
    }
    // Page by page, there and back.
    join(&world, &other, &club).await;
    let page = "query($id: ID!, $after: String, $before: String, $first: Int, $last: Int) { group(id: $id) { members(first: $first, after: $after, \
        last: $last, before: $before) { nodes { customer { fullName } } pageInfo { startCursor endCursor hasNextPage hasPreviousPage } } } }";
    let admin = world.token("ADMIN");
    let mut after = Value::Null;
    let mut seen = Vec::new();
    for left in (0..3).rev() {
        let variables = json!({ "id": club, "first": 1, "after": after });
        let answer = data(&world, admin, page, variables).await["group"]["members"].take();
        seen.push(text(&answer["nodes"][0]["customer"]["fullName"]));
        assert_eq!(answer["pageInfo"]["hasNextPage"], left > 0);
        after = answer["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen, ["Cid Nobody", "Bob There", "Ann Here"]);
    let variables = json!({ "id": club, "last": 2 });
    let last = data(&world, admin, page, variables).await["group"]["members"].take();
    assert_eq!(last["nodes"][0]["customer"]["fullName"], "Bob There");
    assert_eq!(last["pageInfo"]["hasPreviousPage"], true);
    let variables = json!({ "id": club, "last": 2, "before": after });
    let last = data(&world, admin, page, variables).await["group"]["members"].take();
    assert_eq!(last["nodes"][0]["customer"]["fullName"], "Cid Nobody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_who_let_somebody_join_at_once_make_one_membership() {
    let world = World::new().await;
    let club = group(&world, "Tea tasters", json!({})).await;
    let ann = customer(&world, "Ann Lee", &world.store).await;
    let input = json!({ "customerId": ann, "groupId": club });
    let all = (0..20).map(|_| ask(&world, world.token("ADMIN"), "groupJoin", "", input.clone()));
    let answers = futures_util::future::join_all(all).await;
    let (joined, taken): (Vec<_>, Vec<_>) = answers
        .iter()
        .map(Answer::user_errors)
        .partition(Vec::is_empty);
    assert_eq!(joined.len(), 1);
    assert!(taken.iter().all(|errors| errors == &["TAKEN groupId"]));
    let query = "query($id: ID!) { group(id: $id) { members { totalCount } } }";
    let seen = data(&world, world.token("ADMIN"), query, json!({ "id": club })).await;
    assert_eq!(seen["group"]["members"]["totalCount"], 1);
    // As many who make the same group make one.
    let input = json!({ "name": "Kung fu tea" });
    let all = (0..20).map(|_| {
        ask(
            &world,
            world.token("ADMIN"),
            "groupCreate",
            "",
            input.clone(),
        )
    });
    let answers = futures_util::future::join_all(all).await;
    let made = answers
        .iter()
        .filter(|answer| answer.user_errors().is_empty());
    assert_eq!(made.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_is_in_a_hundred_groups_at_most() {
    let world = World::new().await;
    let ann = customer(&world, "Ann Lee", &world.store).await;
    let mut last = String::new();
    for n in 0..100 {
        last = group(&world, &format!("Club {n}"), json!({})).await;
        join(&world, &ann, &last).await;
    }
    let more = group(&world, "One more", json!({})).await;
    let input = json!({ "customerId": ann, "groupId": more });
    let answer = ask(&world, world.token("ADMIN"), "groupJoin", "", input.clone()).await;
    assert_eq!(answer.user_errors(), ["TOO_MANY customerId"]);
    let leave = json!({ "customerId": ann, "groupId": last });
    run(&world, "groupLeave", MEMBER, leave).await;
    run(&world, "groupJoin", MEMBER, input).await;
}

//! Groups: made and kept, joined and left, seen by those who see the customers (rule C11).

use crate::support::world::{PASSWORD, sign_in};
use crate::support::{Answer, World};
use chrono::TimeDelta;
use serde_json::{Value, json};

const MEMBER: &str = "member { id group { name } customer { id } joinedAt leftAt joinedBy { name } leftBy { name } }";

/// Makes a change as whoever has the token; the answer.
async fn ask(world: &World, token: &str, field: &str, fields: &str, input: Value) -> Answer {
    let upper = format!("{}{}", field[..1].to_uppercase(), &field[1..]);
    let of_type = match field {
        "groupUnarchive" => "GroupArchiveInput".to_owned(),
        _ => format!("{upper}Input"),
    };
    let query = format!(
        "mutation($input: {of_type}!) {{ {field}(input: $input) {{ {fields} userErrors {{ code field message }} }} }}"
    );
    let client = &world.server.client;
    client
        .gql(Some(token), &query, json!({ "input": input }))
        .await
}

/// As [`ask`] as the administrator, without user errors.
async fn run(world: &World, field: &str, fields: &str, input: Value) -> Value {
    let answer = ask(world, world.token("ADMIN"), field, fields, input).await;
    answer.payload().clone()
}

async fn data(world: &World, token: &str, query: &str, variables: Value) -> Value {
    let client = &world.server.client;
    client
        .gql(Some(token), query, variables)
        .await
        .data()
        .clone()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Makes a group with fields beside the name; gives its id.
async fn group(world: &World, name: &str, more: Value) -> String {
    let mut input = json!({ "name": name });
    for (field, value) in more.as_object().unwrap() {
        input[field] = value.clone();
    }
    text(&run(world, "groupCreate", "group { id }", input).await["group"]["id"])
}

async fn customer(world: &World, name: &str, store: &str) -> String {
    let input = json!({ "fullName": name, "homeStoreId": store,
        "contactPoints": [{ "kind": "EMAIL", "value": "somebody@example.com" }] });
    text(&run(world, "customerCreate", "customer { id }", input).await["customer"]["id"])
}

async fn join(world: &World, customer: &str, group: &str) -> Value {
    let input = json!({ "customerId": customer, "groupId": group });
    run(world, "groupJoin", MEMBER, input).await["member"].clone()
}

/// A store beside the world's own, with a manager; their token.
async fn other_store(world: &World) -> (String, String) {
    let input = json!({ "regionId": world.region, "code": "quay", "name": "The Quay" });
    let store = text(&run(world, "storeCreate", "store { id }", input).await["store"]["id"]);
    let input = json!({ "email": "quay@shop.example", "name": "Quay", "password": PASSWORD,
        "grants": [{ "role": "STORE_MANAGER", "storeId": store }] });
    run(world, "staffCreate", "staff { id }", input).await;
    let token = sign_in(&world.server.client, "quay@shop.example").await;
    (store, token)
}

/// The names of the groups that arguments find, in their order.
async fn found(world: &World, token: &str, arguments: &str) -> Vec<String> {
    let query = format!("{{ groups({arguments}) {{ totalCount nodes {{ name }} }} }}");
    let groups = data(world, token, &query, json!({})).await["groups"].take();
    let names: Vec<String> = groups["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| text(&node["name"]))
        .collect();
    assert_eq!(groups["totalCount"], names.len(), "{arguments}");
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_is_made_changed_put_away_and_found() {
    let world = World::new().await;
    let (quay, _) = other_store(&world).await;
    let keeper = &world.staff["ASSOCIATE"];
    let tasters = json!({ "description": "Try first", "keeperId": keeper, "storeId": world.store });
    let tasters = group(&world, "Tea tasters", tasters).await;
    group(&world, "Zhenxian circle", json!({})).await;
    group(&world, "茶友会", json!({ "storeId": quay })).await;
    let query = "query($id: ID!) { group(id: $id) { id name description keeper { name } store { name } archivedAt version \
        memberCount members { totalCount } } node(id: $id) { __typename id } }";
    let seen = data(
        &world,
        world.token("MARKETER"),
        query,
        json!({ "id": tasters }),
    )
    .await;
    let expected = json!({ "id": tasters, "name": "Tea tasters", "description": "Try first",
        "keeper": { "name": "The ASSOCIATE" }, "store": { "name": "The Bund" }, "archivedAt": null, "version": 1,
        "memberCount": 0, "members": { "totalCount": 0 } });
    assert_eq!(seen["group"], expected);
    assert_eq!(
        seen["node"],
        json!({ "__typename": "Group", "id": tasters })
    );
    let token = world.token("ASSOCIATE");
    for (arguments, names) in [
        (
            "first: 10".to_owned(),
            &["Tea tasters", "Zhenxian circle", "茶友会"][..],
        ),
        (
            "orderBy: { field: NAME, direction: DESC }".to_owned(),
            &["茶友会", "Zhenxian circle", "Tea tasters"],
        ),
        (
            "orderBy: { field: CREATED_AT }".to_owned(),
            &["Tea tasters", "Zhenxian circle", "茶友会"],
        ),
        ("filter: { query: \"TEA t\" }".to_owned(), &["Tea tasters"]),
        ("filter: { query: \"茶友\" }".to_owned(), &["茶友会"]),
        ("filter: { query: \"%\" }".to_owned(), &[]),
        (
            format!("filter: {{ store: \"{}\" }}", world.store),
            &["Tea tasters"],
        ),
        (
            format!("filter: {{ keeper: \"{keeper}\" }}"),
            &["Tea tasters"],
        ),
        ("filter: { store: \"x\" }".to_owned(), &[]),
        ("filter: { archived: true }".to_owned(), &[]),
    ] {
        assert_eq!(found(&world, token, &arguments).await, names, "{arguments}");
    }
    let fields = "group { id name description keeper { id } store { id } archivedAt version }";
    let change = json!({ "id": tasters, "version": 1, "name": "Tasters", "description": null, "keeperId": null, "storeId": null });
    let changed = run(&world, "groupChange", fields, change.clone()).await["group"].clone();
    let expected = json!({ "id": tasters, "name": "Tasters", "description": null, "keeper": null, "store": null,
        "archivedAt": null, "version": 2 });
    assert_eq!(changed, expected);
    let stale = ask(&world, world.token("ADMIN"), "groupChange", fields, change).await;
    assert_eq!(stale.user_errors(), ["STALE_VERSION version"]);
    assert_eq!(stale.any_payload()["group"], expected);
    let away = json!({ "id": tasters, "version": 2 });
    let away = run(&world, "groupArchive", fields, away).await["group"].clone();
    assert_ne!(away["archivedAt"], Value::Null);
    assert_eq!(
        found(&world, token, "filter: { archived: true }").await,
        ["Tasters"]
    );
    assert_eq!(
        found(&world, token, "first: 2").await,
        ["Zhenxian circle", "茶友会"]
    );
    let taken = json!({ "name": "Tasters" });
    let taken = ask(&world, world.token("ADMIN"), "groupCreate", "", taken).await;
    assert_eq!(taken.user_errors(), ["TAKEN name"]);
    let out = json!({ "id": tasters, "version": 3 });
    let out = run(&world, "groupUnarchive", fields, out).await["group"].clone();
    assert_eq!(
        (&out["archivedAt"], &out["version"]),
        (&Value::Null, &json!(4))
    );
    let audit = "{ auditEntries(first: 20) { nodes { action detail } } }";
    let entries = data(&world, world.token("ADMIN"), audit, json!({})).await;
    let entries = entries["auditEntries"]["nodes"].as_array().unwrap().clone();
    let of_group: Vec<&Value> = entries
        .iter()
        .filter(|entry| text(&entry["action"]).starts_with("group."))
        .collect();
    let actions: Vec<&str> = of_group
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    let expected = [
        "group.unarchive",
        "group.archive",
        "group.change",
        "group.create",
        "group.create",
        "group.create",
    ];
    assert_eq!(actions, expected);
    assert!(
        !json!(of_group).to_string().contains("asters"),
        "names of fields, no names: {of_group:?}"
    );
    assert!(
        of_group[2].to_string().contains("keeper"),
        "{:?}",
        of_group[2]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_group_is_refused() {
    let world = World::new().await;
    let (quay, _) = other_store(&world).await;
    group(&world, "Tea tasters", json!({ "storeId": quay })).await;
    let closed = json!({ "regionId": world.region, "code": "old", "name": "Old" });
    let closed = text(&run(&world, "storeCreate", "store { id }", closed).await["store"]["id"]);
    let close = json!({ "id": closed, "version": 1, "archived": true });
    run(&world, "storeArchive", "store { id }", close).await;
    let off = &world.staff["REGION_MANAGER"];
    run(&world, "staffDisable", "staff { id }", json!({ "id": off })).await;
    let long = "x".repeat(1001);
    for (input, errors) in [
        (json!({ "name": " " }), &["REQUIRED name"][..]),
        (json!({ "name": long }), &["TOO_LONG name"]),
        (
            json!({ "name": "a\u{7}", "description": long }),
            &["INVALID name", "TOO_LONG description"],
        ),
        (
            json!({ "name": "Tea tasters", "storeId": quay }),
            &["TAKEN name"],
        ),
        (
            json!({ "name": "A", "storeId": "x" }),
            &["NOT_FOUND storeId"],
        ),
        (
            json!({ "name": "A", "storeId": closed }),
            &["WRONG_STATE storeId"],
        ),
        (
            json!({ "name": "A", "keeperId": "x" }),
            &["NOT_FOUND keeperId"],
        ),
        (
            json!({ "name": "A", "keeperId": off }),
            &["NOT_FOUND keeperId"],
        ),
        (
            json!({ "name": "A", "keeperId": world.staff["ANALYST"] }),
            &["NOT_ALLOWED keeperId"],
        ),
    ] {
        let said = input.to_string();
        let answer = ask(
            &world,
            world.token("ADMIN"),
            "groupCreate",
            "group { id }",
            input,
        )
        .await;
        assert_eq!(answer.user_errors(), errors, "{said}");
        assert_eq!(answer.any_payload()["group"], Value::Null);
    }
    // The same name elsewhere is another club.
    group(&world, "Tea tasters", json!({})).await;
    let unknown = json!({ "id": world.store, "version": 1 });
    for field in ["groupChange", "groupArchive", "groupUnarchive"] {
        let answer = ask(&world, world.token("ADMIN"), field, "", unknown.clone()).await;
        assert_eq!(answer.user_errors(), ["NOT_FOUND id"], "{field}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn managers_manage_the_groups_of_their_stores_and_a_keeper_their_own() {
    let world = World::new().await;
    let (quay, quay_manager) = other_store(&world).await;
    let keeper = &world.staff["ASSOCIATE"];
    let far = group(&world, "Far", json!({ "storeId": quay })).await;
    let all = group(&world, "All", json!({ "keeperId": keeper })).await;
    // In their own store, in their region, and everywhere.
    for (role, store, errors) in [
        ("STORE_MANAGER", json!(world.store), &[][..]),
        ("STORE_MANAGER", json!(quay), &["NOT_ALLOWED storeId"]),
        ("STORE_MANAGER", Value::Null, &["NOT_ALLOWED storeId"]),
        ("REGION_MANAGER", json!(quay), &[]),
        ("REGION_MANAGER", Value::Null, &["NOT_ALLOWED storeId"]),
        ("MARKETER", Value::Null, &[]),
    ] {
        let input = json!({ "name": format!("By {role} {errors:?}"), "storeId": store });
        let answer = ask(&world, world.token(role), "groupCreate", "", input).await;
        assert_eq!(answer.user_errors(), errors, "{role} in {store}");
    }
    let change =
        |id: &str, version: i32, name: &str| json!({ "id": id, "version": version, "name": name });
    for (token, input, errors) in [
        (
            world.token("STORE_MANAGER"),
            change(&far, 1, "A"),
            &["NOT_ALLOWED id"][..],
        ),
        (
            world.token("ASSOCIATE"),
            change(&far, 1, "A"),
            &["NOT_ALLOWED id"],
        ),
        (quay_manager.as_str(), change(&far, 1, "B"), &[]),
        (
            quay_manager.as_str(),
            change(&all, 1, "B"),
            &["NOT_ALLOWED id"],
        ),
        (world.token("ASSOCIATE"), change(&all, 1, "C"), &[]),
        (
            world.token("ASSOCIATE"),
            json!({ "id": all, "version": 2, "storeId": world.store }),
            &["NOT_ALLOWED storeId"],
        ),
        // Out of one's own stores into somebody else's.
        (
            quay_manager.as_str(),
            json!({ "id": far, "version": 2, "storeId": world.store }),
            &["NOT_ALLOWED storeId"],
        ),
        // Handed on: then it is kept no more.
        (
            world.token("ASSOCIATE"),
            json!({ "id": all, "version": 2, "keeperId": null }),
            &[],
        ),
        (
            world.token("ASSOCIATE"),
            change(&all, 3, "D"),
            &["NOT_ALLOWED id"],
        ),
    ] {
        let said = input.to_string();
        let answer = ask(&world, token, "groupChange", "", input).await;
        assert_eq!(answer.user_errors(), errors, "{said}");
    }
    let archive = |version: i32| json!({ "id": far, "version": version });
    let answer = ask(
        &world,
        world.token("STORE_MANAGER"),
        "groupArchive",
        "",
        archive(2),
    )
    .await;
    assert_eq!(answer.user_errors(), ["NOT_ALLOWED id"]);
    let answer = ask(&world, &quay_manager, "groupArchive", "", archive(2)).await;
    assert_eq!(answer.user_errors(), Vec::<String>::new());
}

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

//! Groups are made, changed and put away by those who may.

use super::{ask, data, found, group, other_store, run, text};
use crate::support::World;
use serde_json::{Value, json};

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
    let changed = run(&world, "groupUpdate", fields, change.clone()).await["group"].clone();
    let expected = json!({ "id": tasters, "name": "Tasters", "description": null, "keeper": null, "store": null,
        "archivedAt": null, "version": 2 });
    assert_eq!(changed, expected);
    let stale = ask(&world, world.token("ADMIN"), "groupUpdate", fields, change).await;
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
    for field in ["groupUpdate", "groupArchive", "groupUnarchive"] {
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
        let answer = ask(&world, token, "groupUpdate", "", input).await;
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

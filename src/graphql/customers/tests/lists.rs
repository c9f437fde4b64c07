//! Finding customers, and pages in the order of names.

use super::world::worlds;

#[tokio::test]
async fn customers_are_found_by_name_in_every_manner_of_writing() {
    for world in worlds().await {
        for name in [
            "王小明",
            "王明",
            "김민수",
            "José Ángel O'Brien",
            "Wang Xiao-ming",
            "张三",
        ] {
            world
                .customer(name, world.north, r#", employer: "华为 Technologies""#)
                .await;
        }
        for (filter, names) in [
            (r#"name: "小明""#, vec!["王小明"]),
            (r#"name: "王明""#, vec!["王明"]),
            (r#"name: "王""#, vec!["王明", "王小明"]),
            (r#"name: "王 小 明""#, vec!["王小明"]),
            (r#"name: "민수""#, vec!["김민수"]),
            (r#"name: "김 민수""#, vec!["김민수"]),
            (r#"name: "jose angel""#, vec!["José Ángel O'Brien"]),
            (r#"name: "OBRIEN""#, vec!["José Ángel O'Brien"]),
            (r#"name: "xiaoming""#, vec!["Wang Xiao-ming"]),
            (r#"name: "WANG xiao""#, vec!["Wang Xiao-ming"]),
            (r#"name: "wangx""#, vec!["Wang Xiao-ming"]),
            (r#"name: "iaoming""#, vec![]),
            (r#"name: "\"*' OR 1=1 --""#, vec![]),
            (r#"name: "！？""#, vec![]),
            (r#"query: "张三""#, vec!["张三"]),
            (r#"employer: "华为", name: "wang""#, vec!["Wang Xiao-ming"]),
        ] {
            assert_eq!(world.found(&world.admin, filter).await, names, "{filter}");
        }
        assert_eq!(
            world
                .found(&world.admin, r#"query: "technolog""#)
                .await
                .len(),
            6
        );
        world.end().await;
    }
}

#[tokio::test]
async fn pages_follow_each_other_in_name_order() {
    for world in worlds().await {
        // Ān, Chén, Lǐ, Wáng, Zhào in pinyin; the second of each kind is in the other store.
        for (n, name) in ["赵一", "王五", "安娜", "李四", "陈晨"].iter().enumerate() {
            let home = if n % 2 == 0 { world.north } else { world.south };
            world.customer(name, home, "").await;
        }
        let page = |args: &str| {
            format!(
                "{{ customers({args}) {{ totalCount pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} nodes {{ fullName }} }} }}"
            )
        };
        let names = |data: &serde_json::Value| -> Vec<String> {
            let nodes = data["customers"]["nodes"].as_array().unwrap();
            nodes
                .iter()
                .map(|node| node["fullName"].as_str().unwrap().to_owned())
                .collect()
        };
        let first = world.data(&world.admin, &page("first: 2")).await;
        assert_eq!(names(&first), ["安娜", "陈晨"]);
        assert_eq!(first["customers"]["totalCount"], 5);
        let end = first["customers"]["pageInfo"]["endCursor"]
            .as_str()
            .unwrap()
            .to_owned();
        let second = world
            .data(&world.admin, &page(&format!(r#"first: 2, after: "{end}""#)))
            .await;
        assert_eq!(names(&second), ["李四", "王五"]);
        let before = second["customers"]["pageInfo"]["startCursor"]
            .as_str()
            .unwrap();
        let back = world
            .data(
                &world.admin,
                &page(&format!(r#"last: 2, before: "{before}""#)),
            )
            .await;
        assert_eq!(names(&back), names(&first));
        let own = world.data(&world.manager, &page("first: 5")).await;
        assert_eq!(names(&own), ["安娜", "陈晨", "赵一"]);
        assert_eq!(own["customers"]["totalCount"], 3);
        let newest = world
            .data(
                &world.admin,
                &page("first: 2, orderBy: { field: CREATED_AT, direction: DESC }"),
            )
            .await;
        assert_eq!(names(&newest), ["陈晨", "李四"]);
        // A cursor is good for its own list only, and nothing of a name is read out of it.
        let (other, _) = world
            .run(
                &world.admin,
                &page(&format!(r#"after: "{end}", filter: {{ kind: TRADE }}"#)),
            )
            .await;
        assert_eq!(other["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
        let (contact, _) = world
            .run(&world.admin, &page("orderBy: { field: PHONE }"))
            .await;
        assert!(contact["errors"].is_array());
        world.end().await;
    }
}

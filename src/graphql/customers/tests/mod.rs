//! The topic through its GraphQL roots, on both engines.

mod world;

use crate::access::{Viewer, sight};
use crate::graphql::ids::GlobalKey;
use async_graphql::ID;
use chrono::TimeDelta;
use entity::ids::CustomerId;
use serde_json::json;
use world::{World, worlds};

const ERRORS: &str = "userErrors { code field message }";

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(code, field)| ((*code).to_owned(), (*field).to_owned()))
        .collect()
}

#[tokio::test]
async fn a_file_is_made_changed_and_put_away() {
    for world in worlds().await {
        let made = world
            .change(
                &world.associate,
                &format!(
                    r#"mutation {{ customerCreate(input: {{
                        fullName: "  王 小明 ", birthDate: "L1990-05L-15", gender: MALE, employer: "Sunrise Textile",
                        address: {{ lines: ["1 Tea Road"], postalCode: "200000", city: "Shanghai", country: "CN" }},
                        income: {{ band: HIGH, provenance: ESTIMATED, reason: "drives a new car" }},
                        contactPoints: [{{ kind: MOBILE, value: "138 1234 5678" }}, {{ kind: EMAIL, value: "Wang@Example.com" }}],
                        tastes: [{{ aspect: BRAND, value: "Longjing", attitude: LIKES, provenance: STATED }}],
                        specialDays: [{{ label: "wedding", date: "2015-05-20" }}],
                        idempotencyKey: "k1" }}) {{
                        customer {{ id version fullName homeStore birthDate {{ text solar lunar age nextBirthday }}
                            contactPoints {{ value masked preferred }} tastes {{ value }} specialDays {{ label remindBeforeDays nextOn }}
                            income {{ band reason notedBy }} address {{ lines city masked }}
                            totals {{ visits net {{ amount currencyCode }} }} }} {ERRORS} }} }}"#
                ),
            )
            .await;
        let customer = &made["customer"];
        let id = customer["id"].as_str().unwrap().to_owned();
        assert_eq!(customer["fullName"], "王 小明");
        assert_eq!(customer["homeStore"], world.north.global().as_str());
        // The leap fifth month of 1990 began on 23 June.
        assert_eq!(
            customer["birthDate"],
            json!({ "text": "L1990-05L-15", "solar": "1990-07-07", "lunar": "L1990-05L-15", "age": 35, "nextBirthday": "2026-06-29" })
        );
        // An associate who does not keep the customer sees them masked, the one just typed too.
        assert_eq!(
            customer["contactPoints"],
            json!([{ "value": "w***@example.com", "masked": true, "preferred": true },
                   { "value": "+86138****5678", "masked": true, "preferred": true }])
        );
        assert_eq!(
            customer["address"],
            json!({ "lines": ["***"], "city": "Shanghai", "masked": true })
        );
        assert_eq!(customer["specialDays"][0]["nextOn"], "2026-05-20");
        assert_eq!(
            customer["totals"],
            json!({ "visits": 0, "net": { "amount": "0.00", "currencyCode": "CNY" } })
        );

        // The same key and input give the same customer; another input is refused.
        let again = |name: &str| {
            format!(
                r#"mutation {{ customerCreate(input: {{ fullName: "{name}", idempotencyKey: "k2" }}) {{ customer {{ id }} {ERRORS} }} }}"#
            )
        };
        let first = world.change(&world.associate, &again("Ann Lee")).await;
        let second = world.change(&world.associate, &again("Ann Lee")).await;
        assert_eq!(first, second);
        assert_eq!(
            world.refused(&world.associate, &again("Ann Li")).await,
            pairs(&[("IDEMPOTENCY_MISMATCH", "idempotencyKey")])
        );

        // Absent stays, null clears; a stale version shows the present state.
        let update = |version: i32, fields: &str| {
            format!(
                r#"mutation {{ customerUpdate(input: {{ id: "{id}", version: {version}, {fields} }})
                    {{ customer {{ version fullName employer position gender income {{ band }} }} {ERRORS} }} }}"#
            )
        };
        let changed = world
            .change(
                &world.associate,
                &update(
                    1,
                    r#"fullName: "王大明", employer: null, position: "buyer""#,
                ),
            )
            .await;
        assert_eq!(
            changed["customer"],
            json!({ "version": 2, "fullName": "王大明", "employer": null, "position": "buyer", "gender": "MALE", "income": { "band": "HIGH" } })
        );
        assert_eq!(
            world.found(&world.admin, r#"name: "大明""#).await,
            ["王大明"]
        );
        assert!(
            world
                .found(&world.admin, r#"name: "小明""#)
                .await
                .is_empty()
        );
        assert!(
            world
                .found(&world.admin, r#"employer: "sunrise""#)
                .await
                .is_empty()
        );
        let stale = world
            .data(&world.manager, &update(1, r#"position: "director""#))
            .await;
        assert_eq!(
            stale["customerUpdate"]["userErrors"][0]["code"],
            "STALE_VERSION"
        );
        assert_eq!(stale["customerUpdate"]["customer"]["position"], "buyer");
        let same = world
            .change(&world.associate, &update(2, r#"position: "buyer""#))
            .await;
        assert_eq!(same["customer"]["version"], 2, "no change, no version");

        let archive = |word: &str| {
            format!(
                r#"mutation {{ {word}(input: {{ id: "{id}" }}) {{ customer {{ version }} {ERRORS} }} }}"#
            )
        };
        let (forbidden, _) = world
            .run(&world.associate, &archive("customerArchive"))
            .await;
        assert_eq!(forbidden["errors"][0]["extensions"]["code"], "FORBIDDEN");
        world
            .change(&world.manager, &archive("customerArchive"))
            .await;
        assert_eq!(
            world
                .refused(&world.manager, &archive("customerArchive"))
                .await,
            pairs(&[("WRONG_STATE", "id")])
        );
        assert_eq!(
            world
                .refused(&world.manager, &update(3, r#"position: "x""#))
                .await,
            pairs(&[("WRONG_STATE", "id")])
        );
        assert!(
            world
                .found(&world.admin, r#"name: "大明""#)
                .await
                .is_empty()
        );
        assert_eq!(
            world
                .found(&world.admin, r#"name: "大明", archived: true"#)
                .await,
            ["王大明"]
        );
        world
            .change(&world.manager, &archive("customerUnarchive"))
            .await;

        let events = "select count(*) from event where kind = ";
        for (kind, count) in [
            ("customer.created", 2),
            ("customer.changed", 1),
            ("customer.archived", 1),
            ("customer.unarchived", 1),
        ] {
            assert_eq!(
                world.rows(&format!("{events}'{kind}'")).await,
                count,
                "{kind}"
            );
        }
        assert_eq!(world.rows("select count(*) from audit_customer").await, 5);
        // Field names only: no value of the file gets into the log or the outbox.
        for table in [
            "event where cast(payload as text)",
            "audit_entry where cast(detail as text)",
        ] {
            let sql = format!("select count(*) from {table} like '%buyer%'");
            assert_eq!(world.rows(&sql).await, 0);
        }
        world.end().await;
    }
}

#[tokio::test]
async fn bad_input_is_told_all_at_once_and_writes_nothing() {
    for world in worlds().await {
        let long = "x".repeat(1_000_000);
        let create = |fields: &str| {
            format!(
                r#"mutation {{ customerCreate(input: {{ {fields} }}) {{ customer {{ id }} {ERRORS} }} }}"#
            )
        };
        let all = create(
            r#"fullName: "王", birthDate: "2027-01-01", employer: "a\u0000b", position: "a\u202Eb", language: "no tag!",
               referredById: "QQ", homeStoreId: "nothing",
               income: { band: LOW, provenance: ESTIMATED },
               contactPoints: [{ kind: MOBILE, value: "12" }, { kind: EMAIL, value: "a@example.com" }, { kind: EMAIL, value: "A@Example.com" }],
               tastes: [{ aspect: SIZE, value: "42", attitude: LIKES, provenance: DERIVED }],
               specialDays: [{ label: "", date: "2015-02-29", remindBeforeDays: 91 }]"#,
        );
        let mut refused = world.refused(&world.admin, &all).await;
        refused.sort();
        assert_eq!(
            refused,
            pairs(&[
                ("INVALID", "contactPoints.0.value"),
                ("INVALID", "employer"),
                ("INVALID", "fullName"),
                ("INVALID", "language"),
                ("INVALID", "position"),
                ("INVALID", "specialDays.0.date"),
                ("NOT_ALLOWED", "tastes.0.provenance"),
                ("NOT_FOUND", "homeStoreId"),
                ("NOT_FOUND", "referredById"),
                ("OUT_OF_RANGE", "birthDate"),
                ("OUT_OF_RANGE", "specialDays.0.remindBeforeDays"),
                ("REQUIRED", "income.reason"),
                ("REQUIRED", "specialDays.0.label"),
                ("TAKEN", "contactPoints.2.value"),
            ])
        );
        for (fields, code, field) in [
            (format!(r#"fullName: "{long}""#), "TOO_LONG", "fullName"),
            (r#"fullName: " \u3000 ""#.into(), "REQUIRED", "fullName"),
            (
                r#"fullName: "Ann Lee", birthDate: "2023-02-29""#.into(),
                "INVALID",
                "birthDate",
            ),
            // The first lunar month of 2024 had 29 days.
            (
                r#"fullName: "Ann Lee", birthDate: "L2024-01-30""#.into(),
                "INVALID",
                "birthDate",
            ),
            (
                r#"fullName: "Ann Lee", birthDate: "1990-13-01""#.into(),
                "INVALID",
                "birthDate",
            ),
            (
                format!(
                    r#"fullName: "Ann Lee", homeStoreId: "{}""#,
                    world.south.global().as_str()
                ),
                "NOT_ALLOWED",
                "homeStoreId",
            ),
        ] {
            assert_eq!(
                world.refused(&world.manager, &create(&fields)).await,
                pairs(&[(code, field)]),
                "{}",
                fields.chars().take(80).collect::<String>()
            );
        }
        // Today in Shanghai is a day further than in UTC.
        let today = create(r#"fullName: "Newborn Wang", birthDate: "2026-03-03""#);
        assert_eq!(
            world.refused(&world.manager, &today).await,
            pairs(&[("OUT_OF_RANGE", "birthDate")])
        );
        world
            .clock
            .advance(TimeDelta::hours(15) + TimeDelta::minutes(30));
        assert_eq!(world.system.now().date_naive().to_string(), "2026-03-02");
        world.change(&world.manager, &today).await;
        assert_eq!(world.rows("select count(*) from customer").await, 1);
        assert_eq!(world.rows("select count(*) from contact_point").await, 0);
        world.end().await;
    }
}

async fn assign(world: &World, customer: &str, keeper: &Viewer) {
    let keeper = keeper.staff_id().unwrap().global();
    world
        .change(
            &world.manager,
            &format!(
                r#"mutation {{ customerKeeperAssign(input: {{ customerId: "{customer}", keeperId: "{}" }})
                    {{ customer {{ keeper }} {ERRORS} }} }}"#,
                keeper.as_str()
            ),
        )
        .await;
}

#[tokio::test]
async fn who_sees_what() {
    for world in worlds().await {
        let phone = r#", contactPoints: [{ kind: MOBILE, value: "13812345678" }], address: { lines: ["1 Tea Road"], city: "Shanghai" }"#;
        let north = world.customer("Ann North", world.north, phone).await;
        let south = world.customer("Bob South", world.south, phone).await;
        let look = |id: &str| {
            format!(
                r#"{{ customer(id: "{id}") {{ fullName contactPoints {{ value }} address {{ lines city }} }} }}"#
            )
        };
        let values = |answer: &serde_json::Value| {
            let customer = &answer["data"]["customer"];
            (
                customer["contactPoints"][0]["value"]
                    .as_str()
                    .map(str::to_owned),
                customer["address"]["lines"][0].as_str().map(str::to_owned),
            )
        };
        let full = (
            Some("+8613812345678".to_owned()),
            Some("1 Tea Road".to_owned()),
        );
        let masked = (Some("+86138****5678".to_owned()), Some("***".to_owned()));
        let hidden = (None, None);
        for (viewer, id, seen, shown) in [
            (&world.admin, &south, &full, 1),
            (&world.manager, &north, &full, 1),
            (&world.manager, &south, &hidden, 0),
            (&world.associate, &north, &masked, 0),
            (&world.associate, &south, &hidden, 0),
            (&world.marketer, &north, &masked, 0),
            (&world.marketer, &south, &masked, 0),
        ] {
            let (answer, read) = world.run(viewer, &look(id)).await;
            assert_eq!(&values(&answer), seen, "{viewer:?}");
            assert_eq!(read, shown, "{viewer:?}");
        }
        for viewer in [&world.analyst, &Viewer::Anonymous] {
            let (answer, _) = world.run(viewer, &look(&north)).await;
            let code = &answer["errors"][0]["extensions"]["code"];
            assert!(code == "FORBIDDEN" || code == "UNAUTHENTICATED", "{answer}");
        }
        // Nothing is noted as shown when the value was not asked for.
        let (_, read) = world
            .run(
                &world.admin,
                &format!(r#"{{ customer(id: "{north}") {{ contactPoints {{ kind }} }} }}"#),
            )
            .await;
        assert_eq!(read, 0);

        // The keeper sees in full; a task shows until it ends, an arrival only lets be seen.
        assign(&world, &north, &world.associate).await;
        assert_eq!(
            values(&world.run(&world.associate, &look(&north)).await.0),
            full
        );
        let me = world.associate.staff_id().unwrap();
        let other = CustomerId::parse(&ID::from(south.as_str())).unwrap();
        let until = world.system.now() + TimeDelta::hours(1);
        let tx = world.system.db.for_migrations();
        sight::grant(tx, other, world.north, "arrived", until)
            .await
            .unwrap();
        assert_eq!(
            values(&world.run(&world.associate, &look(&south)).await.0),
            masked
        );
        sight::grant(tx, other, me, "task:1", until).await.unwrap();
        assert_eq!(
            values(&world.run(&world.associate, &look(&south)).await.0),
            full
        );
        world.clock.advance(TimeDelta::hours(2));
        assert_eq!(
            values(&world.run(&world.associate, &look(&south)).await.0),
            hidden
        );

        // A keeper must look after customers, here.
        let unfit = world.analyst.staff_id().unwrap().global();
        let refused = world
            .refused(
                &world.manager,
                &format!(
                    r#"mutation {{ customerKeeperAssign(input: {{ customerId: "{north}", keeperId: "{}" }}) {{ {ERRORS} }} }}"#,
                    unfit.as_str()
                ),
            )
            .await;
        assert_eq!(refused, pairs(&[("NOT_ALLOWED", "keeperId")]));
        // Another store's customer is none.
        for mutation in [
            format!(r#"customerUpdate(input: {{ id: "{south}", version: 1, position: "x" }})"#),
            format!(r#"customerArchive(input: {{ id: "{south}" }})"#),
        ] {
            let refused = world
                .refused(
                    &world.manager,
                    &format!("mutation {{ {mutation} {{ {ERRORS} }} }}"),
                )
                .await;
            assert_eq!(refused, pairs(&[("NOT_FOUND", "id")]));
        }
        world.end().await;
    }
}

#[tokio::test]
async fn masked_means_unguessable() {
    for world in worlds().await {
        let points = r#", contactPoints: [{ kind: MOBILE, value: "13812345678" }, { kind: EMAIL, value: "ann@example.com" }]"#;
        world.customer("Ann North", world.north, points).await;
        world
            .customer(
                "Bob South",
                world.south,
                r#", contactPoints: [{ kind: MOBILE, value: "13812345679" }]"#,
            )
            .await;
        for viewer in [&world.associate, &world.marketer] {
            for filter in [r#"phonePrefix: "+86138""#, r#"emailPrefix: "ann""#] {
                let (answer, _) = world
                    .run(
                        viewer,
                        &format!("{{ customers(filter: {{ {filter} }}) {{ totalCount }} }}"),
                    )
                    .await;
                assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
            }
        }
        let lookups = "select count(*) from audit_entry where action = 'customer.look_up'";
        assert_eq!(world.rows(lookups).await, 0);
        // A whole number is found, and the look-up is written down; one out of sight is not found.
        for (viewer, filter, names) in [
            (
                &world.marketer,
                r#"phone: "138-1234-5678""#,
                vec!["Ann North"],
            ),
            (
                &world.marketer,
                r#"query: "+8613812345679""#,
                vec!["Bob South"],
            ),
            (
                &world.associate,
                r#"email: "ANN@example.com""#,
                vec!["Ann North"],
            ),
            (&world.associate, r#"phone: "13812345679""#, vec![]),
            (&world.associate, r#"query: "1381234567""#, vec![]),
        ] {
            assert_eq!(world.found(viewer, filter).await, names, "{filter}");
        }
        assert_eq!(world.rows(lookups).await, 4);
        // Managers search by a part, among those whom they see in full; nothing is counted.
        assert_eq!(
            world
                .found(&world.manager, r#"phonePrefix: "+86 138""#)
                .await,
            ["Ann North"]
        );
        assert_eq!(
            world
                .found(&world.admin, r#"phonePrefix: "+8613812""#)
                .await,
            ["Ann North", "Bob South"]
        );
        assert_eq!(
            world.found(&world.admin, r#"emailPrefix: "ANN@""#).await,
            ["Ann North"]
        );
        assert_eq!(
            world.found(&world.admin, r#"emailPrefix: "an_@""#).await,
            Vec::<String>::new()
        );
        assert_eq!(world.rows(lookups).await, 4);
        // A program that tries them all is stopped.
        for n in 4.. {
            let (answer, _) = world
                .run(
                    &world.marketer,
                    r#"{ customers(filter: { phone: "13912345678" }) { nodes { id } } }"#,
                )
                .await;
            if answer.get("errors").is_some() {
                assert_eq!(answer["errors"][0]["extensions"]["code"], "RATE_LIMITED");
                assert_eq!(n, 122, "120 of the marketer's own, two of them above");
                break;
            }
        }
        world.clock.advance(TimeDelta::minutes(61));
        assert_eq!(
            world
                .found(&world.marketer, r#"phone: "13812345678""#)
                .await,
            ["Ann North"]
        );
        for (filter, message) in [
            (r#"phone: "12""#, "phone is not"),
            (r#"name: "a\u0000""#, "name contains"),
            (r#"phonePrefix: "138""#, "phonePrefix must"),
        ] {
            let (answer, _) = world
                .run(
                    &world.admin,
                    &format!("{{ customers(filter: {{ {filter} }}) {{ totalCount }} }}"),
                )
                .await;
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
            assert!(
                answer["errors"][0]["message"]
                    .as_str()
                    .unwrap()
                    .starts_with(message),
                "{answer}"
            );
        }
        world.end().await;
    }
}

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

#[tokio::test]
async fn what_hangs_on_a_customer() {
    for world in worlds().await {
        let id = world.customer("Ann North", world.north, "").await;
        let add = |value: &str, more: &str| {
            format!(
                r#"mutation {{ contactPointAdd(input: {{ customerId: "{id}", kind: MOBILE, value: "{value}" {more} }})
                    {{ contactPoint {{ id preferred value }} {ERRORS} }} }}"#
            )
        };
        let first =
            world.change(&world.manager, &add("13812345678", "")).await["contactPoint"].take();
        assert_eq!(first["preferred"], true);
        let second = world
            .change(&world.manager, &add("13812345679", ", preferred: true"))
            .await["contactPoint"]
            .take();
        assert_eq!(
            world
                .refused(&world.manager, &add("+86 138 1234 5678", ""))
                .await,
            pairs(&[("TAKEN", "value")])
        );
        // A family shares a phone.
        world
            .customer(
                "Bob North",
                world.north,
                r#", contactPoints: [{ kind: MOBILE, value: "13812345678" }]"#,
            )
            .await;
        let consent = |granted: bool, more: &str| {
            format!(
                r#"mutation {{ consentRecord(input: {{ contactPointId: {}, purpose: MARKETING, granted: {granted} {more} }})
                    {{ consent {{ granted }} {ERRORS} }} }}"#,
                second["id"]
            )
        };
        world
            .change(
                &world.manager,
                &consent(false, r#", method: PHONE, at: "2026-02-01T10:00:00+08:00""#),
            )
            .await;
        // Told later, said earlier: it does not hold.
        world
            .change(
                &world.manager,
                &consent(true, r#", method: PAPER, at: "2026-01-01T10:00:00Z""#),
            )
            .await;
        assert_eq!(
            world
                .refused(
                    &world.manager,
                    &consent(true, r#", method: IMPORT, at: "2027-01-01T00:00:00Z""#)
                )
                .await,
            pairs(&[("REQUIRED", "evidence"), ("OUT_OF_RANGE", "at")])
        );
        for n in 1..=3 {
            world.clock.advance(TimeDelta::minutes(1));
            world
                .change(
                    &world.associate,
                    &format!(r#"mutation {{ customerNoteAdd(input: {{ customerId: "{id}", text: "note {n}" }}) {{ note {{ id }} {ERRORS} }} }}"#),
                )
                .await;
        }
        let taste = format!(
            r#"mutation {{ tasteAdd(input: {{ customerId: "{id}", aspect: HOBBY, value: "chess", attitude: LIKES, provenance: NOTED }})
                {{ taste {{ id }} {ERRORS} }} }}"#
        );
        let taste_id = world.change(&world.associate, &taste).await["taste"]["id"].take();
        assert_eq!(
            world.refused(&world.associate, &taste).await,
            pairs(&[("TAKEN", "value")])
        );
        let data = world
            .data(
                &world.manager,
                &format!(
                    r#"{{ customer(id: "{id}") {{ contactPoints {{ id preferred consents {{ purpose granted method at }} }}
                        tastes {{ value notedBy }} notes(first: 2) {{ totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ text author }} }} }} }}"#
                ),
            )
            .await;
        let customer = &data["customer"];
        assert_eq!(
            customer["contactPoints"],
            json!([
                { "id": second["id"], "preferred": true,
                  "consents": [{ "purpose": "MARKETING", "granted": false, "method": "PHONE", "at": "2026-02-01T02:00:00Z" }] },
                { "id": first["id"], "preferred": false, "consents": [] },
            ])
        );
        let me = world.associate.staff_id().unwrap().global();
        let notes = &customer["notes"];
        assert_eq!(notes["totalCount"], 3);
        assert_eq!(
            notes["nodes"],
            json!([{ "text": "note 3", "author": me.as_str() }, { "text": "note 2", "author": me.as_str() }])
        );
        let rest = world
            .data(
                &world.manager,
                &format!(
                    r#"{{ customer(id: "{id}") {{ notes(first: 2, after: {}) {{ pageInfo {{ hasNextPage }} nodes {{ text }} }}
                        oldest: notes(last: 1) {{ pageInfo {{ hasPreviousPage }} nodes {{ text }} }} }} }}"#,
                    notes["pageInfo"]["endCursor"]
                ),
            )
            .await;
        assert_eq!(
            rest["customer"],
            json!({ "notes": { "pageInfo": { "hasNextPage": false }, "nodes": [{ "text": "note 1" }] },
                    "oldest": { "pageInfo": { "hasPreviousPage": true }, "nodes": [{ "text": "note 1" }] } })
        );
        for removal in [
            format!("contactPointRemove(input: {{ id: {} }})", second["id"]),
            format!("tasteRemove(input: {{ id: {taste_id} }})"),
        ] {
            let left = world
                .change(
                    &world.manager,
                    &format!("mutation {{ {removal} {{ customer {{ id }} {ERRORS} }} }}"),
                )
                .await;
            assert_eq!(left["customer"]["id"], id);
            let (code, _) = world
                .refused(
                    &world.manager,
                    &format!("mutation {{ {removal} {{ {ERRORS} }} }}"),
                )
                .await
                .remove(0);
            assert_eq!(code, "NOT_FOUND");
        }
        world.end().await;
    }
}

#[tokio::test]
async fn referrals_never_close_a_circle() {
    for world in worlds().await {
        let first = world.customer("Ann One", world.north, "").await;
        let second = world
            .customer(
                "Bob Two",
                world.north,
                &format!(r#", referredById: "{first}""#),
            )
            .await;
        let third = world
            .customer(
                "Cai Three",
                world.north,
                &format!(r#", referredById: "{second}", giftFromId: "{first}""#),
            )
            .await;
        let refer = |who: &str, by: &str| {
            format!(
                r#"mutation {{ customerUpdate(input: {{ id: "{who}", version: 1, referredById: "{by}" }}) {{ {ERRORS} }} }}"#
            )
        };
        for by in [&first, &third] {
            assert_eq!(
                world.refused(&world.admin, &refer(&first, by)).await,
                pairs(&[("INVALID", "referredById")])
            );
        }
        let hidden = world.customer("Dan South", world.south, "").await;
        assert_eq!(
            world.refused(&world.manager, &refer(&first, &hidden)).await,
            pairs(&[("NOT_FOUND", "referredById")])
        );
        let data = world
            .data(
                &world.manager,
                &format!(r#"{{ customer(id: "{third}") {{ referredBy {{ fullName referredBy {{ fullName }} }} giftFrom {{ fullName }} }} }}"#),
            )
            .await;
        assert_eq!(
            data["customer"],
            json!({ "referredBy": { "fullName": "Bob Two", "referredBy": { "fullName": "Ann One" } }, "giftFrom": { "fullName": "Ann One" } })
        );
        world.end().await;
    }
}

//! Who sees what, and what a masked value gives away: nothing.

use super::world::{World, worlds};
use super::{ERRORS, pairs};
use crate::access::{Viewer, sight};
use crate::graphql::ids::GlobalKey;
use async_graphql::ID;
use chrono::TimeDelta;
use entity::ids::CustomerId;

async fn assign(world: &World, customer: &str, keeper: &Viewer) {
    let keeper = keeper.staff_id().unwrap().global();
    world
        .change(
            &world.manager,
            &format!(
                r#"mutation {{ customerKeeperAssign(input: {{ customerId: "{customer}", keeperId: "{}" }})
                    {{ customer {{ keeper {{ id }} }} {ERRORS} }} }}"#,
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
        let fields = "id fullName contactPoints { value } address { lines city }";
        let look = |id: &str| format!(r#"{{ customer(id: "{id}") {{ {fields} }} }}"#);
        let list = format!("{{ customers(first: 5) {{ nodes {{ {fields} }} }} }}");
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
            // What comes in one statement with the customer is what a list reads for all of its rows.
            let (listed, _) = world.run(viewer, &list).await;
            let rows = listed["data"]["customers"]["nodes"].as_array().unwrap();
            let row = rows.iter().find(|row| row["id"] == id.as_str());
            let alone = &answer["data"]["customer"];
            assert_eq!(row.unwrap_or(&serde_json::Value::Null), alone, "{viewer:?}");
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

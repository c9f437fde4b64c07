//! The topic through its GraphQL roots, on both engines.

mod lists;
mod parts;
mod sight;
mod world;

use crate::graphql::ids::GlobalKey;
use chrono::TimeDelta;
use serde_json::json;
use world::worlds;

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
                        customer {{ id version fullName homeStore {{ id }} birthDate {{ text solar lunar age nextBirthday }}
                            contactPoints {{ value masked preferred }} tastes {{ value }} specialDays {{ label remindBeforeDays nextOn }}
                            income {{ band reason notedBy {{ id }} }} address {{ lines city masked }}
                            totals {{ visits net {{ amount currencyCode }} }} }} {ERRORS} }} }}"#
                ),
            )
            .await;
        let customer = &made["customer"];
        let id = customer["id"].as_str().unwrap().to_owned();
        assert_eq!(customer["fullName"], "王 小明");
        assert_eq!(customer["homeStore"]["id"], world.north.global().as_str());
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

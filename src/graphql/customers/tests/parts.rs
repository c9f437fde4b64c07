//! What hangs on a customer, and how customers hang on each other.

use super::world::{World, worlds};
use super::{ERRORS, pairs};
use crate::graphql::ids::GlobalKey;
use chrono::TimeDelta;
use entity::contact_point;
use entity::enums::ContactKind;
use entity::ids::{ContactPointId, CustomerId};
use entity::values::Clock;
use sea_orm::{EntityTrait, IntoActiveModel};
use serde_json::{Value, json};

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
                        tastes {{ value notedBy {{ id }} }} notes(first: 2) {{ totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ text author {{ id }} }} }} }} }}"#
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
            json!([{ "text": "note 3", "author": { "id": me.as_str() } }, { "text": "note 2", "author": { "id": me.as_str() } }])
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
        removed_points(&world, &id, &first["id"], &second["id"], &add).await;
        world.end().await;
    }
}

/// What was taken off the file is found by nobody and used for nothing, and the consents about it stay.
async fn removed_points(
    world: &World,
    customer: &str,
    first: &Value,
    second: &Value,
    add: &impl Fn(&str, &str) -> String,
) {
    let remove = |id: &Value| {
        format!("mutation {{ contactPointRemove(input: {{ id: {id} }}) {{ {ERRORS} }} }}")
    };
    let phone = "13812345679";
    let found = format!(r#"{{ customers(filter: {{ phone: "{phone}" }}) {{ nodes {{ id }} }} }}"#);
    let data = world.data(&world.manager, &found).await;
    assert_eq!(data["customers"]["nodes"], json!([]));
    for what in [
        format!("contactPointUpdate(input: {{ id: {second}, preferred: true }})"),
        format!("contactPointVerify(input: {{ id: {second} }})"),
    ] {
        let refused = world
            .refused(
                &world.manager,
                &format!("mutation {{ {what} {{ {ERRORS} }} }}"),
            )
            .await;
        assert_eq!(refused, pairs(&[("NOT_FOUND", "id")]), "{what}");
    }
    let state = r#"{ removedContactPoints { id value preferred removedAt removedBy { id }
        consents { purpose granted } } contactPoints { id value removedAt } }"#;
    let file = format!(r#"{{ customer(id: "{customer}") {state} }}"#);
    let data = world.data(&world.manager, &file).await;
    let removed = json!({ "id": second, "value": format!("+86{phone}"), "preferred": false, "removedAt": world.clock.now(),
        "removedBy": { "id": world.manager.staff_id().unwrap().global().as_str() },
        "consents": [{ "purpose": "MARKETING", "granted": false }] });
    assert_eq!(data["customer"]["removedContactPoints"], json!([removed]));
    assert_eq!(
        data["customer"]["contactPoints"],
        json!([{ "id": first, "value": "+8613812345678", "removedAt": null }])
    );
    let masked = format!(
        r#"{{ customer(id: "{customer}") {{ removedContactPoints {{ value masked }} }} }}"#
    );
    let data = world.data(&world.marketer, &masked).await;
    assert_eq!(
        data["customer"]["removedContactPoints"],
        json!([{ "value": "+86138****5679", "masked": true }])
    );
    // The same number again is another contact point, about which nothing was said yet.
    let again = world.change(&world.manager, &add(phone, "")).await["contactPoint"].take();
    assert_ne!(again["id"], *second);
    let data = world.data(&world.manager, &found).await;
    assert_eq!(data["customers"]["nodes"], json!([{ "id": customer }]));
    // Nothing was said about these two: nothing has to be kept.
    for id in [first, &again["id"]] {
        world.change(&world.manager, &remove(id)).await;
    }
    let data = world.data(&world.manager, &file).await;
    assert_eq!(data["customer"]["removedContactPoints"], json!([removed]));
    assert_eq!(data["customer"]["contactPoints"], json!([]));
}

/// Nobody fills a file by adding, consenting and removing without end.
#[tokio::test]
async fn removed_points_do_not_grow_without_end() {
    for world in worlds().await {
        let id = world.customer("Ann North", world.north, "").await;
        let add = |value: &str| {
            format!(
                r#"mutation {{ contactPointAdd(input: {{ customerId: "{id}", kind: EMAIL, value: "{value}" }})
                    {{ contactPoint {{ id }} {ERRORS} }} }}"#
            )
        };
        let removed = (0..199).map(|n| {
            contact_point::Model {
                id: ContactPointId::new(),
                customer_id: CustomerId::parse(&id.as_str().into()).unwrap(),
                kind: ContactKind::Email,
                value: format!("ann.{n}@example.com"),
                label: None,
                preferred: false,
                verified_at: None,
                created_at: world.clock.now(),
                removed_at: Some(world.clock.now()),
                removed_by: None,
            }
            .into_active_model()
        });
        contact_point::Entity::insert_many(removed)
            .exec(world.system.db.for_migrations())
            .await
            .unwrap();
        let last =
            world.change(&world.manager, &add("ann@example.com")).await["contactPoint"]["id"]
                .take();
        for what in [
            format!(
                "consentRecord(input: {{ contactPointId: {last}, purpose: MARKETING, granted: false, method: PHONE }})"
            ),
            format!("contactPointRemove(input: {{ id: {last} }})"),
        ] {
            let change = format!("mutation {{ {what} {{ {ERRORS} }} }}");
            world.change(&world.manager, &change).await;
        }
        let refused = world.refused(&world.manager, &add("ann@example.com")).await;
        assert_eq!(refused, pairs(&[("TOO_MANY", "customerId")]));
        let count = format!(
            r#"{{ customer(id: "{id}") {{ contactPoints {{ id }} removedContactPoints {{ id }} }} }}"#
        );
        let data = world.data(&world.manager, &count).await;
        assert_eq!(data["customer"]["contactPoints"], json!([]));
        let kept = data["customer"]["removedContactPoints"].as_array().unwrap();
        assert_eq!(kept.len(), 200);
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

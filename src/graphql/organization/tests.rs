//! The main ways through the API of the organization.

use super::{OrganizationMutation, OrganizationQuery, SessionMutation};
use crate::access::{Ctx, Grant, Origin, Place, Viewer};
use crate::domain::organization::company::{self, CompanyDefaults};
use crate::domain::organization::staff::{self, NewStaff};
use crate::domain::organization::{Authenticator, SignInSettings};
use crate::graphql::loaders::loaders;
use crate::testing::TestDb;
use async_graphql::{EmptySubscription, MergedObject, Schema};
use entity::enums::Role;
use serde_json::{Value, json};

#[derive(MergedObject, Default)]
struct Mutation(OrganizationMutation, SessionMutation);

async fn run(ctx: &Ctx, document: &str) -> Value {
    let schema = Schema::new(OrganizationQuery, Mutation::default(), EmptySubscription);
    let request = async_graphql::Request::new(document)
        .data(ctx.clone())
        .data(loaders(ctx.clone()));
    let response = schema.execute(request).await;
    json!({ "data": response.data, "errors": response.errors })
}

#[tokio::test]
async fn an_administrator_sets_up_a_shop() {
    for test in TestDb::all().await {
        let system = test.system();
        system.memory.put(SignInSettings {
            issuer: "here".to_owned(),
            ..SignInSettings::default()
        });
        let defaults = CompanyDefaults {
            name: "Tea & Sons".to_owned(),
            currency: "CNY".to_owned(),
            country: "CN".to_owned(),
            locale: "zh".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
        };
        company::ensure(&system, &defaults).await.unwrap();
        company::ensure(&system, &defaults).await.unwrap();
        let new = NewStaff {
            email: "admin@demo.example".to_owned(),
            name: "Admin".to_owned(),
            grants: vec![Grant {
                role: Role::Admin,
                place: Place::Company,
            }],
            password: Some("regulars-demo".into()),
            demo: true,
        };
        staff::create(&system, &new).await.unwrap();
        assert!(staff::demo_can_sign_in(&system).await.unwrap());
        let door = Authenticator::start(system.clone()).await.unwrap();
        let nobody = system.for_request(Viewer::Anonymous, Origin::internal());

        let answer = run(&nobody, "{ viewer { kind } }").await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        let wrong = r#"mutation { sessionCreate(input: {email: "admin@demo.example", password: "?"}) {
            session { accessToken } userErrors { code field message } } }"#;
        let answer = &run(&nobody, wrong).await["data"]["sessionCreate"];
        assert_eq!(answer["session"], Value::Null);
        assert_eq!(answer["userErrors"][0]["code"], "INVALID_CREDENTIALS");
        let right = r#"mutation { sessionCreate(input: {email: "admin@demo.example", password: "regulars-demo"}) {
            session { accessToken refreshToken expiresAt } userErrors { code field message } } }"#;
        let answer = &run(&nobody, right).await["data"]["sessionCreate"];
        assert_eq!(answer["userErrors"], json!([]));
        let token = answer["session"]["accessToken"].as_str().unwrap();
        let viewer = door.authenticate(Some(token)).await.unwrap();
        let admin = system.for_request(viewer, Origin::internal());

        let answer = run(&admin, "{ viewer { kind staff { email enabled } roles { role store { id } } permissions sessions { present } } }").await;
        let viewer = &answer["data"]["viewer"];
        assert_eq!(viewer["kind"], "STAFF", "{answer}");
        assert_eq!(
            viewer["staff"],
            json!({ "email": "admin@demo.example", "enabled": true })
        );
        assert_eq!(viewer["roles"], json!([{ "role": "ADMIN", "store": null }]));
        assert!(
            viewer["permissions"]
                .as_array()
                .unwrap()
                .contains(&json!("STAFF_MANAGE"))
        );
        assert_eq!(viewer["sessions"], json!([{ "present": true }]));

        let made = run(&admin, r#"mutation { regionCreate(input: {code: "R1", name: "East"}) { region { id } userErrors { code } } }"#).await;
        let region = made["data"]["regionCreate"]["region"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let made = run(&admin, &format!(r#"mutation {{ storeCreate(input: {{regionId: "{region}", code: "S1", name: "Bund",
            openingHours: [{{weekday: MONDAY, opens: "09:00", closes: "21:00"}}]}}) {{
            store {{ id version timeZone region {{ code }} openingHours {{ weekday opens closes }} }} userErrors {{ code field }} }} }}"#)).await;
        let store = &made["data"]["storeCreate"]["store"];
        assert_eq!(store["timeZone"], "Asia/Shanghai", "{made}");
        assert_eq!(store["region"]["code"], "R1");
        assert_eq!(
            store["openingHours"],
            json!([{ "weekday": "MONDAY", "opens": "09:00", "closes": "21:00" }])
        );
        let id = store["id"].as_str().unwrap();
        let made = run(&admin, &format!(r#"mutation {{ staffCreate(input: {{email: "guide@demo.example", name: "金珉俊",
            grants: [{{role: ASSOCIATE, storeId: "{id}"}}, {{role: REGION_MANAGER, storeId: "{region}"}}]}}) {{
            staff {{ id }} userErrors {{ code field }} }} }}"#)).await;
        let errors = &made["data"]["staffCreate"]["userErrors"];
        assert_eq!(
            errors,
            &json!([{ "code": "INVALID", "field": ["grants", "1"] }]),
            "{made}"
        );
        let made = run(&admin, &format!(r#"mutation {{ staffCreate(input: {{email: "guide@demo.example", name: "金珉俊",
            grants: [{{role: ASSOCIATE, storeId: "{id}"}}]}}) {{ staff {{ id version }} userErrors {{ code field }} }} }}"#)).await;
        let guide = made["data"]["staffCreate"]["staff"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let reset = run(
            &admin,
            &format!(
                r#"mutation {{ staffPasswordReset(input: {{id: "{guide}"}}) {{
            generatedPassword staff {{ version }} userErrors {{ code }} }} }}"#
            ),
        )
        .await;
        let password = reset["data"]["staffPasswordReset"]["generatedPassword"]
            .as_str()
            .unwrap();
        assert!(password.len() >= 20, "{reset}");

        let listed = run(&admin, r#"{ stores(first: 1) { totalCount nodes { code } pageInfo { hasNextPage endCursor } }
            staff(filter: {role: ASSOCIATE}, orderBy: {direction: DESC}) { totalCount nodes { name grants { role store { code } } } } }"#).await;
        assert_eq!(listed["data"]["stores"]["totalCount"], 1, "{listed}");
        assert_eq!(
            listed["data"]["staff"]["nodes"],
            json!([
                { "name": "金珉俊", "grants": [{ "role": "ASSOCIATE", "store": { "code": "S1" } }] }
            ])
        );
        let missing = run(
            &admin,
            r#"{ store(id: "nonsense") { id } staffMember(id: "nonsense") { id } }"#,
        )
        .await;
        assert_eq!(
            missing["data"],
            json!({ "store": null, "staffMember": null })
        );
        let nothing = run(&admin, r#"mutation { storeUpdate(input: {id: "nonsense", version: 1}) { store { id } userErrors { code field } } }"#).await;
        assert_eq!(
            nothing["data"]["storeUpdate"]["userErrors"],
            json!([{ "code": "NOT_FOUND", "field": ["id"] }])
        );
        let ended = run(
            &admin,
            "mutation { sessionEnd { session { endedAt } userErrors { code } } }",
        )
        .await;
        assert!(
            ended["data"]["sessionEnd"]["session"]["endedAt"].is_string(),
            "{ended}"
        );
        assert!(door.authenticate(Some(token)).await.is_err());
        let forbidden = run(&nobody, r#"mutation { storeArchive(input: {id: "nonsense", version: 1}) { userErrors { code } } }"#).await;
        assert_eq!(
            forbidden["errors"][0]["extensions"]["code"],
            "UNAUTHENTICATED"
        );
        door.stop().await;
        test.done().await;
    }
}

//! A shop for the tests: two stores, staff of every role, on both engines.

use crate::access::{Ctx, Grant, Origin, Place, Secrets, StaffViewer, Viewer};
use crate::db::{Db, DbSettings};
use crate::domain::organization::company::{CompanyDefaults, ensure};
use crate::graphql::customers::{CustomerMutation, CustomerPartsMutation, CustomerQuery};
use crate::graphql::ids::GlobalKey;
use crate::graphql::loaders::loaders;
use async_graphql::{EmptySubscription, MergedObject, Request, Schema};
use chrono::{TimeZone, Utc};
use entity::enums::Role;
use entity::ids::{GrantId, RegionId, SessionId, StaffId, StoreId};
use entity::values::ManualClock;
use entity::{region, staff, staff_grant, store};
use migration::{Migrator, MigratorTrait};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ConnectionTrait, Database};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

#[derive(Default, MergedObject)]
pub struct Mutations(CustomerMutation, CustomerPartsMutation);

/// One shop on one engine.
pub struct World {
    pub system: Ctx,
    pub clock: ManualClock,
    pub schema: Schema<CustomerQuery, Mutations, EmptySubscription>,
    pub north: StoreId,
    pub south: StoreId,
    pub admin: Viewer,
    pub manager: Viewer,
    pub associate: Viewer,
    pub marketer: Viewer,
    pub analyst: Viewer,
    data: Option<tempfile::TempDir>,
    database: Option<(String, String)>,
}

fn settings(url: Option<String>, data: PathBuf) -> DbSettings {
    DbSettings {
        url,
        data,
        connections: 4,
        statement_timeout: Duration::from_secs(30),
        lock_timeout: Duration::from_secs(10),
    }
}

/// The shop on SQLite and, when a server is named, on PostgreSQL.
pub async fn worlds() -> Vec<World> {
    let data = tempfile::tempdir().unwrap();
    let db = Db::connect(&settings(None, data.path().to_owned()))
        .await
        .unwrap();
    let mut worlds = vec![World::new(db, Some(data), None).await];
    if let Ok(server) = std::env::var("REGULARS_TEST_POSTGRES") {
        let name = format!("regulars_customers_{}", Uuid::now_v7().simple());
        let admin = Database::connect(&server).await.unwrap();
        admin
            .execute_unprepared(&format!("create database {name}"))
            .await
            .unwrap();
        let (base, options) = server.split_once('?').unwrap_or((&server, ""));
        let (base, _) = base.rsplit_once('/').unwrap();
        let url = format!("{base}/{name}?{options}");
        let db = Db::connect(&settings(Some(url), PathBuf::new()))
            .await
            .unwrap();
        worlds.push(World::new(db, None, Some((server, name))).await);
    }
    worlds
}

impl World {
    async fn new(
        db: Db,
        data: Option<tempfile::TempDir>,
        database: Option<(String, String)>,
    ) -> Self {
        Migrator::up(db.for_migrations(), None).await.unwrap();
        let clock = ManualClock::new(Utc.with_ymd_and_hms(2026, 3, 2, 1, 0, 0).unwrap());
        let secrets = Arc::new(Secrets::derive(&[7; 32]));
        let system = Ctx::system(db.clone(), Arc::new(clock.clone()), secrets);
        let defaults = CompanyDefaults {
            name: "Tea and Silk".into(),
            currency: "CNY".into(),
            country: "CN".into(),
            locale: "zh".into(),
            time_zone: "Asia/Shanghai".into(),
        };
        ensure(&system, &defaults).await.unwrap();
        let region_id = RegionId::new();
        let now = system.now();
        region::ActiveModel {
            id: Set(region_id),
            code: Set("east".into()),
            name: Set("East".into()),
            version: Set(1),
            created_at: Set(now),
            updated_at: Set(now),
        }
        .insert(db.for_migrations())
        .await
        .unwrap();
        let mut stores = Vec::new();
        for code in ["north", "south"] {
            let id = StoreId::new();
            store::ActiveModel {
                id: Set(id),
                region_id: Set(region_id),
                code: Set(code.into()),
                name: Set(code.into()),
                time_zone: Set("Asia/Shanghai".into()),
                opening_hours: Set(serde_json::json!([])),
                archived_at: Set(None),
                version: Set(1),
                created_at: Set(now),
                updated_at: Set(now),
            }
            .insert(db.for_migrations())
            .await
            .unwrap();
            stores.push(id);
        }
        let (north, south) = (stores[0], stores[1]);
        let mut viewers = Vec::new();
        for (role, place) in [
            (Role::Admin, Place::Company),
            (Role::StoreManager, Place::Store(north)),
            (Role::Associate, Place::Store(north)),
            (Role::Marketer, Place::Company),
            (Role::Analyst, Place::Company),
        ] {
            viewers.push(person(&db, role, place, now).await);
        }
        let mut viewers = viewers.into_iter();
        let mut next = || viewers.next().unwrap();
        Self {
            schema: Schema::new(CustomerQuery, Mutations::default(), EmptySubscription),
            system,
            clock,
            north,
            south,
            admin: next(),
            manager: next(),
            associate: next(),
            marketer: next(),
            analyst: next(),
            data,
            database,
        }
    }

    /// Runs a document as somebody; gives the whole answer as JSON, and whose details it showed in full.
    pub async fn run(&self, viewer: &Viewer, document: &str) -> (Value, usize) {
        let ctx = self.system.for_request(viewer.clone(), Origin::internal());
        let request = Request::new(document)
            .data(loaders(ctx.clone()))
            .data(ctx.clone());
        let answer = self.schema.execute(request).await;
        (
            serde_json::to_value(&answer).unwrap(),
            ctx.reads.take().len(),
        )
    }

    /// Runs a document that must go well; gives its data.
    pub async fn data(&self, viewer: &Viewer, document: &str) -> Value {
        let (mut answer, _) = self.run(viewer, document).await;
        assert!(answer.get("errors").is_none(), "{document}: {answer}");
        answer["data"].take()
    }

    /// Runs a mutation whose payload must have no user errors; gives the payload.
    pub async fn change(&self, viewer: &Viewer, mutation: &str) -> Value {
        let mut data = self.data(viewer, mutation).await;
        let field = data.as_object().unwrap().keys().next().unwrap().clone();
        let payload = data[&field].take();
        assert_eq!(payload["userErrors"], serde_json::json!([]), "{mutation}");
        payload
    }

    /// Runs a mutation that must be refused; gives code and field of each user error.
    pub async fn refused(&self, viewer: &Viewer, mutation: &str) -> Vec<(String, String)> {
        let data = self.data(viewer, mutation).await;
        let payload = data.as_object().unwrap().values().next().unwrap();
        payload["userErrors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| {
                let path: Vec<&str> = error["field"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|part| part.as_str().unwrap())
                    .collect();
                assert!(!error["message"].as_str().unwrap().is_empty());
                (error["code"].as_str().unwrap().to_owned(), path.join("."))
            })
            .collect()
    }

    /// Makes a customer as the administrator; gives the global id.
    pub async fn customer(&self, name: &str, home: StoreId, more: &str) -> String {
        let payload = self
            .change(
                &self.admin,
                &format!(
                    r#"mutation {{ customerCreate(input: {{ fullName: "{name}", homeStoreId: "{}" {more} }})
                        {{ customer {{ id }} userErrors {{ code field message }} }} }}"#,
                    home.global().as_str()
                ),
            )
            .await;
        payload["customer"]["id"].as_str().unwrap().to_owned()
    }

    /// Names of the customers that a filter finds.
    pub async fn found(&self, viewer: &Viewer, filter: &str) -> Vec<String> {
        let data = self
            .data(
                viewer,
                &format!(
                    "{{ customers(filter: {{ {filter} }}) {{ totalCount nodes {{ fullName }} }} }}"
                ),
            )
            .await;
        let names: Vec<String> = data["customers"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node["fullName"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(data["customers"]["totalCount"], names.len(), "{filter}");
        names
    }

    /// How many rows a query counts.
    pub async fn rows(&self, sql: &str) -> i64 {
        let mut statement = self.system.db.sql();
        statement.push(sql);
        let row = self
            .system
            .db
            .read()
            .query_one_raw(statement.build())
            .await
            .unwrap()
            .unwrap();
        row.try_get_by_index(0).unwrap()
    }

    /// Takes everything down.
    pub async fn end(self) {
        self.system.db.close().await.unwrap();
        drop(self.data);
        if let Some((server, name)) = self.database {
            let admin = Database::connect(&server).await.unwrap();
            admin
                .execute_unprepared(&format!("drop database {name} with (force)"))
                .await
                .unwrap();
        }
    }
}

async fn person(db: &Db, role: Role, place: Place, now: chrono::DateTime<Utc>) -> Viewer {
    let id = StaffId::new();
    staff::ActiveModel {
        id: Set(id),
        email: Set(format!("{id}@example.com")),
        name: Set(role.to_string()),
        password_hash: Set(None),
        password_changed_at: Set(None),
        demo: Set(false),
        disabled_at: Set(None),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    }
    .insert(db.for_migrations())
    .await
    .unwrap();
    staff_grant::ActiveModel {
        id: Set(GrantId::new()),
        staff_id: Set(id),
        role: Set(role),
        region_id: Set(None),
        store_id: Set(match place {
            Place::Store(id) => Some(id),
            _ => None,
        }),
        created_at: Set(now),
    }
    .insert(db.for_migrations())
    .await
    .unwrap();
    Viewer::Staff(Arc::new(StaffViewer {
        id,
        session: SessionId::new(),
        grants: vec![Grant { role, place }],
    }))
}

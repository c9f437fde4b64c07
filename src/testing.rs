//! What the tests inside this crate share: a migrated database of each engine, a clock, a context.
//!
//! SQLite always; PostgreSQL when `REGULARS_TEST_POSTGRES` has the address of a server on which databases may be
//! made (`postgres://root@127.0.0.1/postgres`). Each database has a name of its own and is dropped at the end.

use crate::access::{Ctx, Grant, Origin, Place, Secrets, StaffViewer, Viewer};
use crate::db::{Db, DbSettings};
use chrono::{DateTime, Utc};
use entity::enums::Role;
use entity::ids::{SessionId, StaffId};
use entity::values::ManualClock;
use migration::MigratorTrait;
use sea_orm::ConnectionTrait;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// A database for one test.
pub(crate) struct TestDb {
    pub(crate) db: Db,
    pub(crate) clock: ManualClock,
    settings: DbSettings,
    _data: tempfile::TempDir,
    drop: Option<(Db, String)>,
}

/// Midday, so that no test stands at the edge of a day.
pub(crate) fn noon() -> DateTime<Utc> {
    "2026-03-10T12:00:00Z".parse().unwrap()
}

fn settings(url: Option<String>, data: &tempfile::TempDir) -> DbSettings {
    DbSettings {
        url,
        data: data.path().to_owned(),
        connections: 10,
        statement_timeout: Duration::from_secs(30),
        lock_timeout: Duration::from_secs(10),
    }
}

impl TestDb {
    async fn open(url: Option<String>, drop: Option<(Db, String)>) -> Self {
        let data = tempfile::tempdir().unwrap();
        let settings = settings(url, &data);
        let db = Db::connect(&settings).await.unwrap();
        migration::Migrator::up(db.for_migrations(), None)
            .await
            .unwrap();
        Self {
            db,
            clock: ManualClock::new(noon()),
            settings,
            _data: data,
            drop,
        }
    }

    /// The embedded engine only: for what does not depend on the engine.
    pub(crate) async fn sqlite() -> Self {
        Self::open(None, None).await
    }

    /// One database of each engine that is at hand.
    pub(crate) async fn all() -> Vec<Self> {
        let mut all = vec![Self::sqlite().await];
        let Ok(server) = std::env::var("REGULARS_TEST_POSTGRES") else {
            eprintln!("REGULARS_TEST_POSTGRES is not set: tested on SQLite only");
            return all;
        };
        let data = tempfile::tempdir().unwrap();
        let admin = Db::connect(&settings(Some(server.clone()), &data))
            .await
            .unwrap();
        let name = format!("regulars_unit_{}", Uuid::now_v7().simple());
        admin
            .read()
            .execute_unprepared(&format!("create database {name}"))
            .await
            .unwrap();
        let (base, options) = server.split_once('?').unwrap_or((&server, ""));
        let (address, _) = base.rsplit_once('/').unwrap();
        let url = format!("{address}/{name}?{options}");
        all.push(Self::open(Some(url), Some((admin, name))).await);
        all
    }

    /// A second program on the same database.
    pub(crate) async fn another_node(&self) -> Db {
        Db::connect(&self.settings).await.unwrap()
    }

    /// The context of the program itself.
    pub(crate) fn system(&self) -> Ctx {
        self.system_on(self.db.clone())
    }

    /// The context of the program itself on another node.
    pub(crate) fn system_on(&self, db: Db) -> Ctx {
        Ctx::system(
            db,
            Arc::new(self.clock.clone()),
            Arc::new(Secrets::derive(&[7; 32])),
        )
    }

    /// The context of somebody with a role in the whole company.
    pub(crate) fn staff(&self, role: Role) -> Ctx {
        Ctx {
            viewer: Viewer::Staff(Arc::new(StaffViewer {
                id: StaffId::new(),
                session: SessionId::new(),
                grants: vec![Grant {
                    role,
                    place: Place::Company,
                }],
            })),
            origin: Origin {
                address: Some([192, 0, 2, 7].into()),
                ..Origin::internal()
            },
            ..self.system()
        }
    }

    /// One number that a statement gives.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let mut statement = self.db.sql();
        statement.push(sql);
        let row = self
            .db
            .read()
            .query_one_raw(statement.build())
            .await
            .unwrap();
        row.unwrap().try_get_by_index(0).unwrap()
    }

    /// Runs a statement without values.
    pub(crate) async fn run(&self, sql: &str) {
        self.db
            .write(|tx| async move {
                tx.execute_unprepared(sql).await?;
                Ok(())
            })
            .await
            .unwrap();
    }

    /// Drops the database.
    pub(crate) async fn done(self) {
        self.db.close().await.unwrap();
        if let Some((admin, name)) = self.drop {
            admin
                .read()
                .execute_unprepared(&format!("drop database {name} with (force)"))
                .await
                .unwrap();
        }
    }
}

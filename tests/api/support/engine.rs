//! The database of one test: a copy of one that was migrated once in this run.

use regulars::app::schema;
use regulars::config::Database;
use sea_orm::{ConnectOptions, ConnectionTrait, Database as Connector, DatabaseConnection};
use secrecy::SecretString;
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::sync::OnceCell;
use uuid::Uuid;

/// Which engine this run tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

impl Engine {
    /// As `REGULARS_TEST_ENGINE` says; the embedded one by default.
    pub fn of_this_run() -> Self {
        match std::env::var("REGULARS_TEST_ENGINE").as_deref() {
            Err(_) | Ok("" | "sqlite") => Self::Sqlite,
            Ok("postgres") => Self::Postgres,
            Ok(other) => panic!("REGULARS_TEST_ENGINE is {other}; it must be sqlite or postgres"),
        }
    }
}

/// Where one test keeps its data; gone when it is dropped.
#[derive(Debug)]
pub struct Place {
    /// The data directory.
    pub data: PathBuf,
    /// The address of the database, on PostgreSQL.
    pub url: Option<String>,
    _directory: TempDir,
    _database: Option<TestDatabase>,
}

impl Place {
    /// A place with a database that has all changes of the schema and nothing in it.
    pub async fn new() -> Self {
        match Engine::of_this_run() {
            Engine::Sqlite => {
                let place = Self::bare(None);
                std::fs::create_dir_all(&place.data).unwrap();
                std::fs::write(place.data.join("regulars.db"), sqlite_template().await).unwrap();
                place
            }
            Engine::Postgres => {
                Self::bare(Some(TestDatabase::copy_of(postgres_template().await).await))
            }
        }
    }

    /// A place without any change of the schema.
    pub async fn empty() -> Self {
        match Engine::of_this_run() {
            Engine::Sqlite => Self::bare(None),
            Engine::Postgres => Self::bare(Some(TestDatabase::copy_of("template1").await)),
        }
    }

    /// A place on the embedded engine without any change of the schema, whatever this run tests.
    pub fn embedded() -> Self {
        Self::bare(None)
    }

    fn bare(database: Option<TestDatabase>) -> Self {
        let directory = TempDir::new().unwrap();
        Self {
            data: directory.path().join("data"),
            url: database.as_ref().map(|database| address(&database.0)),
            _directory: directory,
            _database: database,
        }
    }

    /// Changes the database by hand, past the program.
    pub async fn tamper(&self, statement: &str) {
        let file = self.data.join("regulars.db");
        let address = match &self.url {
            Some(url) => url.clone(),
            None => format!("sqlite://{}", file.display()),
        };
        let mut options = ConnectOptions::new(address);
        options.max_connections(1).sqlx_logging(false);
        let connection = Connector::connect(options).await.unwrap();
        connection.execute_unprepared(statement).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Where these bytes stand: the files of the data directory that hold them, and the tables of which a row does.
    pub async fn holding(&self, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        if self.data.exists() {
            for entry in std::fs::read_dir(&self.data).unwrap() {
                let path = entry.unwrap().path();
                let bytes = std::fs::read(&path).unwrap();
                if bytes
                    .windows(text.len())
                    .any(|window| window == text.as_bytes())
                {
                    found.push(path.display().to_string());
                }
            }
        }
        let Some(url) = &self.url else {
            return found;
        };
        let mut options = ConnectOptions::new(url.clone());
        options.max_connections(1).sqlx_logging(false);
        let connection = Connector::connect(options).await.unwrap();
        let ask =
            |text: String| sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, text);
        let tables = "select table_name::text as name from information_schema.tables where table_schema = 'public'";
        for row in connection
            .query_all_raw(ask(tables.to_owned()))
            .await
            .unwrap()
        {
            let table: String = row.try_get("", "name").unwrap();
            // Bytes are shown as hexadecimal digits: what stands in them is looked for so, too.
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            let held = format!(
                "select 1 as here from {table} t where strpos(row_to_json(t)::text, '{text}') > 0
                or strpos(row_to_json(t)::text, '{hex}') > 0 limit 1"
            );
            if connection.query_one_raw(ask(held)).await.unwrap().is_some() {
                found.push(table);
            }
        }
        connection.close().await.unwrap();
        found
    }

    /// The settings of the database.
    pub fn settings(&self) -> Database {
        Database {
            url: self.url.as_deref().map(SecretString::from),
            data: self.data.clone(),
            // One: what asks for a second while it holds the first is found out. The processes have as many as users' do.
            connections: 1,
            ..Database::default()
        }
    }
}

/// The file of a database that was migrated once.
async fn sqlite_template() -> &'static [u8] {
    static TEMPLATE: OnceCell<Vec<u8>> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(async || {
            let directory = TempDir::new().unwrap();
            let settings = Database {
                data: directory.path().to_owned(),
                ..Database::default()
            };
            // The last connection to close moves the log into the file.
            schema::up(&settings).await.unwrap();
            std::fs::read(directory.path().join("regulars.db")).unwrap()
        })
        .await
}

/// The name of a database that was migrated once, to be copied.
async fn postgres_template() -> &'static str {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(async || {
            sweep().await;
            let name = fresh_name("template");
            admin(&format!("create database {name} template template0")).await;
            let settings = Database {
                url: Some(SecretString::from(address(&name))),
                ..Database::default()
            };
            schema::up(&settings).await.unwrap();
            name
        })
        .await
}

/// Names tell the process that made them, so that a later run finds what an earlier one left.
fn fresh_name(kind: &str) -> String {
    format!(
        "regulars_test_{}_{kind}_{}",
        std::process::id(),
        Uuid::new_v4().simple()
    )
}

/// Removes databases of runs that are over: nobody is told when the test binary ends.
async fn sweep() {
    let connection = connect_admin().await;
    let names = "select datname from pg_database where datname like 'regulars\\_test\\_%'";
    let rows = connection
        .query_all_raw(sea_orm::Statement::from_string(
            sea_orm::DbBackend::Postgres,
            names,
        ))
        .await
        .unwrap();
    for row in rows {
        let name: String = row.try_get("", "datname").unwrap();
        let process = name.split('_').nth(2).unwrap_or_default();
        if !PathBuf::from("/proc").join(process).exists() {
            // Another run may sweep at the same time.
            let _ = connection
                .execute_unprepared(&format!("drop database if exists {name} with (force)"))
                .await;
        }
    }
    connection.close().await.unwrap();
}

/// A database that is dropped with its test.
#[derive(Debug)]
struct TestDatabase(String);

impl TestDatabase {
    async fn copy_of(template: &str) -> Self {
        // A template can be copied by one at a time while nobody else is connected to it.
        static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let _turn = TURN.lock().await;
        let name = fresh_name("copy");
        let template = if template == "template1" {
            "template0"
        } else {
            template
        };
        admin(&format!("create database {name} template {template}")).await;
        Self(name)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.0);
        // A runtime of its own: the test's may be gone by now, or be the one this is called in.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(admin(&format!(
                "drop database if exists {name} with (force)"
            )));
        })
        .join();
        if dropped.is_err() && !std::thread::panicking() {
            panic!("the test's database could not be dropped");
        }
    }
}

fn admin_address() -> String {
    std::env::var("REGULARS_TEST_POSTGRES")
        .expect("REGULARS_TEST_POSTGRES must hold the address of a PostgreSQL server")
}

/// The administrator's address with another database.
fn address(database: &str) -> String {
    let admin = admin_address();
    let (before, query) = match admin.split_once('?') {
        Some((before, query)) => (before, format!("?{query}")),
        None => (admin.as_str(), String::new()),
    };
    let authority = before.find("://").map_or(0, |at| at + 3);
    let end = before[authority..]
        .find('/')
        .map_or(before.len(), |at| authority + at);
    format!("{}/{database}{query}", &before[..end])
}

async fn connect_admin() -> DatabaseConnection {
    let mut options = ConnectOptions::new(admin_address());
    options.max_connections(1).sqlx_logging(false);
    Connector::connect(options).await.unwrap()
}

async fn admin(statement: &str) {
    let connection = connect_admin().await;
    connection.execute_unprepared(statement).await.unwrap();
    connection.close().await.unwrap();
}

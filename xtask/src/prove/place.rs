//! Where one proof keeps its data: a directory and a database of its own, gone when the proof is over.

use super::node::Node;
use crate::failure::{During, Failure, Result};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement,
};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// Which engine a proof is run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Engine {
    /// The embedded one.
    Sqlite,
    /// A PostgreSQL server.
    Postgres,
}

impl std::fmt::Display for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// A secret key fit for proofs only.
const SECRET_KEY: &str = "a2V5IG9mIHRoZSB0ZXN0cywgMzIgYnl0ZXMgbG9uZyE=";
/// What the databases of proofs are called by, with the process that made them.
const PREFIX: &str = "prove_";
/// The longest that a command other than an import may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(120);

/// A place with a database that has all changes of the schema and nothing in it.
#[derive(Debug)]
pub struct Place {
    /// Which engine.
    pub engine: Engine,
    /// The data directory.
    pub data: PathBuf,
    /// The address of the database, on PostgreSQL.
    pub url: Option<String>,
    /// A directory beside the data, for files of the proof.
    pub scratch: PathBuf,
    binary: PathBuf,
    database: Option<OwnDatabase>,
    _directory: TempDir,
}

impl Place {
    /// Makes one. `postgres` is the address of a server, for that engine.
    pub async fn new(binary: &Path, engine: Engine, postgres: Option<&str>) -> Result<Self> {
        let directory = TempDir::new()?;
        let data = directory.path().join("data");
        Self::with_data(binary, engine, postgres, directory, data).await
    }

    /// One with the data in a directory that is there already.
    pub async fn at(binary: &Path, data: PathBuf) -> Result<Self> {
        Self::with_data(binary, Engine::Sqlite, None, TempDir::new()?, data).await
    }

    async fn with_data(
        binary: &Path,
        engine: Engine,
        postgres: Option<&str>,
        directory: TempDir,
        data: PathBuf,
    ) -> Result<Self> {
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => {
                let server = postgres.during("PostgreSQL needs --postgres")?;
                Some(OwnDatabase::create(server).await?)
            }
        };
        let place = Self::of(binary, engine, database, directory, data);
        place.run(&["migrate", "up"]).await?;
        Ok(place)
    }

    fn of(
        binary: &Path,
        engine: Engine,
        database: Option<OwnDatabase>,
        directory: TempDir,
        data: PathBuf,
    ) -> Self {
        Self {
            engine,
            data,
            url: database.as_ref().map(OwnDatabase::address),
            scratch: directory.path().to_owned(),
            binary: binary.to_owned(),
            database,
            _directory: directory,
        }
    }

    /// One of the embedded engine without a database, for one that is brought there.
    pub fn bare(binary: &Path) -> Result<Self> {
        let directory = TempDir::new()?;
        let data = directory.path().join("data");
        Ok(Self::of(binary, Engine::Sqlite, None, directory, data))
    }

    /// One on PostgreSQL with a database that has nothing in it.
    pub async fn empty(binary: &Path, postgres: Option<&str>) -> Result<Self> {
        let server = postgres.during("PostgreSQL needs --postgres")?;
        let database = Some(OwnDatabase::create(server).await?);
        let directory = TempDir::new()?;
        let data = directory.path().join("data");
        Ok(Self::of(
            binary,
            Engine::Postgres,
            database,
            directory,
            data,
        ))
    }

    /// The program with an environment of its own. It dies with whoever holds it.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        self.prepare(&mut command);
        command
    }

    /// Gives a command the environment and the streams of the program in this place.
    pub fn prepare(&self, command: &mut Command) {
        command.env_clear();
        for name in ["PATH", "HOME", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("REGULARS_DATA", &self.data)
            .env("REGULARS_SECRET_KEY", SECRET_KEY)
            // The doctor looks at the address too, and the usual one may be taken on this machine.
            .env("REGULARS_LISTEN", "127.0.0.1:0")
            .env("REGULARS_ACCESS_TOKEN_LIFETIME", "1h")
            // Whoever proves asks for more than any caller should.
            .env("REGULARS_BUDGET", "0")
            .env("REGULARS_LOG", "warn")
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        if let Some(url) = &self.url {
            command.env("DATABASE_URL", url);
        }
    }

    /// Runs a command that must succeed; gives what it said.
    pub async fn run(&self, arguments: &[&str]) -> Result<String> {
        self.run_with_input(arguments, "").await
    }

    /// The same with something to read.
    pub async fn run_with_input(&self, arguments: &[&str], input: &str) -> Result<String> {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .during(self.binary.display())?;
        if let Some(mut stdin) = child.stdin.take() {
            // A command that asks for nothing may have ended before it could be told.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        let output = tokio::time::timeout(COMMAND_LIMIT, child.wait_with_output())
            .await
            .during(format!("{arguments:?}"))??;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(
            output.status.success(),
            "{arguments:?} ended with {}: {said}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(said)
    }

    /// Starts `serve`.
    pub async fn serve(&self) -> Result<Node> {
        Node::start(self, self.command()).await
    }

    /// A connection of the proof's own, for looking at tables.
    pub async fn look(&self) -> Result<Look> {
        let url = match &self.url {
            Some(url) => url.clone(),
            None => format!(
                "sqlite://{}?mode=rw",
                self.data.join("regulars.db").display()
            ),
        };
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).sqlx_logging(false);
        Ok(Look {
            connection: Database::connect(options).await?,
            engine: self.engine,
        })
    }

    /// What the servers of this place have written to their log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// The file of that log.
    pub fn log_file(&self) -> PathBuf {
        self.scratch.join("log")
    }

    /// Takes everything away again.
    pub async fn close(mut self) -> Result<()> {
        match self.database.take() {
            Some(database) => database.discard().await,
            None => Ok(()),
        }
    }
}

/// Looks at tables.
#[derive(Debug)]
pub struct Look {
    connection: DatabaseConnection,
    engine: Engine,
}

impl Look {
    /// Which engine it looks at.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The rows of a query as texts, all of whose columns are texts.
    pub async fn rows(&self, sql: &str, columns: &[&str]) -> Result<Vec<Vec<Option<String>>>> {
        let backend = match self.engine {
            Engine::Sqlite => DbBackend::Sqlite,
            Engine::Postgres => DbBackend::Postgres,
        };
        let statement = Statement::from_string(backend, sql);
        let rows = self.connection.query_all_raw(statement).await?;
        rows.iter()
            .map(|row| {
                columns
                    .iter()
                    .map(|column| Ok(row.try_get("", column)?))
                    .collect()
            })
            .collect()
    }

    /// The one whole number that a query gives in its column `number`.
    pub async fn number(&self, sql: &str) -> Result<i64> {
        let rows = self
            .rows(
                &format!("select cast(number as text) as number from ({sql}) as asked"),
                &["number"],
            )
            .await?;
        let text = rows.first().and_then(|row| row.first()).cloned().flatten();
        Ok(text.during("no number")?.parse()?)
    }
}

/// A database on a PostgreSQL server that is dropped with its proof.
#[derive(Debug)]
struct OwnDatabase {
    server: String,
    name: Option<String>,
}

impl OwnDatabase {
    async fn create(server: &str) -> Result<Self> {
        sweep(server).await?;
        let nanoseconds = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)?
            .as_nanos();
        let name = format!("{PREFIX}{}_{nanoseconds}", std::process::id());
        // Of the one template that nobody is connected to.
        admin(
            server,
            &format!("create database {name} template template0"),
        )
        .await?;
        Ok(Self {
            server: server.to_owned(),
            name: Some(name),
        })
    }

    /// The server's address with this database.
    fn address(&self) -> String {
        let (before, query) = match self.server.split_once('?') {
            Some((before, query)) => (before, format!("?{query}")),
            None => (self.server.as_str(), String::new()),
        };
        let start = before.find("://").map_or(0, |at| at + 3);
        let authority = before
            .get(start..)
            .and_then(|rest| rest.split('/').next())
            .unwrap_or_default();
        let scheme = before.get(..start).unwrap_or_default();
        let name = self.name.as_deref().unwrap_or_default();
        format!("{scheme}{authority}/{name}{query}")
    }

    async fn discard(mut self) -> Result<()> {
        let Some(name) = self.name.take() else {
            return Ok(());
        };
        admin(
            &self.server,
            &format!("drop database if exists {name} with (force)"),
        )
        .await
    }
}

impl Drop for OwnDatabase {
    fn drop(&mut self) {
        let Some(name) = self.name.take() else { return };
        let server = std::mem::take(&mut self.server);
        // A proof that failed: on a runtime of its own, since this one may not wait here.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(admin(
                &server,
                &format!("drop database if exists {name} with (force)"),
            ))
        })
        .join();
        if !matches!(dropped, Ok(Ok(()))) {
            println!("a database {PREFIX}... is left on the server; the next run drops it");
        }
    }
}

/// Drops databases of proofs whose process is gone.
async fn sweep(server: &str) -> Result<()> {
    let connection = connect(server).await?;
    let statement = Statement::from_string(
        DbBackend::Postgres,
        format!(
            "select datname::text as name from pg_database where starts_with(datname, '{PREFIX}')"
        ),
    );
    for row in connection.query_all_raw(statement).await? {
        let name: String = row.try_get("", "name")?;
        let process = name.split('_').nth(1).unwrap_or_default();
        if process.parse::<u32>().is_ok() && !Path::new("/proc").join(process).exists() {
            // Another run may sweep at the same time.
            let _ = connection
                .execute_unprepared(&format!("drop database if exists {name} with (force)"))
                .await;
        }
    }
    Ok(connection.close().await?)
}

async fn connect(server: &str) -> Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(server);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options)
        .await
        .map_err(Failure::from)
        .during("the PostgreSQL server")
}

async fn admin(server: &str, statement: &str) -> Result<()> {
    let connection = connect(server).await?;
    connection.execute_unprepared(statement).await?;
    Ok(connection.close().await?)
}

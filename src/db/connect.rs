//! Opening the database: one file beside the program, or a PostgreSQL server.

use super::lease::Pool;
use super::queue::WriterQueue;
use super::reader::Reader;
use super::time_limit;
use super::transaction::Transaction;
use super::turns::Turns;
use super::watch::Watch;
use crate::error::{Error, Result};
use sea_orm::sqlx::{
    self, ConnectOptions as _,
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, RuntimeErr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Pages of the embedded engine's file that the writer keeps in memory: in KiB, as the engine takes it. Rows that come in
/// by the hundred thousand go all over the file.
const WRITER_CACHE: &str = "-16384";
/// The same for each connection that reads. What they do not have the operating system has.
const READER_CACHE: &str = "-2048";

/// Statements that the embedded engine's writer keeps prepared, each with the memory of its largest run.
const WRITER_STATEMENTS: usize = 256;
/// The same for each connection that reads.
const READER_STATEMENTS: usize = 100;

/// Which engine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded one: a file in the data directory.
    Sqlite,
    /// A PostgreSQL server, 15 or newer.
    Postgres,
}

/// Where the database is and how it is used.
#[derive(Clone, Debug)]
pub struct DbSettings {
    /// A `postgres://` address; when absent, the embedded engine is used.
    pub url: Option<String>,
    /// The directory of the embedded engine's file, `regulars.db`.
    pub data: PathBuf,
    /// Connections held at most (the embedded engine adds one for writing).
    pub connections: u32,
    /// The longest that one statement may run; on the embedded engine a transaction in all. Zero: as long as it takes.
    pub statement_timeout: Duration,
    /// The longest that a writer waits for a lock.
    pub lock_timeout: Duration,
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    engine: Engine,
    reader: Reader,
    /// The embedded engine's one writer. On PostgreSQL transactions are begun on the reader's pool; this one is for what
    /// changes the schema.
    writer: DatabaseConnection,
    pub(super) queue: Arc<WriterQueue>,
    /// On the embedded engine, whose one file processes share.
    pub(super) turns: Option<Arc<Turns>>,
    /// How it was opened, for a connection of another kind.
    pub(super) settings: Arc<DbSettings>,
    /// It shows one moment and is never written to.
    pub(super) is_snapshot: bool,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

impl Db {
    /// Opens the database.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it cannot be reached, [`Error::Internal`] when the address is none.
    pub async fn connect(settings: &DbSettings) -> Result<Self> {
        match &settings.url {
            Some(url) => Self::connect_postgres(url, settings).await,
            None => Self::open_sqlite(settings).await,
        }
    }

    async fn connect_postgres(url: &str, settings: &DbSettings) -> Result<Self> {
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(Error::internal(
                "the database address must begin with postgres://",
            ));
        }
        let statement_timeout = format!("{}ms", settings.statement_timeout.as_millis());
        let lock_timeout = format!("{}ms", settings.lock_timeout.as_millis());
        let with_limits = move |pg: PgConnectOptions| {
            pg.application_name("regulars")
                .options([
                    ("statement_timeout", statement_timeout.as_str()),
                    ("lock_timeout", lock_timeout.as_str()),
                    // Whoever has gone away needs no answer: the statement of a request that was given up ends.
                    ("client_connection_check_interval", "1s"),
                    ("timezone", "UTC"),
                ])
                .statement_cache_capacity(256)
                .disable_statement_logging()
        };
        let pg: PgConnectOptions = url
            .parse()
            .map_err(|e| DbErr::Conn(RuntimeErr::SqlxError(sqlx::Error::into(e))))?;
        let pool = Pool::new(with_limits(pg), settings.connections)?;
        // Waits for a server that is starting, and goes away when nobody changes the schema.
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(1)
            .min_connections(0)
            .idle_timeout(Duration::from_secs(1))
            .acquire_timeout(Duration::from_secs(10))
            .sqlx_logging(false)
            .map_sqlx_postgres_opts(with_limits);
        let mut writer = Database::connect(options).await?;
        Watch::new().over(&mut writer);
        Ok(Self {
            engine: Engine::Postgres,
            reader: pool.into(),
            writer,
            queue: Arc::new(WriterQueue::new()),
            turns: None,
            settings: Arc::new(settings.clone()),
            is_snapshot: false,
        })
    }

    async fn open_sqlite(settings: &DbSettings) -> Result<Self> {
        std::fs::create_dir_all(&settings.data).map_err(|e| {
            Error::internal(format!(
                "cannot make the data directory {}: {e}",
                settings.data.display()
            ))
        })?;
        let path = settings.data.join("regulars.db");
        let limit = settings.statement_timeout;
        let lock_timeout = settings.lock_timeout;
        let open = |connections: u32, cache: &'static str, statements: usize| {
            let mut options = ConnectOptions::new("sqlite::memory:");
            let path = path.clone();
            options
                .max_connections(connections)
                .min_connections(1)
                // The writer's queue is waited in here: longer than any transaction that behaves.
                .acquire_timeout(Duration::from_secs(60))
                .idle_timeout(None::<Duration>)
                .max_lifetime(None::<Duration>)
                .sqlx_logging(false)
                .test_before_acquire(false)
                .map_sqlx_sqlite_pool_opts(move |pool| time_limit::apply(pool, limit))
                .map_sqlx_sqlite_opts(move |_| {
                    SqliteConnectOptions::new()
                        .filename(&path)
                        .create_if_missing(true)
                        .foreign_keys(true)
                        .journal_mode(SqliteJournalMode::Wal)
                        // An acknowledged write outlives a power cut, not only a crash of the program.
                        .synchronous(SqliteSynchronous::Full)
                        .busy_timeout(lock_timeout)
                        .pragma("cache_size", cache)
                        // 16 MB: a page that is changed time and again moves into the file once.
                        .pragma("wal_autocheckpoint", "4000")
                        .pragma("temp_store", "memory")
                        // What is deleted is overwritten, so that an erased person is found in no free page.
                        .pragma("secure_delete", "on")
                        .statement_cache_capacity(statements)
                });
            options
        };
        // The writer first: it makes the file and sets its journal mode.
        let mut writer = Database::connect(open(1, WRITER_CACHE, WRITER_STATEMENTS)).await?;
        let mut reader = Database::connect(open(
            settings.connections.max(1),
            READER_CACHE,
            READER_STATEMENTS,
        ))
        .await?;
        Watch::new().over(&mut writer);
        Watch::new().over(&mut reader);
        Ok(Self {
            engine: Engine::Sqlite,
            reader: reader.into(),
            writer,
            queue: Arc::new(WriterQueue::new()),
            turns: Some(Arc::new(Turns::of(&settings.data, settings.lock_timeout)?)),
            settings: Arc::new(settings.clone()),
            is_snapshot: false,
        })
    }

    /// The same database, read over another connection that shows one moment only.
    pub(super) fn seen_over(&self, mut connection: DatabaseConnection) -> Self {
        Watch::new().over(&mut connection);
        Self {
            reader: connection.clone().into(),
            writer: connection,
            is_snapshot: true,
            ..self.clone()
        }
    }

    /// Which engine runs.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// How many transactions are worth running side by side for one piece of work: while one waits for the network, another
    /// one keeps the server busy.
    pub fn lanes(&self) -> usize {
        match self.engine {
            Engine::Sqlite => 1,
            Engine::Postgres => 4,
        }
    }

    /// For reads outside a transaction. They see every write that was acknowledged before.
    pub fn read(&self) -> &Reader {
        &self.reader
    }

    /// Begins a transaction; [`Db::write`] is the way to use it.
    pub(super) async fn begin(&self) -> Result<Transaction, DbErr> {
        match self.reader.pool() {
            Some(pool) => Transaction::on_server(pool).await,
            None => Transaction::embedded(&self.writer).await,
        }
    }

    /// The connection that changes the schema.
    pub fn for_migrations(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Can the database be reached and asked right now?
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it cannot.
    pub async fn ping(&self) -> Result<()> {
        self.reader.execute_unprepared("select 1").await?;
        Ok(())
    }

    /// Tells the engine anew how large the tables are, after many rows came in at once. PostgreSQL would find out by
    /// itself after a minute; SQLite's plans do not depend on it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn refresh_statistics(&self) -> Result<()> {
        if self.engine == Engine::Postgres {
            self.writer.execute_unprepared("analyze").await?;
        }
        Ok(())
    }

    /// Empties the log of the embedded engine into its file, so that what was overwritten there is in neither any more.
    /// Somebody who reads meanwhile may keep it from being emptied: then it is tried again for a second, and if that
    /// does not help either, the next checkpoint does it. PostgreSQL needs its own vacuum.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn forget_overwritten(&self) -> Result<()> {
        if self.engine == Engine::Postgres {
            return Ok(());
        }
        for _ in 0..20 {
            let mut sql = self.sql();
            sql.push("pragma wal_checkpoint(truncate)");
            let row = self.writer.query_one_raw(sql.build()).await?;
            let busy = row.map(|row| row.try_get_by_index::<i64>(0)).transpose()?;
            if busy.unwrap_or(0) == 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tracing::warn!("the log of the database could not be emptied; the next checkpoint does it");
        Ok(())
    }

    /// Closes all connections, after the statements that run.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when a connection fails while closing.
    pub async fn close(self) -> Result<()> {
        self.reader.close().await?;
        self.writer.close().await?;
        Ok(())
    }
}

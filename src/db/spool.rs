//! Rows put aside on disk, and taken back in another order: what does not fit into memory is sorted by SQLite.
//!
//! Called by the import. The rows stand in a database of their own, a file without a name in the system's directory for
//! temporary files: whatever becomes of the program, nothing stays behind.

use super::connect::Engine;
use super::sql::Sql;
use crate::error::Result;
use sea_orm::sqlx::ConnectOptions as _;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};

/// A row that is put aside, with what it is ordered by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpoolRow {
    /// Comes first within a window.
    pub group: String,
    /// Which window it belongs to, and what comes next within a group.
    pub day: i32,
    /// What comes last; no two rows have the same.
    pub place: i64,
    /// What it is.
    pub body: Vec<u8>,
}

/// Rows that are being put aside.
#[derive(Debug)]
pub struct Spool(DatabaseConnection);

/// The rows in order.
#[derive(Debug)]
pub struct Sorted {
    connection: DatabaseConnection,
    taken: i64,
}

/// Rows that one statement writes.
const TOGETHER: usize = 100;

impl Spool {
    /// An empty one.
    ///
    /// # Errors
    /// [`crate::error::Error::Unavailable`] when no file can be made.
    pub async fn new() -> Result<Self> {
        let mut options = ConnectOptions::new("sqlite::memory:");
        options
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None::<std::time::Duration>)
            .max_lifetime(None::<std::time::Duration>)
            .sqlx_logging(false)
            .map_sqlx_sqlite_opts(|_| {
                SqliteConnectOptions::new()
                    // SQLite's name for a file that is gone when it is closed.
                    .filename("")
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Off)
                    .synchronous(SqliteSynchronous::Off)
                    .pragma("temp_store", "file")
                    .pragma("cache_size", "-4096")
                    // Sorting takes seconds, and nobody has to know.
                    .disable_statement_logging()
            });
        let connection = Database::connect(options).await?;
        connection
            .execute_unprepared(
                "create table kept (grouped text not null, day integer not null, place integer primary key, \
                 body blob not null) strict",
            )
            .await?;
        Ok(Self(connection))
    }

    /// Puts rows aside.
    ///
    /// # Errors
    /// [`crate::error::Error::Unavailable`] when the disk is full.
    pub async fn put(&self, rows: Vec<SpoolRow>) -> Result<()> {
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let mut sql = Sql::new(Engine::Sqlite);
            sql.push("insert into kept (grouped, day, place, body) values ");
            for (n, row) in rows.by_ref().take(TOGETHER).enumerate() {
                sql.push(if n == 0 { "(" } else { ", (" });
                sql.bind(row.group).push(", ");
                sql.bind(row.day).push(", ");
                sql.bind(row.place).push(", ");
                sql.bind(row.body).push(")");
            }
            self.0.execute_raw(sql.build()).await?;
        }
        Ok(())
    }

    /// Orders the rows by their days into windows of so many rows, and within a window by group, day and place.
    ///
    /// # Errors
    /// As [`Spool::put`].
    pub async fn sort(self, window: u32) -> Result<Sorted> {
        let mut sql = Sql::new(Engine::Sqlite);
        sql.push(
            "create table sorted as select body from (select body, grouped, day, place,
                (row_number() over (order by day, place) - 1) / ",
        )
        .push(&window.max(1).to_string())
        .push(" as part from kept) order by part, grouped, day, place");
        self.0.execute_raw(sql.build()).await?;
        self.0.execute_unprepared("drop table kept").await?;
        Ok(Sorted {
            connection: self.0,
            taken: 0,
        })
    }
}

impl Sorted {
    /// The next rows, at most so many; none after the last.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn next(&mut self, most: u32) -> Result<Vec<Vec<u8>>> {
        let mut sql = Sql::new(Engine::Sqlite);
        sql.push("select body from sorted where rowid > ")
            .bind(self.taken)
            .push(" order by rowid limit ")
            .bind(most);
        let rows = self.connection.query_all_raw(sql.build()).await?;
        self.taken += i64::try_from(rows.len()).unwrap_or(i64::MAX);
        Ok(rows
            .iter()
            .map(|row| row.try_get("", "body"))
            .collect::<Result<_, _>>()?)
    }
}

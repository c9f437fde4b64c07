//! Copies of the embedded engine's file, made beside whoever reads and writes, and looks at whether a file is whole.
//!
//! Called by `app::backup` and by the doctor. Never changes the file that it copies or looks at.

use super::connect::{Db, Engine};
use crate::error::{Error, Result};
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, Statement,
};
use std::collections::BTreeMap;
use std::path::Path;

/// How thoroughly a file is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Each page and row.
    Quick,
    /// Each index against its table too, which takes several times as long.
    Thorough,
}

impl Db {
    /// Writes the whole database, as it was at one moment, into a file that is not there yet or empty.
    ///
    /// It is one statement of a reader: writers are not held up, but what they write meanwhile stays in the log beside
    /// the file until it ends. Memory does not grow with the database. The copy is not yet safe from a power cut. For a
    /// database that was opened with one connection for this: its cache is small from then on.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when there is no room for it; [`Error::Internal`] on PostgreSQL, which has tools of its
    /// own, and for a path that is no text.
    pub async fn copy_into(&self, file: &Path) -> Result<()> {
        if self.engine() != Engine::Sqlite {
            return Err(Error::internal("only the embedded engine is copied"));
        }
        let Some(path) = file.to_str() else {
            return Err(Error::internal(format!(
                "the path {} is not text in UTF-8",
                file.display()
            )));
        };
        let copy =
            Statement::from_sql_and_values(DbBackend::Sqlite, "vacuum into ?", [path.into()]);
        // Each page is read once and written once: a cache would only hold memory, here and for the copy.
        self.read()
            .execute_unprepared("pragma cache_size = -2048")
            .await?;
        self.read().execute_raw(copy).await?;
        Ok(())
    }

    /// How large a copy of the embedded engine's file is at most, in bytes.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn size(&self) -> Result<u64> {
        let question = "select page_count * page_size from pragma_page_count, pragma_page_size";
        let row = self.read().query_one_raw(sqlite(question)).await?;
        let bytes: i64 = match row {
            Some(row) => row.try_get_by_index(0)?,
            None => 0,
        };
        Ok(bytes.unsigned_abs())
    }
}

fn sqlite(text: &str) -> Statement {
    Statement::from_string(DbBackend::Sqlite, text)
}

/// Opens a copy for reading only.
///
/// # Errors
/// [`Error::Unavailable`] or [`Error::Database`] when it is not there or no database.
pub async fn open_copy(file: &Path) -> Result<DatabaseConnection> {
    let path = file.to_owned();
    let mut options = ConnectOptions::new("sqlite::memory:");
    options
        .max_connections(1)
        .min_connections(1)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |_| {
            SqliteConnectOptions::new()
                .filename(&path)
                .read_only(true)
                .pragma("cache_size", "-16384")
        });
    Ok(Database::connect(options).await?)
}

/// What is damaged in an embedded engine's file; none when it is whole. A file may be so damaged that it cannot even
/// be asked: that is an answer too.
pub async fn damage(connection: &impl ConnectionTrait, look: Look) -> Option<String> {
    let question = match look {
        Look::Quick => "pragma quick_check(1)",
        Look::Thorough => "pragma integrity_check(1)",
    };
    first(connection, question)
        .await
        .unwrap_or_else(|error| Some(error.to_string()))
        .filter(|found| found != "ok")
}

/// A table of an embedded engine's file of which rows refer to nothing.
pub async fn orphan(connection: &impl ConnectionTrait) -> Option<String> {
    first(connection, "pragma foreign_key_check")
        .await
        .unwrap_or_else(|error| Some(error.to_string()))
}

async fn first(
    connection: &impl ConnectionTrait,
    question: &str,
) -> std::result::Result<Option<String>, DbErr> {
    let row = connection.query_one_raw(sqlite(question)).await?;
    row.map(|row| row.try_get_by_index(0)).transpose()
}

/// How many rows each table of an embedded engine's file has.
///
/// # Errors
/// Those of the database.
pub async fn counts(connection: &impl ConnectionTrait) -> Result<BTreeMap<String, i64>> {
    // What an index of words is made of says nothing by its number of rows.
    let tables = "select name from pragma_table_list where schema = 'main' and type = 'table' \
                  and name not like 'sqlite\\_%' escape '\\' order by name";
    let mut counts = BTreeMap::new();
    for row in connection.query_all_raw(sqlite(tables)).await? {
        let table: String = row.try_get_by_index(0)?;
        let question = format!("select count(*) from \"{}\"", table.replace('"', "\"\""));
        if let Some(row) = connection.query_one_raw(sqlite(&question)).await? {
            counts.insert(table, row.try_get_by_index(0)?);
        }
    }
    Ok(counts)
}

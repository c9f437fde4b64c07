//! Many rows of several tables at once: one computation, two renderings.
//!
//! A service computes the rows; here they become one statement on PostgreSQL (each table's rows travel as one
//! JSON parameter, so that the text of the statement stays the same however many rows there are) and a few
//! multi-row inserts on SQLite. A property test holds both to the same result.

use super::connect::Engine;
use super::sql::Sql;
use crate::error::{Error, Result};
use sea_orm::{ConnectionTrait, Value};
use std::fmt::Write;

/// A table as a batch writes it.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns with their PostgreSQL types, in the order of a row's values.
    pub columns: &'static [(&'static str, &'static str)],
    /// What follows the inserted rows: an `on conflict` clause that both engines understand, or nothing.
    pub conflict: &'static str,
}

/// Rows that go to the database together.
#[derive(Debug, Default)]
pub struct Batch {
    inserts: Vec<(&'static Table, Vec<Vec<Value>>)>,
}

/// SQLite binds at most 32,766 values in a statement.
const SQLITE_BINDS: usize = 30_000;

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds rows for a table, whose values stand in the order of the table's columns. On SQLite tables are
    /// written in the order in which they were first added: parents before children.
    pub fn insert(&mut self, table: &'static Table, rows: impl IntoIterator<Item = Vec<Value>>) {
        for (known, waiting) in &mut self.inserts {
            if std::ptr::eq(*known, table) {
                waiting.extend(rows);
                return;
            }
        }
        self.inserts.push((table, rows.into_iter().collect()));
    }

    /// Writes everything.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn write(self, tx: &impl ConnectionTrait) -> Result<()> {
        match Engine::of(tx) {
            Engine::Sqlite => self.write_sqlite(tx).await,
            Engine::Postgres => self.write_postgres(tx).await,
        }
    }

    async fn write_sqlite(self, tx: &impl ConnectionTrait) -> Result<()> {
        for (table, rows) in self.inserts {
            let per_statement = (SQLITE_BINDS / table.columns.len().max(1)).max(1);
            let mut rows = rows.into_iter().peekable();
            while rows.peek().is_some() {
                let mut sql = Sql::new(Engine::Sqlite);
                sql.push("insert into ")
                    .push(table.name)
                    .push(" (")
                    .push(&names(table))
                    .push(") values ");
                for (n, row) in rows.by_ref().take(per_statement).enumerate() {
                    sql.push(if n == 0 { "" } else { ", " }).bind_list(row);
                }
                sql.push(" ").push(table.conflict);
                tx.execute_raw(sql.build()).await?;
            }
        }
        Ok(())
    }

    async fn write_postgres(self, tx: &impl ConnectionTrait) -> Result<()> {
        if let Some(sql) = self.one_statement()? {
            tx.execute_raw(sql.build()).await?;
        }
        Ok(())
    }

    /// Everything as one statement; nothing when there are no rows.
    fn one_statement(self) -> Result<Option<Sql>> {
        let mut inserts = self
            .inserts
            .into_iter()
            .filter(|(_, rows)| !rows.is_empty())
            .peekable();
        if inserts.peek().is_none() {
            return Ok(None);
        }
        let mut sql = Sql::new(Engine::Postgres);
        for (n, (table, rows)) in inserts.enumerate() {
            sql.push(if n == 0 { "with " } else { ", " });
            sql.push(&format!(
                "rows_{n} as (insert into {} ({names}) select {names} from jsonb_to_recordset(",
                table.name,
                names = names(table)
            ));
            sql.bind(json(table, &rows)?).push("::jsonb) as given (");
            for (m, (name, kind)) in table.columns.iter().enumerate() {
                sql.push(if m == 0 { "" } else { ", " })
                    .push(name)
                    .push(" ")
                    .push(kind);
            }
            sql.push(") ").push(table.conflict).push(")");
        }
        sql.push(" select 1");
        Ok(Some(sql))
    }
}

fn names(table: &Table) -> String {
    let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// The rows as a JSON array of objects, written straight to text.
fn json(table: &Table, rows: &[Vec<Value>]) -> Result<String> {
    let mut text = String::with_capacity(rows.len() * table.columns.len() * 24);
    text.push('[');
    for (n, row) in rows.iter().enumerate() {
        text.push_str(if n == 0 { "{" } else { ",{" });
        let mut first = true;
        for ((name, _), value) in table.columns.iter().zip(row) {
            let before = text.len();
            if !first {
                text.push(',');
            }
            text.push('"');
            text.push_str(name);
            text.push_str("\":");
            if push_value(&mut text, value)? {
                first = false;
            } else {
                // An absent member is null.
                text.truncate(before);
            }
        }
        text.push('}');
    }
    text.push(']');
    Ok(text)
}

/// Writes a value as JSON; false when it is null.
fn push_value(text: &mut String, value: &Value) -> Result<bool> {
    let written = match value {
        Value::String(Some(value)) => {
            let quoted =
                serde_json::to_string(value).map_err(|e| Error::internal(format!("json: {e}")))?;
            text.push_str(&quoted);
            Ok(())
        }
        Value::Uuid(Some(value)) => write!(text, "\"{value}\""),
        Value::BigInt(Some(value)) => write!(text, "{value}"),
        Value::Int(Some(value)) => write!(text, "{value}"),
        Value::Bool(Some(value)) => write!(text, "{value}"),
        Value::ChronoDate(Some(value)) => write!(text, "\"{value}\""),
        Value::ChronoDateTimeUtc(Some(value)) => write!(text, "\"{}\"", value.to_rfc3339()),
        Value::Json(Some(value)) => write!(text, "{value}"),
        Value::Bytes(Some(value)) => {
            text.push_str("\"\\\\x");
            for byte in value.iter() {
                write!(text, "{byte:02x}").map_err(|e| Error::internal(format!("json: {e}")))?;
            }
            text.push('"');
            Ok(())
        }
        Value::String(None)
        | Value::Uuid(None)
        | Value::BigInt(None)
        | Value::Int(None)
        | Value::Bool(None)
        | Value::ChronoDate(None)
        | Value::ChronoDateTimeUtc(None)
        | Value::Json(None)
        | Value::Bytes(None) => return Ok(false),
        other => return Err(Error::internal(format!("a batch cannot write {other:?}"))),
    };
    written.map_err(|e| Error::internal(format!("json: {e}")))?;
    Ok(true)
}

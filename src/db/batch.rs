//! Many rows of several tables at once: one computation, two renderings.
//!
//! A service computes the rows; here they become one statement on PostgreSQL (each column's values travel as one
//! parameter, so that the text of the statement stays the same however many rows there are) and a few multi-row
//! inserts on SQLite. A property test holds both to the same result.

use super::connect::Engine;
use super::sql::Sql;
use crate::error::{Error, Result};
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use std::fmt::Write;
use tokio::sync::mpsc;

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

/// How many rows one statement on SQLite takes, where there are so many. Each statement is a call to the thread on which
/// SQLite works, and stays prepared with the memory of its largest run.
const SQLITE_ROWS: usize = 128;
/// How many rows it takes where there are fewer, at most: any number up to this one is a text of its own.
const SQLITE_REST: usize = 32;
/// Rows from which on it is worth a thread to make SQLite's statements.
const MANY: usize = 500;
/// Statements made ahead of the one that runs.
const AHEAD: usize = 8;

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

    /// Adds what another batch holds.
    pub fn append(&mut self, other: Self) {
        for (table, rows) in other.inserts {
            self.insert(table, rows);
        }
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
        let rows: usize = self.inserts.iter().map(|(_, rows)| rows.len()).sum();
        if rows <= MANY {
            for statement in self.statements() {
                tx.execute_raw(statement).await?;
            }
            return Ok(());
        }
        // SQLite works on a thread of its own; the next statements are made meanwhile.
        let (sender, mut made) = mpsc::channel(AHEAD);
        tokio::task::spawn_blocking(move || {
            for statement in self.statements() {
                if sender.blocking_send(statement).is_err() {
                    break;
                }
            }
        });
        while let Some(statement) = made.recv().await {
            tx.execute_raw(statement).await?;
        }
        Ok(())
    }

    /// Everything as inserts of few rows each, one after the other.
    fn statements(self) -> impl Iterator<Item = Statement> {
        self.inserts.into_iter().flat_map(|(table, rows)| {
            let filled = filled(table, &rows);
            let mut rows = rows.into_iter();
            let whole = insert(table, &filled, SQLITE_ROWS);
            std::iter::from_fn(move || {
                let count = match rows.len() {
                    0 => return None,
                    SQLITE_ROWS.. => SQLITE_ROWS,
                    left => left.min(SQLITE_REST),
                };
                let mut values = Vec::with_capacity(count * filled.len());
                for row in rows.by_ref().take(count) {
                    let told = row.into_iter().enumerate();
                    values.extend(
                        told.filter(|(place, _)| filled.contains(place))
                            .map(|(_, value)| value),
                    );
                }
                let text = if count == SQLITE_ROWS {
                    whole.clone()
                } else {
                    insert(table, &filled, count)
                };
                Some(Statement::from_sql_and_values(
                    DbBackend::Sqlite,
                    text,
                    values,
                ))
            })
        })
    }

    async fn write_postgres(self, tx: &impl ConnectionTrait) -> Result<()> {
        if let Some(sql) = self.one_statement()? {
            tx.execute_raw(sql.build()).await?;
        }
        Ok(())
    }

    /// Everything as one statement; nothing when there are no rows.
    pub(super) fn one_statement(self) -> Result<Option<Sql>> {
        let mut inserts = self
            .inserts
            .into_iter()
            .filter(|(_, rows)| !rows.is_empty())
            .peekable();
        if inserts.peek().is_none() {
            return Ok(None);
        }
        let mut sql = Sql::new(Engine::Postgres);
        for (n, (table, mut rows)) in inserts.enumerate() {
            let filled = filled(table, &rows);
            sql.push(if n == 0 { "with " } else { ", " });
            // Not `select * from unnest(...)`, which puts each array into a store of its own first, at five times the
            // cost. Arrays that are unnested side by side advance together.
            sql.push(&format!(
                "rows_{n} as (insert into {} ({}) select ",
                table.name,
                names(table, &filled)
            ));
            for (m, place) in filled.into_iter().enumerate() {
                let Some((_, kind)) = table.columns.get(place) else {
                    continue;
                };
                sql.push(if m == 0 { "unnest(" } else { ", unnest(" });
                match whole(&mut rows, place, kind) {
                    Some(array) => sql.bind(array).push("::"),
                    // Another text for another type of parameter, since statements stay prepared by their text.
                    None => sql.bind(column(&rows, place)?).push("::text::"),
                };
                sql.push(kind).push("[])");
            }
            sql.push(" ").push(table.conflict).push(")");
        }
        sql.push(" select 1");
        Ok(Some(sql))
    }
}

/// The places of the columns that have a value in any of the rows. The others are left out of the statement: without a
/// value a column is null.
fn filled(table: &Table, rows: &[Vec<Value>]) -> Vec<usize> {
    let told = |place: &usize| {
        rows.iter()
            .filter_map(|row| row.get(*place))
            .any(|value| *value != value.as_null())
    };
    (0..table.columns.len()).filter(told).collect()
}

/// The text that inserts so many rows on SQLite, with values for the columns at these places.
fn insert(table: &Table, filled: &[usize], rows: usize) -> String {
    let row = format!("({})", vec!["?"; filled.len()].join(", "));
    format!(
        "insert into {} ({}) values {} {}",
        table.name,
        names(table, filled),
        vec![row; rows].join(", "),
        table.conflict
    )
}

fn names(table: &Table, filled: &[usize]) -> String {
    let names: Vec<&str> = filled
        .iter()
        .filter_map(|place| table.columns.get(*place))
        .map(|(name, _)| *name)
        .collect();
    names.join(", ")
}

/// The values of one column as an array, which travels in binary; none where one of them is null, since drivers bind no
/// arrays with nulls in them, or of another type than the column.
fn whole(rows: &mut [Vec<Value>], place: usize, kind: &str) -> Option<Value> {
    let fits = |value: &Value| {
        matches!(
            (value, kind),
            (Value::Uuid(Some(_)), "uuid")
                | (Value::String(Some(_)), "text")
                | (Value::BigInt(Some(_)), "bigint")
                | (Value::Int(Some(_)), "integer")
                | (Value::Bytes(Some(_)), "bytea")
                | (Value::Bool(Some(_)), "boolean")
                | (Value::ChronoDate(Some(_)), "date")
                | (Value::ChronoDateTimeUtc(Some(_)), "timestamptz")
        )
    };
    if !rows.iter().all(|row| row.get(place).is_some_and(fits)) {
        return None;
    }
    let values: Vec<Value> = rows
        .iter_mut()
        .filter_map(|row| row.get_mut(place))
        .map(|value| std::mem::replace(value, Value::Bool(None)))
        .collect();
    let kind = values.first()?.array_type();
    Some(Value::Array(kind, Some(Box::new(values))))
}

/// The values of one column as PostgreSQL writes an array.
fn column(rows: &[Vec<Value>], place: usize) -> Result<String> {
    let mut text = String::with_capacity(rows.len() * 24);
    text.push('{');
    for (n, row) in rows.iter().enumerate() {
        if n > 0 {
            text.push(',');
        }
        let value = row
            .get(place)
            .ok_or_else(|| Error::internal("a row of a batch is shorter than its table"))?;
        push_value(&mut text, value)?;
    }
    text.push('}');
    Ok(text)
}

/// Writes a value as an array's element.
fn push_value(text: &mut String, value: &Value) -> Result<()> {
    match value {
        Value::String(Some(value)) => push_quoted(text, value),
        Value::Json(Some(value)) => push_quoted(text, &value.to_string()),
        Value::Bytes(Some(value)) => {
            text.push_str("\"\\\\x");
            text.extend(value.iter().flat_map(|byte| {
                [byte >> 4, byte & 15]
                    .map(|half| char::from_digit(u32::from(half), 16).unwrap_or('0'))
            }));
            text.push('"');
        }
        Value::Uuid(Some(value)) => push_shown(text, value),
        Value::BigInt(Some(value)) => push_shown(text, value),
        Value::Int(Some(value)) => push_shown(text, value),
        Value::Bool(Some(value)) => push_shown(text, value),
        Value::ChronoDate(Some(value)) => push_shown(text, value),
        Value::ChronoDateTimeUtc(Some(value)) => text.push_str(&value.to_rfc3339()),
        Value::String(None)
        | Value::Uuid(None)
        | Value::BigInt(None)
        | Value::Int(None)
        | Value::Bool(None)
        | Value::ChronoDate(None)
        | Value::ChronoDateTimeUtc(None)
        | Value::Json(None)
        | Value::Bytes(None) => text.push_str("NULL"),
        other => return Err(Error::internal(format!("a batch cannot write {other:?}"))),
    }
    Ok(())
}

fn push_shown(text: &mut String, value: impl std::fmt::Display) {
    // Writing to a string does not fail.
    let _ = write!(text, "{value}");
}

/// Writes a text in quotes, with what means something in an array's text escaped.
fn push_quoted(text: &mut String, value: &str) {
    text.push('"');
    for letter in value.chars() {
        if matches!(letter, '"' | '\\') {
            text.push('\\');
        }
        text.push(letter);
    }
    text.push('"');
}

#[cfg(test)]
mod tests;

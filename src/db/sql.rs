//! Statements written as text, with the few words in which the engines differ.

use super::connect::{Db, Engine};
use crate::error::Result;
use sea_orm::sea_query::{ArrayType, Expr, ExprTrait, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, Statement, Value, Values};
use std::sync::OnceLock;
use uuid::Uuid;

/// A statement that is put together piece by piece: text and bound values side by side.
///
/// Placeholders are written by [`Sql::bind`], so that both engines' forms (`?` and `$n`) come out right and
/// no value ever becomes text.
#[derive(Clone, Debug)]
pub struct Sql {
    text: String,
    values: Vec<Value>,
    engine: Engine,
}

impl Sql {
    /// An empty statement for the engine.
    pub fn new(engine: Engine) -> Self {
        Self {
            text: String::new(),
            values: Vec::new(),
            engine,
        }
    }

    /// An empty statement for the engine of a connection.
    pub fn for_connection(connection: &impl ConnectionTrait) -> Self {
        Self::new(Engine::of(connection))
    }

    /// Adds text as it stands.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a placeholder for a value.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        match self.engine {
            Engine::Sqlite => self.text.push('?'),
            Engine::Postgres => {
                self.text.push('$');
                self.text.push_str(&self.values.len().to_string());
            }
        }
        self
    }

    /// Adds placeholders for several values, separated by commas and in parentheses: a row, or an `in` list.
    pub fn bind_list<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Self {
        self.text.push('(');
        for (n, value) in values.into_iter().enumerate() {
            if n > 0 {
                self.text.push_str(", ");
            }
            self.bind(value);
        }
        self.text.push(')');
        self
    }

    /// Adds a condition that the expression before it is one of many texts: one bound value however many
    /// there are, so that the statement's text stays the same.
    pub fn bind_any_text(&mut self, texts: Vec<String>) -> &mut Self {
        match self.engine {
            Engine::Sqlite => {
                let list = serde_json::Value::from(texts).to_string();
                self.push(" in (select value from json_each(")
                    .bind(list)
                    .push("))")
            }
            Engine::Postgres => {
                let list = texts.into_iter().map(Value::from).collect();
                self.push(" = any(")
                    .bind(Value::Array(ArrayType::String, Some(Box::new(list))))
                    .push(")")
            }
        }
    }

    /// Adds a condition that the expression before it is one of many ids, as [`among`] makes it.
    pub fn bind_among<Id: Into<Uuid>>(&mut self, ids: impl IntoIterator<Item = Id>) -> &mut Self {
        let ids: Vec<Uuid> = ids.into_iter().map(Into::into).collect();
        match (self.engine, ids.as_slice()) {
            (_, [only]) => self.push(" = ").bind(*only),
            (Engine::Sqlite, _) => self
                .push(" in (select unhex(value) from json_each(")
                .bind(json_list(&ids))
                .push("))"),
            (Engine::Postgres, _) => self.push(" = any(").bind(array(ids)).push(")"),
        }
    }

    /// Adds a built select in parentheses, with its values.
    pub fn subquery(&mut self, select: &SelectStatement) -> &mut Self {
        let backend = match self.engine {
            Engine::Sqlite => DbBackend::Sqlite,
            Engine::Postgres => DbBackend::Postgres,
        };
        let built = backend.build(select);
        let values = built.values.map(|values| values.0).unwrap_or_default();
        self.text.push('(');
        // Its placeholders are numbered from one; behind what is bound already they have other numbers.
        let mut values = values.into_iter();
        let mut rest = built.sql.as_str();
        while let Some(at) = rest.find(['?', '$']) {
            let (before, mark) = rest.split_at(at);
            self.text.push_str(before);
            let name = mark.trim_start_matches(['?', '$']);
            rest = name.trim_start_matches(|c: char| c.is_ascii_digit());
            if let Some(value) = values.next() {
                self.bind(value);
            }
        }
        self.text.push_str(rest);
        self.text.push(')');
        self
    }

    /// Adds text only on PostgreSQL: a lock, a cast.
    pub fn postgres(&mut self, text: &str) -> &mut Self {
        if self.engine == Engine::Postgres {
            self.text.push_str(text);
        }
        self
    }

    /// Adds text only on SQLite.
    pub fn sqlite(&mut self, text: &str) -> &mut Self {
        if self.engine == Engine::Sqlite {
            self.text.push_str(text);
        }
        self
    }

    /// Which engine it is for.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The statement.
    pub fn build(self) -> Statement {
        let backend = match self.engine {
            Engine::Sqlite => DbBackend::Sqlite,
            Engine::Postgres => DbBackend::Postgres,
        };
        Statement::from_sql_and_values(backend, self.text, self.values)
    }
}

impl Engine {
    /// The engine of a connection or transaction.
    pub fn of(connection: &impl ConnectionTrait) -> Self {
        match connection.get_database_backend() {
            DbBackend::Postgres => Self::Postgres,
            _ => Self::Sqlite,
        }
    }
}

/// The condition that a column holds one of many ids: one bound value however many there are, so that the text of
/// the statement stays the same and its plan is made once. A single id has a text of its own: PostgreSQL takes a list
/// for one of ten, finds that worse than what it would do for the list at hand, and plans anew each time.
pub fn among<Id: Into<Uuid>>(
    engine: Engine,
    column: impl ColumnTrait,
    ids: impl IntoIterator<Item = Id>,
) -> Expr {
    let column = Expr::col(column.as_column_ref());
    let ids: Vec<Uuid> = ids.into_iter().map(Into::into).collect();
    match (engine, ids.as_slice()) {
        (_, [only]) => column.eq(*only),
        (Engine::Sqlite, _) => Expr::cust_with_exprs(
            "? in (select unhex(value) from json_each(?))",
            [column, Expr::value(json_list(&ids))],
        ),
        (Engine::Postgres, _) => {
            Expr::cust_with_exprs("$1 = any($2)", [column, Expr::value(array(ids))])
        }
    }
}

fn json_list(ids: &[Uuid]) -> String {
    let list: Vec<String> = ids.iter().map(|id| id.simple().to_string()).collect();
    serde_json::Value::from(list).to_string()
}

fn array(ids: Vec<Uuid>) -> Value {
    let list = ids.into_iter().map(Value::from).collect();
    Value::Array(ArrayType::Uuid, Some(Box::new(list)))
}

/// The beginning of a statement whose text is made once: for reads that nearly every request makes, where making the
/// text costs about as much as sending it.
#[derive(Debug)]
pub struct Template {
    make: fn() -> SelectStatement,
    texts: OnceLock<[String; 2]>,
}

impl Template {
    /// Of a select without values, which is made when it is first needed.
    pub const fn new(make: fn() -> SelectStatement) -> Self {
        Self {
            make,
            texts: OnceLock::new(),
        }
    }

    /// A statement that begins like this.
    pub fn begin(&self, engine: Engine) -> Sql {
        let [sqlite, postgres] = self.texts.get_or_init(|| {
            let select = (self.make)();
            [DbBackend::Sqlite, DbBackend::Postgres].map(|backend| backend.build(&select).sql)
        });
        let mut sql = Sql::new(engine);
        sql.push(match engine {
            Engine::Sqlite => sqlite,
            Engine::Postgres => postgres,
        });
        sql
    }
}

/// Tells PostgreSQL for this transaction that no table is small: the plans that a connection keeps are made in the
/// first batch of many, when the tables are still empty.
///
/// # Errors
/// Those of the database.
pub async fn prefer_indexes(tx: &impl ConnectionTrait) -> Result<()> {
    if Engine::of(tx) == Engine::Postgres {
        tx.execute_unprepared("set local enable_seqscan = off")
            .await?;
    }
    Ok(())
}

/// Tells PostgreSQL for this transaction to look rows up one by one: for a statement that changes a few rows of a table
/// which grows without end, where a guess at how many they are would have it read the whole table each time.
///
/// # Errors
/// Those of the database.
pub async fn look_up_one_by_one(tx: &impl ConnectionTrait) -> Result<()> {
    if Engine::of(tx) == Engine::Postgres {
        tx.execute_unprepared(
            "set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off",
        )
        .await?;
    }
    Ok(())
}

impl Db {
    /// An empty statement for this database.
    pub fn sql(&self) -> Sql {
        Sql::new(self.engine())
    }
}

/// Puts a limit behind a built statement as a literal: a bound limit makes PostgreSQL plan the statement anew
/// each time. The statement must end where a limit may stand.
pub fn literal_limit(mut statement: Statement, limit: u64) -> Statement {
    statement.sql.push_str(&format!(" limit {limit}"));
    statement
}

/// As [`literal_limit`], for limits that were built into a statement: those of subqueries.
pub fn literal_limits(mut statement: Statement) -> Statement {
    let limit = |value: &Value| match value {
        // Nothing else is unsigned in our tables.
        Value::BigUnsigned(number) => *number,
        _ => None,
    };
    if statement.db_backend != DbBackend::Postgres {
        return statement;
    }
    let Some(values) = statement
        .values
        .take_if(|values| values.iter().any(|value| limit(value).is_some()))
    else {
        return statement;
    };
    // Built statements name each value once, in their order: `$1`, `$2`. What stands in quotes is no name.
    let (mut text, mut kept) = (String::with_capacity(statement.sql.len()), Vec::new());
    let mut values = values.0.into_iter();
    let (mut quote, mut digits) = (None, false);
    for letter in statement.sql.chars() {
        digits &= letter.is_ascii_digit();
        match (quote, letter) {
            (None, '$') => {
                digits = true;
                let value = values.next();
                if let Some(number) = value.as_ref().and_then(limit) {
                    text.push_str(&number.to_string());
                } else {
                    kept.extend(value);
                    text.push('$');
                    text.push_str(&kept.len().to_string());
                }
                continue;
            }
            (None, '\'' | '"') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            _ => {}
        }
        if !digits {
            text.push(letter);
        }
    }
    statement.sql = text;
    statement.values = Some(Values(kept));
    statement
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_become_literals_and_the_other_values_keep_their_places() {
        let values: Vec<Value> = vec![
            "a".into(),
            Value::BigUnsigned(Some(21)),
            7_i64.into(),
            Value::BigUnsigned(Some(6)),
            "b".into(),
        ];
        let text = "select \"$9\" from t where a = $1 and b <> '$8''$7' limit $2) x where c = $3 limit $4) y where d = $5";
        let postgres = Statement::from_sql_and_values(DbBackend::Postgres, text, values.clone());
        let made = literal_limits(postgres);
        assert_eq!(
            made.sql,
            "select \"$9\" from t where a = $1 and b <> '$8''$7' limit 21) x where c = $2 limit 6) y where d = $3"
        );
        let kept: Vec<Value> = vec!["a".into(), 7_i64.into(), "b".into()];
        assert_eq!(made.values, Some(Values(kept)));
        let sqlite =
            Statement::from_sql_and_values(DbBackend::Sqlite, "limit ?", [values[1].clone()]);
        assert_eq!(literal_limits(sqlite.clone()).sql, sqlite.sql);
        let none =
            Statement::from_sql_and_values(DbBackend::Postgres, "a = $1", [values[0].clone()]);
        assert_eq!(literal_limits(none.clone()).values, none.values);
    }
}

//! Connections to PostgreSQL, lent for one statement or for one transaction.
//!
//! Used by [`super::reader`] and [`super::write`]. The pool that comes with sqlx asks the server each time a connection
//! is given back whether it lives, which costs about as much as a small statement; this one, of the crate `deadpool`,
//! takes it back as it is. So what came of the last statement decides: a connection that was lost, or on which something
//! was still under way when its borrower went, is closed and never lent again.

use super::failure::is_connection_lost;
use super::watch::Watch;
use crate::error::{Error, Result};
use deadpool::Runtime;
use deadpool::managed::{
    Manager, Metrics, Object, Pool as Objects, PoolError, QueueMode, RecycleError, RecycleResult,
    TimeoutType, Timeouts,
};
use sea_orm::sea_query::Values;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::{self, AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use sea_orm::{ConnAcquireErr, DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use sea_query_sqlx::SqlxValues;
use std::time::{Duration, Instant};

/// The longest that somebody waits for a connection, and for one to be made.
const PATIENCE: Duration = Duration::from_secs(10);

/// After this time a connection is made anew: a server process keeps what it has learned about tables and plans for as
/// long as it lives.
const LONGEST_LIFE: Duration = Duration::from_secs(30 * 60);

/// One that nobody wanted for so long may have been forgotten by something between here and the server.
const LONGEST_REST: Duration = Duration::from_secs(10 * 60);

/// Makes connections.
struct Connector(PgConnectOptions);

impl Manager for Connector {
    type Type = PgConnection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<PgConnection, sqlx::Error> {
        self.0.connect().await
    }

    async fn recycle(&self, _: &mut PgConnection, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        if metrics.age() > LONGEST_LIFE || metrics.last_used() > LONGEST_REST {
            return Err(RecycleError::message("old"));
        }
        Ok(())
    }
}

/// The connections of this process. Cheap to clone.
#[derive(Clone)]
pub(super) struct Pool {
    connections: Objects<Connector>,
    watch: Watch,
}

impl Pool {
    /// None is made before it is wanted.
    pub(super) fn new(options: PgConnectOptions, connections: u32) -> Result<Self> {
        Objects::builder(Connector(options))
            .max_size(usize::try_from(connections.max(1)).unwrap_or(1))
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            // The one that was used last knows the most.
            .queue_mode(QueueMode::Lifo)
            .build()
            .map(|connections| Self {
                connections,
                watch: Watch::new(),
            })
            .map_err(|error| Error::internal(format!("the pool of connections: {error}")))
    }

    /// A connection, for as long as the lease lives.
    pub(super) async fn lend(&self) -> Result<Lease, DbErr> {
        let at_once = Timeouts {
            wait: Some(Duration::ZERO),
            ..self.connections.timeouts()
        };
        let lent = match self.connections.timeout_get(&at_once).await {
            Err(PoolError::Timeout(TimeoutType::Wait)) => self.connections.get().await,
            lent => lent,
        };
        let connection = lent.map_err(|error| match error {
            PoolError::Backend(error) => DbErr::Conn(RuntimeErr::SqlxError(error.into())),
            PoolError::Closed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
            PoolError::Timeout(_)
            | PoolError::NoRuntimeSpecified
            | PoolError::PostCreateHook(_) => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        })?;
        Ok(Lease {
            was_used_before: Object::metrics(&connection).recycle_count > 0,
            connection: Some(connection),
            is_busy: false,
            in_transaction: false,
            watch: self.watch.clone(),
        })
    }

    /// Closes all connections, those that are lent when they come back.
    pub(super) async fn close(&self) {
        for connection in self.connections.retain(|_, _| false).removed {
            // The server ends the other side by itself when this fails.
            let _ = connection.close().await;
        }
        self.connections.close();
    }
}

/// A connection for one borrower. Dropped in the middle of a statement or of a transaction, it is closed, which undoes
/// the transaction.
pub(super) struct Lease {
    /// Always there until it is dropped.
    connection: Option<Object<Connector>>,
    /// It was lent before, so that it may have been lost since.
    was_used_before: bool,
    is_busy: bool,
    in_transaction: bool,
    watch: Watch,
}

impl Drop for Lease {
    fn drop(&mut self) {
        if (self.is_busy || self.in_transaction)
            && let Some(connection) = self.connection.take()
        {
            drop(Object::take(connection));
        }
    }
}

impl Lease {
    /// Was it lent before? Then a statement may meet a connection that is long gone.
    pub(super) fn was_used_before(&self) -> bool {
        self.was_used_before
    }

    /// The connection, for a statement that begins now.
    fn start(&mut self) -> Result<&mut PgConnection, DbErr> {
        self.is_busy = true;
        self.connection
            .as_deref_mut()
            .ok_or(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))
    }

    /// The statement has ended; by what came of it the connection can be lent again, or not.
    fn finish<T>(
        &mut self,
        outcome: Result<T, sqlx::Error>,
        kind: fn(RuntimeErr) -> DbErr,
    ) -> Result<T, DbErr> {
        let outcome = outcome.map_err(|error| kind(RuntimeErr::SqlxError(error.into())));
        self.is_busy = outcome.as_ref().is_err_and(is_connection_lost);
        outcome
    }

    /// All rows of a statement.
    pub(super) async fn query_all(
        &mut self,
        statement: Statement,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let (began, sql) = (Instant::now(), statement.sql);
        let rows = prepared(&sql, statement.values)
            .fetch_all(self.start()?)
            .await;
        let rows = self.finish(rows, DbErr::Query);
        self.watch.statement(&sql, began.elapsed(), rows.is_err());
        Ok(rows?.into_iter().map(QueryResult::from).collect())
    }

    /// Runs a statement for what it does.
    pub(super) async fn execute(&mut self, statement: Statement) -> Result<ExecResult, DbErr> {
        let (began, sql) = (Instant::now(), statement.sql);
        let done = prepared(&sql, statement.values)
            .execute(self.start()?)
            .await;
        let done = self.finish(done, DbErr::Exec);
        self.watch.statement(&sql, began.elapsed(), done.is_err());
        Ok(done?.into())
    }

    /// Runs statements without values, as they stand.
    pub(super) async fn execute_text(&mut self, text: &str) -> Result<ExecResult, DbErr> {
        let text = AssertSqlSafe(text.to_owned());
        let done = self.start()?.execute(text).await;
        Ok(self.finish(done, DbErr::Exec)?.into())
    }

    /// Begins a transaction: READ COMMITTED, as the server does by default.
    pub(super) async fn begin(&mut self) -> Result<(), DbErr> {
        self.in_transaction = true;
        self.execute_text("begin").await.map(|_| ())
    }

    /// Ends it, and makes it last.
    pub(super) async fn commit(&mut self) -> Result<(), DbErr> {
        self.end("commit").await
    }

    /// Ends it, and undoes it.
    pub(super) async fn rollback(&mut self) -> Result<(), DbErr> {
        self.end("rollback").await
    }

    async fn end(&mut self, how: &str) -> Result<(), DbErr> {
        self.execute_text(how).await?;
        self.in_transaction = false;
        Ok(())
    }
}

/// A statement with its values, whose plan the server keeps.
fn prepared(
    sql: &str,
    values: Option<Values>,
) -> sqlx::query::Query<'_, sqlx::Postgres, SqlxValues> {
    let values = values.unwrap_or_else(|| Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(sql), SqlxValues(values))
}

#[cfg(test)]
mod tests;

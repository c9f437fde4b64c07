//! What reads are made on, outside of a transaction.
//!
//! Handed out by [`super::Db::read`]; services pass it to SeaORM like any connection.

use super::failure::is_connection_lost;
use super::lease::Pool;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, Statement,
};

/// Reads see every write that was acknowledged before.
#[derive(Clone)]
pub struct Reader(Source);

#[derive(Clone)]
enum Source {
    /// The embedded engine, or one moment of either.
    Connection(DatabaseConnection),
    /// PostgreSQL.
    Pool(Pool),
}

impl From<DatabaseConnection> for Reader {
    fn from(connection: DatabaseConnection) -> Self {
        Self(Source::Connection(connection))
    }
}

impl From<Pool> for Reader {
    fn from(pool: Pool) -> Self {
        Self(Source::Pool(pool))
    }
}

impl Reader {
    /// Where connections to PostgreSQL are lent.
    pub(super) fn pool(&self) -> Option<&Pool> {
        match &self.0 {
            Source::Connection(_) => None,
            Source::Pool(pool) => Some(pool),
        }
    }

    pub(super) async fn close(self) -> Result<(), DbErr> {
        match self.0 {
            Source::Connection(connection) => connection.close().await,
            Source::Pool(pool) => {
                pool.close().await;
                Ok(())
            }
        }
    }
}

/// May a statement be sent once more after its connection was lost, so that nobody knows whether it ran? Asking whether
/// a connection lives before each statement would cost 13 % of a small request.
fn only_reads(statement: &Statement) -> bool {
    statement
        .sql
        .get(..7)
        .is_some_and(|begin| begin.eq_ignore_ascii_case("select "))
}

#[async_trait::async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        match &self.0 {
            Source::Connection(connection) => connection.get_database_backend(),
            Source::Pool(_) => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match &self.0 {
            Source::Connection(connection) => connection.execute_raw(statement).await,
            Source::Pool(pool) => pool.lend().await?.execute(statement).await,
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match &self.0 {
            Source::Connection(connection) => connection.execute_unprepared(sql).await,
            Source::Pool(pool) => pool.lend().await?.execute_text(sql).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match &self.0 {
            Source::Connection(connection) => connection.query_one_raw(statement).await,
            Source::Pool(pool) => Ok(pool.read(statement).await?.into_iter().next()),
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &self.0 {
            Source::Connection(connection) => connection.query_all_raw(statement).await,
            Source::Pool(pool) => pool.read(statement).await,
        }
    }
}

impl Pool {
    /// The rows of a statement. One that only reads and meets connections that are long gone, as after a restart of the
    /// server, goes on to the next until it has one that was made for it.
    async fn read(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        if !only_reads(&statement) {
            return self.lend().await?.query_all(statement).await;
        }
        loop {
            let mut lease = self.lend().await?;
            match lease.query_all(statement.clone()).await {
                Err(error) if lease.was_used_before() && is_connection_lost(&error) => {}
                outcome => return outcome,
            }
        }
    }
}

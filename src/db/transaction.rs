//! An open transaction, on either engine.
//!
//! Begun and ended by [`super::write`], which is the way to have one.

use super::lease::{Lease, Pool};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use tokio::sync::Mutex;

/// A transaction. Dropped before its end, it is undone.
pub struct Transaction(Kind);

enum Kind {
    /// The embedded engine's.
    Embedded(DatabaseTransaction),
    /// PostgreSQL's. One statement runs at a time, whoever sends it.
    Server(Mutex<Lease>),
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").finish_non_exhaustive()
    }
}

impl Transaction {
    pub(super) async fn embedded(writer: &DatabaseConnection) -> Result<Self, DbErr> {
        let options = TransactionOptions {
            // A deferred transaction that reads and then writes fails when somebody wrote in between.
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let begun = writer.begin_with_options(options).await?;
        Ok(Self(Kind::Embedded(begun)))
    }

    pub(super) async fn on_server(pool: &Pool) -> Result<Self, DbErr> {
        let mut lease = pool.lend().await?;
        lease.begin().await?;
        Ok(Self(Kind::Server(Mutex::new(lease))))
    }

    pub(super) async fn commit(self) -> Result<(), DbErr> {
        match self.0 {
            Kind::Embedded(transaction) => transaction.commit().await,
            Kind::Server(lease) => lease.into_inner().commit().await,
        }
    }

    pub(super) async fn rollback(self) -> Result<(), DbErr> {
        match self.0 {
            Kind::Embedded(transaction) => transaction.rollback().await,
            Kind::Server(lease) => lease.into_inner().rollback().await,
        }
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Transaction {
    fn get_database_backend(&self) -> DbBackend {
        match &self.0 {
            Kind::Embedded(transaction) => transaction.get_database_backend(),
            Kind::Server(_) => DbBackend::Postgres,
        }
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        match &self.0 {
            Kind::Embedded(transaction) => transaction.execute_raw(statement).await,
            Kind::Server(lease) => lease.lock().await.execute(statement).await,
        }
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        match &self.0 {
            Kind::Embedded(transaction) => transaction.execute_unprepared(sql).await,
            Kind::Server(lease) => lease.lock().await.execute_text(sql).await,
        }
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        match &self.0 {
            Kind::Embedded(transaction) => transaction.query_one_raw(statement).await,
            Kind::Server(lease) => {
                let rows = lease.lock().await.query_all(statement).await?;
                Ok(rows.into_iter().next())
            }
        }
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        match &self.0 {
            Kind::Embedded(transaction) => transaction.query_all_raw(statement).await,
            Kind::Server(lease) => lease.lock().await.query_all(statement).await,
        }
    }
}

//! The write transaction: the one way to change anything.

use super::batch::Batch;
use super::connect::Db;
use super::failure::{is_connection_lost, is_lost_race, is_unique_violation};
use super::transaction::Transaction;
use crate::error::{Error, Result};
use std::future::Future;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

/// A write transaction that is open. Cheap to clone; every clone must be gone when the closure ends.
#[derive(Clone, Debug)]
pub struct Tx(Arc<Transaction>);

impl std::ops::Deref for Tx {
    type Target = Transaction;
    fn deref(&self) -> &Transaction {
        &self.0
    }
}

/// How often a transaction that lost a race is begun again.
const ATTEMPTS: u32 = 8;

/// Why a transaction did not end well.
struct Failure {
    error: Error,
    /// Is it certain that nothing of it took hold?
    undone: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            error,
            undone: true,
        }
    }
}

impl Db {
    /// Runs `work` in a transaction and commits it.
    ///
    /// `work` is run again from its beginning when the transaction lost a race, when the connection was gone
    /// before the commit was sent, and when it wrote a unique value at the same time as somebody else; so it
    /// reads all it depends on inside, and has no effect outside the transaction.
    ///
    /// # Errors
    /// What `work` returns; [`Error::Unavailable`] when the database is away, every attempt lost, or the commit was cut
    /// off, so that only reading tells whether it took hold.
    pub async fn write<T, F, Fut>(&self, work: F) -> Result<T>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let mut attempt = 1;
        loop {
            let Failure { error, undone } = match self.attempt(&work).await {
                Ok(value) => return Ok(value),
                Err(failure) => failure,
            };
            let again = match &error {
                Error::Database(e) | Error::Unavailable(e) if undone => {
                    is_lost_race(e)
                        || (attempt < 4 && is_unique_violation(e))
                        || (attempt == 1 && is_connection_lost(e))
                }
                _ => false,
            };
            if !again || attempt >= ATTEMPTS {
                return Err(error);
            }
            metrics::counter!("regulars_db_transaction_retries_total").increment(1);
            tokio::time::sleep(Duration::from_millis(u64::from(attempt * attempt) * 3)).await;
            attempt += 1;
        }
    }

    /// Adds rows that need nothing beside them: on PostgreSQL they are one statement, which is a transaction by itself and
    /// takes one journey instead of three. `make` is called for each attempt. When the connection is lost in between the
    /// rows may be there twice: it is for what is only ever added to, under new keys.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn append(&self, make: impl Fn() -> Batch) -> Result<()> {
        let make = &make;
        let Some(pool) = self.read().pool().filter(|_| !self.is_snapshot) else {
            return self
                .write(|tx| async move { make().write(&*tx).await })
                .await;
        };
        let mut attempt = 1;
        loop {
            let mut lease = pool.lend().await?;
            let Some(sql) = make().one_statement()? else {
                return Ok(());
            };
            let Err(error) = lease.execute(sql.build()).await else {
                return Ok(());
            };
            let again = is_lost_race(&error) || is_connection_lost(&error);
            if !again || attempt >= ATTEMPTS {
                return Err(error.into());
            }
            attempt += 1;
        }
    }

    /// As [`Db::write`], after waiting until nobody of this process writes to any of `keys`.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub async fn write_for<K, T, F, Fut>(&self, keys: &[K], work: F) -> Result<T>
    where
        K: Hash,
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let _turn = self.queue.enter(keys).await;
        self.write(work).await
    }

    async fn attempt<T, F, Fut>(&self, work: &F) -> Result<T, Failure>
    where
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        if self.is_snapshot {
            return Err(Error::internal("a snapshot of the database is only read").into());
        }
        let _turn = match &self.turns {
            Some(turns) => turns.take().await?,
            None => None,
        };
        let begun = self.begin().await;
        let tx = Tx(Arc::new(begun.map_err(Error::from)?));
        let outcome = work(tx.clone()).await;
        let Some(transaction) = Arc::into_inner(tx.0) else {
            return Err(Error::internal("a write transaction was kept beyond its closure").into());
        };
        match outcome {
            Ok(value) => match transaction.commit().await {
                Ok(()) => Ok(value),
                // Whether a commit that was cut off took hold is not known: it is never sent twice. The caller
                // may, since an idempotency key or a receipt's number shows what has come of it.
                Err(e) => Err(Failure {
                    undone: !is_connection_lost(&e),
                    error: e.into(),
                }),
            },
            Err(error) => {
                // A transaction that cannot be rolled back belongs to a connection that is gone.
                if let Err(e) = transaction.rollback().await {
                    tracing::debug!(error = %e, "rollback failed");
                }
                Err(error.into())
            }
        }
    }
}

//! The database as of one moment, for a read that takes longer than a request.
//!
//! Called by exports. A snapshot is a [`Db`] like any other, so that whatever a service reads through it, in however
//! many statements, belongs together: on PostgreSQL one repeatable-read transaction, on the embedded engine one read
//! transaction over the write-ahead log. It has a connection of its own, so that it neither waits for the pool nor
//! keeps others waiting, and knows no time limit. Nobody who writes waits for it.

use super::connect::{Db, Engine};
use crate::error::{Error, Result};
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::sqlx::{self, Executor};
use sea_orm::{ConnectOptions, Database};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Begins the transaction, and reads once: only a read fixes the moment.
const POSTGRES: &str = "begin isolation level repeatable read read only; select 1";
/// The same. Nothing can be written, whatever is sent.
const SQLITE: &str = "pragma query_only = on; begin; select count(*) from sqlite_master";

/// The transaction's one connection. When it is lost, the moment is lost with it: a second connection would silently
/// show another one.
#[derive(Clone, Default)]
struct Once(Arc<AtomicBool>);

impl Once {
    fn take(&self) -> Result<(), sqlx::Error> {
        if self.0.swap(true, Ordering::SeqCst) {
            let lost = "the connection of a snapshot was lost, and its moment with it";
            return Err(sqlx::Error::Protocol(lost.to_owned()));
        }
        Ok(())
    }
}

fn alone(options: &mut ConnectOptions) {
    options
        .max_connections(1)
        .min_connections(0)
        .acquire_timeout(Duration::from_secs(10))
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .sqlx_logging(false)
        .test_before_acquire(false);
}

impl Db {
    /// The database as it is now, for as long as the value lives. Close it: an open one keeps PostgreSQL from clearing
    /// rows away, and the embedded engine's log from being begun anew.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database cannot be reached.
    pub async fn snapshot(&self) -> Result<Self> {
        let once = Once::default();
        let options = match (self.engine(), &self.settings.url) {
            (Engine::Postgres, Some(url)) => postgres(url, once),
            (Engine::Sqlite, _) => self.sqlite(once),
            (Engine::Postgres, None) => {
                return Err(Error::internal("a PostgreSQL database without an address"));
            }
        };
        Ok(self.seen_over(Database::connect(options).await?))
    }

    fn sqlite(&self, once: Once) -> ConnectOptions {
        let path = self.settings.data.join("regulars.db");
        let lock_timeout = self.settings.lock_timeout;
        let mut options = ConnectOptions::new("sqlite::memory:");
        alone(&mut options);
        options
            .map_sqlx_sqlite_opts(move |_| {
                SqliteConnectOptions::new()
                    .filename(&path)
                    .busy_timeout(lock_timeout)
                    .pragma("cache_size", "-16384")
                    .pragma("temp_store", "memory")
            })
            .map_sqlx_sqlite_pool_opts(move |pool| {
                let once = once.clone();
                pool.after_connect(move |connection, _| {
                    let once = once.clone();
                    Box::pin(async move {
                        once.take()?;
                        connection.execute(SQLITE).await.map(|_| ())
                    })
                })
            });
        options
    }
}

fn postgres(url: &str, once: Once) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    alone(&mut options);
    options
        .map_sqlx_postgres_opts(|options: PgConnectOptions| {
            options.application_name("regulars snapshot").options([
                ("statement_timeout", "0"),
                ("idle_in_transaction_session_timeout", "0"),
                ("timezone", "UTC"),
            ])
        })
        .map_sqlx_postgres_pool_opts(move |pool| {
            let once = once.clone();
            pool.after_connect(move |connection, _| {
                let once = once.clone();
                Box::pin(async move {
                    once.take()?;
                    connection.execute(POSTGRES).await.map(|_| ())
                })
            })
        });
    options
}

#[cfg(test)]
mod tests {
    use crate::error::Error;
    use crate::testing::TestDb;
    use sea_orm::ConnectionTrait;

    async fn count(db: &crate::db::Db) -> i64 {
        let mut sql = db.sql();
        sql.push("select count(*) from attempt");
        let row = db.read().query_one_raw(sql.build()).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    }

    fn attempt(n: u8) -> String {
        let time = "'2026-03-10 12:00:00+00:00'";
        format!(
            "insert into attempt (bucket, window_start, expires_at, count) values (cast('{n}' as {{bytes}}), {time}, {time}, 1)"
        )
    }

    #[tokio::test]
    async fn a_snapshot_shows_one_moment_and_is_never_written_to() {
        for test in TestDb::all().await {
            let bytes = match test.db.engine() {
                crate::db::Engine::Sqlite => "blob",
                crate::db::Engine::Postgres => "bytea",
            };
            let insert = |n| attempt(n).replace("{bytes}", bytes);
            test.run(&insert(1)).await;
            let snapshot = test.db.snapshot().await.unwrap();
            test.run(&insert(2)).await;
            assert_eq!(count(&snapshot).await, 1);
            assert_eq!(count(&test.db).await, 2);
            // Neither by the way that services write, nor by a statement of its own.
            let text = &insert(3);
            let written = snapshot
                .write(|tx| async move {
                    tx.execute_unprepared(text).await?;
                    Ok(())
                })
                .await;
            assert!(matches!(written, Err(Error::Internal(_))), "{written:?}");
            snapshot.read().execute_unprepared(text).await.unwrap_err();
            assert_eq!(count(&test.db).await, 2);
            snapshot.close().await.unwrap();
            test.done().await;
        }
    }

    #[tokio::test]
    async fn a_snapshot_that_is_lost_is_not_taken_up_at_another_moment() {
        for test in TestDb::all().await {
            if test.db.engine() == crate::db::Engine::Sqlite {
                test.done().await;
                continue;
            }
            let snapshot = test.db.snapshot().await.unwrap();
            assert_eq!(count(&snapshot).await, 0);
            test.db
                .read()
                .execute_unprepared(
                    "select pg_terminate_backend(pid) from pg_stat_activity
                     where application_name = 'regulars snapshot' and datname = current_database()",
                )
                .await
                .unwrap();
            for _ in 0..2 {
                let mut sql = snapshot.sql();
                sql.push("select 1 as one");
                let error = Error::from(
                    snapshot
                        .read()
                        .query_one_raw(sql.build())
                        .await
                        .unwrap_err(),
                );
                assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
            }
            snapshot.close().await.unwrap();
            test.done().await;
        }
    }
}

//! In which state a connection of the embedded engine is handed out, and how long it works for one caller: dropping a
//! future stops no SQL.
//!
//! PostgreSQL has `statement_timeout`. SQLite asks a handler every so often whether to go on; the handler is set anew
//! each time a connection leaves the pool, so that a read has the whole time for its statement, and a transaction
//! for all of its statements. Work that must be done by some moment says so ([`until`]): then no statement of it goes on
//! beyond. On PostgreSQL such a statement ends within a second of its connection, which is closed with the work.

use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::{Connection, Error, Sqlite, SqliteConnection};
use std::time::{Duration, Instant};

/// How many steps of its machine SQLite makes between two questions: some tenths of a millisecond.
const STEPS: i32 = 10_000;

/// Limits what is done on the connections of a pool; a limit of zero is none. A connection on which a transaction
/// was left behind is closed instead of handed out: after a full disk SQLite ends a transaction by itself, and sqlx,
/// which counts on, would begin the next one inside of it and never commit.
pub(super) fn apply(pool: PoolOptions<Sqlite>, limit: Duration) -> PoolOptions<Sqlite> {
    pool.after_connect(move |connection, _| Box::pin(start(connection, limit)))
        .before_acquire(move |connection, _| {
            Box::pin(async move {
                if connection.is_in_transaction() {
                    return Ok(false);
                }
                start(connection, limit).await?;
                Ok(true)
            })
        })
}

tokio::task_local! {
    static END: Instant;
}

/// Does work that must be done by this moment: whoever asks for it gives it up then, and its statements end too.
pub async fn until<F: Future>(end: Instant, work: F) -> F::Output {
    END.scope(end, work).await
}

/// By when the work at hand must be done, if it must: for handing it on to another task.
pub fn end_of_work() -> Option<Instant> {
    END.try_with(|end| *end).ok()
}

async fn start(connection: &mut SqliteConnection, limit: Duration) -> Result<(), Error> {
    if limit.is_zero() {
        return Ok(());
    }
    let mut handle = connection.lock_handle().await?;
    let end = Instant::now() + limit;
    let end = end_of_work().map_or(end, |work| work.min(end));
    handle.set_progress_handler(STEPS, move || Instant::now() < end);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::until;
    use crate::db::{Db, DbSettings};
    use crate::error::Error;
    use sea_orm::{ConnectionTrait, DbErr};
    use std::time::{Duration, Instant};

    const ENDLESS: &str =
        "with recursive n (i) as (select 1 union all select i + 1 from n) select count(*) from n";

    async fn open(directory: &tempfile::TempDir) -> Db {
        Db::connect(&DbSettings {
            url: None,
            data: directory.path().to_owned(),
            connections: 1,
            statement_timeout: Duration::from_millis(300),
            lock_timeout: Duration::from_secs(1),
        })
        .await
        .unwrap()
    }

    fn stopped<T: std::fmt::Debug>(outcome: Result<T, DbErr>) {
        let error = Error::from(outcome.unwrap_err());
        assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    }

    #[tokio::test]
    async fn a_statement_without_end_is_ended_and_the_connection_goes_on() {
        let directory = tempfile::tempdir().unwrap();
        let db = open(&directory).await;
        for _ in 0..2 {
            stopped(db.read().execute_unprepared(ENDLESS).await);
            db.ping().await.unwrap();
        }
        let outcome: Result<(), Error> = db
            .write(|tx| async move {
                tx.execute_unprepared("create table kept (id integer)")
                    .await?;
                tx.execute_unprepared(ENDLESS).await?;
                Ok(())
            })
            .await;
        assert!(matches!(outcome, Err(Error::Unavailable(_))), "{outcome:?}");
        // Work that is given up takes its statement along.
        let began = Instant::now();
        let soon = began + Duration::from_millis(100);
        stopped(until(soon, db.read().execute_unprepared(ENDLESS)).await);
        assert!(began.elapsed() < Duration::from_millis(290));
        db.ping().await.unwrap();
        // The time of a statement begins with it, not with the connection.
        tokio::time::sleep(Duration::from_millis(400)).await;
        db.write(|tx| async move {
            tx.execute_unprepared("create table kept (id integer)")
                .await?;
            Ok(())
        })
        .await
        .unwrap();
        db.close().await.unwrap();
    }
}

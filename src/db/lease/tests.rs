//! Connections that are lost, and borrowers who go in the middle of something. On PostgreSQL, where connections are lent.

use crate::db::{Db, Engine};
use crate::testing::TestDb;
use futures_util::future::join_all;
use sea_orm::ConnectionTrait;
use std::time::Duration;

/// The database on PostgreSQL, when a server is at hand.
async fn on_server() -> Option<TestDb> {
    let mut server = None;
    for test in TestDb::all().await {
        match test.db.engine() {
            Engine::Sqlite => test.done().await,
            Engine::Postgres => server = Some(test),
        }
    }
    server
}

async fn read(db: &Db, sql: &str) -> Result<i64, sea_orm::DbErr> {
    let mut statement = db.sql();
    statement.push(sql);
    let row = db.read().query_one_raw(statement.build()).await?.unwrap();
    row.try_get_by_index(0)
}

const ATTEMPTS: &str = "select count(*) from attempt";
const INSERT: &str = "insert into attempt (bucket, window_start, expires_at, count)
    values (cast('x' as bytea), now(), now(), 1)";

#[tokio::test]
async fn reads_go_on_when_all_connections_are_gone() {
    let Some(test) = on_server().await else {
        return;
    };
    let reads = |db: &Db, sql: &'static str| {
        let db = db.clone();
        join_all((0..20).map(move |_| {
            let db = db.clone();
            async move { read(&db, sql).await }
        }))
    };
    reads(&test.db, "select count(*) from pg_sleep(0.05)").await;
    let another = test.another_node().await;
    let ended = read(
        &another,
        "select count(pg_terminate_backend(pid)) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and application_name = 'regulars'",
    )
    .await
    .unwrap();
    assert!(ended >= 5, "{ended} connections were ended");
    for outcome in reads(&test.db, ATTEMPTS).await {
        assert_eq!(outcome.unwrap(), 0);
    }
    // What writes is begun anew as long as nothing of it was committed.
    test.run(INSERT).await;
    assert_eq!(read(&test.db, ATTEMPTS).await.unwrap(), 1);
    another.close().await.unwrap();
    test.done().await;
}

#[tokio::test]
async fn a_statement_that_nobody_waits_for_leaves_nothing_behind() {
    let Some(test) = on_server().await else {
        return;
    };
    for n in 0..30 {
        let slow = read(&test.db, "select 7::bigint from pg_sleep(0.4)");
        let given_up = tokio::time::timeout(Duration::from_millis(n), slow).await;
        assert!(given_up.is_err());
        assert_eq!(read(&test.db, "select 1::bigint").await.unwrap(), 1);
    }
    test.done().await;
}

#[tokio::test]
async fn a_transaction_that_nobody_waits_for_is_undone() {
    let Some(test) = on_server().await else {
        return;
    };
    let never = test.db.write(|tx| async move {
        tx.execute_unprepared(INSERT).await?;
        tokio::time::sleep(Duration::from_secs(60)).await;
        Ok(())
    });
    let given_up = tokio::time::timeout(Duration::from_millis(300), never).await;
    assert!(given_up.is_err());
    // It would wait for the row's key if the transaction were still open.
    test.run(INSERT).await;
    assert_eq!(read(&test.db, ATTEMPTS).await.unwrap(), 1);
    test.done().await;
}

#[tokio::test]
async fn a_failed_statement_does_not_cost_the_connection() {
    let Some(test) = on_server().await else {
        return;
    };
    let server = "select pg_backend_pid()::bigint";
    let before = read(&test.db, server).await.unwrap();
    read(&test.db, "select 1 / 0").await.unwrap_err();
    assert_eq!(read(&test.db, server).await.unwrap(), before);
    test.done().await;
}

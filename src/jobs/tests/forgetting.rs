//! What is forgotten and what is kept.

use super::*;
use crate::jobs::retention::{Ledger, RetentionSettings};
use chrono::{DateTime, Utc};

async fn forget(test: &TestDb, ledger: Ledger, days: u32) {
    let ctx = test.system();
    let context = JobContext {
        ctx,
        id: JobId::new(),
        attempt: 1,
        max_attempts: 1,
    };
    Forget { ledger, days }.run(&context).await.unwrap();
}

fn ago(days: i64) -> DateTime<Utc> {
    noon() - TimeDelta::days(days)
}

#[tokio::test]
async fn old_audit_entries_go_in_batches_with_what_hangs_on_them() {
    use crate::access::audit::{Entry, write};
    for test in TestDb::all().await {
        let ctx = test.system();
        let mut entries: Vec<Entry> = Vec::new();
        for n in 0..1203 {
            let mut entry = Entry::new(&ctx, "test").about([entity::ids::CustomerId::new()]);
            entry.at = ago(if n < 1200 { 731 } else { 729 });
            entries.push(entry);
        }
        // An import's entry is about more customers than go in one batch.
        let mut import =
            Entry::new(&ctx, "test").about((0..1300).map(|_| entity::ids::CustomerId::new()));
        import.at = ago(740);
        entries.push(import);
        let entries = &entries;
        ctx.db
            .write(|tx| async move { write(&*tx, entries).await })
            .await
            .unwrap();
        forget(
            &test,
            Ledger::Audit,
            RetentionSettings::default().audit_days,
        )
        .await;
        assert_eq!(test.number("select count(*) from audit_entry").await, 3);
        assert_eq!(test.number("select count(*) from audit_customer").await, 3);
        test.done().await;
    }
}

#[tokio::test]
async fn events_are_kept_until_every_listener_that_lives_has_seen_them() {
    for test in TestDb::all().await {
        let ctx = &test.system();
        ctx.db
            .write(|tx| async move {
                for n in 1..=20_i64 {
                    let mut sql = Sql::for_connection(&*tx);
                    sql.push("insert into event (position, kind, subject_id, at, actor_kind, payload) values (")
                        .bind(Some(n).filter(|n| *n <= 15))
                        .push(", 'x', ")
                        .bind(Uuid::now_v7())
                        .push(", ")
                        .bind(ago(if n <= 10 { 100 } else { 1 }))
                        .push(", 'SYSTEM', ")
                        .bind(serde_json::json!({}))
                        .push(")");
                    tx.execute_raw(sql.build()).await?;
                }
                for (name, until, position) in [
                    ("sequencer", ago(0), 15_i64),
                    ("listener:slow", ago(0), 4),
                    ("listener:gone", ago(200), 1),
                ] {
                    let mut sql = Sql::for_connection(&*tx);
                    sql.push("insert into lease (name, until, position) values (")
                        .bind(name)
                        .push(", ")
                        .bind(until)
                        .push(", ")
                        .bind(position)
                        .push(")");
                    tx.execute_raw(sql.build()).await?;
                }
                Ok(())
            })
            .await
            .unwrap();
        forget(&test, Ledger::Events, 90).await;
        assert_eq!(test.number("select min(position) from event").await, 5);
        test.run("update lease set position = 15 where name = 'listener:slow'")
            .await;
        forget(&test, Ledger::Events, 90).await;
        assert_eq!(test.number("select min(position) from event").await, 11);
        assert_eq!(
            test.number("select count(*) from event").await,
            10,
            "none that waits is touched"
        );
        test.done().await;
    }
}

#[tokio::test]
async fn every_ledger_is_swept_by_the_schedule() {
    for test in TestDb::all().await {
        marks(&test).await;
        let ctx = &test.system();
        let stale = ask(ctx, &mark(1)).await.unwrap();
        ctx.db
            .write(|tx| async move {
                let mut sql = Sql::for_connection(&*tx);
                sql.push("insert into idempotency (caller, mutation, key, input_hash, result_id, created_at) values ");
                for (n, at) in [ago(8), ago(6)].into_iter().enumerate() {
                    sql.push(if n == 0 { "('a', 'b', " } else { ", ('a', 'b', " })
                        .bind(n.to_string())
                        .push(", ")
                        .bind(vec![1_u8])
                        .push(", ")
                        .bind(Uuid::now_v7())
                        .push(", ")
                        .bind(at)
                        .push(")");
                }
                tx.execute_raw(sql.build()).await?;
                let mut sql = Sql::for_connection(&*tx);
                sql.push("insert into attempt (bucket, window_start, expires_at, count) values (")
                    .bind(vec![1_u8])
                    .push(", ")
                    .bind(ago(1))
                    .push(", ")
                    .bind(ago(1))
                    .push(", 1)");
                tx.execute_raw(sql.build()).await?;
                for (scope, until) in [(1, ago(1)), (2, ago(-1))] {
                    crate::access::sight::grant(&*tx, entity::ids::CustomerId::new(), Uuid::from_u128(scope), "x", until).await?;
                }
                let mut sql = Sql::for_connection(&*tx);
                sql.push("insert into access_change (staff_id, kind, at, expires_at) values (")
                    .bind(Uuid::now_v7())
                    .push(", 'STAFF_ENDED', ")
                    .bind(ago(2))
                    .push(", ")
                    .bind(ago(1))
                    .push(")");
                tx.execute_raw(sql.build()).await?;
                let mut sql = Sql::for_connection(&*tx);
                sql.push("update job set state = 'DONE', finished_at = ")
                    .bind(ago(15))
                    .push(" where id = ")
                    .bind(stale);
                tx.execute_raw(sql.build()).await?;
                Ok(())
            })
            .await
            .unwrap();
        let (mut registry, mut schedule) = (Registry::new(), Schedule::new());
        retention::add(&mut registry, &mut schedule, &RetentionSettings::default()).unwrap();
        let mut worker = Worker::new(
            ctx.clone(),
            registry,
            Arc::new(schedule),
            settings(),
            Uuid::now_v7(),
        );
        assert_eq!(run_due(&mut worker).await, 0);
        test.clock.advance(TimeDelta::hours(20));
        let mut swept = 0;
        for _ in 0..5 {
            swept += run_due(&mut worker).await;
        }
        assert_eq!(swept, 10);
        assert_eq!(
            test.number("select count(*) from job where state <> 'DONE'")
                .await,
            0
        );
        assert_eq!(
            test.number("select count(*) from job where name = 'test.mark'")
                .await,
            0
        );
        assert_eq!(test.number("select count(*) from idempotency").await, 1);
        assert_eq!(test.number("select count(*) from attempt").await, 0);
        assert_eq!(test.number("select count(*) from access_change").await, 0);
        assert_eq!(test.number("select count(*) from sight").await, 1);
        test.done().await;
    }
}

//! The queue under competition, failure and death; the schedule on two nodes.

use super::retention::Forget;
use super::*;
use crate::access::Ctx;
use crate::db::{Engine, Sql};
use crate::error::{Code, Error, Result};
use crate::testing::{TestDb, noon};
use chrono::TimeDelta;
use entity::enums::{JobState, Role};
use entity::ids::JobId;
use entity::job;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

mod forgetting;

/// Leaves a mark in a table, fails or waits as told.
#[derive(Serialize, Deserialize)]
struct Mark {
    number: i64,
    fails: bool,
    panics: bool,
    waits: bool,
    key: Option<String>,
}

fn mark(number: i64) -> Mark {
    Mark {
        number,
        fails: false,
        panics: false,
        waits: false,
        key: None,
    }
}

impl Job for Mark {
    const NAME: &'static str = "test.mark";
    const MAX_ATTEMPTS: u16 = 3;

    fn dedup_key(&self) -> Option<String> {
        self.key.clone()
    }

    async fn run(self, context: &JobContext) -> Result<()> {
        if self.fails {
            return Err(Error::user(
                Code::Invalid,
                "phone",
                "138 0013 8000 is not a number",
            ));
        }
        assert!(!self.panics, "told to");
        let number = self.number;
        context
            .ctx
            .db
            .write(|tx| async move {
                let mut sql = Sql::for_connection(&*tx);
                sql.push("insert into mark (number) values (")
                    .bind(number)
                    .push(")");
                tx.execute_raw(sql.build()).await?;
                Ok(())
            })
            .await?;
        if self.waits {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

fn settings() -> JobSettings {
    JobSettings {
        grace: Duration::from_millis(50),
        ..JobSettings::new(Arc::new(|| 0.5))
    }
}

fn worker(ctx: &Ctx) -> Worker {
    let mut registry = Registry::new();
    registry.add::<Mark>().add::<Forget>();
    Worker::new(
        ctx.clone(),
        registry,
        Arc::new(Schedule::new()),
        settings(),
        Uuid::now_v7(),
    )
}

async fn marks(test: &TestDb) {
    test.run("create table mark (number bigint not null)").await;
}

async fn ask(ctx: &Ctx, job: &Mark) -> Option<JobId> {
    ctx.db
        .write(|tx| async move { enqueue(&*tx, ctx, job, ctx.now()).await })
        .await
        .unwrap()
}

async fn find(ctx: &Ctx, id: JobId) -> job::Model {
    job::Entity::find_by_id(id)
        .one(ctx.db.read())
        .await
        .unwrap()
        .unwrap()
}

async fn run_due(worker: &mut Worker) -> usize {
    let begun = worker.tick().await.unwrap();
    worker.settle().await;
    begun
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_job_is_run_once_by_competing_workers() {
    for test in TestDb::all().await {
        marks(&test).await;
        let ctx = test.system();
        for number in 0..60 {
            ask(&ctx, &mark(number)).await.unwrap();
        }
        let mut workers = tokio::task::JoinSet::new();
        for node in 0..3 {
            let db = if node == 0 {
                test.db.clone()
            } else {
                test.another_node().await
            };
            let ctx = test.system_on(db);
            workers.spawn(async move {
                let mut worker = worker(&ctx);
                let mut idle = 0;
                while idle < 3 {
                    idle = if run_due(&mut worker).await == 0 {
                        idle + 1
                    } else {
                        0
                    };
                }
            });
        }
        while let Some(done) = workers.join_next().await {
            done.unwrap();
        }
        assert_eq!(test.number("select count(*) from mark").await, 60);
        assert_eq!(
            test.number("select count(distinct number) from mark").await,
            60
        );
        assert_eq!(
            test.number("select count(*) from job where state = 'DONE' and attempts = 1 and claimed_by is null")
                .await,
            60
        );
        test.done().await;
    }
}

#[tokio::test]
async fn a_job_exists_only_with_the_change_and_not_before_its_time() {
    for test in TestDb::all().await {
        marks(&test).await;
        let ctx = &test.system();
        let undone: Result<()> = ctx
            .db
            .write(|tx| async move {
                enqueue(&*tx, ctx, &mark(1), ctx.now()).await?;
                Err(Error::Forbidden)
            })
            .await;
        assert!(undone.is_err());
        let later = ctx.now() + TimeDelta::minutes(10);
        ctx.db
            .write(|tx| async move { enqueue(&*tx, ctx, &mark(2), later).await })
            .await
            .unwrap();
        let mut worker = worker(ctx);
        assert_eq!(run_due(&mut worker).await, 0);
        test.clock.advance(TimeDelta::minutes(10));
        assert_eq!(run_due(&mut worker).await, 1);
        assert_eq!(
            test.number("select count(*) from mark where number = 2")
                .await,
            1
        );
        assert_eq!(test.number("select count(*) from mark").await, 1);
        test.done().await;
    }
}

#[tokio::test]
async fn of_one_key_one_job_waits_or_runs() {
    for test in TestDb::all().await {
        marks(&test).await;
        let ctx = test.system();
        let keyed = Mark {
            key: Some("all".into()),
            ..mark(1)
        };
        assert!(ask(&ctx, &keyed).await.is_some());
        assert!(ask(&ctx, &keyed).await.is_none());
        assert!(
            ask(
                &ctx,
                &Mark {
                    key: Some("other".into()),
                    ..mark(2)
                }
            )
            .await
            .is_some()
        );
        let mut worker = worker(&ctx);
        assert_eq!(run_due(&mut worker).await, 2);
        assert!(ask(&ctx, &keyed).await.is_some(), "the first one has ended");
        test.done().await;
    }
}

#[tokio::test]
async fn a_failing_job_is_tried_with_growing_waits_and_then_given_up() {
    for test in TestDb::all().await {
        marks(&test).await;
        let ctx = test.system();
        let id = ask(
            &ctx,
            &Mark {
                fails: true,
                ..mark(1)
            },
        )
        .await
        .unwrap();
        let mut worker = worker(&ctx);
        let mut waits = Vec::new();
        for attempt in 1..=3 {
            assert_eq!(run_due(&mut worker).await, 1);
            assert_eq!(run_due(&mut worker).await, 0, "it waits");
            let job = find(&ctx, id).await;
            assert_eq!(job.attempts, attempt);
            let error = job.last_error.unwrap();
            // The request's id is drawn by chance, and may have any digits.
            let (told, _) = error.split_once(" (request ").unwrap();
            assert_eq!(told, "BAD_USER_INPUT: Invalid at phone");
            waits.push(job.run_at - ctx.now());
            test.clock.set(job.run_at.max(ctx.now()));
        }
        assert!(
            waits[0] > TimeDelta::seconds(10) && waits[1] > waits[0],
            "{waits:?}"
        );
        let job = find(&ctx, id).await;
        assert_eq!((job.state, job.claimed_by), (JobState::Dead, None));
        assert!(job.finished_at.is_some());

        // An administrator runs it again, and it leaves an entry.
        let admin = test.staff(Role::Admin);
        let again = list::retry(&admin, id).await.unwrap();
        assert_eq!(again, find(&ctx, id).await);
        assert_eq!((again.state, again.attempts), (JobState::Queued, 0));
        assert_eq!(
            test.number("select count(*) from audit_entry where action = 'job.retry'")
                .await,
            1
        );
        assert_eq!(run_due(&mut worker).await, 1);
        let refused = list::retry(&admin, id).await.unwrap_err();
        assert!(matches!(refused, Error::User(errors) if errors[0].code == Code::WrongState));
        let refused = list::retry(&admin, JobId::new()).await.unwrap_err();
        assert!(matches!(refused, Error::User(errors) if errors[0].code == Code::NotFound));
        assert!(matches!(
            list::retry(&test.staff(Role::Headquarters), id).await,
            Err(Error::Forbidden)
        ));
        test.done().await;
    }
}

#[tokio::test]
async fn a_panic_is_a_failure_and_an_unknown_kind_is_left_alone() {
    for test in TestDb::all().await {
        marks(&test).await;
        let ctx = test.system();
        let id = ask(
            &ctx,
            &Mark {
                panics: true,
                ..mark(1)
            },
        )
        .await
        .unwrap();
        test.run(&format!("insert into job (id, name, payload, state, run_at, attempts, max_attempts, created_at) select {}, 'of.tomorrow', payload, state, run_at, attempts, max_attempts, created_at from job",
            if test.db.engine() == Engine::Sqlite { "randomblob(16)" } else { "gen_random_uuid()" })).await;
        let mut worker = worker(&ctx);
        assert_eq!(run_due(&mut worker).await, 1);
        let job = find(&ctx, id).await;
        assert_eq!(job.state, JobState::Queued);
        assert!(job.last_error.unwrap().contains("panicked"));
        assert_eq!(test.number("select count(*) from job where name = 'of.tomorrow' and state = 'QUEUED' and attempts = 0").await, 1);
        test.done().await;
    }
}

#[tokio::test]
async fn an_abandoned_job_is_taken_up_again_and_its_old_node_changes_nothing() {
    for test in TestDb::all().await {
        marks(&test).await;
        let ctx = test.system();
        let id = ask(
            &ctx,
            &Mark {
                waits: true,
                ..mark(1)
            },
        )
        .await
        .unwrap();
        let (mut first, mut second) = (worker(&ctx), worker(&ctx));
        assert_eq!(first.tick().await.unwrap(), 1);
        // The heartbeat keeps it, however long it runs.
        test.clock.advance(TimeDelta::seconds(50));
        first.heartbeat().await.unwrap();
        test.clock.advance(TimeDelta::seconds(50));
        assert_eq!(second.tick().await.unwrap(), 0);
        // No heartbeat: abandoned.
        test.clock.advance(TimeDelta::seconds(20));
        assert_eq!(second.tick().await.unwrap(), 1);
        let job = find(&ctx, id).await;
        assert_eq!((job.state, job.attempts), (JobState::Running, 2));
        first.heartbeat().await.unwrap();
        first.settle().await;
        assert_eq!(
            find(&ctx, id).await,
            job,
            "the old node's work is dropped and changes nothing"
        );
        // A stop hands it back, unspent.
        second.close().await.unwrap();
        let job = find(&ctx, id).await;
        assert_eq!(
            (job.state, job.attempts, job.claimed_by),
            (JobState::Queued, 1, None)
        );
        // Abandoned as often as it may be begun: given up.
        for _ in 0..2 {
            let mut dying = worker(&ctx);
            assert_eq!(dying.tick().await.unwrap(), 1);
            test.clock.advance(TimeDelta::seconds(61));
        }
        let mut last = worker(&ctx);
        assert_eq!(last.tick().await.unwrap(), 0);
        let job = find(&ctx, id).await;
        assert_eq!(job.state, JobState::Dead);
        assert!(job.last_error.unwrap().starts_with("abandoned"));
        test.done().await;
    }
}

#[tokio::test]
async fn the_schedule_fires_once_over_all_nodes_and_catches_up_once() {
    for test in TestDb::all().await {
        let (ctx, other) = (test.system(), test.system_on(test.another_node().await));
        let schedule = || {
            let mut schedule = Schedule::new();
            schedule
                .add("test:hourly", "30 * * * *", || mark(1))
                .unwrap();
            assert!(
                schedule
                    .add("test:hourly", "0 * * * *", || mark(1))
                    .is_err()
            );
            assert!(
                schedule
                    .add("test:never", "0 0 31 2 *", || mark(1))
                    .is_err()
            );
            assert!(schedule.add("test:nonsense", "often", || mark(1)).is_err());
            schedule
        };
        let nodes = [(schedule(), &ctx), (schedule(), &other)];
        let fire = async || {
            let (one, two) = tokio::join!(nodes[0].0.fire(nodes[0].1), nodes[1].0.fire(nodes[1].1));
            one.unwrap() + two.unwrap()
        };
        assert_eq!(fire().await, 0, "the first look only remembers the time");
        test.clock.set(noon() + TimeDelta::minutes(29));
        assert_eq!(fire().await, 0);
        test.clock.set(noon() + TimeDelta::minutes(30));
        assert_eq!(fire().await, 1);
        assert_eq!(fire().await, 0);
        // All nodes were down for a day.
        test.clock.set(noon() + TimeDelta::hours(24));
        assert_eq!(fire().await, 1);
        assert_eq!(fire().await, 0);
        // A node that comes up later finds it done.
        assert_eq!(schedule().fire(&ctx).await.unwrap(), 0);
        assert_eq!(test.number("select count(*) from job").await, 2);
        other.db.close().await.unwrap();
        test.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bundle_runs_jobs_soon_and_stops_cleanly() {
    for test in TestDb::all().await {
        marks(&test).await;
        let ctx = test.system();
        let mut registry = Registry::new();
        registry.add::<Mark>();
        let jobs = start(&ctx, registry, Schedule::new(), settings());
        for number in 0..10 {
            ask(&ctx, &mark(number)).await.unwrap();
        }
        ask(
            &ctx,
            &Mark {
                waits: true,
                ..mark(10)
            },
        )
        .await
        .unwrap();
        jobs.poke();
        for _ in 0..500 {
            let begun = test.number("select count(*) from mark").await;
            let done = test
                .number("select count(*) from job where state = 'DONE'")
                .await;
            if begun == 11 && done == 10 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        jobs.stop().await;
        assert_eq!(
            test.number("select count(*) from job where state = 'DONE'")
                .await,
            10
        );
        assert_eq!(
            test.number("select count(*) from job where state = 'QUEUED' and attempts = 0")
                .await,
            1
        );
        test.done().await;
    }
}

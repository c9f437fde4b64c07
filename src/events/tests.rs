//! The outbox under competition: several sequencers, many writers, nodes that die.

use super::*;
use crate::db::Db;
use crate::error::Error;
use crate::testing::TestDb;
use chrono::TimeDelta;
use entity::event;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;

const CUSTOMERS: u128 = 5;

fn hasty() -> SequencerSettings {
    SequencerSettings {
        poll: Duration::from_millis(1),
        pace: Duration::ZERO,
        term: Duration::from_secs(10),
        batch: 7,
    }
}

/// A row for each customer that is locked as a service locks the customer, with the number of the last change.
async fn customers(test: &TestDb) {
    test.run("create table turn (customer_id text primary key, counter bigint not null)")
        .await;
    for customer in 0..CUSTOMERS {
        let sql = format!("insert into turn values ('{customer}', 0)");
        test.run(&sql).await;
    }
}

/// One change of a customer as a service makes it: lock, work, events, commit. Every seventh is rolled back.
async fn change(ctx: &Ctx, nth: u128) -> Result<()> {
    let customer = nth % CUSTOMERS;
    ctx.db
        .write_for(&[customer], |tx| async move {
            let sql = format!(
                "update turn set counter = counter + 1 where customer_id = '{customer}' returning counter"
            );
            let mut statement = Sql::for_connection(&*tx);
            statement.push(&sql);
            let row = tx.query_one_raw(statement.build()).await?;
            let n: i64 = row.unwrap().try_get("", "counter")?;
            let event = NewEvent {
                kind: "test.changed",
                customer: Some(CustomerId(Uuid::from_u128(customer))),
                store: None,
                subject: Uuid::from_u128(nth),
                payload: serde_json::json!({ "n": n }),
            };
            record(&*tx, ctx, &[event]).await?;
            if nth.is_multiple_of(3) {
                // Ids are drawn and not yet committed: others overtake.
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            if nth.is_multiple_of(7) {
                return Err(Error::Forbidden);
            }
            Ok(())
        })
        .await
}

/// Runs sequencers of a node that die again and again, until told.
async fn mortal_node(ctx: Ctx, end: Arc<AtomicBool>, life: Duration) {
    while !end.load(Ordering::SeqCst) {
        let sequencer = Sequencer::new(ctx.clone(), EventFeed::new(), hasty(), Uuid::now_v7());
        let task = tokio::spawn(sequencer.run(tokio_util::sync::CancellationToken::new()));
        tokio::time::sleep(life).await;
        task.abort();
        let _ = task.await;
    }
}

/// Reads as a subscriber does and refuses a hole.
async fn follow(db: &Db, seen: &mut Vec<event::Model>) {
    let last = |seen: &[event::Model]| seen.last().map_or(0, |event| event.position.unwrap());
    loop {
        let events = after(db, last(seen), 50).await.unwrap();
        if events.is_empty() {
            return;
        }
        for event in events {
            assert_eq!(event.position, Some(last(seen) + 1), "a hole, or one twice");
            seen.push(event);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_agree_with_each_customers_commits_whoever_dies() {
    for test in TestDb::all().await {
        customers(&test).await;
        let each = if test.db.engine() == crate::db::Engine::Sqlite {
            25
        } else {
            150
        };
        let other = test.another_node().await;
        let end = Arc::new(AtomicBool::new(false));
        let mut nodes = tokio::task::JoinSet::new();
        for (db, life) in [(test.db.clone(), 23), (other.clone(), 37)] {
            let life = Duration::from_millis(life);
            nodes.spawn(mortal_node(test.system_on(db), Arc::clone(&end), life));
        }
        // Leases run out all the time.
        let (clock, over) = (test.clock.clone(), Arc::clone(&end));
        nodes.spawn(async move {
            while !over.load(Ordering::SeqCst) {
                clock.advance(TimeDelta::seconds(4));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let mut writers = tokio::task::JoinSet::new();
        for writer in 0..16_u128 {
            let db = if writer % 2 == 0 {
                test.db.clone()
            } else {
                other.clone()
            };
            let ctx = test.system_on(db);
            writers.spawn(async move {
                let mut committed = 0_usize;
                for n in 0..each {
                    match change(&ctx, writer * each + n + 1).await {
                        Ok(()) => committed += 1,
                        Err(Error::Forbidden) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
                committed
            });
        }
        let mut seen = Vec::new();
        let mut committed = 0;
        while let Some(done) = writers.join_next().await {
            committed += done.unwrap();
            follow(&test.db, &mut seen).await;
        }
        for _ in 0..2000 {
            follow(&test.db, &mut seen).await;
            if seen.len() >= committed {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        end.store(true, Ordering::SeqCst);
        while let Some(node) = nodes.join_next().await {
            node.unwrap();
        }
        assert_eq!(seen.len(), committed, "none missing");
        let mut counters: HashMap<CustomerId, i64> = HashMap::new();
        for event in &seen {
            let last = counters.entry(event.customer_id.unwrap()).or_default();
            *last += 1;
            assert_eq!(
                event.payload["n"], *last,
                "in the order of the customer's commits"
            );
        }
        let written = i64::try_from(committed).unwrap();
        assert_eq!(
            test.number("select count(*) from event where position is null")
                .await,
            0
        );
        assert_eq!(last_position(&test.db).await.unwrap(), written);
        other.close().await.unwrap();
        test.done().await;
    }
}

async fn write_some(ctx: &Ctx, count: u128) {
    let events: Vec<NewEvent> = (0..count)
        .map(|n| NewEvent {
            kind: "test.changed",
            customer: None,
            store: None,
            subject: Uuid::from_u128(n),
            payload: serde_json::json!({}),
        })
        .collect();
    let events = &events;
    ctx.db
        .write(|tx| async move { record(&*tx, ctx, events).await })
        .await
        .unwrap();
}

#[tokio::test]
async fn one_node_sequences_and_another_takes_over_when_its_lease_runs_out() {
    for test in TestDb::all().await {
        let ctx = test.system();
        let (feed, other_feed) = (EventFeed::new(), EventFeed::new());
        let sequencer = |feed: &EventFeed| {
            Sequencer::new(
                ctx.clone(),
                feed.clone(),
                SequencerSettings::default(),
                Uuid::now_v7(),
            )
        };
        let first = sequencer(&feed);
        assert_eq!(first.tick().await.unwrap(), Turn::Sequenced(0));
        write_some(&ctx, 3).await;
        assert_eq!(first.tick().await.unwrap(), Turn::Sequenced(3));
        assert_eq!(feed.position(), 3);
        if test.db.engine() == crate::db::Engine::Postgres {
            let second = sequencer(&other_feed);
            write_some(&ctx, 2).await;
            assert_eq!(second.tick().await.unwrap(), Turn::Standby);
            assert_eq!(other_feed.position(), 3, "a standby learns of positions");
            test.clock.advance(TimeDelta::seconds(11));
            assert_eq!(second.tick().await.unwrap(), Turn::Sequenced(2));
            write_some(&ctx, 1).await;
            assert_eq!(first.tick().await.unwrap(), Turn::Standby, "robbed");
            assert_eq!(second.tick().await.unwrap(), Turn::Sequenced(1));
        } else {
            // The embedded engine has one server, which need not wait for the lease of its last run.
            write_some(&ctx, 2).await;
            assert_eq!(
                sequencer(&other_feed).tick().await.unwrap(),
                Turn::Sequenced(2)
            );
            assert_eq!(first.tick().await.unwrap(), Turn::Standby, "robbed");
        }
        test.done().await;
    }
}

/// Notes what it is handed, and fails when told to.
#[derive(Default)]
struct Notes {
    seen: Mutex<Vec<i64>>,
    fail: AtomicBool,
    calls: AtomicUsize,
}

#[async_trait::async_trait]
impl Listener for Notes {
    fn name(&self) -> &'static str {
        "notes"
    }

    async fn handle(&self, _: &Ctx, events: &[event::Model]) -> Result<()> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.fail.load(Ordering::SeqCst) {
            return Err(Error::internal("told to"));
        }
        let positions = events.iter().map(|event| event.position.unwrap());
        self.seen.lock().await.extend(positions);
        Ok(())
    }
}

#[tokio::test]
async fn a_listener_stands_still_while_it_fails_and_passes_over_nothing() {
    for test in TestDb::all().await {
        let ctx = test.system();
        let (feed, notes) = (EventFeed::new(), Arc::new(Notes::default()));
        let sequencer = Sequencer::new(
            ctx.clone(),
            feed.clone(),
            SequencerSettings::default(),
            Uuid::now_v7(),
        );
        let settings = ListenerSettings {
            batch: 4,
            ..ListenerSettings::default()
        };
        let task = |listener: Arc<Notes>| {
            ListenerTask::new(
                ctx.clone(),
                feed.clone(),
                settings.clone(),
                listener,
                Uuid::now_v7(),
            )
        };
        sequencer.tick().await.unwrap();
        write_some(&ctx, 6).await;
        sequencer.tick().await.unwrap();

        let listener = task(Arc::clone(&notes));
        assert_eq!(listener.tick().await.unwrap(), 0, "its row is made");
        assert_eq!(listener.tick().await.unwrap(), 4);
        notes.fail.store(true, Ordering::SeqCst);
        assert!(listener.tick().await.is_err());
        assert!(listener.tick().await.is_err());
        assert_eq!(*notes.seen.lock().await, [1, 2, 3, 4]);
        notes.fail.store(false, Ordering::SeqCst);

        if test.db.engine() == crate::db::Engine::Postgres {
            let calls = notes.calls.load(Ordering::SeqCst);
            let standby = task(Arc::clone(&notes));
            assert_eq!(standby.tick().await.unwrap(), 0);
            assert_eq!(
                notes.calls.load(Ordering::SeqCst),
                calls,
                "one node at a time"
            );
            test.clock.advance(TimeDelta::seconds(31));
            assert_eq!(standby.tick().await.unwrap(), 2);
            assert_eq!(listener.tick().await.unwrap(), 0);
        } else {
            assert_eq!(listener.tick().await.unwrap(), 2);
        }
        assert_eq!(*notes.seen.lock().await, [1, 2, 3, 4, 5, 6]);
        test.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bundle_hands_events_on_soon_and_stops_cleanly() {
    for test in TestDb::all().await {
        let (ctx, notes) = (test.system(), Arc::new(Notes::default()));
        let listener: Arc<dyn Listener> = Arc::clone(&notes) as _;
        let events = start(&ctx, EventSettings::default(), vec![listener])
            .await
            .unwrap();
        let mut news = events.feed().watch();
        write_some(&ctx, 5).await;
        events.feed().poke();
        tokio::time::timeout(
            Duration::from_secs(5),
            news.wait_for(|position| *position == 5),
        )
        .await
        .unwrap()
        .unwrap();
        for _ in 0..500 {
            if notes.seen.lock().await.len() == 5 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        events.stop().await;
        assert_eq!(*notes.seen.lock().await, [1, 2, 3, 4, 5]);
        assert_eq!(
            test.number("select count(*) from lease where holder is not null")
                .await,
            0
        );
        test.done().await;
    }
}

//! The sequencer: gives committed events their positions, by which everyone reads.
//!
//! Started by [`super::start`] on every node; one at a time works, by the lease `sequencer`. It never looks at
//! what an event says and never deletes one.
//!
//! Why reading by position agrees with every customer's commits: a writer locks the customer, *then* draws its
//! events' ids. The next writer of that customer gets the lock only once the first has committed (a row lock is
//! let go after the commit can be seen), so it draws higher ids and commits later. Whoever sees the second
//! one's events in a snapshot therefore sees the first one's too, with lower ids. A batch is read in one
//! statement, that is in one snapshot, lowest ids first: if it holds an event, each earlier event of the same
//! customer stands before it in the batch or was given a position by an earlier one. Between customers, ids may
//! be committed in any order; an event with a low id that becomes visible late gets a high position, and is
//! missed by nobody.
//!
//! A batch is one transaction: lock the lease row and check that this node holds it, give positions `last + 1`
//! and on without a hole, write the new `last` into the lease row. Killed at any point, it has either happened
//! or not. Two nodes that both believe to hold the lease queue at the row, and one of them finds itself robbed.

use super::feed::EventFeed;
use super::lease::{Lease, Standing};
use crate::access::Ctx;
use crate::db::{Sql, look_up_one_by_one};
use crate::error::{Error, Result};
use chrono::TimeDelta;
use sea_orm::ConnectionTrait;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How the sequencer works.
#[derive(Clone, Debug)]
pub struct SequencerSettings {
    /// How often it looks for events that nobody of this process told it of; standby nodes learn of new
    /// positions as often.
    pub poll: Duration,
    /// The shortest time between two batches that were not full: many writers' events then share one
    /// transaction.
    pub pace: Duration,
    /// How long a node that died keeps the others waiting. Generous, since clocks differ.
    pub term: Duration,
    /// Events in a batch at most.
    pub batch: u32,
}

impl Default for SequencerSettings {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(200),
            pace: Duration::from_millis(25),
            term: Duration::from_secs(10),
            batch: 1000,
        }
    }
}

/// What a turn of the sequencer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Another node has the lease.
    Standby,
    /// This many events were given positions.
    Sequenced(u64),
}

/// One node's sequencer.
#[derive(Debug)]
pub struct Sequencer {
    ctx: Ctx,
    feed: EventFeed,
    settings: SequencerSettings,
    lease: Lease,
}

/// The name of the sequencer's lease.
pub(super) const LEASE: &str = "sequencer";

impl Sequencer {
    /// A sequencer of the node `node`, an id that is fresh at each start.
    pub fn new(ctx: Ctx, feed: EventFeed, settings: SequencerSettings, node: Uuid) -> Self {
        let term = TimeDelta::from_std(settings.term).unwrap_or(TimeDelta::MAX);
        let lease = Lease::new(&ctx, LEASE.to_owned(), node, term);
        Self {
            ctx,
            feed,
            settings,
            lease,
        }
    }

    /// Takes or keeps the lease if it can, gives positions to one batch, and makes the latest position known.
    ///
    /// # Errors
    /// Those of the database; the next turn goes on from what is committed.
    pub async fn tick(&self) -> Result<Turn> {
        let standing = match self.lease.stand(&self.ctx).await? {
            Some(standing) => standing,
            None => {
                self.lease.prepare(&self.ctx, 0).await?;
                return Ok(Turn::Sequenced(0));
            }
        };
        let position = match standing {
            Standing::Standby(position) => {
                self.feed.publish(position);
                return Ok(Turn::Standby);
            }
            Standing::Holder(position) => position,
        };
        // A look costs no transaction: nothing is written while nothing happens.
        if !self.is_anything_waiting().await? {
            self.feed.publish(position);
            return Ok(Turn::Sequenced(0));
        }
        let Some((position, given)) = self.batch().await? else {
            return Ok(Turn::Standby);
        };
        self.feed.publish(position);
        metrics::counter!("regulars_events_sequenced_total").increment(given);
        Ok(Turn::Sequenced(given))
    }

    async fn is_anything_waiting(&self) -> Result<bool> {
        let mut sql = self.ctx.db.sql();
        // In their order, which their own index has: else all that have a position might be walked through.
        sql.push("select 1 as waiting from event where position is null order by id limit 1");
        let row = self.ctx.db.read().query_one_raw(sql.build()).await?;
        Ok(row.is_some())
    }

    /// Gives positions to the waiting events with the lowest ids: the last position and how many; `None` when
    /// the lease is lost.
    async fn batch(&self) -> Result<Option<(i64, u64)>> {
        let (now, batch) = (self.ctx.now(), self.settings.batch);
        self.ctx
            .db
            .write(|tx| async move {
                let Some(last) = self.lease.hold(&*tx, now).await? else {
                    return Ok(None);
                };
                look_up_one_by_one(&*tx).await?;
                // A statement of its own, begun after the lease row was locked: its snapshot has every position
                // that was ever given, and is one and the same for all that it reads.
                let mut sql = Sql::for_connection(&*tx);
                sql.push("update event set position = ")
                    .bind(last)
                    .postgres("::bigint")
                    .push(" + turn.number from (select id, row_number() over (order by id) as number from (select id from event where position is null order by id limit ")
                    .push(&batch.to_string())
                    .push(") as waiting) as turn where event.id = turn.id");
                let given = tx.execute_raw(sql.build()).await?.rows_affected();
                let position = i64::try_from(given)
                    .ok()
                    .and_then(|given| last.checked_add(given))
                    .ok_or_else(|| Error::internal("positions have come to their end"))?;
                self.lease.advance(&*tx, position).await?;
                Ok(Some((position, given)))
            })
            .await
    }

    /// Works until told to stop, then lets go of the lease.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut failures: u32 = 0;
        loop {
            let turn = self.tick().await;
            let wait = match &turn {
                Ok(Turn::Sequenced(given)) if *given >= u64::from(self.settings.batch) => {
                    Duration::ZERO
                }
                Ok(Turn::Sequenced(given)) if *given > 0 => self.settings.pace,
                Ok(_) => self.settings.poll,
                Err(error) => {
                    tracing::warn!(error = ?error, "events wait for their positions");
                    self.settings.poll * 2_u32.saturating_pow(failures.min(5))
                }
            };
            failures = if turn.is_ok() {
                0
            } else {
                failures.saturating_add(1)
            };
            // Only an idle holder hurries when poked: a pace is kept, and a database that is away is not pressed.
            let hurry = matches!(turn, Ok(Turn::Sequenced(0)));
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.feed.poked(), if hurry => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        if let Err(error) = self.lease.release(&self.ctx).await {
            tracing::warn!(error = ?error, "the sequencer's lease could not be released");
        }
    }
}

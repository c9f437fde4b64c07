//! A role that one node at a time holds, with how far it has come: a row of the table `lease`.
//!
//! The sequencer and the listeners hold one each. Nodes' clocks may differ, so the time on a lease only decides
//! who *tries*: what makes a holder's work exclusive is that each step of it updates the row, which must still
//! name the holder, in the same transaction. A node that was robbed of its lease finds no row to update.

use crate::access::Ctx;
use crate::db::{Engine, Sql};
use crate::error::Result;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;
use std::sync::atomic::{AtomicBool, Ordering};
use uuid::Uuid;

/// A node's side of a lease.
#[derive(Debug)]
pub(super) struct Lease {
    name: String,
    holder: Uuid,
    term: TimeDelta,
    /// The embedded engine has one server: a holder it finds at its start is a dead run of itself.
    inherit: AtomicBool,
}

/// Who may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// This node holds the lease, with the position reached.
    Holder(i64),
    /// Another node does, with the position it has reached.
    Standby(i64),
}

impl Lease {
    pub(super) fn new(ctx: &Ctx, name: String, holder: Uuid, term: TimeDelta) -> Self {
        Self {
            name,
            holder,
            term,
            inherit: AtomicBool::new(ctx.db.engine() == Engine::Sqlite),
        }
    }

    /// Makes the row if it is not there, standing at `position`.
    pub(super) async fn prepare(&self, ctx: &Ctx, position: i64) -> Result<()> {
        let now = ctx.now();
        ctx.db
            .write(|tx| async move {
                let mut sql = Sql::for_connection(&*tx);
                sql.push("insert into lease (name, until, position) values (")
                    .bind(self.name.as_str())
                    .push(", ")
                    .bind(now)
                    .push(", ")
                    .bind(position)
                    .push(") on conflict do nothing");
                tx.execute_raw(sql.build()).await?;
                Ok(())
            })
            .await
    }

    /// Holds, renews or takes the lease when that is possible; reads one row when there is nothing to do.
    ///
    /// `None` when the row is not there ([`Lease::prepare`] makes it).
    pub(super) async fn stand(&self, ctx: &Ctx) -> Result<Option<Standing>> {
        let now = ctx.now();
        let mut sql = ctx.db.sql();
        sql.push("select holder, until, position from lease where name = ")
            .bind(self.name.as_str());
        let Some(row) = ctx.db.read().query_one_raw(sql.build()).await? else {
            return Ok(None);
        };
        let holder: Option<Uuid> = row.try_get("", "holder")?;
        let until: DateTime<Utc> = row.try_get("", "until")?;
        let position: i64 = row.try_get("", "position")?;
        if holder == Some(self.holder) && until - now > self.term / 2 {
            return Ok(Some(Standing::Holder(position)));
        }
        let inherit = self.inherit.load(Ordering::Relaxed);
        if holder.is_some_and(|holder| holder != self.holder) && until > now && !inherit {
            return Ok(Some(Standing::Standby(position)));
        }
        let taken = self.take(ctx, now, inherit).await?;
        self.inherit.store(false, Ordering::Relaxed);
        if taken.is_some() && holder != Some(self.holder) {
            tracing::info!(lease = %self.name, "lease taken");
        }
        Ok(Some(
            taken.map_or(Standing::Standby(position), Standing::Holder),
        ))
    }

    async fn take(&self, ctx: &Ctx, now: DateTime<Utc>, inherit: bool) -> Result<Option<i64>> {
        ctx.db
            .write(|tx| async move {
                let mut sql = Sql::for_connection(&*tx);
                sql.push("update lease set holder = ")
                    .bind(self.holder)
                    .push(", until = ")
                    .bind(now + self.term)
                    .push(" where name = ")
                    .bind(self.name.as_str());
                if !inherit {
                    sql.push(" and (holder is null or holder = ")
                        .bind(self.holder)
                        .push(" or until <= ")
                        .bind(now)
                        .push(")");
                }
                sql.push(" returning position");
                let row = tx.query_one_raw(sql.build()).await?;
                Ok(row.map(|row| row.try_get("", "position")).transpose()?)
            })
            .await
    }

    /// Begins a step of the holder's work: locks the row until the transaction ends and gives the position, or
    /// `None` when this node holds the lease no more.
    ///
    /// It must be the transaction's first statement: on PostgreSQL each statement sees what was committed before
    /// it began, so that what is read after this one includes all that earlier holders did.
    pub(super) async fn hold(
        &self,
        tx: &impl ConnectionTrait,
        now: DateTime<Utc>,
    ) -> Result<Option<i64>> {
        let mut sql = Sql::for_connection(tx);
        sql.push("update lease set until = ")
            .bind(now + self.term)
            .push(" where name = ")
            .bind(self.name.as_str())
            .push(" and holder = ")
            .bind(self.holder)
            .push(" and until > ")
            .bind(now)
            .push(" returning position");
        let row = tx.query_one_raw(sql.build()).await?;
        Ok(row.map(|row| row.try_get("", "position")).transpose()?)
    }

    /// Ends a step: the position reached.
    pub(super) async fn advance(&self, tx: &impl ConnectionTrait, position: i64) -> Result<()> {
        let mut sql = Sql::for_connection(tx);
        sql.push("update lease set position = ")
            .bind(position)
            .push(" where name = ")
            .bind(self.name.as_str());
        tx.execute_raw(sql.build()).await?;
        Ok(())
    }

    /// Keeps the lease while a long step runs; false when it is lost.
    pub(super) async fn renew(&self, ctx: &Ctx) -> Result<bool> {
        let now = ctx.now();
        let held = ctx
            .db
            .write(|tx| async move { self.hold(&*tx, now).await })
            .await?;
        Ok(held.is_some())
    }

    /// Lets go, so that another node can go on at once.
    pub(super) async fn release(&self, ctx: &Ctx) -> Result<()> {
        let now = ctx.now();
        ctx.db
            .write(|tx| async move {
                let mut sql = Sql::for_connection(&*tx);
                sql.push("update lease set holder = null, until = ")
                    .bind(now)
                    .push(" where name = ")
                    .bind(self.name.as_str())
                    .push(" and holder = ")
                    .bind(self.holder);
                tx.execute_raw(sql.build()).await?;
                Ok(())
            })
            .await
    }
}

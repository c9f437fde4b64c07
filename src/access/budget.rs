//! What somebody may ask of the program in a time: a budget of cost that is restored as time goes by.
//!
//! `app` reserves an operation's cost before it runs and settles what it has really cost. A budget belongs to a viewer, or
//! to an address as long as nobody is signed in, and is one over all nodes: on PostgreSQL it is a row of `cost_budget`,
//! from which each node draws a share at a time and spends it from memory, so that most requests write nothing. What nodes
//! have spent together never exceeds what the budget held and what was restored. The embedded engine has one node, which
//! keeps it in memory alone.

use super::{Ctx, Viewer, network};
use crate::db::{Engine, Sql};
use crate::error::{Error, Result};
use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use sea_orm::ConnectionTrait;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How large budgets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetSettings {
    /// What a full budget holds; 0 for no budgets at all.
    pub size: i64,
    /// What is restored in a second.
    pub per_second: i64,
}

impl Default for BudgetSettings {
    fn default() -> Self {
        Self {
            size: 0,
            per_second: 1,
        }
    }
}

/// The part of a budget that a node draws at once.
const SHARE: i64 = 20;
/// Callers whose budgets are remembered, and for how long after they were last seen.
const REMEMBERED: u64 = 100_000;
const IDLE: Duration = Duration::from_secs(15 * 60);

/// The budget has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted {
    /// So long it takes until it has; none where it never will, since it holds less than what was asked for.
    pub retry_after: Option<Duration>,
}

/// What this node knows of a budget.
#[derive(Debug)]
struct Purse {
    /// What it has drawn and not spent; below zero after an operation that cost more than was thought.
    here: i64,
    /// What was left for all when it was last drawn from, and when that was.
    left: i64,
    at: DateTime<Utc>,
}

impl Purse {
    /// What is left for all by now.
    fn restored(&self, now: DateTime<Utc>, settings: BudgetSettings) -> i64 {
        restored(self.left, now - self.at, settings)
    }
}

fn restored(left: i64, since: TimeDelta, settings: BudgetSettings) -> i64 {
    let milliseconds = since.num_milliseconds().max(0);
    let more = milliseconds.saturating_mul(settings.per_second) / 1000;
    left.saturating_add(more).min(settings.size)
}

/// One caller's budget on this node.
#[derive(Debug)]
struct Budget {
    key: Vec<u8>,
    purse: Mutex<Option<Purse>>,
    /// Held by whoever draws, so that a hundred requests at once draw once.
    drawing: tokio::sync::Mutex<()>,
}

/// The budgets that this node knows.
#[derive(Debug)]
struct Budgets(Cache<String, Arc<Budget>>);

impl Default for Budgets {
    fn default() -> Self {
        Self(
            Cache::builder()
                .max_capacity(REMEMBERED)
                .time_to_idle(IDLE)
                .build(),
        )
    }
}

/// What is left of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// What is left, as far as this node knows.
    pub left: i64,
    /// How large it is.
    pub settings: BudgetSettings,
}

/// Cost that is set aside for an operation. Dropped without being settled it is spent: the operation was stopped halfway.
#[derive(Debug)]
pub struct Reservation {
    budget: Arc<Budget>,
    cost: i64,
    settings: BudgetSettings,
}

/// Whose budget an operation is paid from: the viewer's, or that of the network of somebody who is not signed in.
pub fn holder(ctx: &Ctx) -> String {
    match (&ctx.viewer, ctx.origin.address) {
        (Viewer::Anonymous, Some(address)) => format!("network:{:?}", network(address)),
        (viewer, _) => viewer.caller(),
    }
}

/// Sets the cost of an operation aside; nothing where there are no budgets.
///
/// # Errors
/// [`Exhausted`] when there is no room for it.
pub async fn reserve(ctx: &Ctx, cost: u64) -> Result<Option<Reservation>, Exhausted> {
    let usual = *ctx.memory.of::<BudgetSettings>();
    let settings = match &ctx.viewer {
        Viewer::Client(client) => client.budget.unwrap_or(usual),
        _ => usual,
    };
    if settings.size <= 0 {
        return Ok(None);
    }
    let holder = &holder(ctx);
    let cost = i64::try_from(cost).unwrap_or(i64::MAX);
    let budgets = ctx.memory.of::<Budgets>();
    let budget = match budgets.0.get(holder) {
        Some(budget) => budget,
        None => budgets.0.get_with(holder.clone(), || {
            Arc::new(Budget {
                key: ctx.secrets.counter("budget", holder.as_bytes()),
                purse: Mutex::new(None),
                drawing: tokio::sync::Mutex::new(()),
            })
        }),
    };
    let reservation = |budget| {
        Ok(Some(Reservation {
            budget,
            cost,
            settings,
        }))
    };
    if budget.take(cost) {
        return reservation(budget);
    }
    let turn = budget.drawing.lock().await;
    // Somebody may have drawn meanwhile.
    if budget.take(cost) {
        drop(turn);
        return reservation(budget);
    }
    let drawn = budget.draw(ctx, cost, settings).await;
    let taken = budget.take(cost);
    drop(turn);
    match drawn {
        Ok(()) if taken => reservation(budget),
        Ok(()) => Err(budget.wait(ctx.now(), cost, settings)),
        Err(error) => {
            // Whoever cannot reach the database is told so by what follows.
            tracing::warn!(error = ?error, "a budget could not be drawn from");
            Ok(None)
        }
    }
}

impl Budget {
    fn purse(&self) -> std::sync::MutexGuard<'_, Option<Purse>> {
        self.purse.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, cost: i64) -> bool {
        match &mut *self.purse() {
            Some(purse) if purse.here >= cost => {
                purse.here -= cost;
                true
            }
            _ => false,
        }
    }

    /// Draws what an operation lacks, and a share beyond it, as far as there is.
    async fn draw(&self, ctx: &Ctx, cost: i64, settings: BudgetSettings) -> Result<()> {
        let (here, known) = match &*self.purse() {
            Some(purse) => (purse.here, Some((purse.left, purse.at))),
            None => (0, None),
        };
        let now = ctx.now();
        let wanted = (cost - here).max(settings.size / SHARE);
        let (left, at) = match ctx.db.engine() {
            Engine::Sqlite => known.unwrap_or((settings.size, now)),
            Engine::Postgres => return self.draw_shared(ctx, now, wanted, settings).await,
        };
        let left = restored(left, now - at, settings);
        self.keep(left.min(wanted), left - left.min(wanted), now.max(at));
        Ok(())
    }

    async fn draw_shared(
        &self,
        ctx: &Ctx,
        now: DateTime<Utc>,
        wanted: i64,
        settings: BudgetSettings,
    ) -> Result<()> {
        let key = &self.key;
        let (drawn, left, at) = ctx
            .db
            .write(|tx| async move {
                let mut sql = Sql::for_connection(&*tx);
                sql.push("insert into cost_budget (holder, available, at) values (")
                    .bind(key.clone())
                    .push(", ")
                    .bind(settings.size)
                    .push(", ")
                    .bind(now)
                    // Locks the row that is there already.
                    .push(") on conflict (holder) do update set available = cost_budget.available returning available, at");
                let row = tx
                    .query_one_raw(sql.build())
                    .await?
                    .ok_or_else(|| Error::internal("a budget has no row"))?;
                let at: DateTime<Utc> = row.try_get("", "at")?;
                let left = restored(row.try_get("", "available")?, now - at, settings);
                let drawn = left.clamp(0, wanted);
                // Clocks differ from node to node: time never goes back, or it would be restored twice.
                let at = at.max(now);
                let mut sql = Sql::for_connection(&*tx);
                sql.push("update cost_budget set available = ")
                    .bind(left - drawn)
                    .push(", at = ")
                    .bind(at)
                    .push(" where holder = ")
                    .bind(key.clone());
                tx.execute_raw(sql.build()).await?;
                Ok((drawn, left - drawn, at))
            })
            .await?;
        self.keep(drawn, left, at);
        Ok(())
    }

    fn keep(&self, drawn: i64, left: i64, at: DateTime<Utc>) {
        let mut purse = self.purse();
        let here = purse.as_ref().map_or(0, |purse| purse.here);
        *purse = Some(Purse {
            here: here + drawn.max(0),
            left,
            at,
        });
    }

    fn left(&self, now: DateTime<Utc>, settings: BudgetSettings) -> i64 {
        self.purse().as_ref().map_or(settings.size, |purse| {
            purse.restored(now, settings).saturating_add(purse.here)
        })
    }

    fn wait(&self, now: DateTime<Utc>, cost: i64, settings: BudgetSettings) -> Exhausted {
        let lacking = cost.saturating_sub(self.left(now, settings)).max(1);
        let milliseconds = lacking.saturating_mul(1000) / settings.per_second.max(1);
        let wait = Duration::from_millis(u64::try_from(milliseconds).unwrap_or(u64::MAX));
        Exhausted {
            retry_after: (cost <= settings.size).then_some(wait),
        }
    }
}

impl Reservation {
    /// Gives back what was not needed, or takes what was needed beyond; tells what is left.
    pub fn settle(self, now: DateTime<Utc>, actual: u64) -> Left {
        let actual = i64::try_from(actual).unwrap_or(i64::MAX);
        if let Some(purse) = &mut *self.budget.purse() {
            purse.here = purse.here.saturating_add(self.cost.saturating_sub(actual));
        }
        Left {
            left: self.budget.left(now, self.settings),
            settings: self.settings,
        }
    }
}

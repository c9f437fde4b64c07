//! Counting the scores of many customers: of those whom an import or the demonstration has brought, and of everybody
//! after a change of the rules.
//!
//! Those who are to be counted are found along an index by the version of the rules by which they were counted last, so
//! that a run that is cut off goes on where it stood, and one that finds nobody costs nothing.

use super::fields;
use super::rules::{self, Rules};
use crate::access::{Action, Ctx};
use crate::db::{Db, Engine, Sql, Tx, among};
use crate::error::Result;
use crate::jobs::{Job, JobContext};
use entity::customer::{self, Column};
use entity::ids::CustomerId;
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Customers counted in one transaction: some tens of milliseconds.
const AT_ONCE: u64 = 500;
/// Between two batches, so that writers of the embedded engine, which has one at a time, are not starved.
const BREATH: Duration = Duration::from_millis(20);

/// Counts the score of everybody who was not counted by the rules that hold.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct CountCompleteness {}

impl Job for CountCompleteness {
    const NAME: &'static str = "completeness.count";

    /// One under way asks for the rules at each batch, and so does the work of one that is asked for meanwhile.
    fn dedup_key(&self) -> Option<String> {
        Some("all".to_owned())
    }

    async fn run(self, context: &JobContext) -> Result<()> {
        let mut counted: u64 = 0;
        loop {
            let some = batch(&context.ctx).await?;
            counted = counted.saturating_add(some);
            if some < AT_ONCE {
                break;
            }
            tokio::time::sleep(BREATH).await;
        }
        if counted > 0 {
            tracing::info!(customers = counted, "completeness counted");
        }
        Ok(())
    }
}

/// Counts everybody who is to be counted, without a pause: for whoever fills a database that nobody uses yet.
///
/// # Errors
/// Those of the policy and the database.
pub async fn all(ctx: &Ctx) -> Result<()> {
    while batch(ctx).await? == AT_ONCE {}
    Ok(())
}

/// Counts a batch of customers; gives how many.
async fn batch(ctx: &Ctx) -> Result<u64> {
    ctx.require(Action::OrganizationManage)?;
    ctx.db.write(|tx| async move { some(&tx).await }).await
}

async fn some(tx: &Tx) -> Result<u64> {
    let rules = rules::present(&**tx).await?;
    let mut sql = Sql::for_connection(&**tx);
    sql.push("select id from customer where completeness_rules < ")
        .bind(rules.version)
        .push(&format!(" order by completeness_rules, id limit {AT_ONCE}"));
    let found = tx.query_all_raw(sql.build()).await?;
    let mut ids = Vec::with_capacity(found.len());
    for row in found {
        ids.push(row.try_get::<CustomerId>("", "id")?);
    }
    ids.sort_unstable();
    count(&**tx, &ids).await?;
    Ok(ids.len() as u64)
}

/// Counts these customers, in the order of their ids.
///
/// # Errors
/// Those of the database.
pub(super) async fn count(tx: &impl ConnectionTrait, ids: &[CustomerId]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let engine = Engine::of(tx);
    // Locked by a statement of its own: the one that counts then sees what the last writer of each has left.
    let _: Vec<CustomerId> = customer::Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(among(engine, Column::Id, ids.iter().copied()))
        .order_by_asc(Column::Id)
        .lock(LockType::NoKeyUpdate)
        .into_tuple()
        .all(tx)
        .await?;
    // Asked under the locks: see there.
    let rules = rules::present(tx).await?;
    customer::Entity::update_many()
        .col_expr(Column::Completeness, Expr::cust(fields::score(&rules)))
        .col_expr(Column::CompletenessRules, Expr::value(rules.version))
        .filter(among(engine, Column::Id, ids.iter().copied()))
        .exec(tx)
        .await?;
    Ok(())
}

/// Leaves it to the job to count these customers: what is in their files was changed by many at once. Their old score
/// stands meanwhile. They are locked already.
///
/// # Errors
/// Those of the database.
pub async fn uncounted(
    tx: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = CustomerId>,
) -> Result<()> {
    let ids: Vec<CustomerId> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(());
    }
    customer::Entity::update_many()
        .col_expr(Column::CompletenessRules, Expr::value(0_i64))
        .filter(among(Engine::of(tx), Column::Id, ids))
        .filter(Column::CompletenessRules.gt(0))
        .exec(tx)
        .await?;
    Ok(())
}

/// How many customers are still to be counted by these rules.
///
/// # Errors
/// Those of the policy and the database.
pub async fn left(ctx: &Ctx, rules: &Rules) -> Result<u64> {
    ctx.require(Action::OrganizationRead)?;
    Ok(customer::Entity::find()
        .filter(Column::CompletenessRules.lt(rules.version))
        .count(ctx.db.read())
        .await?)
}

/// A statement that finds the customers whose stored score is not what their file gives by the rules that hold: for a
/// look at whether everything agrees. Who is still to be counted is left out.
///
/// # Errors
/// Those of the database.
pub async fn disagreeing(db: &Db) -> Result<String> {
    let rules = rules::present(db.read()).await?;
    Ok(format!(
        "select customer.id from customer where customer.completeness_rules = {}
            and customer.completeness is distinct from ({})",
        rules.version,
        fields::score(&rules)
    ))
}

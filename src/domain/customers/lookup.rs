//! Looking up a whole contact detail by somebody who sees it masked: allowed, since a customer at the till says
//! their number, but counted and written down, since a program would try them all.
//!
//! Called by [`super::filter`]. Those who see every customer in full anyway are neither counted nor written down.

use super::relations::everywhere;
use crate::access::{Action, Ctx, Viewer, audit, policy};
use crate::db::Sql;
use crate::error::{Error, Result};
use chrono::TimeDelta;
use sea_orm::ConnectionTrait;
use serde_json::json;
use sha2::{Digest, Sha256};

/// Look-ups of one member of staff, or of one client, within an hour.
pub(super) const MOST_AN_HOUR: i32 = 120;

/// Counts and writes down a look-up of these fields.
///
/// # Errors
/// [`Error::RateLimited`] after too many; those of the database.
pub(super) async fn permit(ctx: &Ctx, fields: &[&'static str]) -> Result<()> {
    if fields.is_empty() || !sees_masked(&ctx.viewer) {
        return Ok(());
    }
    let bucket = Sha256::new()
        .chain_update(ctx.secrets.counting)
        .chain_update(b"customer-lookup\0")
        .chain_update(ctx.viewer.caller())
        .finalize()
        .to_vec();
    let bucket = &bucket;
    let (now, hour) = (ctx.now(), TimeDelta::hours(1));
    let entry = &audit::Entry::new(ctx, "customer.look_up").detail(json!({ "fields": fields }));
    ctx.db
        .write(|tx| async move {
            let mut sql = Sql::for_connection(&*tx);
            sql.push("insert into attempt (bucket, window_start, expires_at, count) values (")
                .bind(bucket.clone())
                .push(", ")
                .bind(now)
                .push(", ")
                .bind(now + hour)
                .push(", 1) on conflict (bucket) do update set ");
            // A window that has passed begins anew.
            for (n, (column, kept)) in [
                ("window_start", "attempt.window_start"),
                ("expires_at", "attempt.expires_at"),
                ("count", "attempt.count + 1"),
            ]
            .into_iter()
            .enumerate()
            {
                sql.push(if n == 0 { "" } else { ", " })
                    .push(column)
                    .push(" = case when attempt.expires_at <= ")
                    .bind(now)
                    .push(" then excluded.")
                    .push(column)
                    .push(" else ")
                    .push(kept)
                    .push(" end");
            }
            sql.push(" returning count");
            let row = tx
                .query_one_raw(sql.build())
                .await?
                .ok_or_else(|| Error::internal("a counted look-up gave no count"))?;
            if row.try_get::<i32>("", "count")? > MOST_AN_HOUR {
                return Err(Error::RateLimited);
            }
            audit::write(&*tx, std::slice::from_ref(entry)).await
        })
        .await
}

/// Does the viewer read some customers whose contact details they see masked?
fn sees_masked(viewer: &Viewer) -> bool {
    if everywhere(viewer, Action::ContactSearch) {
        return false;
    }
    match viewer {
        Viewer::Staff(staff) => staff.grants.iter().any(|grant| {
            policy::allows(Action::CustomerRead, grant.role)
                && !policy::allows(Action::ContactSearch, grant.role)
        }),
        Viewer::Client(_) => viewer.may(Action::CustomerRead) && !viewer.may(Action::ContactSearch),
        Viewer::Anonymous | Viewer::System => false,
    }
}

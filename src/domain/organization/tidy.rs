//! Clearing away what signing in leaves behind.
//!
//! Called by the [`super::Authenticator`] each hour. It removes only what nobody can use any more, or be told of.

use crate::access::Ctx;
use crate::db::Sql;
use crate::error::Result;
use chrono::TimeDelta;
use sea_orm::ConnectionTrait;

/// Ended sessions are kept for so long, so that a person can be told what happened.
const KEPT: TimeDelta = TimeDelta::days(30);

/// Clears away what has ended: sessions, refresh tokens, counters, revocations, secrets of clients and webhooks.
///
/// # Errors
/// Those of the database.
pub async fn forget(ctx: &Ctx) -> Result<()> {
    let now = ctx.now();
    for (table, condition, before) in [
        ("refresh_token", "expires_at", now),
        ("session", "expires_at", now - KEPT),
        ("session", "ended_at", now - KEPT),
        ("attempt", "expires_at", now),
        ("access_change", "expires_at", now),
        ("client_change", "expires_at", now),
        ("client_secret", "expires_at", now),
        ("company_sign_in", "expires_at", now),
        ("sign_in_ticket", "expires_at", now),
        ("webhook_secret", "expires_at", now),
        // By then it is full again, as if it had never been touched.
        ("cost_budget", "at", now - TimeDelta::days(1)),
    ] {
        // One short transaction each: nobody waits long for the embedded engine's only writer.
        ctx.db
            .write(|tx| async move {
                let mut sql = Sql::for_connection(&*tx);
                sql.push(&format!("delete from {table} where {condition} <= "))
                    .bind(before);
                tx.execute_raw(sql.build()).await?;
                Ok(())
            })
            .await?;
    }
    Ok(())
}

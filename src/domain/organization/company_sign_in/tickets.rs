//! Tickets: what a page gets in the fragment of its address and exchanges for a session. Good once, for a minute, kept as
//! a hash. A session's own tokens never stand in an address.

use super::hash;
use crate::access::Ctx;
use crate::db::Sql;
use crate::domain::organization::opening::{Fresh, Way};
use crate::domain::organization::sessions::SignedIn;
use crate::error::{Code, Error, Result};
use chrono::{DateTime, TimeDelta, Utc};
use entity::ids::StaffId;
use entity::{sign_in_ticket, staff};
use sea_orm::sea_query::LockType;
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, QuerySelect};
use secrecy::{ExposeSecret, SecretString};

/// How long a page may take.
const LIFE: TimeDelta = TimeDelta::seconds(60);

pub(super) async fn store(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    ticket: &SecretString,
    staff: StaffId,
) -> Result<()> {
    let now = ctx.now();
    let row = sign_in_ticket::ActiveModel {
        hash: Set(hash(ticket.expose_secret())),
        staff_id: Set(staff),
        created_at: Set(now),
        expires_at: Set(now + LIFE),
    };
    sign_in_ticket::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Exchanges a ticket for a session.
///
/// # Errors
/// A user error [`Code::InvalidCredentials`] at `ticket` for one that is unknown, used, too old, or of an account that is
/// switched off; those of the database.
pub async fn redeem(ctx: &Ctx, ticket: &SecretString) -> Result<SignedIn> {
    let hash = &hash(ticket.expose_secret());
    let token = &Fresh::new(ctx);
    let opened = ctx
        .db
        .write(|tx| async move {
            let mut sql = Sql::for_connection(&*tx);
            sql.push("delete from sign_in_ticket where hash = ")
                .bind(hash.clone())
                .push(" returning staff_id, expires_at");
            let Some(row) = tx.query_one_raw(sql.build()).await? else {
                return Ok(None);
            };
            let staff_id: StaffId = row.try_get("", "staff_id")?;
            let end: DateTime<Utc> = row.try_get("", "expires_at")?;
            // Whoever switches the account off waits here, or is seen here.
            let owner = staff::Entity::find_by_id(staff_id)
                .lock(LockType::NoKeyUpdate)
                .one(&*tx)
                .await?;
            if end <= ctx.now() || owner.is_none_or(|owner| owner.disabled_at.is_some()) {
                return Ok(None);
            }
            let opened = token.open(&*tx, ctx, staff_id, Way::Company).await?;
            Ok(Some(opened))
        })
        .await?;
    let opened = opened.ok_or_else(|| {
        Error::user(
            Code::InvalidCredentials,
            "ticket",
            "the ticket is no longer good; sign in again",
        )
    })?;
    token
        .hand_out(ctx, opened.staff_id, opened.id, opened.expires_at)
        .await
}

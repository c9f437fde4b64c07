//! Signing in, staying signed in, signing out.
//!
//! Called by `graphql/organization`. A session begins with a password, or with a ticket ([`super::company_sign_in`]), and is renewed with refresh tokens: 256
//! random bits each, kept as a hash, good once. All tokens of a session are one family: when one is used
//! again, somebody has copied it, and since nobody can tell the thief from the owner, the session ends. This
//! is strict on purpose: a client whose answer got lost on the way signs in again; a grace period would be
//! one for the thief, too.

use super::attempts::Attempt;
use super::opening::{Fresh, Way, token_hash};
use super::revocation::{self, Change};
use super::{SignInSettings, grants, passwords};
use crate::access::{Ctx, StaffViewer, audit};
use crate::db::Sql;
use crate::error::{Code, Error, Result};
use chrono::{DateTime, Utc};
use entity::ids::{SessionId, StaffId};
use entity::values::Email;
use entity::{refresh_token, session, staff};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

/// Sessions of one person that are listed, newest first.
const LISTED: u64 = 100;

/// A session's tokens, shown once.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Good for minutes; goes with every request.
    pub access_token: SecretString,
    /// Good once, for the next pair of tokens.
    pub refresh_token: SecretString,
    /// When the access token ends.
    pub expires_at: DateTime<Utc>,
    /// When the refresh token ends.
    pub refresh_expires_at: DateTime<Utc>,
    /// The session.
    pub session: SessionId,
    /// Whose it is.
    pub staff: StaffId,
}

/// One answer for an unknown account, a wrong password, an account without a password, and one that is
/// switched off.
fn invalid_credentials() -> Error {
    Error::user(
        Code::InvalidCredentials,
        "",
        "the email address or the password is wrong, or the account cannot sign in",
    )
}

fn dead_refresh_token() -> Error {
    Error::user(
        Code::InvalidCredentials,
        "refreshToken",
        "the refresh token is no longer good; sign in again",
    )
}

/// Signs in with a password.
///
/// # Errors
/// A user error [`Code::InvalidCredentials`], or [`Code::NotAllowed`] where passwords are switched off;
/// [`Error::RateLimited`] after too many attempts, or when too many passwords are being checked; those of the database.
pub async fn sign_in(ctx: &Ctx, email: &str, password: &SecretString) -> Result<SignedIn> {
    if !ctx.memory.of::<SignInSettings>().passwords {
        return Err(Error::user(
            Code::NotAllowed,
            "",
            "passwords are not accepted here; sign in through the company's sign-in page",
        ));
    }
    let email = Email::parse(email).ok();
    let account = email.as_ref().map_or("", Email::normal);
    let attempt = &Attempt::new(ctx, account);
    attempt.begin(ctx).await?;
    let row = staff::Entity::find()
        .filter(staff::Column::Email.eq(account))
        .one(ctx.db.read())
        .await?;
    let hash = row
        .as_ref()
        .filter(|row| row.disabled_at.is_none())
        .and_then(|row| row.password_hash.as_deref());
    let right = passwords::verify(password, hash).await?;
    let Some((row, hash)) = row.as_ref().zip(hash).filter(|_| right) else {
        let mut entry = audit::Entry::new(ctx, "session.sign_in_failed");
        entry.detail = json!({ "account": attempt.trace() });
        let entry = &[entry];
        ctx.db
            .write(|tx| async move { audit::write(&*tx, entry).await })
            .await?;
        return Err(invalid_credentials());
    };
    let token = &Fresh::new(ctx);
    let (session, latest) = ctx
        .db
        .write(|tx| async move {
            // Whoever switches the account off or changes the password waits here, or is seen here.
            let now = staff::Entity::find_by_id(row.id)
                .lock(LockType::NoKeyUpdate)
                .one(&*tx)
                .await?;
            let same = |now: &staff::Model| {
                now.disabled_at.is_none() && now.password_hash.as_deref() == Some(hash)
            };
            if !now.as_ref().is_some_and(same) {
                return Err(invalid_credentials());
            }
            attempt.succeeded(&*tx).await?;
            let opened = token.open(&*tx, ctx, row.id, Way::Password).await?;
            Ok((opened.id, opened.expires_at))
        })
        .await?;
    token.hand_out(ctx, row.id, session, latest).await
}

/// Renews a session: the refresh token is used up, and a new pair is given.
///
/// # Errors
/// A user error [`Code::InvalidCredentials`] for a token that is unknown, too old, of an ended session, or
/// used before, which also ends the session.
pub async fn refresh(ctx: &Ctx, given: &SecretString) -> Result<SignedIn> {
    enum Outcome {
        Renewed(session::Model),
        Reused(Change),
        Dead,
    }
    let hash = &token_hash(given);
    let token = &Fresh::new(ctx);
    let outcome = ctx
        .db
        .write(|tx| async move {
            let by_hash = || refresh_token::Entity::find_by_id(hash.clone());
            let Some(known) = by_hash().one(&*tx).await? else {
                return Ok(Outcome::Dead);
            };
            // Two uses of one token wait for each other here; the second one sees the first.
            let row = session::Entity::find_by_id(known.session_id)
                .lock(LockType::NoKeyUpdate)
                .one(&*tx)
                .await?;
            let (Some(row), Some(known)) = (row, by_hash().one(&*tx).await?) else {
                return Ok(Outcome::Dead);
            };
            let now = ctx.now();
            if row.ended_at.is_some() || row.expires_at <= now {
                return Ok(Outcome::Dead);
            }
            if known.used_at.is_some() {
                let change = Change::session_ended(row.staff_id, row.id);
                end(&*tx, ctx, &row, "REFRESH_REUSED").await?;
                revocation::record(&*tx, ctx, &[change]).await?;
                let mut entry = audit::Entry::new(ctx, "session.refresh_reused");
                entry.detail = json!({ "session": row.id, "staff": row.staff_id });
                audit::write(&*tx, &[entry]).await?;
                return Ok(Outcome::Reused(change));
            }
            let owner = staff::Entity::find_by_id(row.staff_id).one(&*tx).await?;
            if known.expires_at <= now || owner.is_none_or(|owner| owner.disabled_at.is_some()) {
                return Ok(Outcome::Dead);
            }
            let mut used = known.into_active_model();
            used.used_at = Set(Some(now));
            used.update(&*tx).await?;
            let mut renewed = row.into_active_model();
            renewed.last_used_at = Set(now);
            let renewed = renewed.update(&*tx).await?;
            token.store(&*tx, ctx, &renewed).await?;
            Ok(Outcome::Renewed(renewed))
        })
        .await?;
    match outcome {
        Outcome::Renewed(row) => {
            token
                .hand_out(ctx, row.staff_id, row.id, row.expires_at)
                .await
        }
        Outcome::Reused(change) => {
            tracing::warn!(session = %change.session.unwrap_or_default(), "a refresh token was used twice");
            revocation::apply(ctx, &[change]);
            Err(dead_refresh_token())
        }
        Outcome::Dead => Err(dead_refresh_token()),
    }
}

/// Ends a session of the viewer's own: the present one, when none is named.
///
/// # Errors
/// [`Error::Unauthenticated`]; a user error when it is no session of theirs; those of the database.
pub async fn sign_out(ctx: &Ctx, which: Option<SessionId>) -> Result<session::Model> {
    let viewer = ctx.viewer.staff()?;
    let id = which.unwrap_or(viewer.session);
    let change = Change::session_ended(viewer.id, id);
    let row = ctx
        .db
        .write(|tx| async move {
            let row = session::Entity::find_by_id(id)
                .filter(session::Column::StaffId.eq(viewer.id.0))
                .lock(LockType::NoKeyUpdate)
                .one(&*tx)
                .await?
                .ok_or_else(|| Error::not_found("id", "session"))?;
            if row.ended_at.is_some() {
                return Ok(row);
            }
            let row = end(&*tx, ctx, &row, "SIGNED_OUT").await?;
            revocation::record(&*tx, ctx, &[change]).await?;
            let entry = audit::Entry::new(ctx, "session.sign_out").detail(json!({ "session": id }));
            audit::write(&*tx, &[entry]).await?;
            Ok(row)
        })
        .await?;
    revocation::apply(ctx, &[change]);
    Ok(row)
}

/// Ends all sessions of the viewer's own, or all but the present one; gives how many.
///
/// # Errors
/// [`Error::Unauthenticated`]; those of the database.
pub async fn sign_out_everywhere(ctx: &Ctx, keep_present: bool) -> Result<u64> {
    let viewer = ctx.viewer.staff()?;
    let keep = keep_present.then_some(viewer.session);
    let ended = &ctx
        .db
        .write(|tx| async move {
            let ended = end_all(&*tx, ctx, viewer.id, keep, "SIGNED_OUT_EVERYWHERE").await?;
            let detail = json!({ "sessions": ended.len() });
            let entry = audit::Entry::new(ctx, "session.sign_out_everywhere").detail(detail);
            audit::write(&*tx, &[entry]).await?;
            Ok(ended)
        })
        .await?;
    revocation::apply(ctx, ended);
    Ok(ended.len() as u64)
}

/// Changes the viewer's own password and ends all their other sessions.
///
/// # Errors
/// User errors at `currentPassword` and `newPassword`; [`Error::RateLimited`] after too many attempts, which
/// count like those to sign in; those of the database.
pub async fn change_password(
    ctx: &Ctx,
    current: &SecretString,
    new: &SecretString,
) -> Result<StaffId> {
    let viewer = ctx.viewer.staff()?;
    let wrong = || {
        Error::user(
            Code::InvalidCredentials,
            "currentPassword",
            "the current password is wrong",
        )
    };
    let row = &staff::Entity::find_by_id(viewer.id)
        .one(ctx.db.read())
        .await?
        .ok_or(Error::Unauthenticated)?;
    let email = Email::parse(&row.email)
        .map_err(|error| Error::internal(format!("a stored email address {error}")))?;
    passwords::check("newPassword", new, &email).map_err(|error| Error::User(vec![error]))?;
    let attempt = &Attempt::new(ctx, email.normal());
    attempt.begin(ctx).await?;
    if !passwords::verify(current, row.password_hash.as_deref()).await? {
        let entry = &[audit::Entry::new(ctx, "staff.password_change_failed")];
        ctx.db
            .write(|tx| async move { audit::write(&*tx, entry).await })
            .await?;
        return Err(wrong());
    }
    // Only now: whoever does not know the present password is not told that they guessed it as the new one.
    if passwords::verify(new, row.password_hash.as_deref()).await? {
        return Err(Error::user(
            Code::WeakPassword,
            "newPassword",
            "the new password is the present one; take another",
        ));
    }
    let hash = &passwords::hash(new).await?;
    let ended = &ctx
        .db
        .write(|tx| async move {
            let present = staff::Entity::find_by_id(viewer.id)
                .lock(LockType::NoKeyUpdate)
                .one(&*tx)
                .await?
                .filter(|present| {
                    present.disabled_at.is_none() && present.password_hash == row.password_hash
                })
                .ok_or_else(wrong)?;
            attempt.succeeded(&*tx).await?;
            super::staff::store_password(&*tx, ctx, present, hash).await?;
            let ended = end_all(
                &*tx,
                ctx,
                viewer.id,
                Some(viewer.session),
                "PASSWORD_CHANGED",
            )
            .await?;
            let entry = audit::Entry::new(ctx, "staff.password_changed")
                .detail(json!({ "staff": viewer.id, "sessions_ended": ended.len() }));
            audit::write(&*tx, &[entry]).await?;
            Ok(ended)
        })
        .await?;
    revocation::apply(ctx, ended);
    Ok(viewer.id)
}

/// The viewer's own sessions that go on, newest first.
///
/// # Errors
/// [`Error::Unauthenticated`]; those of the database.
pub async fn own(ctx: &Ctx) -> Result<Vec<session::Model>> {
    let viewer = ctx.viewer.staff()?;
    Ok(session::Entity::find()
        .filter(session::Column::StaffId.eq(viewer.id.0))
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(ctx.now()))
        .order_by_desc(session::Column::CreatedAt)
        .order_by_desc(session::Column::Id)
        .limit(LISTED)
        .all(ctx.db.read())
        .await?)
}

/// Who a session makes somebody, if it goes on.
pub(super) async fn viewer(
    ctx: &Ctx,
    session: SessionId,
    staff_id: StaffId,
) -> Result<Option<StaffViewer>> {
    let alive = session::Entity::find_by_id(session)
        .filter(session::Column::StaffId.eq(staff_id.0))
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(ctx.now()))
        .one(ctx.db.read())
        .await?;
    let owner = staff::Entity::find_by_id(staff_id)
        .filter(staff::Column::DisabledAt.is_null())
        .one(ctx.db.read())
        .await?;
    if alive.is_none() || owner.is_none() {
        return Ok(None);
    }
    let mut held = grants::load(ctx.db.read(), &[staff_id]).await?;
    Ok(Some(StaffViewer {
        id: staff_id,
        session,
        grants: held.remove(&staff_id).unwrap_or_default(),
    }))
}

/// A member of staff with the roles that they hold now, for work that goes on after they have signed out; none when
/// the account is switched off.
///
/// # Errors
/// Those of the database.
pub async fn present(ctx: &Ctx, staff_id: StaffId) -> Result<Option<StaffViewer>> {
    let owner = staff::Entity::find_by_id(staff_id)
        .filter(staff::Column::DisabledAt.is_null())
        .one(ctx.db.read())
        .await?;
    if owner.is_none() {
        return Ok(None);
    }
    let mut held = grants::load(ctx.db.read(), &[staff_id]).await?;
    Ok(Some(StaffViewer {
        id: staff_id,
        // No sign-in: none has to be open any more.
        session: SessionId(Uuid::nil()),
        grants: held.remove(&staff_id).unwrap_or_default(),
    }))
}

async fn end(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    row: &session::Model,
    reason: &str,
) -> Result<session::Model> {
    let mut ended = row.clone().into_active_model();
    ended.ended_at = Set(Some(ctx.now()));
    ended.ended_reason = Set(Some(reason.to_owned()));
    Ok(ended.update(tx).await?)
}

/// Ends the sessions of a person, all or all but one, and writes the revocations; the caller applies them
/// after the commit.
pub(super) async fn end_all(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    staff: StaffId,
    keep: Option<SessionId>,
    reason: &str,
) -> Result<Vec<Change>> {
    let mut sql = Sql::for_connection(tx);
    sql.push("update session set ended_at = ").bind(ctx.now());
    sql.push(", ended_reason = ").bind(reason);
    sql.push(" where ended_at is null and staff_id = ")
        .bind(staff);
    if let Some(keep) = keep {
        sql.push(" and id <> ").bind(keep);
    }
    sql.push(" returning id");
    let rows = tx.query_all_raw(sql.build()).await?;
    let changes = rows
        .iter()
        .map(|row| Ok(Change::session_ended(staff, row.try_get("", "id")?)))
        .collect::<Result<Vec<_>>>()?;
    revocation::record(tx, ctx, &changes).await?;
    Ok(changes)
}

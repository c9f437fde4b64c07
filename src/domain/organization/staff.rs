//! Staff accounts: one a person (rule R2), made, changed and switched off by an administrator.
//!
//! Called by `graphql/organization`, the commands for staff and the demo; reading is in
//! [`super::staff_list`]. An account is never deleted: what somebody did stays theirs.

use super::change::{Told, check_free, check_version, put};
use super::company_sign_in::accounts::decided_by_hand;
use super::passwords;
use super::revocation::{self, Change};
use super::staff_list::StaffMember;
use super::{grants, parse_name, sessions};
use crate::access::{Action, Ctx, Grant, audit};
use crate::db::Sql;
use crate::error::{Code, Error, Result, UserErrors};
use crate::events::{self, NewEvent};
use entity::company;
use entity::enums::Role;
use entity::ids::StaffId;
use entity::staff;
use entity::values::Email;
use entity::values::email::EmailError;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QuerySelect,
};
use secrecy::SecretString;
use serde_json::{Value, json};

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewStaff {
    /// The address they sign in with.
    pub email: String,
    /// The full name.
    pub name: String,
    /// Their roles.
    pub grants: Vec<Grant>,
    /// Their first password; they cannot sign in without one.
    pub password: Option<SecretString>,
    /// An account of the demonstration, whose password everyone knows.
    pub demo: bool,
}

/// A change of an account; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct StaffChange {
    /// The version that the change is based on.
    pub version: i64,
    /// The address they sign in with.
    pub email: Option<String>,
    /// The full name.
    pub name: Option<String>,
    /// Their roles, all of them.
    pub grants: Option<Vec<Grant>>,
}

fn parse_email(errors: &mut UserErrors, email: &str) -> Option<Email> {
    let code = |error: &EmailError| match error {
        EmailError::Empty => Code::Required,
        EmailError::TooLong => Code::TooLong,
        EmailError::Malformed | EmailError::BadDomain => Code::Invalid,
    };
    errors.take("email", code, Email::parse(email))
}

/// Makes an account.
///
/// # Errors
/// User errors, such as an address that is in use or a weak password; as [`Ctx::require`]; those of the
/// database.
pub async fn create(ctx: &Ctx, new: &NewStaff) -> Result<StaffMember> {
    ctx.require(Action::StaffManage)?;
    let mut errors = UserErrors::new();
    let email = parse_email(&mut errors, &new.email);
    let name = parse_name(&mut errors, "name", &new.name);
    // The demonstration's password is known to everyone; `serve` refuses to start with such accounts.
    if let (Some(password), Some(email), false) = (&new.password, &email, new.demo)
        && let Err(error) = passwords::check("password", password, email)
    {
        errors.push(error.code, "password", error.message);
    }
    errors.check()?;
    let (Some(email), Some(name)) = (&email, &name) else {
        return Err(Error::internal("a parsed account is not whole"));
    };
    let hash = &match &new.password {
        Some(password) => Some(passwords::hash(password).await?),
        None => None,
    };
    ctx.db
        .write(|tx| async move {
            let held = grants::check(&*tx, &new.grants).await?;
            check_free::<staff::Entity>(&*tx, staff::Column::Email, email.normal(), "email")
                .await?;
            let now = ctx.now();
            let row = staff::ActiveModel {
                id: Set(StaffId::new()),
                email: Set(email.normal().to_owned()),
                name: Set(name.clone()),
                password_hash: Set(hash.clone()),
                password_changed_at: Set(hash.is_some().then_some(now)),
                demo: Set(new.demo),
                disabled_at: Set(None),
                version: Set(1),
                created_at: Set(now),
                updated_at: Set(now),
            }
            .insert(&*tx)
            .await?;
            grants::replace(&*tx, row.id, &held, now).await?;
            let payload = json!({ "roles": roles(&held) });
            told(("staff.created", "staff.create"), &row, payload)
                .write(&*tx, ctx)
                .await?;
            Ok(StaffMember {
                row,
                grants: held,
                in_full: true,
            })
        })
        .await
}

/// Changes an account. New roles hold on every node within two seconds.
///
/// # Errors
/// As [`create`]; [`Code::StaleVersion`]; [`Code::WrongState`] when nobody would be left to administer.
pub async fn update(ctx: &Ctx, id: StaffId, change: &StaffChange) -> Result<StaffMember> {
    ctx.require(Action::StaffManage)?;
    let mut errors = UserErrors::new();
    let email = change
        .email
        .as_ref()
        .and_then(|email| parse_email(&mut errors, email));
    let name = change
        .name
        .as_ref()
        .and_then(|name| parse_name(&mut errors, "name", name));
    errors.check()?;
    let (email, name) = (&email, &name);
    let (member, revoked) = ctx
        .db
        .write(|tx| async move {
            let (row, before) = locked(&*tx, id).await?;
            check_version(change.version, row.version)?;
            let mut fields = Vec::new();
            let mut active = row.clone().into_active_model();
            let normal = email.as_ref().map(|email| email.normal().to_owned());
            if put(&mut fields, "email", normal, &mut active.email) {
                let email = active.email.as_ref();
                check_free::<staff::Entity>(&*tx, staff::Column::Email, email, "email").await?;
            }
            put(&mut fields, "name", name.clone(), &mut active.name);
            let mut held = before.clone();
            let mut revoked = Vec::new();
            if let Some(grants) = &change.grants {
                let after = grants::check(&*tx, grants).await?;
                if !grants::same(&before, &after) {
                    grants::replace(&*tx, id, &after, ctx.now()).await?;
                    decided_by_hand(&*tx, id).await?;
                    revoked.push(Change::grants_changed(id));
                    revocation::record(&*tx, ctx, &revoked).await?;
                    fields.push("grants");
                    held = after;
                }
            }
            if fields.is_empty() {
                return Ok((
                    StaffMember {
                        row,
                        grants: held,
                        in_full: true,
                    },
                    revoked,
                ));
            }
            active.version = Set(row.version + 1);
            active.updated_at = Set(ctx.now());
            let row = active.update(&*tx).await?;
            if row.disabled_at.is_none() && administers(&before) {
                check_administered(&*tx, "grants").await?;
            }
            let detail =
                json!({ "fields": fields, "roles_before": roles(&before), "roles": roles(&held) });
            told(("staff.updated", "staff.update"), &row, detail)
                .write(&*tx, ctx)
                .await?;
            Ok((
                StaffMember {
                    row,
                    grants: held,
                    in_full: true,
                },
                revoked,
            ))
        })
        .await?;
    revocation::apply(ctx, &revoked);
    Ok(member)
}

/// Switches an account off: all its sessions end, on this node at once, on the others within two seconds.
///
/// # Errors
/// As [`update`].
pub async fn disable(ctx: &Ctx, id: StaffId) -> Result<StaffMember> {
    ctx.require(Action::StaffManage)?;
    let revoked = [Change::staff_ended(id)];
    let revoked = &revoked;
    let member = ctx
        .db
        .write(|tx| async move {
            let (row, held) = locked(&*tx, id).await?;
            if row.disabled_at.is_some() {
                return Ok(StaffMember {
                    row,
                    grants: held,
                    in_full: true,
                });
            }
            let version = row.version;
            let mut active = row.into_active_model();
            active.disabled_at = Set(Some(ctx.now()));
            active.version = Set(version + 1);
            active.updated_at = Set(ctx.now());
            let row = active.update(&*tx).await?;
            if administers(&held) {
                check_administered(&*tx, "id").await?;
            }
            sessions::end_all(&*tx, ctx, id, None, "STAFF_DISABLED").await?;
            revocation::record(&*tx, ctx, revoked).await?;
            told(("staff.disabled", "staff.disable"), &row, json!({}))
                .write(&*tx, ctx)
                .await?;
            Ok(StaffMember {
                row,
                grants: held,
                in_full: true,
            })
        })
        .await?;
    revocation::apply(ctx, revoked);
    Ok(member)
}

/// Switches an account on again. Its old sessions stay ended.
///
/// # Errors
/// As [`update`].
pub async fn enable(ctx: &Ctx, id: StaffId) -> Result<StaffMember> {
    ctx.require(Action::StaffManage)?;
    ctx.db
        .write(|tx| async move {
            let (row, held) = locked(&*tx, id).await?;
            if row.disabled_at.is_none() {
                return Ok(StaffMember {
                    row,
                    grants: held,
                    in_full: true,
                });
            }
            let version = row.version;
            let mut active = row.into_active_model();
            active.disabled_at = Set(None);
            active.version = Set(version + 1);
            active.updated_at = Set(ctx.now());
            let row = active.update(&*tx).await?;
            told(("staff.enabled", "staff.enable"), &row, json!({}))
                .write(&*tx, ctx)
                .await?;
            Ok(StaffMember {
                row,
                grants: held,
                in_full: true,
            })
        })
        .await
}

/// Sets somebody's password, a generated one when none is given, and ends all their sessions. Gives the
/// generated one: it is shown once and kept nowhere.
///
/// # Errors
/// As [`update`]; [`Code::WeakPassword`] at `password`.
pub async fn reset_password(
    ctx: &Ctx,
    id: StaffId,
    password: Option<&SecretString>,
) -> Result<(StaffMember, Option<SecretString>)> {
    ctx.require(Action::StaffManage)?;
    let known = staff::Entity::find_by_id(id)
        .one(ctx.db.read())
        .await?
        .ok_or_else(|| Error::not_found("id", "account"))?;
    let generated = match password {
        Some(given) => {
            let email = Email::parse(&known.email)
                .map_err(|error| Error::internal(format!("a stored email address {error}")))?;
            passwords::check("password", given, &email)
                .map_err(|error| Error::User(vec![error]))?;
            None
        }
        None => Some(passwords::generate()),
    };
    let Some(password) = password.or(generated.as_ref()) else {
        return Err(Error::internal("there is no password to set"));
    };
    let hash = &passwords::hash(password).await?;
    let (member, revoked) = ctx
        .db
        .write(|tx| async move {
            let (row, held) = locked(&*tx, id).await?;
            let row = store_password(&*tx, ctx, row, hash).await?;
            let revoked = sessions::end_all(&*tx, ctx, id, None, "PASSWORD_RESET").await?;
            let entry = audit::Entry::new(ctx, "staff.password_reset")
                .detail(json!({ "staff": id, "sessions_ended": revoked.len() }));
            audit::write(&*tx, &[entry]).await?;
            Ok((
                StaffMember {
                    row,
                    grants: held,
                    in_full: true,
                },
                revoked,
            ))
        })
        .await?;
    revocation::apply(ctx, &revoked);
    Ok((member, generated))
}

/// Can somebody sign in with an account of the demonstration? `serve` refuses to start then.
///
/// # Errors
/// As [`Ctx::require`]; those of the database.
pub async fn demo_can_sign_in(ctx: &Ctx) -> Result<bool> {
    ctx.require(Action::StaffManage)?;
    let open = staff::Entity::find()
        .filter(staff::Column::Demo.eq(true))
        .filter(staff::Column::DisabledAt.is_null())
        .filter(staff::Column::PasswordHash.is_not_null())
        .one(ctx.db.read())
        .await?;
    Ok(open.is_some())
}

/// Stores a password's hash; an account of the demonstration is none any more, since its password is no
/// longer the one that everyone knows.
pub(super) async fn store_password(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    row: staff::Model,
    hash: &str,
) -> Result<staff::Model> {
    let (id, version) = (row.id, row.version);
    let mut active = row.into_active_model();
    active.password_hash = Set(Some(hash.to_owned()));
    active.password_changed_at = Set(Some(ctx.now()));
    active.demo = Set(false);
    active.version = Set(version + 1);
    active.updated_at = Set(ctx.now());
    let row = active.update(tx).await?;
    let event = NewEvent {
        kind: "staff.password_changed",
        customer: None,
        store: None,
        subject: id.into(),
        payload: json!({}),
    };
    events::record(tx, ctx, &[event]).await?;
    Ok(row)
}

/// Locks an account. Changes of accounts are rare and wait for each other at the company's row, so that two
/// administrators who switch each other off at once cannot leave nobody.
async fn locked(tx: &impl ConnectionTrait, id: StaffId) -> Result<(staff::Model, Vec<Grant>)> {
    company::Entity::find()
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?;
    let row = staff::Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?
        .ok_or_else(|| Error::not_found("id", "account"))?;
    let held = grants::load(tx, &[id])
        .await?
        .remove(&id)
        .unwrap_or_default();
    Ok((row, held))
}

pub(super) fn administers(grants: &[Grant]) -> bool {
    grants.iter().any(|grant| grant.role == Role::Admin)
}

/// Is there an enabled account of an administrator, beside this one?
pub(super) async fn is_administered(
    tx: &impl ConnectionTrait,
    beside: Option<StaffId>,
) -> Result<bool> {
    let mut sql = Sql::for_connection(tx);
    sql.push("select 1 as one from staff join staff_grant on staff_grant.staff_id = staff.id ");
    sql.push("where staff.disabled_at is null and staff_grant.role = ")
        .bind(Role::Admin.as_str());
    if let Some(beside) = beside {
        sql.push(" and staff.id <> ").bind(beside);
    }
    sql.push(" limit 1");
    Ok(tx.query_one_raw(sql.build()).await?.is_some())
}

/// Refuses a change after which no enabled account is an administrator's.
async fn check_administered(tx: &impl ConnectionTrait, field: &str) -> Result<()> {
    if is_administered(tx, None).await? {
        return Ok(());
    }
    Err(Error::user(
        Code::WrongState,
        field,
        "this is the last account that may administer; give the role ADMIN to another one first",
    ))
}

/// The words of these roles, for events and audit entries.
pub(super) fn roles(grants: &[Grant]) -> Vec<&'static str> {
    grants.iter().map(|grant| grant.role.as_str()).collect()
}

fn told(words: (&'static str, &'static str), row: &staff::Model, detail: Value) -> Told {
    Told {
        words,
        what: "staff",
        id: row.id.into(),
        store: None,
        detail,
    }
}

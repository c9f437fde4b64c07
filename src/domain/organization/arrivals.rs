//! Accounts of many members of staff at once, as another system lists them: made without a password, so that nobody can
//! sign in before one is set.
//!
//! Called by the import. What an account says already is never overwritten.

use super::change::Told;
use super::grants;
use crate::access::{Action, Ctx, Grant};
use crate::error::Result;
use entity::ids::StaffId;
use entity::staff::{ActiveModel, Column, Entity};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
};
use serde_json::json;
use std::collections::HashMap;

/// Roles of one person at most.
const MOST_ROLES: usize = 50;

/// Somebody of whom another system tells.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The address they sign in with, in normal form.
    pub email: String,
    /// The full name.
    pub name: String,
    /// Their roles, in places that there are.
    pub grants: Vec<Grant>,
    /// Are they switched off?
    pub disabled: bool,
}

/// What became of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An account was made.
    Made,
    /// All of it was known.
    Known,
    /// The account has another name.
    OtherName,
    /// The account has other roles.
    OtherRoles,
    /// The account is on where it should be off, or the other way round.
    OtherState,
    /// More roles than one person can have.
    TooManyRoles,
}

#[derive(Clone)]
struct Account {
    id: StaffId,
    name: String,
    grants: Vec<Grant>,
    disabled: bool,
}

/// Brings accounts in, as one transaction; with a dry run only tells what would come of it.
///
/// # Errors
/// As [`Ctx::require`]; those of the database.
pub async fn bring_in(ctx: &Ctx, arrivals: &[Arrival], dry_run: bool) -> Result<Vec<Outcome>> {
    ctx.require(Action::StaffManage)?;
    if dry_run {
        let mut known = known(ctx.db.read(), arrivals).await?;
        return Ok(arrivals
            .iter()
            .map(|arrival| compare(&mut known, arrival).0)
            .collect());
    }
    ctx.db
        .write(|tx| async move {
            let mut known = known(&*tx, arrivals).await?;
            let mut outcomes = Vec::new();
            for arrival in arrivals {
                let (outcome, account) = compare(&mut known, arrival);
                if let (Outcome::Made, Some(account)) = (outcome, account) {
                    make(&*tx, ctx, arrival, account.id).await?;
                }
                outcomes.push(outcome);
            }
            Ok(outcomes)
        })
        .await
}

async fn known(
    connection: &impl ConnectionTrait,
    arrivals: &[Arrival],
) -> Result<HashMap<String, Account>> {
    let rows = Entity::find()
        .filter(Column::Email.is_in(arrivals.iter().map(|arrival| arrival.email.as_str())))
        .all(connection)
        .await?;
    let ids: Vec<StaffId> = rows.iter().map(|row| row.id).collect();
    let mut held = grants::load(connection, &ids).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let account = Account {
                id: row.id,
                name: row.name,
                grants: held.remove(&row.id).unwrap_or_default(),
                disabled: row.disabled_at.is_some(),
            };
            (row.email, account)
        })
        .collect())
}

/// What an arrival comes to, and the account as it is afterwards.
fn compare(known: &mut HashMap<String, Account>, arrival: &Arrival) -> (Outcome, Option<Account>) {
    if arrival.grants.len() > MOST_ROLES {
        return (Outcome::TooManyRoles, None);
    }
    let outcome = match known.get_mut(&arrival.email) {
        None => {
            let account = Account {
                id: StaffId::new(),
                name: arrival.name.clone(),
                grants: arrival.grants.clone(),
                disabled: arrival.disabled,
            };
            known.insert(arrival.email.clone(), account);
            Outcome::Made
        }
        Some(account) if account.name != arrival.name => Outcome::OtherName,
        Some(account) if account.disabled != arrival.disabled => Outcome::OtherState,
        // A file that tells of no roles says nothing about them.
        Some(account)
            if arrival.grants.is_empty() || grants::same(&account.grants, &arrival.grants) =>
        {
            Outcome::Known
        }
        // Not even an account without roles is given some: somebody may have taken them away.
        Some(_) => Outcome::OtherRoles,
    };
    (outcome, known.get(&arrival.email).cloned())
}

async fn make(tx: &impl ConnectionTrait, ctx: &Ctx, arrival: &Arrival, id: StaffId) -> Result<()> {
    let now = ctx.now();
    let row = ActiveModel {
        id: Set(id),
        email: Set(arrival.email.clone()),
        name: Set(arrival.name.clone()),
        password_hash: Set(None),
        password_changed_at: Set(None),
        demo: Set(false),
        disabled_at: Set(arrival.disabled.then_some(now)),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    }
    .insert(tx)
    .await?;
    grants::replace(tx, row.id, &arrival.grants, now).await?;
    told(("staff.created", "staff.import"), row.id, arrival)
        .write(tx, ctx)
        .await
}

fn told(words: (&'static str, &'static str), id: StaffId, arrival: &Arrival) -> Told {
    let roles: Vec<&str> = arrival
        .grants
        .iter()
        .map(|grant| grant.role.as_str())
        .collect();
    Told {
        words,
        what: "staff",
        id: id.into(),
        store: None,
        detail: json!({ "roles": roles }),
    }
}

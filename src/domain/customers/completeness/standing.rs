//! Reading how complete files are: the stored score, and each field with its state by the clock that was handed in.
//!
//! Called by the API for a page of customers at once. Who is out of sight is left out, as if they did not exist.

use super::fields::{self, FieldSet};
use super::rules::{self, Rules};
use crate::access::{Action, Ctx, sight};
use crate::db::among;
use crate::error::Result;
use chrono::{DateTime, Utc};
use entity::enums::{CustomerKind, FileField};
use entity::ids::{CustomerId, StaffId};
use entity::{customer, field_confirmation};
use sea_orm::sea_query::Expr;
use sea_orm::{EntityTrait, Iterable, QueryFilter, QuerySelect};
use std::collections::HashMap;

/// How it stands with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Known, and confirmed lately.
    Present,
    /// Not known.
    Missing,
    /// Known, and not confirmed for longer than the rules say, or never.
    NotConfirmed,
}

/// A field of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldStanding {
    /// Which.
    pub field: FileField,
    /// How it stands with it.
    pub state: State,
    /// What it weighs in this file.
    pub weight: i32,
    /// When it was last confirmed.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// By whom.
    pub confirmed_by: Option<StaffId>,
}

/// How complete a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completeness {
    /// Whose file.
    pub customer: CustomerId,
    /// The stored score, by which lists are ordered; none before it was counted for the first time.
    pub score: Option<i32>,
    /// Was it counted by the rules that hold now, from what is there now?
    pub is_counted: bool,
    /// The fields that are asked for of such a customer.
    pub fields: Vec<FieldStanding>,
}

/// How complete these customers' files are, of those in sight. Costs three statements however many they are.
///
/// # Errors
/// Those of the policy and the database.
pub async fn of_customers(ctx: &Ctx, ids: &[CustomerId]) -> Result<Vec<Completeness>> {
    use customer::Column;
    let engine = ctx.db.engine();
    let files: Vec<(CustomerId, CustomerKind, Option<i32>, i64, i32)> = customer::Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::Kind,
            Column::Completeness,
            Column::CompletenessRules,
        ])
        .expr_as(Expr::cust(fields::known()), "known")
        .filter(among(engine, Column::Id, ids.iter().copied()))
        .filter(sight::customers(ctx, Action::CustomerRead)?)
        .into_tuple()
        .all(ctx.db.read())
        .await?;
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let rules = rules::present(ctx.db.read()).await?;
    let seen = files.iter().map(|file| file.0);
    let confirmations = field_confirmation::Entity::find()
        .filter(among(engine, field_confirmation::Column::CustomerId, seen))
        .all(ctx.db.read())
        .await?;
    let confirmed: HashMap<(CustomerId, FileField), field_confirmation::Model> = confirmations
        .into_iter()
        .map(|row| ((row.customer_id, row.field), row))
        .collect();
    Ok(files
        .into_iter()
        .map(|(customer, kind, score, counted_by, known)| Completeness {
            customer,
            score,
            is_counted: counted_by == rules.version,
            fields: FileField::iter()
                .filter(|field| rules.weight(kind, *field) > 0)
                .map(|field| {
                    let known = FieldSet::told(known).has(field);
                    let confirmation = confirmed.get(&(customer, field));
                    standing(&rules, kind, field, known, confirmation, ctx.now())
                })
                .collect(),
        })
        .collect())
}

fn standing(
    rules: &Rules,
    kind: CustomerKind,
    field: FileField,
    known: bool,
    confirmation: Option<&field_confirmation::Model>,
    now: DateTime<Utc>,
) -> FieldStanding {
    // When what is gone was confirmed tells nothing.
    let confirmation = confirmation.filter(|_| known);
    let confirmed_at = confirmation.map(|row| row.confirmed_at);
    let state = match confirmed_at {
        _ if !known => State::Missing,
        Some(at) if rules.holds(at, now) => State::Present,
        _ => State::NotConfirmed,
    };
    FieldStanding {
        field,
        state,
        weight: rules.weight(kind, field),
        confirmed_at,
        confirmed_by: confirmation.and_then(|row| row.confirmed_by),
    }
}

//! The rules by which completeness is counted: what each field weighs, and after how many days a confirmation is stale.
//!
//! Without a change those of [`super::fields`] hold, as version 1. Each change is a row of its own, signed, and the latest
//! holds; the stored scores follow by the job in [`super::count`].

use super::count::CountCompleteness;
use super::fields::{FIELDS, FieldSet};
use crate::access::{Action, Ctx};
use crate::domain::organization::change::{Told, check_version};
use crate::error::{Code, Error, Result, UserErrors};
use crate::jobs;
use chrono::{DateTime, TimeDelta, Utc};
use entity::completeness_rules::{ActiveModel, Column, Entity, Model};
use entity::enums::{CustomerKind, FileField};
use entity::ids::StaffId;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait, Iterable, QueryOrder,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The version of the rules of which the program itself knows.
const FIRST_VERSION: i64 = 1;
/// Days after which a confirmation is stale, unless an administrator says otherwise.
const STALE_AFTER_DAYS: i32 = 365;
/// What a field may weigh at most.
const HEAVIEST: i32 = 100;
/// Of how many days an administrator may make it.
const DAYS: std::ops::RangeInclusive<i32> = 30..=3650;

/// What a field weighs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weight {
    /// In a person's file; 0 when it is not asked for there.
    pub person: i32,
    /// In the file of a business.
    pub trade: i32,
}

/// The rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Grows by one with every change.
    pub version: i64,
    /// A confirmation that is so old confirms nothing any more.
    pub stale_after_days: i32,
    /// When they were changed; none for those of the program.
    pub made_at: Option<DateTime<Utc>>,
    /// By whom.
    pub made_by: Option<StaffId>,
    weights: BTreeMap<FileField, Weight>,
}

impl Default for Rules {
    fn default() -> Self {
        let weight = |asked: &super::fields::Asked| Weight {
            person: asked.person,
            trade: asked.trade,
        };
        Self {
            version: FIRST_VERSION,
            stale_after_days: STALE_AFTER_DAYS,
            made_at: None,
            made_by: None,
            weights: FIELDS
                .iter()
                .map(|asked| (asked.field, weight(asked)))
                .collect(),
        }
    }
}

impl Rules {
    /// All fields with their weights.
    pub fn weights(&self) -> impl Iterator<Item = (FileField, Weight)> {
        // A field that is newer than the rules is not asked for until somebody says so.
        FileField::iter()
            .map(|field| (field, self.weights.get(&field).copied().unwrap_or_default()))
    }

    /// What a field weighs in a file of this kind; 0 when it is not asked for there.
    pub fn weight(&self, kind: CustomerKind, field: FileField) -> i32 {
        let weight = self.weights.get(&field).copied().unwrap_or_default();
        match kind {
            CustomerKind::Person => weight.person,
            CustomerKind::Trade => weight.trade,
        }
    }

    /// What all fields weigh together in a file of this kind; never 0.
    pub(super) fn total(&self, kind: CustomerKind) -> i32 {
        FileField::iter()
            .map(|field| self.weight(kind, field))
            .sum::<i32>()
            .max(1)
    }

    /// The score of a file of this kind in which these fields are known: the weight of what is known in hundredths of the
    /// weight of all, rounded down, so that 100 means that nothing is missing.
    pub fn score(&self, kind: CustomerKind, known: FieldSet) -> i32 {
        let known: i32 = known.fields().map(|field| self.weight(kind, field)).sum();
        known * 100 / self.total(kind)
    }

    /// Is what was confirmed then still confirmed now?
    pub fn holds(&self, confirmed_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        now - confirmed_at < TimeDelta::days(self.stale_after_days.into())
    }

    fn of(row: Model) -> Result<Self> {
        let weights: BTreeMap<String, Weight> = serde_json::from_value(row.weights)
            .map_err(|error| Error::internal(format!("rules of completeness: {error}")))?;
        Ok(Self {
            version: row.version,
            stale_after_days: row.stale_after_days,
            made_at: Some(row.made_at),
            made_by: row.made_by,
            // A field that this program does not know any more weighs nothing.
            weights: weights
                .into_iter()
                .filter_map(|(name, weight)| Some((name.parse().ok()?, weight)))
                .collect(),
        })
    }
}

/// The rules that hold now. Within a transaction that has locked a customer it is asked there, so that nobody is counted
/// by older rules than the job that follows a change has met them by.
///
/// # Errors
/// Those of the database.
pub(super) async fn present(connection: &impl ConnectionTrait) -> Result<Rules> {
    let latest = Entity::find()
        .order_by_desc(Column::Version)
        .one(connection)
        .await?;
    latest.map_or_else(|| Ok(Rules::default()), Rules::of)
}

/// The rules, for whoever may read the organization.
///
/// # Errors
/// Those of the policy and the database.
pub async fn read(ctx: &Ctx) -> Result<Rules> {
    ctx.require(Action::OrganizationRead)?;
    present(ctx.db.read()).await
}

/// What a field is to weigh.
#[derive(Clone, Copy, Debug)]
pub struct WeightChange {
    /// Which field.
    pub field: FileField,
    /// In a person's file; stays when left out.
    pub person: Option<i32>,
    /// In the file of a business.
    pub trade: Option<i32>,
}

/// A change of the rules; what is left out stays.
#[derive(Clone, Debug)]
pub struct RulesChange {
    /// The version that the caller has read.
    pub version: i64,
    /// Days after which a confirmation is stale.
    pub stale_after_days: Option<i32>,
    /// The fields that are to weigh something else.
    pub weights: Vec<WeightChange>,
}

/// Changes the rules. Stored scores are counted anew by a job; until it has come to a customer, their old score stands.
///
/// # Errors
/// User errors: [`Code::OutOfRange`], [`Code::Taken`] for a field named twice, [`Code::Invalid`] when nothing would be
/// asked for of a kind of customers, [`Code::StaleVersion`]; those of the policy and the database.
pub async fn change(ctx: &Ctx, input: &RulesChange) -> Result<Rules> {
    ctx.require(Action::OrganizationManage)?;
    check(input)?;
    ctx.db
        .write(|tx| async move {
            let before = present(&*tx).await?;
            check_version(input.version, before.version)?;
            let mut after = before.clone();
            for changed in &input.weights {
                let weight = after.weights.entry(changed.field).or_default();
                weight.person = changed.person.unwrap_or(weight.person);
                weight.trade = changed.trade.unwrap_or(weight.trade);
            }
            after.stale_after_days = input.stale_after_days.unwrap_or(before.stale_after_days);
            for (kind, word) in [
                (CustomerKind::Person, "person"),
                (CustomerKind::Trade, "business"),
            ] {
                if after.weights().all(|(field, _)| after.weight(kind, field) == 0) {
                    return Err(Error::user(
                        Code::Invalid,
                        "weights",
                        format!(
                            "nothing would be asked for of a {word} any more; give at least one field a weight"
                        ),
                    ));
                }
            }
            if after == before {
                return Ok(before);
            }
            after.version += 1;
            after.made_at = Some(ctx.now());
            after.made_by = ctx.viewer.staff_id();
            write(&*tx, ctx, &before, &after).await?;
            Ok(after)
        })
        .await
}

async fn write(tx: &impl ConnectionTrait, ctx: &Ctx, before: &Rules, after: &Rules) -> Result<()> {
    let words: BTreeMap<&str, Weight> = after
        .weights
        .iter()
        .map(|(field, weight)| (field.as_str(), *weight))
        .collect();
    // Two changes of the same version write the same key: the write helper runs the later one again, which finds itself
    // stale.
    ActiveModel {
        version: Set(after.version),
        weights: Set(json!(words)),
        stale_after_days: Set(after.stale_after_days),
        made_by: Set(after.made_by),
        made_at: Set(ctx.now()),
    }
    .insert(tx)
    .await?;
    jobs::enqueue(tx, ctx, &CountCompleteness {}, ctx.now()).await?;
    let fields: Vec<&str> = after
        .weights()
        .filter(|(field, weight)| before.weights.get(field).copied().unwrap_or_default() != *weight)
        .map(|(field, _)| field.as_str())
        .collect();
    let told = Told {
        words: ("completeness.rules_changed", "completeness.rules_change"),
        what: "rules",
        id: Uuid::now_v7(),
        store: None,
        detail: json!({ "version": after.version, "fields": fields, "staleAfterDays": after.stale_after_days }),
    };
    told.write(tx, ctx).await
}

fn check(input: &RulesChange) -> Result<()> {
    let mut errors = UserErrors::new();
    if let Some(days) = input.stale_after_days
        && !DAYS.contains(&days)
    {
        errors.push(
            Code::OutOfRange,
            "staleAfterDays",
            format!("staleAfterDays must be {} to {}", DAYS.start(), DAYS.end()),
        );
    }
    for (n, changed) in input.weights.iter().enumerate() {
        let earlier = input.weights.iter().take(n);
        if earlier
            .into_iter()
            .any(|other| other.field == changed.field)
        {
            errors.push(
                Code::Taken,
                &format!("weights.{n}.field"),
                "field is named twice; give each field one weight",
            );
        }
        for (weight, name) in [(changed.person, "person"), (changed.trade, "trade")] {
            if weight.is_some_and(|weight| !(0..=HEAVIEST).contains(&weight)) {
                errors.push(
                    Code::OutOfRange,
                    &format!("weights.{n}.{name}"),
                    format!("{name} must be 0, which asks for nothing, to {HEAVIEST}"),
                );
            }
        }
    }
    errors.check()
}

//! Defining attributes: made, changed, put away.
//!
//! Called through [`super`]. A choice that stands with a customer is not removed; new bounds hold for what is set from now on.

use super::value::bound;
use super::{Choice, Definition, MOST};
use crate::access::{Action, Ctx};
use crate::db::Sql;
use crate::domain::organization::change::{Told, alone, check_free, check_version, put};
use crate::error::{Code, Error, Result, UserErrors, text_code};
use entity::attribute::{Column, Entity, Model};
use entity::enums::AttributeKind;
use entity::ids::AttributeId;
use entity::values::clean_line;
use entity::values::text::{clean_optional_line, clean_optional_text};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait, IntoActiveModel,
    PaginatorTrait, QuerySelect,
};
use serde_json::json;
use std::collections::HashSet;

/// Characters of a key at most.
const KEY_CHARS: usize = 32;
/// Characters of a name at most.
const NAME_CHARS: usize = 200;
/// Characters of a description at most.
const DESCRIPTION_CHARS: usize = 1000;
/// Characters of a unit at most.
const UNIT_CHARS: usize = 20;
/// Choices of one attribute at most.
const MOST_CHOICES: usize = 50;
/// The key of the advisory lock that whoever makes an attribute has to themselves.
const LOCK: i64 = i64::from_be_bytes(*b"attribut");

/// An attribute to be defined.
#[derive(Clone, Debug)]
pub struct NewAttribute {
    /// What programs call it: letters a to z, digits and `_`.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What its values are.
    pub kind: AttributeKind,
    /// What can be chosen.
    pub choices: Vec<Choice>,
    /// What its numbers count.
    pub unit: Option<String>,
    /// The smallest number or the first day.
    pub minimum: Option<String>,
    /// The largest number or the last day.
    pub maximum: Option<String>,
}

/// A change of an attribute; what is left out stays, inside `None` clears.
#[derive(Clone, Debug, Default)]
pub struct AttributeChange {
    /// The version that the change is based on.
    pub version: i64,
    /// What people call it.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<Option<String>>,
    /// What can be chosen, all of it.
    pub choices: Option<Vec<Choice>>,
    /// What its numbers count.
    pub unit: Option<Option<String>>,
    /// The smallest number or the first day.
    pub minimum: Option<Option<String>>,
    /// The largest number or the last day.
    pub maximum: Option<Option<String>>,
}

fn parse_key(errors: &mut UserErrors, field: &str, text: &str) -> Option<String> {
    let key = errors.take(field, text_code, clean_line(text, KEY_CHARS))?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if key.bytes().all(plain) && key.starts_with(|first: char| first.is_ascii_lowercase()) {
        return Some(key);
    }
    errors.none(
        Code::Invalid,
        field,
        "key must begin with a letter a to z and go on with letters a to z, digits and _, as in risk_preference",
    )
}

fn parse_name(errors: &mut UserErrors, field: &str, text: &str) -> Option<String> {
    errors.take(field, text_code, clean_line(text, NAME_CHARS))
}

fn parse_description(errors: &mut UserErrors, text: Option<&str>) -> Option<String> {
    let text = clean_optional_text(text?, DESCRIPTION_CHARS);
    errors.take("description", text_code, text).flatten()
}

fn is_chosen(kind: AttributeKind) -> bool {
    matches!(kind, AttributeKind::Choice | AttributeKind::Choices)
}

fn parse_choices(
    errors: &mut UserErrors,
    kind: AttributeKind,
    choices: &[Choice],
) -> Option<Vec<Choice>> {
    let field = "choices";
    if !is_chosen(kind) {
        if choices.is_empty() {
            return Some(Vec::new());
        }
        return errors.none(
            Code::NotAllowed,
            field,
            "only attributes of the kinds CHOICE and CHOICES have choices; leave them out",
        );
    }
    if choices.is_empty() {
        return errors.none(Code::Required, field, "choices must name at least one");
    }
    if choices.len() > MOST_CHOICES {
        return errors.none(
            Code::TooMany,
            field,
            format!("choices has more than {MOST_CHOICES} entries"),
        );
    }
    let mut seen = HashSet::new();
    let mut parsed = Vec::new();
    for (n, choice) in choices.iter().enumerate() {
        let at = format!("{field}.{n}.key");
        let key = parse_key(errors, &at, &choice.key);
        let name = parse_name(errors, &format!("{field}.{n}.name"), &choice.name);
        let (Some(key), Some(name)) = (key, name) else {
            continue;
        };
        if !seen.insert(key.clone()) {
            errors.push(Code::Taken, &at, "key is given twice");
        }
        parsed.push(Choice { key, name });
    }
    Some(parsed)
}

fn parse_unit(errors: &mut UserErrors, kind: AttributeKind, unit: Option<&str>) -> Option<String> {
    let unit = clean_optional_line(unit?, UNIT_CHARS);
    let unit = errors.take("unit", text_code, unit).flatten()?;
    if matches!(kind, AttributeKind::Integer | AttributeKind::Decimal) {
        return Some(unit);
    }
    errors.none(
        Code::NotAllowed,
        "unit",
        "only numbers have a unit; leave it out",
    )
}

fn parse_bound(
    errors: &mut UserErrors,
    kind: AttributeKind,
    field: &str,
    text: Option<&str>,
) -> Option<String> {
    Some(bound(kind, text?, field, errors)?.text)
}

/// The two bounds as they are going to be.
fn check_bounds(
    errors: &mut UserErrors,
    kind: AttributeKind,
    minimum: Option<&str>,
    maximum: Option<&str>,
) {
    let (Some(low), Some(high)) = (minimum, maximum) else {
        return;
    };
    let mut unread = UserErrors::new();
    let low = bound(kind, low, "minimum", &mut unread);
    let high = bound(kind, high, "maximum", &mut unread);
    if let (Some(low), Some(high)) = (low, high)
        && low.number > high.number
    {
        errors.push(
            Code::OutOfRange,
            "maximum",
            format!("maximum is less than the minimum, {}", low.text),
        );
    }
}

/// Defines an attribute.
///
/// # Errors
/// User errors, such as a key that is in use; as [`Ctx::require`]; those of the database.
pub async fn create(ctx: &Ctx, new: &NewAttribute) -> Result<Definition> {
    ctx.require(Action::AttributeManage)?;
    let row = &parse(ctx, new)?;
    ctx.db
        .write(|tx| async move {
            alone(&*tx, LOCK).await?;
            if Entity::find().count(&*tx).await? >= MOST {
                return Err(Error::user(
                    Code::TooMany,
                    "",
                    format!("there are {MOST} attributes already; use one of them"),
                ));
            }
            check_free::<Entity>(&*tx, Column::Key, &row.key, "key").await?;
            let row = row.clone().into_active_model().reset_all();
            let row = row.insert(&*tx).await?;
            told(("attribute.created", "attribute.create"), &row, &[])
                .write(&*tx, ctx)
                .await?;
            Definition::of(row)
        })
        .await
}

fn parse(ctx: &Ctx, new: &NewAttribute) -> Result<Model> {
    let mut errors = UserErrors::new();
    let key = parse_key(&mut errors, "key", &new.key);
    let name = parse_name(&mut errors, "name", &new.name);
    let description = parse_description(&mut errors, new.description.as_deref());
    let choices = parse_choices(&mut errors, new.kind, &new.choices);
    let unit = parse_unit(&mut errors, new.kind, new.unit.as_deref());
    let mut bound = |field: &str, text: &Option<String>| {
        parse_bound(&mut errors, new.kind, field, text.as_deref())
    };
    let minimum = bound("minimum", &new.minimum);
    let maximum = bound("maximum", &new.maximum);
    check_bounds(
        &mut errors,
        new.kind,
        minimum.as_deref(),
        maximum.as_deref(),
    );
    errors.check()?;
    let (Some(key), Some(name), Some(choices)) = (key, name, choices) else {
        return Err(Error::internal("a parsed attribute is not whole"));
    };
    let now = ctx.now();
    Ok(Model {
        id: AttributeId::new(),
        key,
        name,
        description,
        kind: new.kind,
        choices: json!(choices),
        unit,
        minimum,
        maximum,
        archived_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    })
}

/// Changes an attribute. Its key and its kind stay; so do values beyond new bounds.
///
/// # Errors
/// As [`create`]; [`Code::WrongState`] for a choice left out that stands with a customer.
pub async fn change(ctx: &Ctx, id: AttributeId, change: &AttributeChange) -> Result<Definition> {
    ctx.require(Action::AttributeManage)?;
    ctx.db
        .write(|tx| async move {
            let before = Definition::of(locked(&*tx, id, change.version).await?)?;
            let (row, kind) = (&before.row, before.kind());
            let mut errors = UserErrors::new();
            let name = change
                .name
                .as_ref()
                .and_then(|name| parse_name(&mut errors, "name", name));
            let description = change
                .description
                .as_ref()
                .map(|text| parse_description(&mut errors, text.as_deref()));
            let choices = change
                .choices
                .as_ref()
                .and_then(|choices| parse_choices(&mut errors, kind, choices));
            let unit = change
                .unit
                .as_ref()
                .map(|unit| parse_unit(&mut errors, kind, unit.as_deref()));
            let mut bound = |field: &str, given: &Option<Option<String>>| {
                given
                    .as_ref()
                    .map(|text| parse_bound(&mut errors, kind, field, text.as_deref()))
            };
            let minimum = bound("minimum", &change.minimum);
            let maximum = bound("maximum", &change.maximum);
            let low = minimum.as_ref().unwrap_or(&row.minimum).as_deref();
            let high = maximum.as_ref().unwrap_or(&row.maximum).as_deref();
            check_bounds(&mut errors, kind, low, high);
            errors.check()?;
            if let Some(choices) = &choices {
                check_removed(&*tx, &before, choices).await?;
            }
            let mut fields = Vec::new();
            let mut active = row.clone().into_active_model();
            put(&mut fields, "name", name, &mut active.name);
            let given = description;
            put(&mut fields, "description", given, &mut active.description);
            let given = choices.map(|choices| json!(choices));
            put(&mut fields, "choices", given, &mut active.choices);
            put(&mut fields, "unit", unit, &mut active.unit);
            put(&mut fields, "minimum", minimum, &mut active.minimum);
            put(&mut fields, "maximum", maximum, &mut active.maximum);
            if fields.is_empty() {
                return Ok(before);
            }
            active.version = Set(row.version + 1);
            active.updated_at = Set(ctx.now());
            let row = active.update(&*tx).await?;
            told(("attribute.changed", "attribute.change"), &row, &fields)
                .write(&*tx, ctx)
                .await?;
            Definition::of(row)
        })
        .await
}

/// Whoever sets a value holds the definition meanwhile, so nobody chooses what is just removed.
async fn check_removed(
    tx: &impl ConnectionTrait,
    before: &Definition,
    choices: &[Choice],
) -> Result<()> {
    let mut errors = UserErrors::new();
    for gone in &before.choices {
        if choices.iter().any(|choice| choice.key == gone.key) {
            continue;
        }
        let count = holders(tx, before, &gone.key).await?;
        if count > 0 {
            errors.push(
                Code::WrongState,
                "choices",
                format!(
                    "{} stands with {count} customer(s) and cannot be removed; rename it, or give them another choice first",
                    gone.key
                ),
            );
        }
    }
    errors.check()
}

/// How many customers have this choice. Files that were merged away count as the kept customer's: they may come back.
async fn holders(tx: &impl ConnectionTrait, definition: &Definition, key: &str) -> Result<i64> {
    let mut sql = Sql::for_connection(tx);
    sql.push("select count(distinct coalesce(c.merged_into_id, c.id)) as customers from customer_attribute a
        join customer c on c.id = a.customer_id where a.attribute_id = ")
        .bind(definition.row.id);
    if definition.kind() == AttributeKind::Choices {
        sql.push(" and a.value like ").bind(format!(
            "%{}%",
            super::value::one_of_several(key).replace('_', "\\_")
        ));
        sql.push(" escape '\\'");
    } else {
        sql.push(" and a.value = ").bind(key);
    }
    let row = tx.query_one_raw(sql.build()).await?;
    let row = row.ok_or_else(|| Error::internal("a count without a row"))?;
    Ok(row.try_get("", "customers")?)
}

/// Puts an attribute away, or takes it out again. What was noted stays and is shown; nothing more is set.
///
/// # Errors
/// User errors, such as a stale version; as [`Ctx::require`]; those of the database.
pub async fn archive(
    ctx: &Ctx,
    id: AttributeId,
    version: i64,
    archived: bool,
) -> Result<Definition> {
    ctx.require(Action::AttributeManage)?;
    ctx.db
        .write(|tx| async move {
            let row = locked(&*tx, id, version).await?;
            if row.archived_at.is_some() == archived {
                return Definition::of(row);
            }
            let mut active = row.clone().into_active_model();
            active.archived_at = Set(archived.then(|| ctx.now()));
            active.version = Set(row.version + 1);
            active.updated_at = Set(ctx.now());
            let row = active.update(&*tx).await?;
            let words = if archived {
                ("attribute.archived", "attribute.archive")
            } else {
                ("attribute.unarchived", "attribute.unarchive")
            };
            told(words, &row, &[]).write(&*tx, ctx).await?;
            Definition::of(row)
        })
        .await
}

async fn locked(tx: &impl ConnectionTrait, id: AttributeId, version: i64) -> Result<Model> {
    let row = Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?
        .ok_or_else(|| Error::not_found("id", "attribute"))?;
    check_version(version, row.version)?;
    Ok(row)
}

fn told(words: (&'static str, &'static str), row: &Model, fields: &[&str]) -> Told {
    Told {
        words,
        what: "attribute",
        id: row.id.into(),
        store: None,
        detail: json!({ "fields": fields }),
    }
}

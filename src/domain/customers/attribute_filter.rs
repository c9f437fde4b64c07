//! What a list of customers is narrowed down to by the shop's own attributes.
//!
//! Called by [`super::filter`]. Each condition is read by its attribute's definition, so that a number is compared as a
//! number and a choice that there is not is told.

use crate::access::Ctx;
use crate::domain::attributes::value::{self, Given, Kept};
use crate::domain::attributes::{self, Definition};
use crate::error::{Code, Result, UserError, UserErrors};
use entity::customer_attribute::{Column, Entity};
use entity::enums::{AttributeKind, TasteProvenance};
use entity::ids::AttributeId;
use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition};
use serde::Serialize;

/// Conditions in one filter at most.
const MOST: usize = 10;
/// Values in one condition at most.
const MOST_AMONG: usize = 50;

/// A condition on one attribute; everything given must hold, and with nothing given any value does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AttributeCondition {
    /// Which attribute.
    pub attribute: AttributeId,
    /// Only what is known in this way.
    pub provenance: Option<TasteProvenance>,
    /// Exactly this value.
    pub equals: Option<Given>,
    /// This number or day, or a later one.
    pub at_least: Option<Given>,
    /// This number or day, or an earlier one.
    pub at_most: Option<Given>,
    /// One of these values; of several choices, any of them.
    pub among: Option<Vec<Given>>,
}

/// The ids of those for whom each condition holds, one select a condition.
pub(super) async fn narrow(
    ctx: &Ctx,
    conditions: &[AttributeCondition],
    errors: &mut UserErrors,
) -> Result<Vec<SelectStatement>> {
    if conditions.is_empty() {
        return Ok(Vec::new());
    }
    if conditions.len() > MOST {
        errors.push(
            Code::TooMany,
            "filter.attributes",
            format!("attributes has more than {MOST} conditions"),
        );
        return Ok(Vec::new());
    }
    let ids: Vec<AttributeId> = conditions.iter().map(|one| one.attribute).collect();
    let defined = attributes::defined(ctx.db.read(), &ids).await?;
    let mut selects = Vec::new();
    for (n, condition) in conditions.iter().enumerate() {
        let at = format!("filter.attributes.{n}");
        let Some(definition) = defined.iter().find(|one| one.row.id == condition.attribute) else {
            let unknown = UserError::not_found("", "attribute");
            errors.push(unknown.code, &format!("{at}.attributeId"), unknown.message);
            continue;
        };
        selects.extend(select(definition, condition, &at, errors));
    }
    Ok(selects)
}

fn select(
    definition: &Definition,
    condition: &AttributeCondition,
    at: &str,
    errors: &mut UserErrors,
) -> Option<SelectStatement> {
    let mut all = Condition::all()
        .add(Column::AttributeId.eq(condition.attribute))
        .add_option(
            condition
                .provenance
                .map(|known| Column::Provenance.eq(known)),
        );
    if let Some(given) = &condition.equals {
        let kept = unbounded(definition, given, &format!("{at}.equals"), errors)?;
        all = all.add(Column::Value.eq(kept.text));
    }
    for (given, name, low) in [
        (&condition.at_least, "atLeast", true),
        (&condition.at_most, "atMost", false),
    ] {
        let Some(given) = given else { continue };
        let number = ordered(definition, given, &format!("{at}.{name}"), errors)?;
        all = all.add(if low {
            Column::Number.gte(number)
        } else {
            Column::Number.lte(number)
        });
    }
    if let Some(among) = &condition.among {
        all = all.add(any(definition, among, &format!("{at}.among"), errors)?);
    }
    let select = Query::select()
        .column((Entity, Column::CustomerId))
        .from(Entity)
        .cond_where(all)
        .to_owned();
    Some(select)
}

/// The number behind a border. Borders beyond the attribute's own bounds are allowed: all values lie on one side.
fn ordered(
    definition: &Definition,
    given: &Given,
    at: &str,
    errors: &mut UserErrors,
) -> Option<i64> {
    let ranged = matches!(
        definition.kind(),
        AttributeKind::Integer | AttributeKind::Decimal | AttributeKind::Date
    );
    if !ranged {
        return errors.none(
            Code::NotAllowed,
            at,
            format!(
                "{} is neither a number nor a day; ask by equals or among",
                definition.row.key
            ),
        );
    }
    unbounded(definition, given, at, errors)?.number
}

/// A value that may lie beyond the bounds: old ones do after the bounds were changed.
fn unbounded(
    definition: &Definition,
    given: &Given,
    at: &str,
    errors: &mut UserErrors,
) -> Option<Kept> {
    let mut without = definition.clone();
    without.row.minimum = None;
    without.row.maximum = None;
    value::check(&without, given, at, errors)
}

fn any(
    definition: &Definition,
    among: &[Given],
    at: &str,
    errors: &mut UserErrors,
) -> Option<Condition> {
    if among.is_empty() || among.len() > MOST_AMONG {
        let code = if among.is_empty() {
            Code::Required
        } else {
            Code::TooMany
        };
        return errors.none(code, at, format!("among takes 1 to {MOST_AMONG} values"));
    }
    let mut any = Condition::any();
    let mut values = Vec::new();
    for (n, given) in among.iter().enumerate() {
        let at = format!("{at}.{n}");
        if definition.kind() == AttributeKind::Choices {
            any = any.add(has_one(definition, given, &at, errors)?);
        } else {
            values.push(unbounded(definition, given, &at, errors)?.text);
        }
    }
    if !values.is_empty() {
        any = any.add(Column::Value.is_in(values));
    }
    Some(any)
}

/// Of several choices, this one or any of these.
fn has_one(
    definition: &Definition,
    given: &Given,
    at: &str,
    errors: &mut UserErrors,
) -> Option<Condition> {
    let keys = match given {
        Given::Choice(key) => vec![key.clone()],
        Given::Choices(keys) => keys.clone(),
        _ => Vec::new(),
    };
    let given = match given {
        Given::Choice(_) => Given::Choices(keys.clone()),
        other => other.clone(),
    };
    value::check(definition, &given, at, errors)?;
    let mut any = Condition::any();
    for key in keys {
        let within = value::one_of_several(&key).replace('_', "\\_");
        let pattern = LikeExpr::new(format!("%{within}%")).escape('\\');
        any = any.add(Expr::col((Entity, Column::Value)).like(pattern));
    }
    Some(any)
}

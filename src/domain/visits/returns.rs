//! Lines given back: each refers to the line that it undoes, and never to more than is left of it (rule V2).

use super::facts::{LineFacts, ReturnClaim, ReturnFacts};
use crate::db::Sql;
use crate::error::{Code, Error, Result, UserErrors};
use chrono::{DateTime, Utc};
use entity::ids::{CustomerId, PurchaseLineId};
use entity::values::Quantity;
use entity::values::decimal::divide_half_up;
use entity::{purchase, purchase_line, visit};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use std::collections::HashMap;

/// What is left of a line: how many, and how much of what was paid.
#[derive(Clone, Copy, Debug)]
struct Left {
    quantity_milli: i64,
    amount_minor: i64,
}

/// Settles claims under the customer's lock, against what earlier returns have left.
///
/// Without an amount, the share of the quantity is paid back, rounded half up; whoever gives back the rest
/// gets the rest, so that returns in parts add up to what was paid.
///
/// # Errors
/// User errors for a line that is not the customer's, one that was itself given back, and more than is left.
pub(super) async fn settle(
    tx: &impl ConnectionTrait,
    customer: CustomerId,
    at: DateTime<Utc>,
    claims: &[ReturnClaim],
) -> Result<Vec<ReturnFacts>> {
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let lines = lines_of(tx, customer, claims).await?;
    check_order(tx, &lines, at).await?;
    let mut left = what_is_left(tx, &lines).await?;
    let mut errors = UserErrors::new();
    let mut facts = Vec::with_capacity(claims.len());
    for (n, claim) in claims.iter().enumerate() {
        let at = format!("purchase.returns.{n}");
        let line = claim
            .undoes
            .and_then(|id| Some((lines.get(&id)?, left.get_mut(&id)?)));
        let Some((line, left)) = line else {
            errors.push(
                Code::NotFound,
                &format!("{at}.lineId"),
                "no such line among the customer's purchases",
            );
            continue;
        };
        facts.extend(one(claim, line, left, &at, &mut errors));
    }
    errors.check()?;
    Ok(facts)
}

/// Nothing is brought back before it was bought.
async fn check_order(
    tx: &impl ConnectionTrait,
    lines: &HashMap<PurchaseLineId, purchase_line::Model>,
    at: DateTime<Utc>,
) -> Result<()> {
    let receipts = lines.values().map(|line| line.purchase_id.0);
    let visits = Query::select()
        .column(purchase::Column::VisitId)
        .from(purchase::Entity)
        .and_where(purchase::Column::Id.is_in(receipts))
        .to_owned();
    let later = visit::Entity::find()
        .filter(visit::Column::Id.in_subquery(visits))
        .filter(visit::Column::At.gt(at))
        .one(tx)
        .await?;
    match later {
        None => Ok(()),
        Some(_) => Err(Error::user(
            Code::OutOfRange,
            "at",
            "nothing is given back before it was bought; check the time of the return",
        )),
    }
}

fn one(
    claim: &ReturnClaim,
    line: &purchase_line::Model,
    left: &mut Left,
    at: &str,
    errors: &mut UserErrors,
) -> Option<ReturnFacts> {
    if line.quantity_milli <= 0 {
        return errors.none(
            Code::WrongState,
            &format!("{at}.lineId"),
            "the line was itself given back",
        );
    }
    let quantity = claim.quantity_milli.unwrap_or(left.quantity_milli);
    if quantity > left.quantity_milli || quantity == 0 {
        return errors.none(
            Code::ReturnExceeds,
            &format!("{at}.quantity"),
            too_many(left.quantity_milli),
        );
    }
    let amount = match claim.amount_minor {
        Some(amount) => amount,
        None if quantity == left.quantity_milli => left.amount_minor,
        None => {
            let share = i128::from(line.amount_minor) * i128::from(quantity);
            divide_half_up(share, i128::from(line.quantity_milli))
                .unwrap_or_default()
                .min(left.amount_minor)
        }
    };
    if amount > left.amount_minor {
        let message =
            "more is paid back than is left of what was paid for this line; check the amount";
        return errors.none(Code::ReturnExceeds, &format!("{at}.amount.amount"), message);
    }
    left.quantity_milli -= quantity;
    left.amount_minor -= amount;
    Some(ReturnFacts {
        undoes: Some(line.id),
        quantity_milli: quantity,
        amount_minor: amount,
        line: copy(line),
    })
}

/// What is said to whoever gives back more than is left.
fn too_many(left_milli: i64) -> String {
    if left_milli <= 0 {
        return "nothing of this line is left to return".to_owned();
    }
    let left = Quantity::from_thousandths(left_milli);
    let verb = if left_milli == 1000 { "is" } else { "are" };
    format!("only {left} of this line {verb} left to return")
}

async fn lines_of(
    tx: &impl ConnectionTrait,
    customer: CustomerId,
    claims: &[ReturnClaim],
) -> Result<HashMap<PurchaseLineId, purchase_line::Model>> {
    let ids: Vec<PurchaseLineId> = claims.iter().filter_map(|claim| claim.undoes).collect();
    let lines = purchase_line::Entity::find()
        .filter(purchase_line::Column::Id.is_in(ids))
        .all(tx)
        .await?;
    let receipts: Vec<_> = lines.iter().map(|line| line.purchase_id).collect();
    let own: Vec<_> = purchase::Entity::find()
        .filter(purchase::Column::Id.is_in(receipts))
        .filter(purchase::Column::CustomerId.eq(customer))
        .all(tx)
        .await?
        .into_iter()
        .map(|purchase| purchase.id)
        .collect();
    Ok(lines
        .into_iter()
        .filter(|line| own.contains(&line.purchase_id))
        .map(|line| (line.id, line))
        .collect())
}

async fn what_is_left(
    tx: &impl ConnectionTrait,
    lines: &HashMap<PurchaseLineId, purchase_line::Model>,
) -> Result<HashMap<PurchaseLineId, Left>> {
    let mut left: HashMap<_, _> = lines
        .values()
        .map(|line| {
            (
                line.id,
                Left {
                    quantity_milli: line.quantity_milli,
                    amount_minor: line.amount_minor,
                },
            )
        })
        .collect();
    if left.is_empty() {
        return Ok(left);
    }
    // What was given back is stored as negative numbers.
    let mut sql = Sql::for_connection(tx);
    sql.push("select returns_line_id as id, cast(sum(quantity_milli) as bigint) as quantity, ");
    sql.push(
        "cast(sum(amount_minor) as bigint) as amount from purchase_line where returns_line_id in ",
    );
    sql.bind_list(left.keys().copied())
        .push(" group by returns_line_id");
    for row in tx.query_all_raw(sql.build()).await? {
        if let Some(left) = left.get_mut(&row.try_get::<PurchaseLineId>("", "id")?) {
            left.quantity_milli += row.try_get::<i64>("", "quantity")?;
            left.amount_minor += row.try_get::<i64>("", "amount")?;
        }
    }
    Ok(left)
}

fn copy(line: &purchase_line::Model) -> LineFacts {
    LineFacts {
        sku: line.sku.clone(),
        name: line.name.clone(),
        category: line.category.clone(),
        brand: line.brand.clone(),
        quantity_milli: line.quantity_milli,
        list_price_minor: line.list_price_minor,
        amount_minor: line.amount_minor,
        unit_cost_minor: line.unit_cost_minor,
        discount_reason: line.discount_reason.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_as_a_person_would() {
        for (left, message) in [
            (0, "nothing of this line is left to return"),
            (1000, "only 1 of this line is left to return"),
            (2000, "only 2 of this line are left to return"),
            (500, "only 0.5 of this line are left to return"),
        ] {
            assert_eq!(too_many(left), message);
        }
    }
}

//! A customer with what nearly everybody asks for beside them, in one statement: their cards, and ways to reach them.
//!
//! Called by the API for one customer by id. Lists read what hangs on their customers for all of them at once instead.

use crate::access::{Action, Ctx, sight};
use crate::db::Template;
use crate::domain::customers::contacts::{self, ContactPoint};
use crate::domain::customers::{CustomerRow, ROW_COLUMNS};
use crate::error::Result;
use entity::ids::{CardId, ContactPointId, CustomerId};
use entity::{card, contact_point, customer};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ConnectionTrait, FromQueryResult, IdenStatic, Iterable};
use std::collections::BTreeMap;

/// A customer in sight, with their cards and their contact points.
#[derive(Debug)]
pub struct Holder {
    /// The customer.
    pub customer: CustomerRow,
    /// All their cards, oldest first.
    pub cards: Vec<card::Model>,
    /// Their contact points as the viewer may see them, where they were asked for.
    pub points: Option<Vec<ContactPoint>>,
}

const CUSTOMER: &str = "c_";
const CARD: &str = "k_";
const POINT: &str = "p_";

static WITH_CARDS: Template = Template::new(with_cards);
static WITH_POINTS: Template = Template::new(with_points);

fn with_cards() -> SelectStatement {
    let mut select = Query::select();
    for column in ROW_COLUMNS {
        let name = format!("{CUSTOMER}{}", column.as_str());
        select.expr_as(Expr::col((customer::Entity, column)), name);
    }
    for column in card::Column::iter() {
        let name = format!("{CARD}{}", column.as_str());
        select.expr_as(Expr::col((card::Entity, column)), name);
    }
    select
        .from(customer::Entity)
        .left_join(
            card::Entity,
            Expr::col((card::Entity, card::Column::CustomerId))
                .equals((customer::Entity, customer::Column::Id)),
        )
        .to_owned()
}

fn with_points() -> SelectStatement {
    let mut select = with_cards();
    for column in contact_point::Column::iter() {
        let name = format!("{POINT}{}", column.as_str());
        select.expr_as(Expr::col((contact_point::Entity, column)), name);
    }
    let theirs = Expr::col((contact_point::Entity, contact_point::Column::CustomerId))
        .equals((customer::Entity, customer::Column::Id));
    let removed = Expr::col((contact_point::Entity, contact_point::Column::RemovedAt));
    select
        .left_join(contact_point::Entity, theirs.and(removed.is_null()))
        .to_owned()
}

/// A customer in sight; none also where the id is that of a file that was merged into another one.
///
/// # Errors
/// Those of the policy and the database.
pub async fn by_id(ctx: &Ctx, id: CustomerId, points: bool) -> Result<Option<Holder>> {
    ctx.require(Action::CustomerRead)?;
    let template = if points { &WITH_POINTS } else { &WITH_CARDS };
    let mut sql = template.begin(ctx.db.engine());
    sql.push(" where customer.id = ")
        .bind(id)
        .push(" and customer.merged_into_id is null and customer.erased_at is null");
    let rows = ctx.db.read().query_all_raw(sql.build()).await?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let customer = CustomerRow::from_query_result(first, CUSTOMER)?;
    let seen = sight::keep(ctx.db.read(), ctx, Action::CustomerRead, vec![customer]).await?;
    let Some(customer) = seen.into_iter().next() else {
        return Ok(None);
    };
    // Each card stands beside each contact point; by their ids cards stand in the order of their issue.
    let (mut cards, mut reached) = (BTreeMap::new(), BTreeMap::new());
    for row in &rows {
        if let Some(id) = row.try_get::<Option<CardId>>(CARD, "id")?
            && !cards.contains_key(&id)
        {
            cards.insert(id, card::Model::from_query_result(row, CARD)?);
        }
        if points
            && let Some(id) = row.try_get::<Option<ContactPointId>>(POINT, "id")?
            && !reached.contains_key(&id)
        {
            reached.insert(id, contact_point::Model::from_query_result(row, POINT)?);
        }
    }
    let points = if points {
        Some(contacts::shown(ctx, reached.into_values().collect()).await?)
    } else {
        None
    };
    Ok(Some(Holder {
        customer,
        cards: cards.into_values().collect(),
        points,
    }))
}

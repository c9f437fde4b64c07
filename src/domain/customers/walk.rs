//! Walking through all customers in sight, in the order of their ids: what exports read, page by page.
//!
//! Called by `transfers`. Costs the same however far the walk has come.

use super::file::Address;
use crate::access::{Action, Ctx, sight};
use crate::db::{Sql, literal_limit};
use crate::error::Result;
use chrono::{DateTime, Utc};
use entity::ids::CustomerId;
use entity::{customer, customer_reference};
use sea_orm::sea_query::ExprTrait;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter,
    QueryOrder, QueryTrait, Select,
};
use std::collections::HashMap;

fn select(ctx: &Ctx, since: Option<DateTime<Utc>>) -> Result<Select<customer::Entity>> {
    let mut select = customer::Entity::find().filter(sight::customers(ctx, Action::CustomerRead)?);
    if let Some(since) = since {
        select = select.filter(customer::Column::UpdatedAt.gte(since));
    }
    Ok(select)
}

/// The next whole files behind a customer; those only that were changed since a moment, if one is given. Addresses are
/// in full: whoever shows one asks [`super::in_full`] first.
///
/// # Errors
/// Those of the policy and the database.
pub async fn walk(
    ctx: &Ctx,
    since: Option<DateTime<Utc>>,
    after: Option<CustomerId>,
    size: u64,
) -> Result<Vec<customer::Model>> {
    let mut select = select(ctx, since)?;
    if let Some(after) = after {
        select = select.filter(customer::Column::Id.gt(after));
    }
    let connection = ctx.db.read();
    let statement = select
        .order_by_asc(customer::Column::Id)
        .build(connection.get_database_backend());
    Ok(
        customer::Model::find_by_statement(literal_limit(statement, size))
            .all(connection)
            .await?,
    )
}

/// How many customers the walk meets.
///
/// # Errors
/// As [`walk`].
pub async fn walk_count(ctx: &Ctx, since: Option<DateTime<Utc>>) -> Result<u64> {
    Ok(select(ctx, since)?.count(ctx.db.read()).await?)
}

/// The names that other systems have for these customers, of those in sight, in order.
///
/// # Errors
/// As [`walk`].
pub async fn references(
    ctx: &Ctx,
    ids: &[CustomerId],
) -> Result<HashMap<CustomerId, Vec<customer_reference::Model>>> {
    let mut select = customer_reference::Entity::find()
        .filter(customer_reference::Column::CustomerId.is_in(ids.iter().copied()))
        .order_by_asc(customer_reference::Column::Source)
        .order_by_asc(customer_reference::Column::ExternalId);
    if let Some(sight) = sight::customer_ids(ctx, Action::CustomerRead)? {
        select = select.filter(
            customer_reference::Column::CustomerId
                .into_expr()
                .in_subquery(sight),
        );
    }
    let mut found: HashMap<CustomerId, Vec<customer_reference::Model>> = HashMap::new();
    for row in select.all(ctx.db.read()).await? {
        found.entry(row.customer_id).or_default().push(row);
    }
    Ok(found)
}

/// The numbers of those of these customers who are in sight: the first name that the source has for each, or the
/// customer's own id where it has none. Nobody else has one.
///
/// # Errors
/// Those of the policy and the database.
pub async fn numbers(
    ctx: &Ctx,
    source: &str,
    ids: &[CustomerId],
) -> Result<HashMap<CustomerId, String>> {
    let seen = super::by_ids(ctx, ids).await?;
    if seen.is_empty() {
        return Ok(HashMap::new());
    }
    let mut numbers: HashMap<CustomerId, String> = seen
        .iter()
        .map(|customer| (customer.id, customer.id.to_string()))
        .collect();
    let mut sql: Sql = ctx.db.sql();
    sql.push(
        "select customer_id, min(external_id) as number from customer_reference where source = ",
    )
    .bind(source)
    .push(" and customer_id in ")
    .bind_list(seen.iter().map(|customer| customer.id))
    .push(" group by customer_id");
    for row in ctx.db.read().query_all_raw(sql.build()).await? {
        numbers.insert(row.try_get("", "customer_id")?, row.try_get("", "number")?);
    }
    Ok(numbers)
}

/// The address of a file.
pub fn address(row: &customer::Model) -> Option<Address> {
    serde_json::from_value(row.address.clone()?).ok()
}

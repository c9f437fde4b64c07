//! Lists of customers: narrowed, ordered, page by page. Never an offset, never a count that nobody asked for.

use super::completeness::LISTED;
use super::filter::{CustomerOrder, Narrowed, OrderField};
use super::row::{CustomerRow, narrow};
use crate::access::sight::{self, Branches};
use crate::access::{Action, Ctx};
use crate::db::{Keyset, Page, PageRequest, Sort};
use crate::error::Result;
use entity::customer::{self, Column};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, UnionType};
use sea_orm::{Condition, EntityTrait, PaginatorTrait, QueryFilter};

/// A page of the customers in sight.
///
/// # Errors
/// Those of the policy and the database.
pub async fn list(
    ctx: &Ctx,
    narrowed: &Narrowed,
    order: CustomerOrder,
    page: &PageRequest,
) -> Result<Page<CustomerRow>> {
    let column = match order.field {
        OrderField::Name => Expr::col((customer::Entity, Column::NameKey)),
        OrderField::CreatedAt => Expr::col((customer::Entity, Column::CreatedAt)),
        OrderField::Completeness => Expr::cust(LISTED),
    };
    let narrowed = &begun(narrowed, order, page);
    let keyset = Keyset::new(
        column,
        Expr::col((customer::Entity, Column::Id)),
        order.sort,
    );
    let select = match sight::branches(ctx, Action::CustomerRead)? {
        None => narrow()
            .filter(sight::customers(ctx, Action::CustomerRead)?)
            .filter(narrowed.condition.clone()),
        Some(Branches { mut stores, others }) => {
            if stores.is_empty() || sight::sees_others(ctx, Action::CustomerRead).await? {
                stores.extend(others);
            }
            match stores.as_slice() {
                [only] => narrow()
                    .filter(only.clone())
                    .filter(narrowed.condition.clone()),
                _ => narrow().filter(
                    Expr::col((customer::Entity, Column::Id))
                        .in_subquery(merged(stores, narrowed, &keyset, page)),
                ),
            }
        }
    };
    let page: Page<CustomerRow> = keyset.page(ctx.db.read(), select, page).await?;
    sight::note(
        ctx,
        Action::CustomerRead,
        page.items.iter().map(|row| row.id),
    )?;
    Ok(page)
}

/// The same list from where the page begins. A row comparison is looked up in an index of columns on both engines, in one
/// of an expression on PostgreSQL alone: the embedded engine would walk to the page from the beginning of the list, and by
/// this walks through those of one score only.
fn begun(narrowed: &Narrowed, order: CustomerOrder, page: &PageRequest) -> Narrowed {
    let mut condition = narrowed.condition.clone();
    if order.field == OrderField::Completeness {
        for (bound, behind) in [(&page.bounds.after, true), (&page.bounds.before, false)] {
            let Some(bound) = bound else { continue };
            let listed = Expr::cust(LISTED);
            let value = bound.value.clone();
            condition = condition.add(if behind == (order.sort == Sort::Ascending) {
                listed.gte(value)
            } else {
                listed.lte(value)
            });
        }
    }
    Narrowed { condition }
}

/// The ids of a page's rows and of a few more: as many as the page may have from each branch.
fn merged(
    branches: Vec<Condition>,
    narrowed: &Narrowed,
    keyset: &Keyset,
    page: &PageRequest,
) -> SelectStatement {
    let cut = |(n, branch): (usize, Condition)| {
        let mut select = Query::select();
        select
            .column((customer::Entity, Column::Id))
            .from(customer::Entity)
            .cond_where(branch)
            .cond_where(narrowed.condition.clone())
            .limit(page.size.saturating_add(1));
        keyset.apply(&mut select, page);
        // A part of a union has no order of its own, but may select from something that has.
        let name = format!("branch_{n}");
        Query::select()
            .column((name.clone(), Column::Id))
            .from_subquery(select, name)
            .to_owned()
    };
    let mut parts = branches.into_iter().enumerate().map(cut);
    let mut first = parts.next().unwrap_or_default();
    first.unions(parts.map(|part| (UnionType::All, part)));
    first
}

/// How many customers in sight the whole list has.
///
/// # Errors
/// Those of the policy and the database.
pub async fn count(ctx: &Ctx, narrowed: &Narrowed) -> Result<u64> {
    let select = customer::Entity::find()
        .filter(sight::customers(ctx, Action::CustomerRead)?)
        .filter(narrowed.condition.clone());
    Ok(select.count(ctx.db.read()).await?)
}

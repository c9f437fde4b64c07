//! Who is in a group, and who was: joining, leaving, and the lists of both.
//!
//! Called by the API. Whoever may write a customer writes their joining and leaving; the customer is locked first, then
//! the group. Of members, only those are shown and counted whose customers are in sight; a file that was merged away or
//! erased is nobody's.

use super::MOST_OF_ONE;
use crate::access::{Action, Ctx, sight};
use crate::db::{Keyset, Page, PageRequest, Sort, among};
use crate::domain::customers::{note_beside, open};
use crate::error::{Code, Error, Result};
use entity::group_member::{Column, Entity, Model};
use entity::ids::{CustomerId, GroupId, GroupMemberId};
use entity::{customer, customer_group};
use sea_orm::sea_query::{Expr, ExprTrait, LockType, Query};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult,
    IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
};
use serde_json::json;
use std::collections::HashMap;

/// Writes down that a customer joins a group.
///
/// # Errors
/// [`Code::Taken`] when they are in it, [`Code::WrongState`] when the group was put away, [`Code::TooMany`]; those of the
/// policy and the database.
pub async fn join(ctx: &Ctx, customer_id: CustomerId, group_id: GroupId) -> Result<Model> {
    ctx.require(Action::CustomerWrite)?;
    ctx.db
        .write_for(&[customer_id], |tx| async move {
            let customer = open(&*tx, ctx, customer_id).await?;
            // Nobody puts it away in between; others may join at the same time.
            let group = customer_group::Entity::find_by_id(group_id)
                .lock(LockType::Share)
                .one(&*tx)
                .await?
                .ok_or_else(|| Error::not_found("groupId", "group"))?;
            if group.archived_at.is_some() {
                return Err(Error::user(
                    Code::WrongState,
                    "groupId",
                    "this group was put away; take it out again, or choose another",
                ));
            }
            let current = || current_of(customer_id);
            let known = current().filter(Column::GroupId.eq(group_id));
            if known.one(&*tx).await?.is_some() {
                return Err(Error::user(
                    Code::Taken,
                    "groupId",
                    "the customer is in this group already; there is nothing to do",
                ));
            }
            if current().count(&*tx).await? >= MOST_OF_ONE {
                return Err(Error::user(
                    Code::TooMany,
                    "customerId",
                    format!(
                        "a customer is in at most {MOST_OF_ONE} groups; let them leave one first"
                    ),
                ));
            }
            let row = Model {
                id: GroupMemberId::new(),
                group_id,
                customer_id,
                joined_at: ctx.now(),
                joined_by: ctx.viewer.staff_id(),
                left_at: None,
                left_by: None,
            };
            let made = row.into_active_model().reset_all().insert(&*tx).await?;
            let words = ("customer.group_joined", "customer.group_join");
            let detail = json!({ "group": group_id, "member": made.id });
            note_beside(&*tx, ctx, words, &customer, made.id.into(), detail).await?;
            Ok(made)
        })
        .await
}

/// Writes down that a customer leaves a group, which may have been put away.
///
/// # Errors
/// [`Code::NotFound`] when they are not in it; those of the policy and the database.
pub async fn leave(ctx: &Ctx, customer_id: CustomerId, group_id: GroupId) -> Result<Model> {
    ctx.require(Action::CustomerWrite)?;
    ctx.db
        .write_for(&[customer_id], |tx| async move {
            let customer = open(&*tx, ctx, customer_id).await?;
            let known = current_of(customer_id)
                .filter(Column::GroupId.eq(group_id))
                .one(&*tx)
                .await?;
            let Some(known) = known else {
                return Err(Error::user(
                    Code::NotFound,
                    "groupId",
                    "the customer is not in this group",
                ));
            };
            let mut active = known.into_active_model();
            active.left_at = Set(Some(ctx.now()));
            active.left_by = Set(ctx.viewer.staff_id());
            let left = active.update(&*tx).await?;
            let words = ("customer.group_left", "customer.group_leave");
            let detail = json!({ "group": group_id, "member": left.id });
            note_beside(&*tx, ctx, words, &customer, left.id.into(), detail).await?;
            Ok(left)
        })
        .await
}

fn current_of(customer: CustomerId) -> Select<Entity> {
    Entity::find()
        .filter(Column::CustomerId.eq(customer))
        .filter(Column::LeftAt.is_null())
}

/// Ends the memberships of somebody who is erased.
///
/// # Errors
/// Those of the database.
pub async fn end(tx: &impl ConnectionTrait, ctx: &Ctx, all: &[CustomerId]) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::LeftAt, Expr::value(Some(ctx.now())))
        .filter(Column::CustomerId.is_in(all.iter().copied()))
        .filter(Column::LeftAt.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Memberships whose customers are in sight.
fn in_sight(ctx: &Ctx) -> Result<Select<Entity>> {
    ctx.require(Action::GroupRead)?;
    let id = Expr::col((customer::Entity, customer::Column::Id));
    let seen = Query::select()
        .expr(Expr::cust("1"))
        .from(customer::Entity)
        .and_where(id.eq(Expr::col((Entity, Column::CustomerId))))
        .cond_where(sight::customers(ctx, Action::CustomerRead)?)
        .to_owned();
    Ok(Entity::find().filter(Expr::exists(seen)))
}

fn of_state(select: Select<Entity>, former: bool) -> Select<Entity> {
    select.filter(if former {
        Column::LeftAt.is_not_null()
    } else {
        Column::LeftAt.is_null()
    })
}

/// A page of a group's members, or of its former ones; whoever joined last comes first.
///
/// # Errors
/// Those of the policy and the database.
pub async fn page(
    ctx: &Ctx,
    group: GroupId,
    former: bool,
    page: &PageRequest,
) -> Result<Page<Model>> {
    let select = of_state(in_sight(ctx)?, former).filter(Column::GroupId.eq(group));
    Keyset::new(
        Expr::col((Entity, Column::JoinedAt)),
        Expr::col((Entity, Column::Id)),
        Sort::Descending,
    )
    .page(ctx.db.read(), select, page)
    .await
}

/// The first members (or with `backward` the last) of each of these groups, one more than `size` where there are more, in
/// the order in which the page is read.
///
/// # Errors
/// Those of the policy and the database.
pub async fn first_of_each(
    ctx: &Ctx,
    groups: &[GroupId],
    former: bool,
    size: u64,
    backward: bool,
) -> Result<Vec<Model>> {
    let mut select = of_state(in_sight(ctx)?, former)
        .filter(Column::GroupId.is_in(groups.iter().copied()))
        .into_query();
    let place = if backward {
        "row_number() over (partition by group_id order by joined_at, id)"
    } else {
        "row_number() over (partition by group_id order by joined_at desc, id desc)"
    };
    select.expr_as(Expr::cust(place), "place");
    let most = i64::try_from(size.saturating_add(1)).unwrap_or(i64::MAX);
    let ranked = Query::select()
        .expr(Expr::cust("*"))
        .from_subquery(select, "ranked")
        .and_where(Expr::col("place").lte(most))
        .order_by("group_id", sea_orm::Order::Asc)
        .order_by("place", sea_orm::Order::Asc)
        .to_owned();
    let connection = ctx.db.read();
    let statement = connection.get_database_backend().build(&ranked);
    Ok(Model::find_by_statement(statement).all(connection).await?)
}

/// How many members, or former ones, each of these groups has; one without any is left out.
///
/// # Errors
/// Those of the policy and the database.
pub async fn counts(ctx: &Ctx, groups: &[GroupId], former: bool) -> Result<HashMap<GroupId, u64>> {
    let rows: Vec<(GroupId, i64)> = of_state(in_sight(ctx)?, former)
        .filter(Column::GroupId.is_in(groups.iter().copied()))
        .select_only()
        .column(Column::GroupId)
        .column_as(Column::Id.count(), "members")
        .group_by(Column::GroupId)
        .into_tuple()
        .all(ctx.db.read())
        .await?;
    Ok(rows
        .into_iter()
        .map(|(group, count)| (group, u64::try_from(count).unwrap_or(0)))
        .collect())
}

/// The memberships of these customers: those in which they are, or those that they have left; the oldest first.
///
/// # Errors
/// Those of the policy and the database.
pub async fn of_customers(ctx: &Ctx, ids: &[CustomerId], former: bool) -> Result<Vec<Model>> {
    Ok(of_state(in_sight(ctx)?, former)
        .filter(among(
            ctx.db.engine(),
            Column::CustomerId,
            ids.iter().copied(),
        ))
        .order_by_asc(Column::CustomerId)
        .order_by_asc(Column::JoinedAt)
        .order_by_asc(Column::Id)
        .all(ctx.db.read())
        .await?)
}

/// Memberships by id, where their customers are in sight.
///
/// # Errors
/// Those of the policy and the database.
pub async fn by_ids(ctx: &Ctx, ids: &[GroupMemberId]) -> Result<Vec<Model>> {
    Ok(in_sight(ctx)?
        .filter(among(ctx.db.engine(), Column::Id, ids.iter().copied()))
        .all(ctx.db.read())
        .await?)
}

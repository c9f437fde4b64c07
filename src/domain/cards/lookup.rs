//! Reading memberships, cards and the history of tiers: for many customers at once, in sight only.

use crate::access::{Action, Ctx, sight};
use crate::db::{Template, among};
use crate::error::Result;
use entity::enums::CardStatus;
use entity::ids::{CardId, CustomerId, MembershipId};
use entity::values::CardNumber;
use entity::{card, customer_merge, customer_merge_move, membership, tier_change};
use sea_orm::sea_query::ExprTrait;
use sea_orm::{
    ColumnTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QueryTrait, Select,
};

/// Cards.
static CARDS: Template = Template::new(|| card::Entity::find().into_query());

/// Restricts a select to the customers in sight.
pub(super) fn seen<E: EntityTrait>(
    ctx: &Ctx,
    select: Select<E>,
    customer: impl ColumnTrait,
) -> Result<Select<E>> {
    Ok(match sight::customer_ids(ctx, Action::CustomerRead)? {
        Some(ids) => select.filter(customer.into_expr().in_subquery(ids)),
        None => select,
    })
}

/// Memberships by id.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn memberships_by_ids(ctx: &Ctx, ids: &[MembershipId]) -> Result<Vec<membership::Model>> {
    let select = membership::Entity::find().filter(among(
        ctx.db.engine(),
        membership::Column::Id,
        ids.iter().copied(),
    ));
    Ok(seen(ctx, select, membership::Column::CustomerId)?
        .all(ctx.db.read())
        .await?)
}

/// Memberships of customers, oldest first.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn memberships_of(ctx: &Ctx, customers: &[CustomerId]) -> Result<Vec<membership::Model>> {
    let theirs = sight::of_seen(
        ctx,
        Action::CustomerRead,
        membership::Column::CustomerId,
        customers,
    )?;
    Ok(membership::Entity::find()
        .filter(theirs)
        .order_by_asc(membership::Column::Id)
        .all(ctx.db.read())
        .await?)
}

/// Cards by id.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn cards_by_ids(ctx: &Ctx, ids: &[CardId]) -> Result<Vec<card::Model>> {
    let select = card::Entity::find().filter(among(
        ctx.db.engine(),
        card::Column::Id,
        ids.iter().copied(),
    ));
    Ok(seen(ctx, select, card::Column::CustomerId)?
        .all(ctx.db.read())
        .await?)
}

/// Cards of customers, oldest first.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn cards_of(ctx: &Ctx, customers: &[CustomerId]) -> Result<Vec<card::Model>> {
    let mut sql = CARDS.begin(ctx.db.engine());
    sql.push(" where ");
    let column = "card.customer_id";
    sight::push_of_seen(&mut sql, ctx, Action::CustomerRead, column, customers)?;
    sql.push(" order by card.id");
    Ok(card::Model::find_by_statement(sql.build())
        .all(ctx.db.read())
        .await?)
}

/// The history of memberships' tiers, oldest first.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn tier_changes_of(
    ctx: &Ctx,
    memberships: &[MembershipId],
) -> Result<Vec<tier_change::Model>> {
    let select = tier_change::Entity::find()
        .filter(among(
            ctx.db.engine(),
            tier_change::Column::MembershipId,
            memberships.iter().copied(),
        ))
        .order_by_asc(tier_change::Column::Id);
    Ok(seen(ctx, select, tier_change::Column::CustomerId)?
        .all(ctx.db.read())
        .await?)
}

/// Tier changes by id.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn tier_changes_by_ids(
    ctx: &Ctx,
    ids: &[entity::ids::TierChangeId],
) -> Result<Vec<tier_change::Model>> {
    let select = tier_change::Entity::find().filter(among(
        ctx.db.engine(),
        tier_change::Column::Id,
        ids.iter().copied(),
    ));
    Ok(seen(ctx, select, tier_change::Column::CustomerId)?
        .all(ctx.db.read())
        .await?)
}

/// The card with a number, whoever's it is: who shows a card is there, so the store need not have seen its
/// holder before. Only for writing down that they have come; what is read afterwards is read in sight.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn holder_by_number(ctx: &Ctx, number: &CardNumber) -> Result<Option<card::Model>> {
    ctx.require(Action::VisitRecord)?;
    Ok(card::Entity::find()
        .filter(card::Column::Number.eq(number.as_str()))
        .one(ctx.db.read())
        .await?)
}

/// Was this card in use until its holder's file was merged into another one, and does the merge stand? Then its number
/// still leads to the kept customer, though another card has taken its place.
///
/// # Errors
/// As [`crate::access::Viewer::require`].
pub async fn went_with_merge(ctx: &Ctx, card: CardId) -> Result<bool> {
    ctx.require(Action::VisitRecord)?;
    let moved = customer_merge_move::Entity::find()
        .filter(customer_merge_move::Column::OfTable.eq("card"))
        .filter(customer_merge_move::Column::RowId.eq(card.0))
        .all(ctx.db.read())
        .await?;
    let in_use = |row: &customer_merge_move::Model| {
        let status = row.before.as_ref().and_then(|before| before.get("status"));
        status.and_then(|status| status.as_str()) == Some(CardStatus::Active.as_str())
    };
    let merges = moved
        .iter()
        .filter(|row| in_use(row))
        .map(|row| row.merge_id);
    let standing = customer_merge::Entity::find()
        .filter(customer_merge::Column::Id.is_in(merges))
        .filter(customer_merge::Column::UndoneAt.is_null())
        .one(ctx.db.read())
        .await?;
    Ok(standing.is_some())
}

//! The customer's own part of a merge: fields, contact points with consents, tastes, attributes, days, notes, references, relations,
//! the search index, sight.
//!
//! Called by `identity` under the locks of both customers. What the kept file has, stays; what it lacks is filled from the
//! merged one; what finds no place stays with the merged file, which is not changed, and so nothing is lost.

use super::attributes;
use super::change::save;
use super::journal::Journal;
use super::merging_points;
use super::relations::closes_circle;
use crate::access::Ctx;
use crate::db::{Batch, Sql};
use crate::error::{Error, Result};
use entity::customer::{self, Column};
use entity::ids::CustomerId;
use entity::{customer_reference, sight};
use sea_orm::ActiveValue::{self, Set};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IdenStatic, IntoActiveModel,
    Iterable, QueryFilter,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Is this column filled from the merged file where the kept one has nothing?
const fn is_filled(column: Column) -> bool {
    match column {
        Column::Salutation
        | Column::Gender
        | Column::BirthDate
        | Column::Language
        | Column::RegionName
        | Column::Address
        | Column::Employer
        | Column::Position
        | Column::Occupation
        | Column::IncomeBand
        | Column::IncomeProvenance
        | Column::IncomeNotedBy
        | Column::IncomeReason
        | Column::IncomeNotedAt
        | Column::PriceSensitivity
        | Column::BuyingPurpose
        | Column::StatedNeed
        | Column::Motive
        | Column::AcquisitionSource
        | Column::KeeperId
        | Column::HomeStoreId => true,
        // Never empty, or of this file alone; the two relations are looked at one by one, for they may close a circle.
        Column::Id
        | Column::Kind
        | Column::FullName
        | Column::NameKey
        | Column::ReferredById
        | Column::GiftFromId
        | Column::Importance
        | Column::ArchivedAt
        | Column::Version
        | Column::CreatedAt
        | Column::UpdatedAt
        | Column::MergedIntoId
        | Column::ErasedAt
        | Column::MatchKey
        | Column::Completeness
        | Column::CompletenessRules => false,
    }
}

/// What is known of an income belongs together.
const fn is_income(column: Column) -> bool {
    matches!(
        column,
        Column::IncomeBand
            | Column::IncomeProvenance
            | Column::IncomeNotedBy
            | Column::IncomeReason
            | Column::IncomeNotedAt
    )
}

/// The two relations that point from one file to another.
const RELATIONS: [(Column, &str); 2] = [
    (Column::ReferredById, "referred_by_id"),
    (Column::GiftFromId, "gift_from_id"),
];

/// A customer who pointed at the merged one.
#[derive(Serialize, Deserialize)]
struct PointerBefore {
    /// The new pointer would have closed a circle, so there is none.
    cleared: bool,
}

#[derive(Serialize, Deserialize)]
struct ReferenceBefore {
    source: String,
    external_id: String,
}

#[derive(Serialize, Deserialize)]
struct SightBefore {
    scope: Uuid,
    cause: String,
}

fn is_empty(row: &customer::ActiveModel, column: Column) -> bool {
    match row.get(column) {
        Set(value) | ActiveValue::Unchanged(value) => value == value.as_null(),
        ActiveValue::NotSet => true,
    }
}

/// Fills what the kept file lacks, and makes the merged id another name for it. Gives the names of the filled columns.
/// [`join`] comes before, so that relations point where they will, and a circle is seen.
///
/// # Errors
/// Those of the database.
pub async fn fill(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    kept: &customer::Model,
    merged: &customer::Model,
) -> Result<Vec<String>> {
    let from = merged.clone().into_active_model();
    let mut row = kept.clone().into_active_model();
    let mut filled = Vec::new();
    for column in Column::iter().filter(|column| is_filled(*column)) {
        if (is_income(column) && kept.income_band.is_some())
            || !is_empty(&row, column)
            || is_empty(&from, column)
        {
            continue;
        }
        if let Some(value) = from.get(column).into_value() {
            row.set(column, value);
            filled.push(column.as_str().to_owned());
        }
    }
    if kept.referred_by_id.is_none()
        && let Some(referrer) = merged.referred_by_id
        && referrer != kept.id
        && !closes_circle(tx, kept.id, referrer).await?
    {
        row.referred_by_id = Set(Some(referrer));
        filled.push(Column::ReferredById.as_str().to_owned());
    }
    if kept.gift_from_id.is_none()
        && let Some(giver) = merged.gift_from_id.filter(|giver| *giver != kept.id)
    {
        row.gift_from_id = Set(Some(giver));
        filled.push(Column::GiftFromId.as_str().to_owned());
    }
    save(tx, ctx, kept, row).await?;
    let mut away = merged.clone().into_active_model();
    away.merged_into_id = Set(Some(kept.id));
    away.version = Set(next(merged.version)?);
    away.updated_at = Set(ctx.now());
    away.update(tx).await?;
    Ok(filled)
}

fn next(version: i64) -> Result<i64> {
    version
        .checked_add(1)
        .ok_or_else(|| Error::internal("a version has run over"))
}

/// Takes out of the kept file what was filled and has not been changed since, and makes the merged file one of its own.
///
/// # Errors
/// Those of the database.
pub async fn empty(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    kept: &customer::Model,
    merged: &customer::Model,
    filled: &[String],
) -> Result<()> {
    let from = merged.clone().into_active_model();
    let mut row = kept.clone().into_active_model();
    let was_filled = |column: &Column| filled.iter().any(|name| name == column.as_str());
    let filled: Vec<Column> = Column::iter().filter(was_filled).collect();
    let unchanged = |row: &customer::ActiveModel, column: Column| {
        row.get(column).into_value() == from.get(column).into_value()
    };
    // Somebody who has said something else of the income since has said all of it.
    let same_income = filled
        .iter()
        .filter(|column| is_income(**column))
        .all(|column| unchanged(&row, *column));
    for column in filled {
        if unchanged(&row, column)
            && (same_income || !is_income(column))
            && let Some(value) = from.get(column).into_value()
        {
            row.set(column, value.as_null());
        }
    }
    save(tx, ctx, kept, row).await?;
    let mut back = merged.clone().into_active_model();
    back.merged_into_id = Set(None);
    back.version = Set(next(merged.version)?);
    back.updated_at = Set(ctx.now());
    back.update(tx).await?;
    Ok(())
}

/// Everybody who points at this customer: they are locked with both files.
///
/// # Errors
/// Those of the database.
pub async fn pointing_at(
    connection: &impl ConnectionTrait,
    ids: &[CustomerId],
) -> Result<Vec<CustomerId>> {
    let mut sql = Sql::for_connection(connection);
    sql.push("select id from customer where referred_by_id in ")
        .bind_list(ids.iter().copied())
        .push(" union select id from customer where gift_from_id in ")
        .bind_list(ids.iter().copied());
    let rows = connection.query_all_raw(sql.build()).await?;
    rows.iter().map(|row| Ok(row.try_get("", "id")?)).collect()
}

/// Moves what hangs on the merged file.
///
/// # Errors
/// Those of the database.
pub async fn join(tx: &impl ConnectionTrait, journal: &Journal) -> Result<()> {
    former_names(tx, journal).await?;
    relations(tx, journal).await?;
    merging_points::join(tx, journal).await?;
    let unlike =
        " and not exists (select 1 from taste k where k.customer_id = $kept and k.aspect = t.aspect
        and k.value = t.value and k.provenance = t.provenance)";
    journal.carry(tx, "taste", unlike).await?;
    let unlike = " and not exists (select 1 from special_day k where k.customer_id = $kept and k.label = t.label
        and k.date = t.date and coalesce(k.person, '') = coalesce(t.person, ''))";
    journal.carry(tx, "special_day", unlike).await?;
    journal.carry(tx, "customer_note", "").await?;
    attributes::join(tx, journal).await?;
    references(tx, journal).await?;
    sights(tx, journal).await?;
    let mut sql = Sql::for_connection(tx);
    sql.push("delete from customer_search where customer_id = ")
        .bind(journal.merged);
    tx.execute_raw(sql.build()).await?;
    Ok(())
}

/// Gives back what [`join`] has moved.
///
/// # Errors
/// Those of the database.
pub async fn part(
    tx: &impl ConnectionTrait,
    journal: &Journal,
    merged: &customer::Model,
) -> Result<()> {
    let mut sql = Sql::for_connection(tx);
    sql.push("update customer set merged_into_id = ")
        .bind(journal.merged)
        .push(" where id in ");
    journal.noted(&mut sql, "alias");
    tx.execute_raw(sql.build()).await?;
    relations_back(tx, journal).await?;
    merging_points::part(tx, journal).await?;
    for table in ["taste", "special_day", "customer_note"] {
        journal.give_back(tx, table).await?;
    }
    attributes::part(tx, journal).await?;
    for (_, before) in journal
        .notes::<Uuid, ReferenceBefore>(tx, "customer_reference")
        .await?
    {
        customer_reference::Entity::update_many()
            .col_expr(
                customer_reference::Column::CustomerId,
                Expr::value(journal.merged),
            )
            .filter(customer_reference::Column::Source.eq(before.source))
            .filter(customer_reference::Column::ExternalId.eq(before.external_id))
            .filter(customer_reference::Column::CustomerId.eq(journal.kept))
            .exec(tx)
            .await?;
    }
    for (_, before) in journal.notes::<Uuid, SightBefore>(tx, "sight").await? {
        sight::Entity::delete_by_id((journal.kept, before.scope, before.cause))
            .exec(tx)
            .await?;
    }
    let mut batch = Batch::new();
    super::bulk::findable(
        &mut batch,
        merged.id,
        &merged.full_name,
        merged.employer.as_deref(),
    );
    batch.write(tx).await
}

/// Ids that led to the merged file lead to the kept one.
async fn former_names(tx: &impl ConnectionTrait, journal: &Journal) -> Result<()> {
    let mut sql = Sql::for_connection(tx);
    sql.push("insert into customer_merge_move (merge_id, of_table, row_id) select ")
        .bind(journal.merge)
        .push(", 'alias', id from customer where merged_into_id = ")
        .bind(journal.merged);
    tx.execute_raw(sql.build()).await?;
    let mut sql = Sql::for_connection(tx);
    sql.push("update customer set merged_into_id = ")
        .bind(journal.kept)
        .push(" where id in ");
    journal.noted(&mut sql, "alias");
    tx.execute_raw(sql.build()).await?;
    Ok(())
}

/// Those who were referred by the merged customer, or received a gift from them, were so by the kept one; where that
/// would close a circle, by nobody.
async fn relations(tx: &impl ConnectionTrait, journal: &Journal) -> Result<()> {
    for (column, name) in RELATIONS {
        let pointing = customer::Entity::find()
            .filter(column.eq(journal.merged))
            .all(tx)
            .await?;
        for other in pointing {
            let circle = other.id == journal.kept
                || (matches!(column, Column::ReferredById)
                    && closes_circle(tx, other.id, journal.kept).await?);
            let before = PointerBefore { cleared: circle };
            journal.note(tx, name, other.id, &before).await?;
            customer::Entity::update_many()
                .col_expr(column, Expr::value((!circle).then_some(journal.kept)))
                .filter(Column::Id.eq(other.id))
                .exec(tx)
                .await?;
        }
    }
    Ok(())
}

async fn relations_back(tx: &impl ConnectionTrait, journal: &Journal) -> Result<()> {
    for (column, name) in RELATIONS {
        for (other, before) in journal.notes::<CustomerId, PointerBefore>(tx, name).await? {
            // As far as nobody has said something else meanwhile.
            let unchanged = if before.cleared {
                column.is_null()
            } else {
                column.eq(journal.kept)
            };
            customer::Entity::update_many()
                .col_expr(column, Expr::value(Some(journal.merged)))
                .filter(Column::Id.eq(other))
                .filter(unchanged)
                .exec(tx)
                .await?;
        }
    }
    Ok(())
}

/// What other systems call the merged customer, they call the kept one.
async fn references(tx: &impl ConnectionTrait, journal: &Journal) -> Result<()> {
    use customer_reference::Column;
    let rows = customer_reference::Entity::find()
        .filter(Column::CustomerId.eq(journal.merged))
        .all(tx)
        .await?;
    for row in rows {
        let before = ReferenceBefore {
            source: row.source,
            external_id: row.external_id,
        };
        journal
            .note(tx, "customer_reference", Uuid::now_v7(), &before)
            .await?;
    }
    customer_reference::Entity::update_many()
        .col_expr(Column::CustomerId, Expr::value(journal.kept))
        .filter(Column::CustomerId.eq(journal.merged))
        .exec(tx)
        .await?;
    Ok(())
}

/// Whoever sees the merged customer for a while sees the kept one as long.
async fn sights(tx: &impl ConnectionTrait, journal: &Journal) -> Result<()> {
    let of = |id: CustomerId| sight::Entity::find().filter(sight::Column::CustomerId.eq(id));
    let known = of(journal.kept).all(tx).await?;
    for row in of(journal.merged).all(tx).await? {
        if !known
            .iter()
            .any(|other| (other.scope_id, &other.cause) == (row.scope_id, &row.cause))
        {
            let before = SightBefore {
                scope: row.scope_id,
                cause: row.cause.clone(),
            };
            journal.note(tx, "sight", Uuid::now_v7(), &before).await?;
        }
        let until = known
            .iter()
            .filter(|other| (other.scope_id, &other.cause) == (row.scope_id, &row.cause))
            .map(|other| other.until)
            .fold(row.until, Ord::max);
        crate::access::sight::grant(tx, journal.kept, row.scope_id, &row.cause, until).await?;
    }
    Ok(())
}

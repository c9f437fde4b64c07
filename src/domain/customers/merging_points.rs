//! The contact points' part of a merge, with their consents: a number that both files have stays once, and what was stated
//! about it in either file is stated about that one.
//!
//! Called by [`super::merging`] under the locks of both customers.

use super::journal::Journal;
use crate::error::Result;
use chrono::{DateTime, Utc};
use entity::ids::{ConsentId, ContactPointId, CustomerId};
use entity::{consent, contact_point};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
};
use serde::{Deserialize, Serialize};

/// A contact point before it was moved.
#[derive(Serialize, Deserialize)]
struct PointBefore {
    preferred: bool,
}

/// A consent before it was put to another contact point of the same value.
#[derive(Serialize, Deserialize)]
struct ConsentBefore {
    point: ContactPointId,
}

/// Contact points move; where the kept file has the same one, its statements of consent do.
///
/// # Errors
/// Those of the database.
pub(super) async fn join(tx: &impl ConnectionTrait, journal: &Journal) -> Result<()> {
    use contact_point::Column;
    let of = |id: CustomerId| contact_point::Entity::find().filter(Column::CustomerId.eq(id));
    let mut known: Vec<contact_point::Model> = of(journal.kept)
        .filter(Column::RemovedAt.is_null())
        .all(tx)
        .await?;
    for point in of(journal.merged).all(tx).await? {
        let same = known
            .iter()
            .find(|other| (other.kind, &other.value) == (point.kind, &point.value));
        if let Some(same) = same
            && point.removed_at.is_none()
        {
            consents(tx, journal, &point, same).await?;
            continue;
        }
        let preferred = point.preferred
            && !known
                .iter()
                .any(|other| other.kind == point.kind && other.preferred);
        let before = PointBefore {
            preferred: point.preferred,
        };
        journal.note(tx, "contact_point", point.id, &before).await?;
        let mut row = point.clone().into_active_model();
        row.customer_id = Set(journal.kept);
        row.preferred = Set(preferred);
        let moved = row.update(tx).await?;
        if moved.removed_at.is_none() {
            known.push(moved);
        }
    }
    Ok(())
}

async fn consents(
    tx: &impl ConnectionTrait,
    journal: &Journal,
    from: &contact_point::Model,
    to: &contact_point::Model,
) -> Result<()> {
    let before = ConsentBefore { point: from.id };
    let stated = consent::Entity::find()
        .filter(consent::Column::ContactPointId.eq(from.id))
        .all(tx)
        .await?;
    for statement in stated {
        journal.note(tx, "consent", statement.id, &before).await?;
        let mut row = statement.into_active_model();
        row.contact_point_id = Set(to.id);
        row.update(tx).await?;
    }
    if to.verified_at.is_none() && from.verified_at.is_some() {
        journal
            .note(tx, "verified", to.id, &from.verified_at)
            .await?;
        let mut row = to.clone().into_active_model();
        row.verified_at = Set(from.verified_at);
        row.update(tx).await?;
    }
    Ok(())
}

/// Gives the moved contact points and statements back.
///
/// # Errors
/// Those of the database.
pub(super) async fn part(tx: &impl ConnectionTrait, journal: &Journal) -> Result<()> {
    use contact_point::Column;
    for (id, before) in journal
        .notes::<ContactPointId, PointBefore>(tx, "contact_point")
        .await?
    {
        let removed = Expr::col(Column::RemovedAt).is_null();
        contact_point::Entity::update_many()
            .col_expr(Column::CustomerId, Expr::value(journal.merged))
            .col_expr(
                Column::Preferred,
                removed.and(Expr::value(before.preferred)),
            )
            .filter(Column::Id.eq(id))
            .filter(Column::CustomerId.eq(journal.kept))
            .exec(tx)
            .await?;
    }
    for (id, before) in journal
        .notes::<ConsentId, ConsentBefore>(tx, "consent")
        .await?
    {
        consent::Entity::update_many()
            .col_expr(consent::Column::ContactPointId, Expr::value(before.point))
            .filter(consent::Column::Id.eq(id))
            .exec(tx)
            .await?;
    }
    for (id, verified_at) in journal
        .notes::<ContactPointId, DateTime<Utc>>(tx, "verified")
        .await?
    {
        contact_point::Entity::update_many()
            .col_expr(
                Column::VerifiedAt,
                Expr::value(Option::<DateTime<Utc>>::None),
            )
            .filter(Column::Id.eq(id))
            .filter(Column::VerifiedAt.eq(verified_at))
            .exec(tx)
            .await?;
    }
    Ok(())
}

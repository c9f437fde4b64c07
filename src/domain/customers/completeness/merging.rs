//! The confirmations' part of a merge, and the scores of both files after it.
//!
//! Called by `identity` under the locks of both customers, when everything that makes a field known has moved. What was
//! confirmed of the merged file is confirmed of the kept one as far as it is the same that stands there: a birth date that
//! both have alike or that was filled in, but not another one than was confirmed. Of what there may be several, such as
//! contact points, the newer confirmation counts.

use super::count::count;
use super::touch::{CONFIRMATION, present};
use crate::db::{Batch, Sql};
use crate::domain::customers::journal::Journal;
use crate::error::{Error, Result};
use chrono::{DateTime, Utc};
use entity::customer;
use entity::enums::FileField;
use entity::field_confirmation::{Column, Entity, Model};
use entity::ids::{CustomerId, StaffId};
use sea_orm::sea_query::Value;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, Iterable, QueryFilter};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// When something was confirmed, and by whom.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Confirmed {
    at: DateTime<Utc>,
    by: Option<StaffId>,
}

impl From<&Model> for Confirmed {
    fn from(row: &Model) -> Self {
        Self {
            at: row.confirmed_at,
            by: row.confirmed_by,
        }
    }
}

/// A confirmation of the merged file before the merge.
#[derive(Serialize, Deserialize)]
struct Before {
    field: FileField,
    merged: Confirmed,
    /// It has become the kept file's.
    carried: bool,
    /// What the kept file had instead.
    kept: Option<Confirmed>,
}

async fn of(tx: &impl ConnectionTrait, id: CustomerId) -> Result<Vec<Model>> {
    Ok(Entity::find()
        .filter(Column::CustomerId.eq(id))
        .all(tx)
        .await?)
}

async fn file(tx: &impl ConnectionTrait, id: CustomerId) -> Result<customer::Model> {
    let found = customer::Entity::find_by_id(id).one(tx).await?;
    found.ok_or_else(|| Error::internal("a locked customer is gone"))
}

/// Carries the confirmations over, and counts both scores.
///
/// # Errors
/// Those of the database.
pub async fn join(tx: &impl ConnectionTrait, journal: &Journal) -> Result<()> {
    let kept = file(tx, journal.kept).await?;
    let merged = file(tx, journal.merged).await?;
    let known = of(tx, journal.kept).await?;
    let mut batch = Batch::new();
    for row in of(tx, journal.merged).await? {
        let there = known.iter().find(|other| other.field == row.field);
        let before = Before {
            field: row.field,
            merged: Confirmed::from(&row),
            carried: is_same(row.field, &kept, &merged)
                && there.is_none_or(|there| there.confirmed_at < row.confirmed_at),
            kept: there.map(Confirmed::from),
        };
        journal
            .note(tx, "field_confirmation", Uuid::now_v7(), &before)
            .await?;
        if before.carried {
            batch.insert(
                &CONFIRMATION,
                [values(journal.kept, row.field, before.merged)],
            );
        }
    }
    Entity::delete_many()
        .filter(Column::CustomerId.eq(journal.merged))
        .exec(tx)
        .await?;
    batch.write(tx).await?;
    both(tx, journal).await
}

/// Gives the confirmations back, and counts both scores. What was confirmed of the kept file since, stays.
///
/// # Errors
/// Those of the database.
pub async fn part(tx: &impl ConnectionTrait, journal: &Journal) -> Result<()> {
    let known = of(tx, journal.kept).await?;
    let (mut batch, mut gone) = (Batch::new(), Vec::new());
    let notes = journal
        .notes::<Uuid, Before>(tx, "field_confirmation")
        .await?;
    for (_, before) in notes {
        let row = values(journal.merged, before.field, before.merged);
        batch.insert(&CONFIRMATION, [row]);
        let there = known.iter().find(|row| row.field == before.field);
        if before.carried && there.map(Confirmed::from) == Some(before.merged) {
            match before.kept {
                Some(kept) => {
                    batch.insert(&CONFIRMATION, [values(journal.kept, before.field, kept)]);
                }
                None => gone.push(before.field),
            }
        }
    }
    batch.write(tx).await?;
    forget(tx, journal.kept, gone).await?;
    for id in [journal.kept, journal.merged] {
        // What went back to the other file is not known in this one any more.
        let known = present(tx, id).await?.known;
        let missing = FileField::iter().filter(|field| !known.has(*field));
        forget(tx, id, missing.collect()).await?;
    }
    both(tx, journal).await
}

/// Forgets when these fields were confirmed.
pub(super) async fn forget(
    tx: &impl ConnectionTrait,
    id: CustomerId,
    fields: Vec<FileField>,
) -> Result<()> {
    if fields.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::for_connection(tx);
    sql.push("delete from field_confirmation where customer_id = ")
        .bind(id)
        .push(" and field in ")
        .bind_list(fields);
    tx.execute_raw(sql.build()).await?;
    Ok(())
}

async fn both(tx: &impl ConnectionTrait, journal: &Journal) -> Result<()> {
    let mut ids = [journal.kept, journal.merged];
    ids.sort_unstable();
    count(tx, &ids).await
}

fn values(id: CustomerId, field: FileField, confirmed: Confirmed) -> Vec<Value> {
    vec![
        id.into(),
        field.into(),
        confirmed.at.into(),
        confirmed.by.into(),
    ]
}

/// Does the kept file say the same as the merged one, so that what was confirmed of this holds of that?
fn is_same(field: FileField, kept: &customer::Model, merged: &customer::Model) -> bool {
    // What the merged file did not say was not confirmed.
    let part = |kept: &Option<String>, merged: &Option<String>| merged.is_none() || kept == merged;
    match field {
        FileField::FullName => kept.full_name == merged.full_name,
        FileField::Salutation => kept.salutation == merged.salutation,
        FileField::Gender => kept.gender == merged.gender,
        FileField::BirthDate => kept.birth_date == merged.birth_date,
        FileField::Address => kept.address == merged.address,
        FileField::Region => kept.region_name == merged.region_name,
        FileField::Language => kept.language == merged.language,
        FileField::Occupation => {
            part(&kept.occupation, &merged.occupation)
                && part(&kept.position, &merged.position)
                && part(&kept.employer, &merged.employer)
        }
        FileField::Income => kept.income_band == merged.income_band,
        FileField::Keeper => kept.keeper_id == merged.keeper_id,
        FileField::HomeStore => kept.home_store_id == merged.home_store_id,
        FileField::Phone
        | FileField::EmailOrChat
        | FileField::Taste
        | FileField::Size
        | FileField::SpecialDay
        | FileField::Consent => true,
    }
}

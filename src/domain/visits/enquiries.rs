//! What was said in an enquiry: its transcript, entry by entry (rule V1).
//!
//! Called by [`super::record`], which begins a transcript with its visit, and by the API, which continues and reads it.
//! An entry is never changed; a chat that goes on is continued under the lock of its customer, so that places have no gaps.

use super::lookup::visible;
use super::who::lock_if_there;
use crate::access::sight::Reach;
use crate::access::{Action, Ctx, audit};
use crate::db::{Batch, IdempotencyKey, Keyset, Page, PageRequest, Sort, Table, among};
use crate::error::{Code, Error, Result, UserErrors, text_code};
use crate::events::{self, NewEvent};
use chrono::{DateTime, Utc};
use entity::enquiry_entry::{Column, Entity, Model};
use entity::enums::{EnquiryAuthor, VisitChannel};
use entity::ids::{EnquiryEntryId, VisitId};
use entity::values::clean_text;
use entity::visit;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QueryTrait, Select,
};
use serde_json::json;

/// Entries that are told at once.
const MOST_AT_ONCE: usize = 200;
/// Entries of one transcript.
const MOST: u64 = 2_000;
/// Characters of one entry.
const LONGEST: usize = 4_000;

/// An entry as it is told.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// Which side said it.
    pub author: EnquiryAuthor,
    /// What was said.
    pub text: String,
    /// When; now when absent.
    pub at: Option<DateTime<Utc>>,
}

/// An entry whose values were checked.
#[derive(Clone, Debug)]
pub(super) struct Said {
    author: EnquiryAuthor,
    text: String,
    at: DateTime<Utc>,
}

/// Checks entries; whatever is wrong is noted under its own path below `field`.
pub(super) fn read(
    ctx: &Ctx,
    field: &str,
    entries: &[NewEntry],
    errors: &mut UserErrors,
) -> Vec<Said> {
    if entries.len() > MOST_AT_ONCE {
        errors.push(
            Code::TooMany,
            field,
            format!(
                "{field} has more than {MOST_AT_ONCE} entries; add the others by enquiryContinue"
            ),
        );
        return Vec::new();
    }
    let checked = entries.iter().enumerate().filter_map(|(n, entry)| {
        let path = format!("{field}.{n}.text");
        let text = errors.take(&path, text_code, clean_text(&entry.text, LONGEST));
        let at = super::record::check_time(ctx, entry.at, &format!("{field}.{n}.at"), errors);
        Some(Said {
            author: entry.author,
            text: text?,
            at,
        })
    });
    checked.collect()
}

static ENTRIES: Table = Table {
    name: "enquiry_entry",
    columns: &[
        ("id", "uuid"),
        ("visit_id", "uuid"),
        ("place", "bigint"),
        ("at", "timestamptz"),
        ("author", "text"),
        ("staff_id", "uuid"),
        ("text", "text"),
    ],
    conflict: "",
};

/// Adds entries to a batch, the first one at `place`.
pub(super) fn gather(batch: &mut Batch, ctx: &Ctx, visit: VisitId, place: i64, entries: &[Said]) {
    let rows = entries.iter().zip(place..).map(|(entry, place)| {
        let staff = match entry.author {
            EnquiryAuthor::Staff => ctx.viewer.staff_id(),
            EnquiryAuthor::Customer => None,
        };
        vec![
            EnquiryEntryId::new().into(),
            visit.into(),
            place.into(),
            entry.at.into(),
            entry.author.as_str().into(),
            staff.map(uuid::Uuid::from).into(),
            entry.text.clone().into(),
        ]
    });
    batch.insert(&ENTRIES, rows);
}

/// Continues the transcript of an enquiry in sight, in a store where the viewer records visits. The same key with the same
/// entries adds them once.
///
/// # Errors
/// User errors: [`Code::NotFound`], [`Code::WrongState`] for a visit that was no enquiry, [`Code::TooMany`]; those of the
/// policy and the database.
pub async fn append(
    ctx: &Ctx,
    id: VisitId,
    entries: &[NewEntry],
    key: Option<IdempotencyKey>,
) -> Result<visit::Model> {
    ctx.require(Action::VisitRecord)?;
    let mut errors = UserErrors::new();
    let said = read(ctx, "entries", entries, &mut errors);
    if entries.is_empty() {
        errors.push(
            Code::Required,
            "entries",
            "say what was said: at least one entry",
        );
    }
    errors.check()?;
    let unknown = || Error::not_found("visitId", "visit");
    let store = Expr::col((visit::Entity, visit::Column::StoreId));
    let theirs = visible(ctx)?
        .filter(visit::Column::Id.eq(id))
        .filter(Reach::of(&ctx.viewer, Action::VisitRecord).covers(store));
    let found = theirs.clone().one(ctx.db.read()).await?;
    let customer = found.ok_or_else(unknown)?.customer_id;
    let (said, key, theirs) = (&said, &key, &theirs);
    ctx.db
        .write_for(&[customer], |tx| async move {
            // They were found by the visit, which may be to a store whose manager does not see the customer.
            let customer = lock_if_there(&*tx, ctx, customer, true)
                .await?
                .ok_or_else(unknown)?;
            if let Some(key) = key
                && key.seen(&*tx).await?.is_some()
            {
                return theirs.clone().one(&*tx).await?.ok_or_else(unknown);
            }
            let found = theirs.clone().one(&*tx).await?.ok_or_else(unknown)?;
            if found.channel != VisitChannel::Enquiry {
                return Err(Error::user(
                    Code::WrongState,
                    "visitId",
                    "this visit was no enquiry, so nothing was said in one",
                ));
            }
            let known = Entity::find()
                .filter(Column::VisitId.eq(id))
                .count(&*tx)
                .await?;
            let first = i64::try_from(known).unwrap_or(i64::MAX).saturating_add(1);
            if known.saturating_add(said.len() as u64) > MOST {
                return Err(Error::user(
                    Code::TooMany,
                    "entries",
                    format!(
                        "a transcript has at most {MOST} entries; record the rest as a new enquiry"
                    ),
                ));
            }
            let mut batch = Batch::new();
            gather(&mut batch, ctx, id, first, said);
            let detail = json!({ "visit": id, "entries": said.len() });
            let entry = audit::Entry::new(ctx, "visit.enquiry_continue")
                .about([customer])
                .detail(detail.clone());
            audit::gather(&mut batch, &[entry]);
            let event = NewEvent {
                kind: "visit.enquiry_continued",
                customer: Some(customer),
                store: Some(found.store_id),
                subject: id.into(),
                payload: detail,
            };
            events::gather(&mut batch, ctx, vec![event]);
            batch.write(&*tx).await?;
            if let Some(key) = key {
                key.remember(&*tx, id.into(), ctx.now()).await?;
            }
            Ok(found)
        })
        .await
}

/// Entries of visits that the viewer sees.
fn seen(ctx: &Ctx) -> Result<Select<Entity>> {
    use sea_orm::QuerySelect;
    let mut visits = visible(ctx)?
        .select_only()
        .column(visit::Column::Id)
        .into_query();
    visits
        .and_where(Expr::col((visit::Entity, visit::Column::Id)).equals((Entity, Column::VisitId)));
    Ok(Entity::find().filter(Expr::exists(visits)))
}

/// A page of a transcript, in its order.
///
/// # Errors
/// As [`crate::access::Viewer::require`]; those of the database.
pub async fn page(ctx: &Ctx, visit: VisitId, page: &PageRequest) -> Result<Page<Model>> {
    let keyset = Keyset::new(
        Expr::col((Entity, Column::Place)),
        Expr::col((Entity, Column::Id)),
        Sort::Ascending,
    );
    let select = seen(ctx)?.filter(Column::VisitId.eq(visit));
    keyset.page(ctx.db.read(), select, page).await
}

/// How many entries a transcript has.
///
/// # Errors
/// As [`page`].
pub async fn count(ctx: &Ctx, visit: VisitId) -> Result<u64> {
    let select = seen(ctx)?.filter(Column::VisitId.eq(visit));
    Ok(select.count(ctx.db.read()).await?)
}

/// The first entries of many transcripts, in one statement: places have no gaps.
///
/// # Errors
/// As [`page`].
pub async fn first_of(ctx: &Ctx, visits: &[VisitId], limit: u64) -> Result<Vec<Model>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(seen(ctx)?
        .filter(among(
            ctx.db.engine(),
            Column::VisitId,
            visits.iter().copied(),
        ))
        .filter(Column::Place.lte(limit))
        .order_by_asc(Column::VisitId)
        .order_by_asc(Column::Place)
        .all(ctx.db.read())
        .await?)
}

/// Entries by id, those of visits in sight only.
///
/// # Errors
/// As [`page`].
pub async fn by_ids(ctx: &Ctx, ids: &[EnquiryEntryId]) -> Result<Vec<Model>> {
    Ok(seen(ctx)?
        .filter(among(ctx.db.engine(), Column::Id, ids.iter().copied()))
        .all(ctx.db.read())
        .await?)
}

//! Visits that are announced before: appointments (rule V1).
//!
//! Called by the API, and by whatever writes down that somebody came. Until its day is over, an announcement shows the
//! customer to whoever will attend to them, or to the staff of the store, so that they can prepare. That somebody has not
//! come is told by the clock: nothing is written when a day ends.

use super::expected::seen;
use super::who::{find_store, lock_if_there};
use crate::access::sight::{self, Reach};
use crate::access::{Action, Ctx, audit, policy};
use crate::db::IdempotencyKey;
use crate::domain::customers::locked;
use crate::domain::organization::change::check_version;
use crate::error::{Code, Error, Result, UserErrors, text_code};
use crate::events::{self, NewEvent};
use chrono::{DateTime, TimeDelta, Utc};
use entity::announced_visit::{ActiveModel, Column, Entity, Model};
use entity::enums::{AnnouncedVisitState, Role};
use entity::ids::{AnnouncedVisitId, CustomerId, StaffId, StoreId};
use entity::values::{TimeZone, business_date, clean_text};
use entity::{staff, staff_grant, store};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel,
    Iterable, PaginatorTrait, QueryFilter, Select,
};
use serde_json::json;

/// Announcements of one customer that lie ahead.
const MOST: u64 = 20;
/// How far ahead somebody can be expected, in days.
const FARTHEST_DAYS: i64 = 366;
/// Characters of a note.
const LONGEST_NOTE: usize = 2_000;

/// A visit as it is announced.
#[derive(Clone, Debug)]
pub struct NewAnnouncement {
    /// Who will come: a customer in sight.
    pub customer: CustomerId,
    /// To which store; the viewer's only store when absent.
    pub store: Option<StoreId>,
    /// When.
    pub expected_at: DateTime<Utc>,
    /// Who will attend to them.
    pub attended_by: Option<StaffId>,
    /// What is wanted, and what to prepare.
    pub note: Option<String>,
    /// The caller's key.
    pub key: Option<IdempotencyKey>,
}

/// What is changed of an announcement; what is `None` stays.
#[derive(Clone, Debug)]
pub struct AnnouncementChange {
    /// Which one.
    pub id: AnnouncedVisitId,
    /// The version that the caller has read.
    pub version: i64,
    /// To which store.
    pub store: Option<StoreId>,
    /// When.
    pub expected_at: Option<DateTime<Utc>>,
    /// Who will attend to them.
    pub attended_by: Option<Option<StaffId>>,
    /// What is wanted.
    pub note: Option<Option<String>>,
}

/// The business day of a moment in a store: when it begins, and when it ends.
fn day_of(store: &store::Model, at: DateTime<Utc>) -> Result<(DateTime<Utc>, DateTime<Utc>)> {
    let zone = TimeZone::parse(&store.time_zone)
        .map_err(|error| Error::internal(format!("store's time zone {error}")))?;
    let day = business_date::business_date(at, zone);
    let next = day.succ_opt().unwrap_or(day);
    Ok((
        business_date::local_midnight(zone, day),
        business_date::local_midnight(zone, next),
    ))
}

/// A time at which somebody can be expected; a little while ago still, since people are announced at the door.
fn check_time(ctx: &Ctx, at: DateTime<Utc>, errors: &mut UserErrors) {
    let now = ctx.now();
    if at < now - TimeDelta::minutes(5) || at > now + TimeDelta::days(FARTHEST_DAYS) {
        errors.push(
            Code::OutOfRange,
            "expectedAt",
            format!("expectedAt lies between now and {FARTHEST_DAYS} days from now"),
        );
    }
}

fn check_note(note: Option<&str>, errors: &mut UserErrors) -> Option<String> {
    note.and_then(|note| errors.take("note", text_code, clean_text(note, LONGEST_NOTE)))
}

/// Checks that a member of staff can attend to a customer in this store: they see the customer from then on, so they must
/// work there.
async fn check_staff(
    tx: &impl ConnectionTrait,
    id: Option<StaffId>,
    store: &store::Model,
) -> Result<()> {
    let Some(id) = id else { return Ok(()) };
    let field = "attendedById";
    let found = staff::Entity::find_by_id(id).one(tx).await?;
    let Some(found) = found else {
        return Err(Error::not_found(field, "member of staff"));
    };
    if found.disabled_at.is_some() {
        let message = "this account is switched off; name somebody else";
        return Err(Error::user(Code::WrongState, field, message));
    }
    let everywhere = Condition::all()
        .add(staff_grant::Column::RegionId.is_null())
        .add(staff_grant::Column::StoreId.is_null());
    let there = Condition::any()
        .add(everywhere)
        .add(staff_grant::Column::StoreId.eq(store.id))
        .add(staff_grant::Column::RegionId.eq(store.region_id));
    let roles = Role::iter().filter(|role| policy::allows(Action::VisitRecord, *role));
    let works_there = staff_grant::Entity::find()
        .filter(staff_grant::Column::StaffId.eq(id))
        .filter(staff_grant::Column::Role.is_in(roles))
        .filter(there)
        .one(tx)
        .await?;
    if works_there.is_none() {
        let message = "attendedById is a member of staff who does not serve in this store; name somebody who does, or nobody";
        return Err(Error::user(Code::NotAllowed, field, message));
    }
    Ok(())
}

/// Announces a visit of a customer in sight.
///
/// # Errors
/// User errors for whatever cannot be, [`Code::Taken`] where the same is announced already; those of the policy and the
/// database.
pub async fn announce(ctx: &Ctx, new: &NewAnnouncement) -> Result<Model> {
    ctx.require(Action::VisitRecord)?;
    let mut errors = UserErrors::new();
    check_time(ctx, new.expected_at, &mut errors);
    let note = &check_note(new.note.as_deref(), &mut errors);
    errors.check()?;
    let store = &find_store(ctx, new.store).await?;
    let (day_from, day_until) = day_of(store, new.expected_at)?;
    ctx.db
        .write_for(&[new.customer], |tx| async move {
            let customer =
                locked(&*tx, ctx, new.customer, Action::VisitRecord, "customerId").await?;
            if let Some(key) = &new.key
                && let Some(done) = key.seen(&*tx).await?
            {
                let known = Entity::find_by_id(AnnouncedVisitId(done)).one(&*tx).await?;
                return known.ok_or_else(|| Error::internal("an announced visit is not there"));
            }
            check_staff(&*tx, new.attended_by, store).await?;
            check_room(&*tx, ctx, new, store.id).await?;
            let row = Model {
                id: AnnouncedVisitId::new(),
                customer_id: customer.id,
                store_id: store.id,
                expected_at: new.expected_at,
                day_from,
                day_until,
                attended_by_id: new.attended_by,
                note: note.clone(),
                state: AnnouncedVisitState::Announced,
                cancel_reason: None,
                announced_by_id: ctx.viewer.staff_id(),
                announced_at: ctx.now(),
                version: 1,
            };
            let made = row.into_active_model().reset_all().insert(&*tx).await?;
            show(&*tx, &made).await?;
            tell(&*tx, ctx, ("visit.announced", "visit.announce"), &made).await?;
            if let Some(key) = &new.key {
                key.remember(&*tx, made.id.into(), ctx.now()).await?;
            }
            Ok(made)
        })
        .await
}

async fn check_room(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    new: &NewAnnouncement,
    store: StoreId,
) -> Result<()> {
    let ahead = || {
        Entity::find()
            .filter(Column::CustomerId.eq(new.customer))
            .filter(Column::State.eq(AnnouncedVisitState::Announced))
            .filter(Column::DayUntil.gt(ctx.now()))
    };
    let same = ahead()
        .filter(Column::StoreId.eq(store))
        .filter(Column::ExpectedAt.eq(new.expected_at));
    if same.count(tx).await? > 0 {
        return Err(Error::user(
            Code::Taken,
            "expectedAt",
            "this visit is announced already; change that announcement instead",
        ));
    }
    if ahead().count(tx).await? >= MOST {
        return Err(Error::user(
            Code::TooMany,
            "customerId",
            format!("a customer is expected at most {MOST} times; call one off first"),
        ));
    }
    Ok(())
}

/// Changes an announcement of somebody who has not come; one who missed their visit may be given another day.
///
/// # Errors
/// User errors: [`Code::NotFound`], [`Code::StaleVersion`], [`Code::WrongState`] for one that is over; those of the policy
/// and the database.
pub async fn change(ctx: &Ctx, change: &AnnouncementChange) -> Result<Model> {
    ctx.require(Action::VisitRecord)?;
    let mut errors = UserErrors::new();
    if let Some(at) = change.expected_at {
        check_time(ctx, at, &mut errors);
    }
    let note = change
        .note
        .as_ref()
        .map(|note| check_note(note.as_deref(), &mut errors));
    errors.check()?;
    let store = match change.store {
        Some(id) => Some(find_store(ctx, Some(id)).await?),
        None => None,
    };
    let told = &Told {
        change,
        note,
        store,
    };
    let customer = owner(ctx, change.id).await?;
    ctx.db
        .write_for(&[customer], |tx| async move {
            let found = held(&*tx, ctx, change.id, change.version).await?;
            let changed = told.write(&*tx, &found).await?;
            hide(&*tx, &found).await?;
            show(&*tx, &changed).await?;
            let words = ("visit.announcement_changed", "visit.announcement_change");
            tell(&*tx, ctx, words, &changed).await?;
            Ok(changed)
        })
        .await
}

/// A change whose values were checked.
struct Told<'a> {
    change: &'a AnnouncementChange,
    note: Option<Option<String>>,
    store: Option<store::Model>,
}

impl Told<'_> {
    async fn write(&self, tx: &impl ConnectionTrait, found: &Model) -> Result<Model> {
        let store = match &self.store {
            Some(store) => store.clone(),
            None => store::Entity::find_by_id(found.store_id)
                .one(tx)
                .await?
                .ok_or_else(|| Error::internal("an announced visit's store is not there"))?,
        };
        if self.change.attended_by.is_some() || store.id != found.store_id {
            let attended_by = self.change.attended_by.unwrap_or(found.attended_by_id);
            check_staff(tx, attended_by, &store).await?;
        }
        let expected_at = self.change.expected_at.unwrap_or(found.expected_at);
        let (day_from, day_until) = day_of(&store, expected_at)?;
        let mut row = ActiveModel {
            id: Set(found.id),
            store_id: Set(store.id),
            expected_at: Set(expected_at),
            day_from: Set(day_from),
            day_until: Set(day_until),
            version: Set(found.version.saturating_add(1)),
            ..Default::default()
        };
        if let Some(attended_by) = self.change.attended_by {
            row.attended_by_id = Set(attended_by);
        }
        if let Some(note) = &self.note {
            row.note = Set(note.clone());
        }
        Ok(row.update(tx).await?)
    }
}

/// Calls an announced visit off.
///
/// # Errors
/// As [`change`].
pub async fn cancel(
    ctx: &Ctx,
    id: AnnouncedVisitId,
    version: i64,
    reason: Option<&str>,
) -> Result<Model> {
    ctx.require(Action::VisitRecord)?;
    let mut errors = UserErrors::new();
    let reason = &reason
        .and_then(|reason| errors.take("reason", text_code, clean_text(reason, LONGEST_NOTE)));
    errors.check()?;
    let customer = owner(ctx, id).await?;
    ctx.db
        .write_for(&[customer], |tx| async move {
            let found = held(&*tx, ctx, id, version).await?;
            let row = ActiveModel {
                id: Set(found.id),
                state: Set(AnnouncedVisitState::Cancelled),
                cancel_reason: Set(reason.clone()),
                version: Set(found.version.saturating_add(1)),
                ..Default::default()
            };
            let cancelled = row.update(&*tx).await?;
            hide(&*tx, &cancelled).await?;
            let words = ("visit.announcement_cancelled", "visit.announcement_cancel");
            tell(&*tx, ctx, words, &cancelled).await?;
            Ok(cancelled)
        })
        .await
}

/// The announcements that the viewer may change: those that they see, in the stores where they record visits.
fn changeable(ctx: &Ctx, id: AnnouncedVisitId) -> Result<Select<Entity>> {
    let store = Expr::col((Entity, Column::StoreId));
    Ok(seen(ctx)?
        .filter(Column::Id.eq(id))
        .filter(Reach::of(&ctx.viewer, Action::VisitRecord).covers(store)))
}

fn unknown() -> Error {
    Error::not_found("id", "announced visit")
}

/// Whose announcement it is.
async fn owner(ctx: &Ctx, id: AnnouncedVisitId) -> Result<CustomerId> {
    let found = changeable(ctx, id)?.one(ctx.db.read()).await?;
    Ok(found.ok_or_else(unknown)?.customer_id)
}

/// An announcement under the lock of its customer, if it is the one that the caller has read and not over.
async fn held(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    id: AnnouncedVisitId,
    version: i64,
) -> Result<Model> {
    let found = changeable(ctx, id)?.one(tx).await?.ok_or_else(unknown)?;
    // Found by the announcement, which may be to a store whose manager does not see the customer.
    lock_if_there(tx, ctx, found.customer_id, true)
        .await?
        .ok_or_else(unknown)?;
    let found = changeable(ctx, id)?.one(tx).await?.ok_or_else(unknown)?;
    check_version(version, found.version)?;
    let over = match found.state {
        AnnouncedVisitState::Announced => return Ok(found),
        AnnouncedVisitState::Arrived => "the customer has come already; announce another visit",
        AnnouncedVisitState::Cancelled => "the visit was called off; announce another one",
    };
    Err(Error::user(Code::WrongState, "id", over))
}

/// Shows the customer to whoever will attend to them, or to the staff of the store, until the day is over.
async fn show(tx: &impl ConnectionTrait, row: &Model) -> Result<()> {
    let cause = cause(row.id);
    match row.attended_by_id {
        Some(staff) => sight::grant(tx, row.customer_id, staff, &cause, row.day_until).await,
        None => sight::grant(tx, row.customer_id, row.store_id, &cause, row.day_until).await,
    }
}

async fn hide(tx: &impl ConnectionTrait, row: &Model) -> Result<()> {
    sight::withdraw(tx, row.customer_id, &cause(row.id)).await
}

fn cause(id: AnnouncedVisitId) -> String {
    format!("announced:{id}")
}

async fn tell(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    (kind, action): (&'static str, &'static str),
    row: &Model,
) -> Result<()> {
    let event = NewEvent {
        kind,
        customer: Some(row.customer_id),
        store: Some(row.store_id),
        subject: row.id.into(),
        payload: json!({ "expectedAt": row.expected_at, "attendedBy": row.attended_by_id }),
    };
    events::record(tx, ctx, &[event]).await?;
    let entry = audit::Entry::new(ctx, action)
        .about([row.customer_id])
        .detail(json!({ "announcedVisit": row.id, "store": row.store_id }));
    audit::write(tx, &[entry]).await
}

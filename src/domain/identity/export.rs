//! All that is kept about a customer, for them to take along (rule C9): machine-readable, in a form with a version.
//!
//! Called by the API for those who see the customer's contact details in full. Leaves an audit entry. What belongs to the
//! shop or to its staff is left out: what goods cost it, who wrote what.

use super::export_visits;
use crate::access::{Action, Ctx, audit};
use crate::db::Db;
use crate::domain::attributes::{defined, value};
use crate::domain::customers;
use crate::domain::organization::settings;
use crate::error::{Error, Result};
use entity::ids::{CustomerId, GroupId, MembershipId, ProgrammeId, TierId};
use entity::{
    card, consent, contact_point, customer, customer_attribute, customer_group, customer_note,
    customer_reference, customer_total, field_confirmation, group_member, membership, programme,
    special_day, taste, tier, tier_change,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};
use serde_json::{Value, json};
use std::collections::HashMap;

/// The name of the form.
pub const FORMAT: &str = "regulars.customer";
/// Its version: grows when something is named otherwise or left out, not when something is added.
pub const VERSION: i32 = 1;

/// Which table stands where in the export. A test holds it to [`super::tables`].
pub const HELD: &[(&str, &str)] = &[
    ("customer", "/files"),
    ("contact_point", "/contactPoints"),
    ("consent", "/contactPoints/0/consents"),
    ("taste", "/tastes"),
    ("customer_attribute", "/attributes"),
    ("special_day", "/specialDays"),
    ("field_confirmation", "/confirmations"),
    ("customer_note", "/notes"),
    ("group_member", "/groups"),
    ("customer_reference", "/references"),
    ("customer_total", "/totals"),
    ("membership", "/memberships"),
    ("card", "/memberships/0/cards"),
    ("tier_change", "/memberships/0/tierChanges"),
    ("announced_visit", "/announcedVisits"),
    ("arrival", "/arrivals"),
    ("visit", "/visits"),
    ("enquiry_entry", "/visits/0/transcript"),
    ("purchase", "/visits/0/purchases"),
    ("purchase_line", "/visits/0/purchases/0/lines"),
];

/// Gives all that is kept about a customer in sight, as JSON; none when there is no such customer.
///
/// # Errors
/// [`Error::Forbidden`] when the viewer does not see their contact details in full; those of the policy and the database.
pub async fn export(ctx: &Ctx, id: CustomerId) -> Result<Option<String>> {
    ctx.require(Action::CustomerExport)?;
    let Some(found) = customers::by_id(ctx, id).await? else {
        return Ok(None);
    };
    let id = found.id;
    if !customers::in_full(ctx, &[id]).await?.contains(&id) {
        return Err(Error::Forbidden);
    }
    let db = &ctx.db;
    let files = customer::Entity::find()
        .filter(
            Condition::any()
                .add(customer::Column::Id.eq(id))
                .add(customer::Column::MergedIntoId.eq(id)),
        )
        .order_by_asc(customer::Column::CreatedAt)
        .all(db.read())
        .await?;
    let all: Vec<CustomerId> = files.iter().map(|file| file.id).collect();
    let content = json!({
        "format": FORMAT,
        "version": VERSION,
        "exportedAt": ctx.now(),
        "currency": settings(ctx).await?.currency.code(),
        "customer": id,
        "files": files.iter().map(file).collect::<Vec<_>>(),
        "contactPoints": contact_points(db, &all).await?,
        "tastes": tastes(db, &all).await?,
        "attributes": attributes(db, &all).await?,
        "specialDays": special_days(db, &all).await?,
        "confirmations": confirmations(db, &all).await?,
        "notes": notes(db, &all).await?,
        "groups": groups(db, &all).await?,
        "references": references(db, &all).await?,
        "totals": totals(db, id).await?,
        "memberships": memberships(db, &all).await?,
        "announcedVisits": export_visits::announced(db, &all).await?,
        "arrivals": export_visits::arrivals(db, &all).await?,
        "visits": export_visits::visits(db, id).await?,
    });
    let entry = &audit::Entry::new(ctx, "customer.export").about([id]);
    db.write(|tx| async move { audit::write(&*tx, std::slice::from_ref(entry)).await })
        .await?;
    let text = serde_json::to_string(&content);
    Ok(Some(text.map_err(|error| {
        Error::internal(format!("export: {error}"))
    })?))
}

fn file(row: &customer::Model) -> Value {
    json!({
        "id": row.id,
        "kind": row.kind,
        "fullName": row.full_name,
        "salutation": row.salutation,
        "gender": row.gender,
        "birthDate": row.birth_date,
        "language": row.language,
        "regionName": row.region_name,
        "address": row.address,
        "employer": row.employer,
        "position": row.position,
        "occupation": row.occupation,
        "income": row.income_band.map(|band| json!({
            "band": band,
            "provenance": row.income_provenance,
            "reason": row.income_reason,
            "notedAt": row.income_noted_at,
        })),
        "priceSensitivity": row.price_sensitivity,
        "buyingPurpose": row.buying_purpose,
        "statedNeed": row.stated_need,
        "motive": row.motive,
        "acquisitionSource": row.acquisition_source,
        "referredBy": row.referred_by_id,
        "giftFrom": row.gift_from_id,
        "importance": row.importance,
        "mergedInto": row.merged_into_id,
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
        "archivedAt": row.archived_at,
    })
}

async fn contact_points(db: &Db, all: &[CustomerId]) -> Result<Vec<Value>> {
    use contact_point::Column;
    let points = contact_point::Entity::find()
        .filter(Column::CustomerId.is_in(all.iter().copied()))
        .order_by_asc(Column::Id)
        .all(db.read())
        .await?;
    let ids = points.iter().map(|point| point.id);
    let consents = consent::Entity::find()
        .filter(consent::Column::ContactPointId.is_in(ids))
        .order_by_asc(consent::Column::At)
        .order_by_asc(consent::Column::Id)
        .all(db.read())
        .await?;
    let said = |point: &contact_point::Model| -> Vec<Value> {
        let theirs = consents
            .iter()
            .filter(|consent| consent.contact_point_id == point.id);
        theirs
            .map(|consent| {
                json!({
                    "purpose": consent.purpose,
                    "granted": consent.granted,
                    "method": consent.method,
                    "evidence": consent.evidence,
                    "at": consent.at,
                    "recordedAt": consent.recorded_at,
                })
            })
            .collect()
    };
    Ok(points
        .iter()
        .map(|point| {
            json!({
                "kind": point.kind,
                "value": point.value,
                "label": point.label,
                "preferred": point.preferred,
                "verifiedAt": point.verified_at,
                "createdAt": point.created_at,
                "removedAt": point.removed_at,
                "consents": said(point),
            })
        })
        .collect())
}

async fn tastes(db: &Db, all: &[CustomerId]) -> Result<Vec<Value>> {
    let rows = taste::Entity::find()
        .filter(taste::Column::CustomerId.is_in(all.iter().copied()))
        .order_by_asc(taste::Column::Id)
        .all(db.read())
        .await?;
    let value = |row: &taste::Model| {
        json!({
            "aspect": row.aspect,
            "value": row.value,
            "attitude": row.attitude,
            "provenance": row.provenance,
            "notedAt": row.noted_at,
        })
    };
    Ok(rows.iter().map(value).collect())
}

async fn attributes(db: &Db, all: &[CustomerId]) -> Result<Vec<Value>> {
    let rows = customer_attribute::Entity::find()
        .filter(customer_attribute::Column::CustomerId.is_in(all.iter().copied()))
        .order_by_asc(customer_attribute::Column::Id)
        .all(db.read())
        .await?;
    let ids: Vec<_> = rows.iter().map(|row| row.attribute_id).collect();
    let defined = defined(db.read(), &ids).await?;
    let value = |row: &customer_attribute::Model| {
        let known = defined.iter().find(|one| one.row.id == row.attribute_id);
        let shown = known.and_then(|known| value::show(known, &row.value));
        json!({
            "attribute": known.map(|known| &known.row.name),
            "key": known.map(|known| &known.row.key),
            "value": shown.map(|shown| shown.read(known.and_then(|known| known.row.unit.as_deref()))),
            "provenance": row.provenance,
            "notedAt": row.noted_at,
        })
    };
    Ok(rows.iter().map(value).collect())
}

/// When fields of their file were last confirmed with them; the files are those of `files`.
async fn confirmations(db: &Db, all: &[CustomerId]) -> Result<Vec<Value>> {
    use field_confirmation::Column;
    let rows = field_confirmation::Entity::find()
        .filter(Column::CustomerId.is_in(all.iter().copied()))
        .order_by_asc(Column::CustomerId)
        .order_by_asc(Column::Field)
        .all(db.read())
        .await?;
    let value = |row: &field_confirmation::Model| json!({ "file": row.customer_id, "field": row.field, "confirmedAt": row.confirmed_at });
    Ok(rows.iter().map(value).collect())
}

async fn special_days(db: &Db, all: &[CustomerId]) -> Result<Vec<Value>> {
    let rows = special_day::Entity::find()
        .filter(special_day::Column::CustomerId.is_in(all.iter().copied()))
        .order_by_asc(special_day::Column::Id)
        .all(db.read())
        .await?;
    let value = |row: &special_day::Model| {
        json!({
            "label": row.label,
            "person": row.person,
            "date": row.date,
            "remindBeforeDays": row.remind_before_days,
            "createdAt": row.created_at,
        })
    };
    Ok(rows.iter().map(value).collect())
}

async fn notes(db: &Db, all: &[CustomerId]) -> Result<Vec<Value>> {
    let rows = customer_note::Entity::find()
        .filter(customer_note::Column::CustomerId.is_in(all.iter().copied()))
        .order_by_asc(customer_note::Column::Id)
        .all(db.read())
        .await?;
    let value =
        |row: &customer_note::Model| json!({ "text": row.text, "writtenAt": row.written_at });
    Ok(rows.iter().map(value).collect())
}

async fn groups(db: &Db, all: &[CustomerId]) -> Result<Vec<Value>> {
    let rows = group_member::Entity::find()
        .filter(group_member::Column::CustomerId.is_in(all.iter().copied()))
        .order_by_asc(group_member::Column::Id)
        .all(db.read())
        .await?;
    let names: HashMap<GroupId, String> = customer_group::Entity::find()
        .filter(customer_group::Column::Id.is_in(rows.iter().map(|row| row.group_id)))
        .all(db.read())
        .await?
        .into_iter()
        .map(|group| (group.id, group.name))
        .collect();
    let value = |row: &group_member::Model| {
        json!({
            "group": names.get(&row.group_id),
            "joinedAt": row.joined_at,
            "leftAt": row.left_at,
        })
    };
    Ok(rows.iter().map(value).collect())
}

async fn references(db: &Db, all: &[CustomerId]) -> Result<Vec<Value>> {
    let rows = customer_reference::Entity::find()
        .filter(customer_reference::Column::CustomerId.is_in(all.iter().copied()))
        .order_by_asc(customer_reference::Column::Source)
        .order_by_asc(customer_reference::Column::ExternalId)
        .all(db.read())
        .await?;
    let value = |row: &customer_reference::Model| json!({ "source": row.source, "externalId": row.external_id });
    Ok(rows.iter().map(value).collect())
}

async fn totals(db: &Db, id: CustomerId) -> Result<Value> {
    let row = customer_total::Entity::find_by_id(id)
        .one(db.read())
        .await?;
    Ok(row.map_or(Value::Null, |row| {
        json!({
            "visits": row.visits,
            "receipts": row.receipts,
            "boughtMinor": row.bought_minor,
            "returnedMinor": row.returned_minor,
            "firstVisitOn": row.first_visit_on,
            "lastVisitOn": row.last_visit_on,
            "lastVisitAt": row.last_visit_at,
            "lastPurchaseOn": row.last_purchase_on,
        })
    }))
}

async fn memberships(db: &Db, all: &[CustomerId]) -> Result<Vec<Value>> {
    let rows = membership::Entity::find()
        .filter(membership::Column::CustomerId.is_in(all.iter().copied()))
        .order_by_asc(membership::Column::Id)
        .all(db.read())
        .await?;
    let ids: Vec<MembershipId> = rows.iter().map(|row| row.id).collect();
    let cards = card::Entity::find()
        .filter(card::Column::MembershipId.is_in(ids.iter().copied()))
        .order_by_asc(card::Column::Id)
        .all(db.read())
        .await?;
    let changes = tier_change::Entity::find()
        .filter(tier_change::Column::MembershipId.is_in(ids))
        .order_by_asc(tier_change::Column::Id)
        .all(db.read())
        .await?;
    let tiers: HashMap<TierId, String> = tier::Entity::find()
        .all(db.read())
        .await?
        .into_iter()
        .map(|tier| (tier.id, tier.name))
        .collect();
    let programmes: HashMap<ProgrammeId, String> = programme::Entity::find()
        .all(db.read())
        .await?
        .into_iter()
        .map(|programme| (programme.id, programme.name))
        .collect();
    let card = |card: &card::Model| {
        json!({
            "number": card.number,
            "status": card.status,
            "statusReason": card.status_reason,
            "issuedAt": card.issued_at,
            "validUntil": card.valid_until,
        })
    };
    let change = |change: &tier_change::Model| {
        json!({
            "from": change.from_tier_id.and_then(|id| tiers.get(&id)),
            "to": tiers.get(&change.to_tier_id),
            "reason": change.reason,
            "at": change.at,
            "netSpendMinor": change.net_spend_minor,
        })
    };
    Ok(rows
        .iter()
        .map(|row| {
            let own = |membership: MembershipId| membership == row.id;
            let cards = cards.iter().filter(|card| own(card.membership_id));
            let changes = changes.iter().filter(|change| own(change.membership_id));
            json!({
                "programme": programmes.get(&row.programme_id),
                "tier": tiers.get(&row.tier_id),
                "grantedTier": row.granted_tier_id.and_then(|id| tiers.get(&id)),
                "enrolledAt": row.enrolled_at,
                "cards": cards.map(card).collect::<Vec<_>>(),
                "tierChanges": changes.map(change).collect::<Vec<_>>(),
            })
        })
        .collect())
}

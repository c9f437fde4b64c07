//! Forgetting a person and keeping the sums (rule C9). What tells who they were is removed; visits, purchases, totals and
//! tiers stay under an id that is nobody's.
//!
//! Called by the API. It cannot be undone, and done twice it is done once. The row of the customer stays, empty, since what
//! stays refers to it; nobody sees it any more, whoever asks and by whatever id. Names that other systems have for the
//! person become keyed hashes, so that an import knows them again and brings nobody back.

use super::locks;
use crate::access::{Action, Ctx, audit};
use crate::db::Sql;
use crate::domain::cards::ending;
use crate::domain::customers::alias;
use crate::domain::groups::members;
use crate::domain::moving::open;
use crate::domain::transfers;
use crate::domain::visits::erased_name;
use crate::error::{Code, Error, Result};
use crate::events::{self, NewEvent};
use entity::enums::{ErasureReason, Importance};
use entity::ids::{CardId, CustomerId};
use entity::{customer, customer_reference};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::json;

/// Whom to erase.
#[derive(Clone, Copy, Debug)]
pub struct Erasure {
    /// The customer; the id of a file that was merged into another one means the kept customer.
    pub id: CustomerId,
    /// The version that the caller has read.
    pub version: i64,
    /// Why.
    pub reason: ErasureReason,
}

/// Erases a customer with all files that were merged into theirs; gives the id that is nobody's now.
///
/// # Errors
/// User errors: [`Code::NotFound`], and [`Code::StaleVersion`] when somebody changed the file in between; those of the
/// policy and the database.
pub async fn erase(ctx: &Ctx, erasure: Erasure) -> Result<CustomerId> {
    ctx.require(Action::CustomerErase)?;
    let mut id = erasure.id;
    // Whoever is merged into another one while the locks are waited for is erased with them.
    for _ in 0..5 {
        let done = ctx
            .db
            .write_for(
                &[id],
                |tx| async move { within(&*tx, ctx, id, erasure).await },
            )
            .await?;
        match done {
            Done::Erased => {
                ctx.db.forget_overwritten().await?;
                return Ok(id);
            }
            Done::Already => return Ok(id),
            Done::MergedInto(kept) => id = kept,
        }
    }
    Err(unknown())
}

fn unknown() -> Error {
    Error::not_found("id", "customer")
}

enum Done {
    Erased,
    Already,
    MergedInto(CustomerId),
}

async fn within(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    id: CustomerId,
    erasure: Erasure,
) -> Result<Done> {
    let former = former_of(tx, id).await?;
    let mut all = vec![id];
    all.extend(&former);
    locks::lock(tx, &all).await?;
    let found = locks::in_reach(tx, ctx, Action::CustomerErase, id)
        .await?
        .ok_or_else(unknown)?;
    if let Some(kept) = alias::kept_for(tx, [id]).await?.remove(&id) {
        return Ok(Done::MergedInto(kept));
    }
    if found.erased_at.is_some() {
        return Ok(Done::Already);
    }
    if found.version != erasure.version {
        return Err(Error::user(
            Code::StaleVersion,
            "version",
            "somebody has changed the customer since you read them; read them again before you erase them",
        ));
    }
    // One who was merged into this one while the locks were waited for.
    let late = former_of(tx, id).await?;
    if late.iter().any(|other| !all.contains(other)) {
        all = vec![id];
        all.extend(late);
        locks::lock(tx, &all).await?;
    }
    let cards = ending::end(tx, ctx, id).await?;
    members::end(tx, ctx, &all).await?;
    // What was remembered of requests goes while it is known whose they were.
    remembered(tx, &all, &cards).await?;
    hanging(tx, &all).await?;
    references(tx, ctx, &all).await?;
    transfers::forget_files(tx, ctx).await?;
    for one in &all {
        nameless(tx, ctx, *one).await?;
    }
    tell(tx, ctx, id, erasure.reason, &cards).await?;
    Ok(Done::Erased)
}

async fn former_of(tx: &impl ConnectionTrait, id: CustomerId) -> Result<Vec<CustomerId>> {
    let rows = customer::Entity::find()
        .filter(customer::Column::MergedIntoId.eq(id))
        .all(tx)
        .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Idempotency keys are callers' own words, and the hashes of what they sent can be guessed at.
async fn remembered(tx: &impl ConnectionTrait, all: &[CustomerId], cards: &[CardId]) -> Result<()> {
    let mut sql = Sql::for_connection(tx);
    sql.push(
        "delete from idempotency where result_id in (select id from visit where customer_id in ",
    )
    .bind_list(all.iter().copied())
    .push(") or result_id in (select id from announced_visit where customer_id in ")
    .bind_list(all.iter().copied())
    .push(") or result_id in (select id from customer_merge where kept_id in ")
    .bind_list(all.iter().copied())
    .push(" or merged_id in ")
    .bind_list(all.iter().copied())
    .push(") or result_id in ")
    .bind_list(all.iter().map(|id| id.0).chain(cards.iter().map(|id| id.0)));
    tx.execute_raw(sql.build()).await?;
    Ok(())
}

/// What hangs on the file: removed, or cleaned of what is personal.
async fn hanging(tx: &impl ConnectionTrait, all: &[CustomerId]) -> Result<()> {
    let theirs = |sql: &mut Sql| {
        sql.bind_list(all.iter().copied());
    };
    for (text, end) in [
        (
            "delete from consent where contact_point_id in (select id from contact_point where customer_id in ",
            ")",
        ),
        ("delete from contact_point where customer_id in ", ""),
        ("delete from taste where customer_id in ", ""),
        ("delete from customer_attribute where customer_id in ", ""),
        ("delete from special_day where customer_id in ", ""),
        ("delete from field_confirmation where customer_id in ", ""),
        ("delete from customer_note where customer_id in ", ""),
        ("delete from customer_search where customer_id in ", ""),
        ("delete from sight where customer_id in ", ""),
        ("delete from duplicate_dismissal where first_id in ", ""),
        ("delete from duplicate_dismissal where second_id in ", ""),
        (
            "delete from customer_merge_move where merge_id in (select id from customer_merge where kept_id in ",
            ")",
        ),
        (
            "delete from customer_merge_move where merge_id in (select id from customer_merge where merged_id in ",
            ")",
        ),
        ("delete from customer_merge where kept_id in ", ""),
        ("delete from customer_merge where merged_id in ", ""),
        ("update customer set referred_by_id = null where referred_by_id in ", ""),
        ("update customer set gift_from_id = null where gift_from_id in ", ""),
        (
            "delete from enquiry_entry where visit_id in (select id from visit where customer_id in ",
            ")",
        ),
        (
            "update announced_visit set note = null, cancel_reason = null
                where (note is not null or cancel_reason is not null) and customer_id in ",
            "",
        ),
        // Nobody is expected any more.
        (
            "update announced_visit set state = 'CANCELLED' where state = 'ANNOUNCED' and customer_id in ",
            "",
        ),
        ("update visit set note = null where note is not null and customer_id in ", ""),
        (
            "update purchase_line set discount_reason = null where discount_reason is not null and purchase_id in
                (select p.id from purchase p join visit v on v.id = p.visit_id where v.customer_id in ",
            ")",
        ),
    ] {
        let mut sql = Sql::for_connection(tx);
        sql.push(text);
        theirs(&mut sql);
        sql.push(end);
        tx.execute_raw(sql.build()).await?;
    }
    Ok(())
}

async fn references(tx: &impl ConnectionTrait, ctx: &Ctx, all: &[CustomerId]) -> Result<()> {
    use customer_reference::Column;
    let rows = customer_reference::Entity::find()
        .filter(Column::CustomerId.is_in(all.iter().copied()))
        .all(tx)
        .await?;
    let names: Vec<(String, String)> = rows
        .iter()
        .map(|row| (row.source.clone(), row.external_id.clone()))
        .collect();
    open::forget(tx, all, &names).await?;
    for row in rows {
        customer_reference::Entity::delete_by_id((row.source.clone(), row.external_id.clone()))
            .exec(tx)
            .await?;
        customer_reference::ActiveModel {
            external_id: Set(erased_name(&ctx.secrets, &row.source, &row.external_id)),
            source: Set(row.source),
            customer_id: Set(row.customer_id),
            version: Set(row.version),
        }
        .insert(tx)
        .await?;
    }
    Ok(())
}

/// The file, empty: what stays of it are the sums' own groupings, none of which tells a person.
async fn nameless(tx: &impl ConnectionTrait, ctx: &Ctx, id: CustomerId) -> Result<()> {
    let Some(found) = customer::Entity::find_by_id(id).one(tx).await? else {
        return Ok(());
    };
    let bare = customer::Model {
        id,
        kind: found.kind,
        full_name: String::new(),
        name_key: Vec::new(),
        salutation: None,
        gender: None,
        birth_date: None,
        language: None,
        region_name: None,
        address: None,
        employer: None,
        position: None,
        occupation: None,
        income_band: None,
        income_provenance: None,
        income_noted_by: None,
        income_reason: None,
        income_noted_at: None,
        price_sensitivity: None,
        buying_purpose: None,
        stated_need: None,
        motive: None,
        acquisition_source: found.acquisition_source,
        referred_by_id: None,
        gift_from_id: None,
        keeper_id: None,
        home_store_id: found.home_store_id,
        importance: Importance::Regular,
        archived_at: found.archived_at.or(Some(ctx.now())),
        version: found.version.saturating_add(1),
        created_at: found.created_at,
        updated_at: ctx.now(),
        merged_into_id: found.merged_into_id,
        erased_at: Some(ctx.now()),
        match_key: None,
        completeness: None,
        completeness_rules: found.completeness_rules,
    };
    let row: customer::ActiveModel = bare.into();
    row.reset_all().update(tx).await?;
    Ok(())
}

/// Says who erased which id, and why; nothing of the person.
async fn tell(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    id: CustomerId,
    reason: ErasureReason,
    cards: &[CardId],
) -> Result<()> {
    let payload = json!({ "reason": reason });
    let mut events = vec![NewEvent {
        kind: "customer.erased",
        customer: Some(id),
        store: None,
        subject: id.into(),
        payload: payload.clone(),
    }];
    events.extend(ending::ended(id, cards));
    events::record(tx, ctx, &events).await?;
    let entry = audit::Entry::new(ctx, "customer.erase")
        .about([id])
        .detail(payload);
    audit::write(tx, &[entry]).await
}

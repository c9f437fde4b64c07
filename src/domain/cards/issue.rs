//! Issuing, freezing, replacing and expiring cards (rule M2). A card's number changes, its history does not.

use super::{memberships, programmes};
use crate::access::{Action, Ctx, audit, sight};
use crate::db::{IdempotencyKey, Sql};
use crate::error::{Code, Error, Result};
use crate::events::{self, NewEvent};
use chrono::NaiveDate;
use entity::enums::CardStatus::{self, Active, Expired, Frozen, Lost, Replaced};
use entity::ids::{CardId, CustomerId, MembershipId, ProgrammeId, StoreId};
use entity::values::{CardNumber, CardPrefix};
use entity::{card, programme};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter,
};
use serde_json::json;

/// A card to be issued.
#[derive(Clone, Debug)]
pub struct NewCard {
    /// To whom.
    pub customer: CustomerId,
    /// In which programme; the only one there is when absent. Whoever has not joined it joins it now.
    pub programme: Option<ProgrammeId>,
    /// In which store; their home store when absent.
    pub store: Option<StoreId>,
    /// The caller's key.
    pub key: Option<IdempotencyKey>,
}

/// Issues a card.
///
/// # Errors
/// User errors for a customer, programme or store that is not there, and when a card is in use already.
pub async fn issue(ctx: &Ctx, new: NewCard) -> Result<card::Model> {
    ctx.require(Action::CardWrite)?;
    let new = &new;
    ctx.db
        .write_for(&[new.customer], |tx| async move {
            let customer =
                sight::lock_customer(&*tx, ctx, Action::CardWrite, new.customer, "customerId")
                    .await?;
            if let Some(done) = done_before(&*tx, new.key.as_ref()).await? {
                return Ok(done);
            }
            let programme = programmes::meant(&*tx, new.programme).await?;
            let membership = match memberships::find(&*tx, customer.id, programme.id).await? {
                Some(membership) => membership,
                None => memberships::join(&*tx, ctx, &customer, &programme, new.store).await?,
            };
            let in_use = Condition::all()
                .add(card::Column::MembershipId.eq(membership.id))
                .add(card::Column::Status.is_in([Active.as_str(), Frozen.as_str(), Lost.as_str()]));
            if let Some(other) = card::Entity::find().filter(in_use).one(&*tx).await? {
                let message = format!(
                    "the customer has a card that is {}; replace it instead",
                    other.status
                );
                return Err(Error::user(Code::WrongState, "customerId", message));
            }
            let made = write_card(&*tx, ctx, customer.id, membership.id, &programme, None).await?;
            if let Some(key) = &new.key {
                key.remember(&*tx, made.id.into(), ctx.now()).await?;
            }
            Ok(made)
        })
        .await
}

async fn done_before(
    tx: &impl ConnectionTrait,
    key: Option<&IdempotencyKey>,
) -> Result<Option<card::Model>> {
    let Some(key) = key else { return Ok(None) };
    let Some(id) = key.seen(tx).await? else {
        return Ok(None);
    };
    Ok(card::Entity::find_by_id(CardId(id)).one(tx).await?)
}

async fn write_card(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    customer: CustomerId,
    membership: MembershipId,
    programme: &programme::Model,
    replaces: Option<CardId>,
) -> Result<card::Model> {
    let prefix = CardPrefix::parse(&programme.card_prefix)
        .map_err(|error| Error::internal(format!("card prefix {error}")))?;
    let today = ctx.now().date_naive();
    let valid_until = super::bulk::last_day(programme, today);
    // Drawn before anything is awaited: the thread's generator stays on its thread.
    let number = CardNumber::generate(&mut rand::rng(), &prefix)
        .as_str()
        .to_owned();
    let made = card::ActiveModel {
        id: Set(CardId::new()),
        membership_id: Set(membership),
        customer_id: Set(customer),
        number: Set(number),
        status: Set(Active),
        issued_at: Set(ctx.now()),
        valid_until: Set(valid_until),
        status_reason: Set(None),
        status_changed_at: Set(ctx.now()),
        replaces_id: Set(replaces),
        version: Set(1),
    }
    .insert(tx)
    .await?;
    let action = if replaces.is_some() {
        "card.replace"
    } else {
        "card.issue"
    };
    note(tx, ctx, action, "card.issued", &made).await?;
    Ok(made)
}

async fn note(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    action: &'static str,
    kind: &'static str,
    card: &card::Model,
) -> Result<()> {
    let payload = json!({ "card": card.id, "status": card.status, "replaces": card.replaces_id });
    let event = NewEvent {
        kind,
        customer: Some(card.customer_id),
        store: None,
        subject: card.id.into(),
        payload: payload.clone(),
    };
    events::record(tx, ctx, &[event]).await?;
    audit::write(
        tx,
        &[audit::Entry::new(ctx, action)
            .about([card.customer_id])
            .detail(payload)],
    )
    .await
}

/// What may be done to a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Held for now.
    Freeze,
    /// In use again.
    Unfreeze,
    /// Gone, and no new one is wanted yet.
    ReportLost,
}

impl Step {
    /// From which states, to which state, under which name.
    const fn path(self) -> (&'static [CardStatus], CardStatus, &'static str) {
        match self {
            Self::Freeze => (&[Active], Frozen, "card.freeze"),
            Self::Unfreeze => (&[Frozen], Active, "card.unfreeze"),
            Self::ReportLost => (&[Active, Frozen], Lost, "card.report_lost"),
        }
    }
}

/// A card that is to change.
#[derive(Clone, Debug)]
pub struct CardChange {
    /// Which card.
    pub card: CardId,
    /// The version that the caller has read.
    pub version: i64,
    /// Why, already cleaned.
    pub reason: Option<String>,
    /// The caller's key.
    pub key: Option<IdempotencyKey>,
}

/// Takes a step with a card.
///
/// # Errors
/// User errors for a card out of sight, a stale version, and a state that does not allow the step.
pub async fn step(ctx: &Ctx, step: Step, change: CardChange) -> Result<card::Model> {
    ctx.require(Action::CardWrite)?;
    let (from, to, action) = step.path();
    let change = &change;
    let known = out_of_lock(ctx, change.card).await?;
    ctx.db
        .write_for(&[known], |tx| async move {
            let found = locked(&*tx, ctx, known, change).await?;
            if !from.contains(&found.status) {
                let message = format!("the card is {}, which does not allow this", found.status);
                return Err(Error::user(Code::WrongState, "cardId", message));
            }
            let made = set_status(&*tx, ctx, found, to, change.reason.clone()).await?;
            note(&*tx, ctx, action, "card.changed", &made).await?;
            Ok(made)
        })
        .await
}

/// Replaces a card in one step: the old one ends `REPLACED`, the new one is in use, and nothing else of the
/// membership changes.
///
/// # Errors
/// As [`step`].
pub async fn replace(ctx: &Ctx, change: CardChange) -> Result<card::Model> {
    ctx.require(Action::CardWrite)?;
    let change = &change;
    let known = out_of_lock(ctx, change.card).await?;
    ctx.db
        .write_for(&[known], |tx| async move {
            sight::lock_customer(&*tx, ctx, Action::CardWrite, known, "cardId")
                .await
                .map_err(as_card)?;
            if let Some(done) = done_before(&*tx, change.key.as_ref()).await? {
                return Ok(done);
            }
            let found = locked(&*tx, ctx, known, change).await?;
            if found.status == Replaced {
                return Err(Error::user(
                    Code::WrongState,
                    "cardId",
                    "the card has been replaced already; replace the newer one",
                ));
            }
            let membership = found.membership_id;
            let old = set_status(&*tx, ctx, found, Replaced, change.reason.clone()).await?;
            note(&*tx, ctx, "card.retire", "card.changed", &old).await?;
            let membership = entity::membership::Entity::find_by_id(membership)
                .one(&*tx)
                .await?
                .ok_or_else(|| Error::internal("a card without membership"))?;
            let programme = programmes::meant(&*tx, Some(membership.programme_id)).await?;
            let made =
                write_card(&*tx, ctx, known, membership.id, &programme, Some(old.id)).await?;
            if let Some(key) = &change.key {
                key.remember(&*tx, made.id.into(), ctx.now()).await?;
            }
            Ok(made)
        })
        .await
}

fn as_card(error: Error) -> Error {
    if matches!(error, Error::User(_)) {
        Error::not_found("cardId", "card")
    } else {
        error
    }
}

/// Whose card it is, before the lock: only to know whom to lock. Sight is asked under the lock.
async fn out_of_lock(ctx: &Ctx, card: CardId) -> Result<CustomerId> {
    let found = card::Entity::find_by_id(card).one(ctx.db.read()).await?;
    found
        .map(|card| card.customer_id)
        .ok_or_else(|| Error::not_found("cardId", "card"))
}

async fn locked(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    customer: CustomerId,
    change: &CardChange,
) -> Result<card::Model> {
    sight::lock_customer(tx, ctx, Action::CardWrite, customer, "cardId")
        .await
        .map_err(as_card)?;
    let found = card::Entity::find_by_id(change.card).one(tx).await?;
    let found = found.ok_or_else(|| Error::not_found("cardId", "card"))?;
    if found.version != change.version {
        return Err(Error::user(
            Code::StaleVersion,
            "version",
            "the card was changed meanwhile; read it again",
        ));
    }
    Ok(found)
}

async fn set_status(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    found: card::Model,
    status: CardStatus,
    reason: Option<String>,
) -> Result<card::Model> {
    let version = found.version + 1;
    let mut row: card::ActiveModel = found.into();
    row.status = Set(status);
    row.status_reason = Set(reason);
    row.status_changed_at = Set(ctx.now());
    row.version = Set(version);
    Ok(row.update(tx).await?)
}

/// Lets at most `limit` cards expire whose last day has passed; gives how many did. Called by the daily job
/// until nothing is left.
///
/// # Errors
/// Those of the database.
pub async fn expire_due(ctx: &Ctx, today: NaiveDate, limit: u64) -> Result<usize> {
    ctx.require(Action::CardWrite)?;
    let mut sql = ctx.db.sql();
    sql.push("select distinct customer_id from card where status in ('ACTIVE', 'FROZEN') and valid_until < ").bind(today);
    sql.push(" order by customer_id");
    let statement = crate::db::literal_limit(sql.build(), limit);
    let mut holders = Vec::new();
    for row in ctx.db.read().query_all_raw(statement).await? {
        holders.push(row.try_get::<CustomerId>("", "customer_id")?);
    }
    if holders.is_empty() {
        return Ok(0);
    }
    let holders = &holders;
    ctx.db
        .write_for(holders, |tx| async move {
            let locked =
                sight::lock_customers(&*tx, ctx, Action::CardWrite, holders.iter().copied())
                    .await?;
            let mut sql = Sql::for_connection(&*tx);
            sql.push("update card set status = ")
                .bind(Expired.as_str())
                .push(", status_reason = ")
                .bind("validity ended");
            sql.push(", status_changed_at = ")
                .bind(ctx.now())
                .push(", version = version + 1 where customer_id in ");
            sql.bind_list(locked.iter().map(|customer| customer.id));
            sql.push(" and status in ('ACTIVE', 'FROZEN') and valid_until < ")
                .bind(today)
                .push(" returning id, customer_id");
            let mut expired = Vec::new();
            for row in tx.query_all_raw(sql.build()).await? {
                let (id, customer) = (
                    row.try_get::<CardId>("", "id")?,
                    row.try_get::<CustomerId>("", "customer_id")?,
                );
                let payload = json!({ "card": id, "status": Expired });
                expired.push(NewEvent {
                    kind: "card.changed",
                    customer: Some(customer),
                    store: None,
                    subject: id.into(),
                    payload,
                });
            }
            events::record(&*tx, ctx, &expired).await?;
            let customers = expired.iter().filter_map(|event| event.customer);
            audit::write(
                &*tx,
                &[audit::Entry::new(ctx, "card.expire").about(customers)],
            )
            .await?;
            Ok(expired.len())
        })
        .await
}

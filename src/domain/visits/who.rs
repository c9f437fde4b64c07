//! Who came, and to which store: finding the customer by their id or the card they show, and locking them.
//!
//! Called by whatever writes down that somebody came ([`super::record`], [`super::arrivals`]). Somebody who shows their
//! card is found though the store has not seen them before; nothing of theirs is read here.

use crate::access::sight::{self, Reach};
use crate::access::{Action, Ctx};
use crate::domain::cards::lookup as cards;
use crate::domain::customers::alias;
use crate::error::{Code, Error, Result};
use entity::enums::CardStatus;
use entity::ids::{CustomerId, StoreId};
use entity::store;
use entity::values::CardNumber;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

/// Who came: somebody whom the viewer sees, or somebody who shows their card.
#[derive(Clone, Debug)]
pub enum Who {
    /// A customer in sight.
    Customer(CustomerId),
    /// Whoever holds the card with this number.
    Card(String),
}

/// The store whose customers somebody wants to hear of as they come: one in which they record visits.
///
/// # Errors
/// As [`crate::access::Viewer::require`]; a user error when there is no such store for the viewer.
pub async fn followed_store(ctx: &Ctx, store: StoreId) -> Result<store::Model> {
    ctx.require(Action::VisitRecord)?;
    find_store(ctx, Some(store)).await
}

/// The store that is meant: the one named, in reach of whoever records visits; their only one when none is.
pub(super) async fn find_store(ctx: &Ctx, named: Option<StoreId>) -> Result<store::Model> {
    let reach = Reach::of(&ctx.viewer, Action::VisitRecord);
    let mut select = store::Entity::find()
        .filter(reach.covers(sea_orm::sea_query::Expr::col((
            store::Entity,
            store::Column::Id,
        ))))
        .filter(store::Column::ArchivedAt.is_null());
    if let Some(id) = named {
        select = select.filter(store::Column::Id.eq(id));
    }
    // One more than can be meant.
    let mut found = sea_orm::QuerySelect::limit(select, 2)
        .all(ctx.db.read())
        .await?;
    match (found.pop(), found.is_empty(), named) {
        (Some(store), true, _) => Ok(store),
        (Some(_), false, _) => Err(Error::user(
            Code::Required,
            "storeId",
            "you work in several stores; say which one",
        )),
        (None, _, Some(_)) => Err(Error::not_found("storeId", "store")),
        (None, _, None) => Err(Error::user(Code::Required, "storeId", "say which store")),
    }
}

/// Times that a customer's file may be merged into another one while a visit waits to be recorded.
const MOST_MOVES: u32 = 8;

/// Locks whoever came: the customer who was told, or the one into whose file theirs was merged before or meanwhile.
/// `shown` says that they were found by the card they show.
pub(super) async fn lock_whoever(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    customer: CustomerId,
    shown: bool,
) -> Result<CustomerId> {
    let found = lock_if_there(tx, ctx, customer, shown).await?;
    found.ok_or_else(|| {
        if shown {
            Error::not_found("cardNumber", "card")
        } else {
            Error::not_found("customerId", "customer")
        }
    })
}

/// As [`lock_whoever`]; none when they are out of sight, or their file was erased.
pub(super) async fn lock_if_there(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    customer: CustomerId,
    shown: bool,
) -> Result<Option<CustomerId>> {
    let mut customer = customer;
    for _ in 0..MOST_MOVES {
        let there = if shown {
            sight::lock_shown(tx, customer).await?
        } else {
            let locked = sight::lock_customers(tx, ctx, Action::VisitRecord, [customer]).await?;
            !locked.is_empty()
        };
        if there {
            return Ok(Some(customer));
        }
        match alias::kept_for(tx, [customer]).await?.remove(&customer) {
            Some(kept) => customer = kept,
            None => break,
        }
    }
    Ok(None)
}

/// The customer, and whether they were found by the card they show: then the store need not have seen them
/// before.
pub(super) async fn find_customer(ctx: &Ctx, who: &Who) -> Result<(CustomerId, bool)> {
    let text = match who {
        Who::Customer(id) => return Ok((*id, false)),
        Who::Card(text) => text,
    };
    let number = CardNumber::parse_any(text)
        .map_err(|error| Error::user(Code::Invalid, "cardNumber", format!("cardNumber {error}")))?;
    let read = || cards::holder_by_number(ctx, &number);
    let unknown = || Error::not_found("cardNumber", "card");
    let mut card = read().await?.ok_or_else(unknown)?;
    let mut in_use = false;
    for _ in 0..MOST_MOVES {
        in_use = card.status == CardStatus::Active
            || (card.status == CardStatus::Replaced
                && cards::went_with_merge(ctx, card.id).await?);
        if in_use {
            break;
        }
        // A merge that was undone between the two reads has changed the card, too.
        let now = read().await?.ok_or_else(unknown)?;
        if now.version == card.version {
            break;
        }
        card = now;
    }
    if !in_use {
        let message = format!(
            "the card is {}; find the customer by name and record the visit for them",
            card.status
        );
        return Err(Error::user(Code::WrongState, "cardNumber", message));
    }
    Ok((card.customer_id, true))
}

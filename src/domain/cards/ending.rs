//! The end of an erased customer's cards.
//!
//! Called by `identity` under the customer's lock.

use crate::access::Ctx;
use crate::db::Sql;
use crate::error::Result;
use crate::events::NewEvent;
use entity::card;
use entity::enums::CardStatus;
use entity::ids::{CardId, CustomerId};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::json;

/// Ends the cards of an erased customer, and puts another number in the place of theirs, which is one that nobody can
/// show: by the old one the person could be told.
///
/// # Errors
/// Those of the database.
pub async fn end(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    customer: CustomerId,
) -> Result<Vec<CardId>> {
    let cards = card::Entity::find()
        .filter(card::Column::CustomerId.eq(customer))
        .all(tx)
        .await?;
    let ids = cards.iter().map(|card| card.id).collect();
    for card in cards {
        let mut sql = Sql::for_connection(tx);
        sql.push("update card set number = ")
            .bind(format!("erased-{}", card.id))
            .push(", status_reason = null, version = version + 1, status_changed_at = ")
            .bind(ctx.now())
            .push(", status = case when status in ('ACTIVE', 'FROZEN', 'LOST') then 'EXPIRED' else status end where id = ")
            .bind(card.id);
        tx.execute_raw(sql.build()).await?;
    }
    Ok(ids)
}

/// The events of cards that were ended.
pub fn ended(customer: CustomerId, cards: &[CardId]) -> Vec<NewEvent> {
    let event = |id: &CardId| NewEvent {
        kind: "card.changed",
        customer: Some(customer),
        store: None,
        subject: (*id).into(),
        payload: json!({ "card": id, "status": CardStatus::Expired }),
    };
    cards.iter().map(event).collect()
}

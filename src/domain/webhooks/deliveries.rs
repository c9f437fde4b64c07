//! Deliveries that somebody asks for: a test, and one that has ended once more.
//!
//! Called by `graphql/webhooks`.

use super::hooks::{locked, told};
use super::kinds::TEST;
use super::queue::{self, NewDelivery};
use crate::access::{Action, Ctx};
use crate::error::{Code, Error, Result};
use entity::enums::WebhookDeliveryState;
use entity::ids::{WebhookDeliveryId, WebhookId};
use entity::{webhook, webhook_delivery};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ConnectionTrait, EntityTrait, IntoActiveModel};
use serde_json::json;

/// Puts a test in line for a webhook: a message that tells of nothing.
///
/// # Errors
/// User errors at `id`; as [`Ctx::require`]; those of the database.
pub async fn test(ctx: &Ctx, id: WebhookId) -> Result<webhook_delivery::Model> {
    ctx.require(Action::ClientManage)?;
    ctx.db
        .write(|tx| async move {
            must_be_on(&locked(&*tx, id).await?, "id")?;
            let new = NewDelivery {
                id: WebhookDeliveryId::new(),
                hook: id,
                position: None,
                kind: TEST.to_owned(),
                customer: None,
                store: None,
                subject: id.into(),
                at: ctx.now(),
            };
            let delivery = new.id;
            queue::add(&*tx, ctx.now(), &[new]).await?;
            let detail = json!({ "delivery": delivery });
            told(("webhook.tested", "webhook.test"), id, detail)
                .write(&*tx, ctx)
                .await?;
            find(&*tx, delivery).await
        })
        .await
}

/// Puts a delivery that has ended in line again, with the same id, so that a receiver that has taken it already knows it.
///
/// # Errors
/// User errors at `deliveryId`; as [`test()`].
pub async fn replay(ctx: &Ctx, id: WebhookDeliveryId) -> Result<webhook_delivery::Model> {
    ctx.require(Action::ClientManage)?;
    ctx.db
        .write(|tx| async move {
            let hook = find(&*tx, id).await?.webhook_id;
            must_be_on(&locked(&*tx, hook).await?, "deliveryId")?;
            // Read anew, now that nobody else can put it in line.
            let row = find(&*tx, id).await?;
            if row.state == WebhookDeliveryState::Pending {
                return Err(Error::user(
                    Code::WrongState,
                    "deliveryId",
                    "the delivery is in line already",
                ));
            }
            let mut active = row.into_active_model();
            active.state = Set(WebhookDeliveryState::Pending);
            active.attempts = Set(0);
            active.next_attempt_at = Set(ctx.now());
            active.finished_at = Set(None);
            let row = active.update(&*tx).await?;
            let detail = json!({ "delivery": id });
            told(("webhook.replayed", "webhook.replay"), hook, detail)
                .write(&*tx, ctx)
                .await?;
            Ok(row)
        })
        .await
}

async fn find(tx: &impl ConnectionTrait, id: WebhookDeliveryId) -> Result<webhook_delivery::Model> {
    webhook_delivery::Entity::find_by_id(id)
        .one(tx)
        .await?
        .ok_or_else(|| Error::not_found("deliveryId", "delivery"))
}

fn must_be_on(hook: &webhook::Model, field: &str) -> Result<()> {
    if hook.disabled_at.is_none() {
        return Ok(());
    }
    Err(Error::user(
        Code::WrongState,
        field,
        "the webhook is switched off; switch it on first",
    ))
}

//! Secrets by which messages are signed: made, taken turns with an overlap. The text of one is shown when it is made;
//! after that only the program itself reads it, sealed in the database.
//!
//! Called by [`super::hooks`], by `graphql/webhooks`, and before each try.

use super::hooks::{locked, told};
use super::list::{self, Webhook};
use crate::access::{Action, Ctx, sealed};
use crate::db::Sql;
use crate::domain::organization::client_secrets::LONGEST_OVERLAP;
use crate::error::{Code, Error, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use entity::ids::{WebhookId, WebhookSecretId};
use entity::webhook_secret;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait,
    PaginatorTrait, QueryFilter, QueryOrder,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

/// Secrets of one webhook that sign at once.
const MOST_AT_ONCE: u64 = 3;
/// Characters of a secret that are kept to tell it from others.
const HINT_CHARS: usize = 4;

/// A secret that is about to be handed out.
pub(super) struct Fresh([u8; 32]);

impl Fresh {
    pub fn new() -> Self {
        Self(rand::random())
    }

    /// As Standard Webhooks writes it.
    pub fn text(&self) -> SecretString {
        SecretString::from(format!("whsec_{}", STANDARD.encode(self.0)))
    }

    pub async fn store(
        &self,
        tx: &impl ConnectionTrait,
        ctx: &Ctx,
        hook: WebhookId,
    ) -> Result<webhook_secret::Model> {
        let id = WebhookSecretId::new();
        let sealed = sealed::seal(&ctx.secrets.webhooks, id.0.as_bytes(), &self.0)
            .ok_or_else(|| Error::internal("a secret of a webhook could not be sealed"))?;
        let text = self.text();
        // The padding is alike in all of them.
        let text = text.expose_secret().trim_end_matches('=');
        let hint = text.get(text.len().saturating_sub(HINT_CHARS)..);
        let row = webhook_secret::ActiveModel {
            id: Set(id),
            webhook_id: Set(hook),
            sealed: Set(sealed),
            hint: Set(hint.unwrap_or_default().to_owned()),
            created_at: Set(ctx.now()),
            expires_at: Set(None),
        };
        Ok(row.insert(tx).await?)
    }
}

/// The condition that a secret has not ended.
pub(super) fn is_good(now: DateTime<Utc>) -> Condition {
    Condition::any()
        .add(webhook_secret::Column::ExpiresAt.is_null())
        .add(webhook_secret::Column::ExpiresAt.gt(now))
}

/// The secrets of a webhook that are good now, opened, the newest first.
pub(super) async fn good(ctx: &Ctx, hook: WebhookId) -> Result<Vec<Vec<u8>>> {
    let rows = webhook_secret::Entity::find()
        .filter(webhook_secret::Column::WebhookId.eq(hook.0))
        .filter(is_good(ctx.now()))
        .order_by_desc(webhook_secret::Column::Id)
        .all(ctx.db.read())
        .await?;
    let open = |row: &webhook_secret::Model| {
        sealed::open(&ctx.secrets.webhooks, row.id.0.as_bytes(), &row.sealed).ok_or_else(|| {
            Error::internal("the configured secret does not open the secret of a webhook")
        })
    };
    rows.iter().map(open).collect()
}

/// Gives a webhook a new secret; those that it has sign beside it until the overlap is over.
///
/// # Errors
/// User errors at `overlapMinutes`, and at `id` when there are too many secrets already; as [`Ctx::require`]; those of
/// the database.
pub async fn rotate(
    ctx: &Ctx,
    id: WebhookId,
    overlap: TimeDelta,
) -> Result<(Webhook, SecretString)> {
    ctx.require(Action::ClientManage)?;
    if overlap < TimeDelta::zero() || overlap > LONGEST_OVERLAP {
        let longest = LONGEST_OVERLAP.num_minutes();
        return Err(Error::user(
            Code::OutOfRange,
            "overlapMinutes",
            format!("older secrets go on signing for 0 to {longest} minutes"),
        ));
    }
    let secret = &Fresh::new();
    let hook = ctx
        .db
        .write(|tx| async move {
            locked(&*tx, id).await?;
            let end = ctx.now() + overlap;
            let mut sql = Sql::for_connection(&*tx);
            sql.push("update webhook_secret set expires_at = ").bind(end);
            sql.push(" where webhook_id = ").bind(id);
            sql.push(" and (expires_at is null or expires_at > ")
                .bind(end)
                .push(")");
            tx.execute_raw(sql.build()).await?;
            let good = webhook_secret::Entity::find()
                .filter(webhook_secret::Column::WebhookId.eq(id.0))
                .filter(is_good(ctx.now()))
                .count(&*tx)
                .await?;
            if good >= MOST_AT_ONCE {
                return Err(Error::user(
                    Code::TooMany,
                    "id",
                    format!("{good} secrets sign already; wait for one to end, or rotate without an overlap"),
                ));
            }
            let fresh = secret.store(&*tx, ctx, id).await?;
            let detail = json!({ "secret": fresh.id, "overlap_minutes": overlap.num_minutes() });
            told(("webhook.secret_rotated", "webhook.secret_rotate"), id, detail)
                .write(&*tx, ctx)
                .await?;
            list::present(&*tx, ctx, id).await
        })
        .await?;
    Ok((hook, secret.text()))
}

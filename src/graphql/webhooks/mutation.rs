//! What can be done with webhooks, their secrets and their deliveries.

use super::input::{
    WebhookCreateInput, WebhookDisableInput, WebhookEnableInput, WebhookReplayInput,
    WebhookSecretRotateInput, WebhookTestInput, WebhookUpdateInput,
};
use super::object::{Webhook, WebhookDelivery};
use crate::access::{Action, Ctx};
use crate::domain::webhooks::hooks::NewWebhook;
use crate::domain::webhooks::{deliveries, hooks, list, secrets};
use crate::error::Result;
use crate::graphql::context::{Reported, ctx};
use crate::graphql::idempotency;
use crate::graphql::ids::key;
use crate::graphql::payload::{UserError, payload, settle};
use async_graphql::{Context, Object, SimpleObject};
use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};

/// What came of making a webhook.
#[derive(SimpleObject)]
pub struct WebhookCreatePayload {
    /// The new webhook; null when the input had errors.
    pub webhook: Option<Webhook>,
    /// Its first secret, as Standard Webhooks writes it (`whsec_...`), shown this once; null when the idempotency key came
    /// before. When it is lost, `webhookSecretRotate` gives another one.
    pub secret: Option<String>,
    /// What the caller can put right; empty when the change was made.
    pub user_errors: Vec<UserError>,
}

/// What came of giving a webhook a new secret.
#[derive(SimpleObject)]
pub struct WebhookSecretRotatePayload {
    /// The webhook as it is now; null when the input had errors.
    pub webhook: Option<Webhook>,
    /// The new secret, shown this once.
    pub secret: Option<String>,
    /// What the caller can put right; empty when the change was made.
    pub user_errors: Vec<UserError>,
}

payload!(
    versioned WebhookUpdatePayload,
    webhook: Webhook,
    "What came of changing a webhook.",
    "The webhook as it is now, also after a stale version; null after other errors."
);
payload!(
    WebhookDisablePayload,
    webhook: Webhook,
    "What came of switching a webhook off.",
    "The webhook as it is now."
);
payload!(
    WebhookEnablePayload,
    webhook: Webhook,
    "What came of switching a webhook on.",
    "The webhook as it is now."
);
payload!(
    WebhookTestPayload,
    delivery: WebhookDelivery,
    "What came of testing a webhook.",
    "The message that is on its way; ask for it again to see what came of it."
);
payload!(
    WebhookReplayPayload,
    delivery: WebhookDelivery,
    "What came of putting a delivery in line again.",
    "The delivery as it is now."
);

/// The mutations of this topic.
#[derive(Clone, Copy, Debug, Default)]
pub struct WebhooksMutation;

#[Object]
impl WebhooksMutation {
    /// Make a webhook: tell a client, at an address of its own, of what happens from now on. For administrators.
    async fn webhook_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The webhook.")] input: WebhookCreateInput,
    ) -> async_graphql::Result<WebhookCreatePayload> {
        let result = create(ctx(context)?, &input).await;
        let (made, user_errors) = settle(result).reported(context)?;
        let (webhook, secret) = made.unzip();
        Ok(WebhookCreatePayload {
            webhook,
            secret: secret.flatten().as_ref().map(shown),
            user_errors,
        })
    }

    /// Change a webhook. For administrators.
    async fn webhook_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The change.")] input: WebhookUpdateInput,
    ) -> async_graphql::Result<WebhookUpdatePayload> {
        let (ctx, id) = (ctx(context)?, key(&input.id));
        let changed = hooks::update(ctx, id, &input.into()).await;
        WebhookUpdatePayload::from_change(context, changed.map(Webhook), async {
            let found = list::by_ids(ctx, &[id]).await?;
            Ok(found.into_iter().next().map(Webhook))
        })
        .await
    }

    /// Switch a webhook off: what is in line for it is called off. For administrators.
    async fn webhook_disable(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which webhook.")] input: WebhookDisableInput,
    ) -> async_graphql::Result<WebhookDisablePayload> {
        let result = hooks::disable(ctx(context)?, key(&input.id)).await;
        WebhookDisablePayload::from_result(context, result.map(Webhook))
    }

    /// Switch a webhook on again, also one that has answered that it is gone: it is told of what happens from now on. For
    /// administrators.
    async fn webhook_enable(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which webhook.")] input: WebhookEnableInput,
    ) -> async_graphql::Result<WebhookEnablePayload> {
        let result = hooks::enable(ctx(context)?, key(&input.id)).await;
        WebhookEnablePayload::from_result(context, result.map(Webhook))
    }

    /// Give a webhook a new secret; messages are signed by those that it has, too, for a while, so that the receiver can
    /// change over without a break. At most three sign at once. For administrators.
    async fn webhook_secret_rotate(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which webhook.")] input: WebhookSecretRotateInput,
    ) -> async_graphql::Result<WebhookSecretRotatePayload> {
        let overlap = TimeDelta::minutes(input.overlap_minutes.into());
        let result = secrets::rotate(ctx(context)?, key(&input.id), overlap).await;
        let (made, user_errors) = settle(result).reported(context)?;
        let (webhook, secret) = made.unzip();
        Ok(WebhookSecretRotatePayload {
            webhook: webhook.map(Webhook),
            secret: secret.as_ref().map(shown),
            user_errors,
        })
    }

    /// Send a webhook a message of the type `webhook.test`, which tells of nothing. For administrators.
    async fn webhook_test(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which webhook.")] input: WebhookTestInput,
    ) -> async_graphql::Result<WebhookTestPayload> {
        let result = deliveries::test(ctx(context)?, key(&input.id)).await;
        WebhookTestPayload::from_result(context, result.map(WebhookDelivery))
    }

    /// Make a delivery that has ended once more, with the same message id. What the client may not see any more is not
    /// told again. For administrators.
    async fn webhook_replay(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which delivery.")] input: WebhookReplayInput,
    ) -> async_graphql::Result<WebhookReplayPayload> {
        let result = deliveries::replay(ctx(context)?, key(&input.delivery_id)).await;
        WebhookReplayPayload::from_result(context, result.map(WebhookDelivery))
    }
}

async fn create(ctx: &Ctx, input: &WebhookCreateInput) -> Result<(Webhook, Option<SecretString>)> {
    // Asked before the key is read: who may not do this learns nothing about keys.
    ctx.require(Action::ClientManage)?;
    let new = NewWebhook {
        client: key(&input.client_id),
        url: input.url.clone(),
        kinds: input.kinds.clone(),
        stores: input.store_ids.iter().map(key).collect(),
        key: idempotency::key(
            ctx,
            "webhookCreate",
            input.idempotency_key.as_deref(),
            &input.canonical(),
        )?,
    };
    let (hook, secret) = hooks::create(ctx, &new).await?;
    Ok((Webhook(hook), secret))
}

fn shown(secret: &SecretString) -> String {
    secret.expose_secret().to_owned()
}

//! Filters and inputs of webhooks.

use super::object::WebhookDeliveryState;
use crate::domain::webhooks::hooks::WebhookChange;
use crate::domain::webhooks::{EventKind, list};
use crate::graphql::ids::key;
use async_graphql::{ID, InputObject};
use serde::Serialize;

/// Which webhooks; conditions that are left out let everything pass.
#[derive(Clone, Debug, Default, InputObject)]
pub struct WebhookFilter {
    /// Those of this client.
    pub client_id: Option<ID>,
    /// Those that are on (true), or switched off (false).
    pub enabled: Option<bool>,
}

impl From<WebhookFilter> for list::WebhookFilter {
    fn from(filter: WebhookFilter) -> Self {
        Self {
            client: filter.client_id.as_ref().map(key),
            enabled: filter.enabled,
        }
    }
}

/// Which deliveries of a webhook; conditions that are left out let everything pass.
#[derive(Clone, Debug, Default, InputObject)]
pub struct WebhookDeliveryFilter {
    /// Those that stand like this.
    pub state: Option<WebhookDeliveryState>,
}

/// A webhook to be made.
#[derive(Clone, Debug, InputObject)]
pub struct WebhookCreateInput {
    /// The client that is told. It is told what it may see, and nothing else.
    pub client_id: ID,
    /// Where to: an address of HTTPS in the public internet, at most 2,000 characters.
    pub url: String,
    /// Of what; the client needs the scopes for each.
    pub kinds: Vec<EventKind>,
    /// Only of what happened in these stores, or, where it happened in none, to customers whose home store is one of them;
    /// of all when empty.
    #[graphql(default)]
    pub store_ids: Vec<ID>,
    /// Your own key for this change, 1 to 128 visible ASCII characters: the same key with the same input gives the webhook
    /// that was made first, without its secret, which is shown once. Remembered for at least 24 hours.
    pub idempotency_key: Option<String>,
}

/// What of an input is compared when its key comes again.
#[derive(Serialize)]
pub(super) struct Canonical<'a> {
    client_id: &'a ID,
    url: &'a str,
    kinds: Vec<&'static str>,
    store_ids: &'a [ID],
}

impl WebhookCreateInput {
    /// The input without its key, in a fixed order.
    pub(super) fn canonical(&self) -> Canonical<'_> {
        Canonical {
            client_id: &self.client_id,
            url: &self.url,
            kinds: self.kinds.iter().map(|kind| kind.word()).collect(),
            store_ids: &self.store_ids,
        }
    }
}

/// A change of a webhook; what is left out stays.
#[derive(Clone, Debug, InputObject)]
pub struct WebhookUpdateInput {
    /// Which webhook.
    pub id: ID,
    /// The version that the change is based on.
    pub version: i64,
    /// Where to. What is in line already goes there, too.
    pub url: Option<String>,
    /// Of what, all of it.
    pub kinds: Option<Vec<EventKind>>,
    /// In which stores, all of them; empty for all stores.
    pub store_ids: Option<Vec<ID>>,
}

impl From<WebhookUpdateInput> for WebhookChange {
    fn from(input: WebhookUpdateInput) -> Self {
        Self {
            version: input.version,
            url: input.url,
            kinds: input.kinds,
            stores: input.store_ids.map(|ids| ids.iter().map(key).collect()),
        }
    }
}

/// Which webhook is switched off.
#[derive(Clone, Debug, InputObject)]
pub struct WebhookDisableInput {
    /// Which webhook.
    pub id: ID,
}

/// Which webhook is switched on.
#[derive(Clone, Debug, InputObject)]
pub struct WebhookEnableInput {
    /// Which webhook.
    pub id: ID,
}

/// Which webhook gets a new secret.
#[derive(Clone, Debug, InputObject)]
pub struct WebhookSecretRotateInput {
    /// Which webhook.
    pub id: ID,
    /// How long the secrets that it has sign beside the new one, in minutes: a day when absent, 43200 (30 days) at most.
    /// With 0 they end at once.
    #[graphql(default = 1440)]
    pub overlap_minutes: i32,
}

/// Which webhook is tested.
#[derive(Clone, Debug, InputObject)]
pub struct WebhookTestInput {
    /// Which webhook.
    pub id: ID,
}

/// Which delivery is made once more.
#[derive(Clone, Debug, InputObject)]
pub struct WebhookReplayInput {
    /// Which delivery.
    pub delivery_id: ID,
}

//! The API of webhooks: where clients are told of what, what was delivered, and what came of each try.

mod input;
mod loader;
mod mutation;
mod object;
mod query;

pub use input::{
    WebhookCreateInput, WebhookDeliveryFilter, WebhookDisableInput, WebhookEnableInput,
    WebhookFilter, WebhookReplayInput, WebhookSecretRotateInput, WebhookTestInput,
    WebhookUpdateInput,
};
pub use mutation::{
    WebhookCreatePayload, WebhookDisablePayload, WebhookEnablePayload, WebhookReplayPayload,
    WebhookSecretRotatePayload, WebhookTestPayload, WebhookUpdatePayload, WebhooksMutation,
};
pub use object::{
    Webhook, WebhookAttempt, WebhookConnection, WebhookDelivery, WebhookDeliveryConnection,
    WebhookDeliveryEdge, WebhookEdge, WebhookSecret, global_id,
};
pub use query::WebhooksQuery;

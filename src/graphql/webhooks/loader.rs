//! Loads the clients of webhooks and the webhooks of deliveries, and the tries of all deliveries of a page at once.

use crate::domain::organization::client_list;
use crate::domain::webhooks::list;
use crate::graphql::loaders::{batch_loader, by_key, grouped};
use entity::ids::{ClientId, WebhookDeliveryId, WebhookId};
use entity::webhook_attempt;

/// The key: the tries of this delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttemptsOf(pub WebhookDeliveryId);

batch_loader!(AttemptsOf => Vec<webhook_attempt::Model>, |ctx, keys| {
    let deliveries: Vec<WebhookDeliveryId> = keys.iter().map(|key| key.0).collect();
    let rows = list::attempts(ctx, &deliveries).await?;
    grouped(keys, rows, |row| AttemptsOf(row.delivery_id))
});

batch_loader!(ClientId => client_list::Client, |ctx, keys| {
    by_key(client_list::by_ids(ctx, keys).await?, |client| client.row.id)
});

batch_loader!(WebhookId => list::Webhook, |ctx, keys| {
    by_key(list::by_ids(ctx, keys).await?, |hook| hook.row.id)
});

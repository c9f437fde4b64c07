//! What can be done with clients and their secrets.

use super::input::{
    ClientCreateInput, ClientDisableInput, ClientEnableInput, ClientSecretRevokeInput,
    ClientSecretRotateInput, ClientUpdateInput,
};
use super::object::Client;
use crate::access::{Action, Ctx};
use crate::domain::organization::clients::{NewClient, NewPlaces};
use crate::domain::organization::{client_list, client_secrets, clients};
use crate::error::Result;
use crate::graphql::context::{Reported, ctx};
use crate::graphql::idempotency;
use crate::graphql::ids::key;
use crate::graphql::payload::{UserError, payload, settle};
use async_graphql::{Context, Object, SimpleObject};
use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};

/// What came of making a client.
#[derive(SimpleObject)]
pub struct ClientCreatePayload {
    /// The new client; null when the input had errors.
    pub client: Option<Client>,
    /// Its first secret, shown this once and kept nowhere; null when the idempotency key came before. When it is lost,
    /// `clientSecretRotate` gives another one.
    pub secret: Option<String>,
    /// What the caller can put right; empty when the change was made.
    pub user_errors: Vec<UserError>,
}

/// What came of giving a client a new secret.
#[derive(SimpleObject)]
pub struct ClientSecretRotatePayload {
    /// The client as it is now; null when the input had errors.
    pub client: Option<Client>,
    /// The new secret, shown this once and kept nowhere.
    pub secret: Option<String>,
    /// What the caller can put right; empty when the change was made.
    pub user_errors: Vec<UserError>,
}

payload!(
    versioned ClientUpdatePayload,
    client: Client,
    "What came of changing a client.",
    "The client as it is now, also after a stale version; null after other errors."
);
payload!(
    ClientDisablePayload,
    client: Client,
    "What came of switching a client off.",
    "The client as it is now."
);
payload!(
    ClientEnablePayload,
    client: Client,
    "What came of switching a client on.",
    "The client as it is now."
);
payload!(
    ClientSecretRevokePayload,
    client: Client,
    "What came of revoking a secret.",
    "The client as it is now."
);

/// The mutations of this topic.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientsMutation;

#[Object]
impl ClientsMutation {
    /// Make a client for a third-party program, with its first secret. It gets tokens at `/oauth/token`. For
    /// administrators.
    async fn client_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The client.")] input: ClientCreateInput,
    ) -> async_graphql::Result<ClientCreatePayload> {
        let result = create(ctx(context)?, &input).await;
        let (made, user_errors) = settle(result).reported(context)?;
        let (client, secret) = made.unzip();
        Ok(ClientCreatePayload {
            client,
            secret: secret.flatten().as_ref().map(shown),
            user_errors,
        })
    }

    /// Change a client; new scopes and places hold everywhere within two seconds, for tokens that it has, too. For
    /// administrators.
    async fn client_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The change.")] input: ClientUpdateInput,
    ) -> async_graphql::Result<ClientUpdatePayload> {
        let (ctx, id) = (ctx(context)?, key(&input.id));
        let changed = clients::update(ctx, id, &input.into()).await;
        ClientUpdatePayload::from_change(context, changed.map(Client), async {
            let found = client_list::by_ids(ctx, &[id]).await?;
            Ok(found.into_iter().next().map(Client))
        })
        .await
    }

    /// Switch a client off: its tokens are good no more within two seconds. For administrators.
    async fn client_disable(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which client.")] input: ClientDisableInput,
    ) -> async_graphql::Result<ClientDisablePayload> {
        let result = clients::disable(ctx(context)?, key(&input.id)).await;
        ClientDisablePayload::from_result(context, result.map(Client))
    }

    /// Switch a client on again, with those of its secrets that have not ended. For administrators.
    async fn client_enable(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which client.")] input: ClientEnableInput,
    ) -> async_graphql::Result<ClientEnablePayload> {
        let result = clients::enable(ctx(context)?, key(&input.id)).await;
        ClientEnablePayload::from_result(context, result.map(Client))
    }

    /// Give a client a new secret; those that it has stay good for a while, so that it can change over without a break.
    /// At most three are good at once. For administrators.
    async fn client_secret_rotate(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which client.")] input: ClientSecretRotateInput,
    ) -> async_graphql::Result<ClientSecretRotatePayload> {
        let overlap = TimeDelta::minutes(input.overlap_minutes.into());
        let result = client_secrets::rotate(ctx(context)?, key(&input.id), overlap).await;
        let (made, user_errors) = settle(result).reported(context)?;
        let (client, secret) = made.unzip();
        Ok(ClientSecretRotatePayload {
            client: client.map(Client),
            secret: secret.as_ref().map(shown),
            user_errors,
        })
    }

    /// End a secret at once, such as one that has leaked, and the tokens that were got by it within two seconds. For
    /// administrators.
    async fn client_secret_revoke(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which secret.")] input: ClientSecretRevokeInput,
    ) -> async_graphql::Result<ClientSecretRevokePayload> {
        let result = client_secrets::revoke(ctx(context)?, key(&input.id)).await;
        ClientSecretRevokePayload::from_result(context, result.map(Client))
    }
}

async fn create(ctx: &Ctx, input: &ClientCreateInput) -> Result<(Client, Option<SecretString>)> {
    // Asked before the key is read: who may not do this learns nothing about keys.
    ctx.require(Action::ClientManage)?;
    let new = NewClient {
        name: input.name.clone(),
        scopes: input.scopes.clone(),
        places: NewPlaces::from(&input.places),
        budget: input.cost_budget.map(Into::into),
        key: idempotency::key(
            ctx,
            "clientCreate",
            input.idempotency_key.as_deref(),
            &input.canonical(),
        )?,
    };
    let (client, secret) = clients::create(ctx, &new).await?;
    Ok((Client(client), secret))
}

fn shown(secret: &SecretString) -> String {
    secret.expose_secret().to_owned()
}

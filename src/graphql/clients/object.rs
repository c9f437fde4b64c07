//! Clients as the API shows them.

use crate::access::{ClientScope, Ctx, Place, Scopes};
use crate::domain::organization::client_list::{self, ClientFilter, Secret};
use crate::error::Result;
use crate::graphql::ids::GlobalKey;
use crate::graphql::organization::{self, Region, Staff, Store};
use crate::graphql::scalars::DateTime;
use async_graphql::{Context, ID, Object, SimpleObject};

/// A third-party program that signs in with a secret of its own: a storefront, a till, a connector.
#[derive(Clone, Debug)]
pub struct Client(pub client_list::Client);

/// A third-party program that signs in with a secret of its own: a storefront, a till, a connector.
#[Object]
impl Client {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.row.id.global()
    }

    /// What the program calls itself when it asks for a token: the `client_id` of OAuth.
    async fn client_id(&self) -> String {
        self.0.row.id.to_string()
    }

    /// What people call it.
    async fn name(&self) -> &str {
        &self.0.row.name
    }

    /// What it may do, each within its places.
    async fn scopes(&self) -> Vec<ClientScope> {
        Scopes::known(&self.0.row.scopes).iter().collect()
    }

    /// Where it may do what its scopes allow.
    async fn places(&self) -> ClientPlaces<'_> {
        ClientPlaces(&self.0.places)
    }

    /// What its operations may cost; null for what everybody's may.
    async fn cost_budget(&self) -> Option<ClientCostBudget> {
        let row = &self.0.row;
        Some(ClientCostBudget {
            points_per_second: row.points_per_second?,
            bucket_points: row.bucket_points?,
        })
    }

    /// Its secrets that are good now, the newest first; at most three.
    async fn secrets(&self) -> Vec<ClientSecret> {
        self.0.secrets.iter().cloned().map(ClientSecret).collect()
    }

    /// Can it get tokens, as far as an administrator has not switched it off?
    async fn enabled(&self) -> bool {
        self.0.row.disabled_at.is_none()
    }

    /// When it was switched off; null while it is on.
    async fn disabled_at(&self) -> Option<DateTime> {
        self.0.row.disabled_at.map(DateTime::from)
    }

    /// When it last got a token, to the hour; null when it never did.
    async fn last_used_at(&self) -> Option<DateTime> {
        self.0.row.last_used_at.map(DateTime::from)
    }

    /// Grows by one with every change; give it back when you change the client.
    async fn version(&self) -> i64 {
        self.0.row.version
    }

    /// Who made it; null to the client itself.
    async fn created_by(&self, context: &Context<'_>) -> async_graphql::Result<Option<Staff>> {
        match self.0.row.created_by {
            Some(staff) => organization::staff(context, staff).await,
            None => Ok(None),
        }
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.row.created_at.into()
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.row.updated_at.into()
    }
}

/// Where a client may do what its scopes allow. Without any place it sees nothing that belongs to a store.
#[derive(Clone, Copy, Debug)]
pub struct ClientPlaces<'a>(&'a [Place]);

/// Where a client may do what its scopes allow. Without any place it sees nothing that belongs to a store.
#[Object]
impl ClientPlaces<'_> {
    /// Everywhere?
    async fn whole_company(&self) -> bool {
        self.0.contains(&Place::Company)
    }

    /// In all stores of these regions, those opened later included.
    async fn regions(&self, context: &Context<'_>) -> async_graphql::Result<Vec<Region>> {
        let ids = self.0.iter().filter_map(|place| place.columns().0);
        let found =
            futures_util::future::try_join_all(ids.map(|id| organization::region(context, id)));
        Ok(found.await?.into_iter().flatten().collect())
    }

    /// In these stores.
    async fn stores(&self, context: &Context<'_>) -> async_graphql::Result<Vec<Store>> {
        let ids = self.0.iter().filter_map(|place| place.columns().1);
        let found =
            futures_util::future::try_join_all(ids.map(|id| organization::store(context, id)));
        Ok(found.await?.into_iter().flatten().collect())
    }
}

/// What a client's operations may cost.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct ClientCostBudget {
    /// Points of cost that come back each second.
    pub points_per_second: i32,
    /// Points of cost that can be saved up.
    pub bucket_points: i32,
}

/// A secret by which a client gets tokens. Its text is shown when it is made, and kept nowhere.
#[derive(Clone, Debug)]
pub struct ClientSecret(pub Secret);

/// A secret by which a client gets tokens. Its text is shown when it is made, and kept nowhere.
#[Object]
impl ClientSecret {
    /// The id, for `clientSecretRevoke`.
    async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// Its last four characters, to tell it from others.
    async fn hint(&self) -> &str {
        &self.0.hint
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it ends; null when it does not.
    async fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(DateTime::from)
    }

    /// When a token was last got by it, to the hour; null when none ever was.
    async fn last_used_at(&self) -> Option<DateTime> {
        self.0.last_used_at.map(DateTime::from)
    }
}

/// The `totalCount` of clients.
#[derive(Clone, Debug)]
pub struct ClientTotal(pub ClientFilter);

impl ClientTotal {
    async fn count(&self, ctx: &Ctx) -> Result<u64> {
        client_list::count(ctx, &self.0).await
    }
}

crate::graphql::page::connection!(
    ClientConnection,
    ClientEdge,
    Client,
    ClientTotal,
    "A page of clients.",
    "A client in a list."
);

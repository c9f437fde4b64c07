//! Filters, orders and inputs of clients.

use crate::access::ClientScope;
use crate::db::Sort;
use crate::domain::organization::client_list;
use crate::domain::organization::clients::{ClientChange, CostBudget, NewPlaces};
use crate::graphql::ids::key;
use crate::graphql::patch::patch;
use async_graphql::{Enum, ID, InputObject, MaybeUndefined};
use serde::Serialize;

/// Which clients; conditions that are left out let everything pass.
#[derive(Clone, Debug, Default, InputObject)]
pub struct ClientFilter {
    /// Those that are on (true), or switched off (false).
    pub enabled: Option<bool>,
}

impl From<ClientFilter> for client_list::ClientFilter {
    fn from(filter: ClientFilter) -> Self {
        Self {
            enabled: filter.enabled,
        }
    }
}

/// The order of clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub enum ClientOrder {
    /// Those that were made last first.
    #[default]
    NewestFirst,
    /// Those that were made first first.
    OldestFirst,
}

impl From<ClientOrder> for Sort {
    fn from(order: ClientOrder) -> Self {
        match order {
            ClientOrder::NewestFirst => Self::Descending,
            ClientOrder::OldestFirst => Self::Ascending,
        }
    }
}

/// Where a client may do what its scopes allow: in the whole company, or in some regions and stores. Without any place
/// it sees nothing that belongs to a store.
#[derive(Clone, Debug, Default, InputObject, Serialize)]
pub struct ClientPlacesInput {
    /// Everywhere; then neither regions nor stores are given.
    #[graphql(default)]
    pub whole_company: bool,
    /// In all stores of these regions, those opened later included.
    #[graphql(default)]
    pub region_ids: Vec<ID>,
    /// In these stores.
    #[graphql(default)]
    pub store_ids: Vec<ID>,
}

impl From<&ClientPlacesInput> for NewPlaces {
    fn from(input: &ClientPlacesInput) -> Self {
        Self {
            whole_company: input.whole_company,
            regions: input.region_ids.iter().map(key).collect(),
            stores: input.store_ids.iter().map(key).collect(),
        }
    }
}

/// What a client's operations may cost.
#[derive(Clone, Copy, Debug, InputObject, Serialize)]
pub struct ClientCostBudgetInput {
    /// Points of cost that come back each second.
    pub points_per_second: i32,
    /// Points of cost that can be saved up.
    pub bucket_points: i32,
}

impl From<ClientCostBudgetInput> for CostBudget {
    fn from(input: ClientCostBudgetInput) -> Self {
        Self {
            points_per_second: input.points_per_second,
            bucket_points: input.bucket_points,
        }
    }
}

/// A client to be made.
#[derive(Clone, Debug, InputObject)]
pub struct ClientCreateInput {
    /// What people call it, at most 200 characters.
    pub name: String,
    /// What it may do. Give it no more than it needs.
    pub scopes: Vec<ClientScope>,
    /// Where.
    #[graphql(default)]
    pub places: ClientPlacesInput,
    /// What its operations may cost; what everybody's may when absent.
    pub cost_budget: Option<ClientCostBudgetInput>,
    /// Your own key for this change, 1 to 128 visible ASCII characters: the same key with the same input gives the client
    /// that was made first, without its secret, which is shown once. Remembered for at least 24 hours.
    pub idempotency_key: Option<String>,
}

/// What of an input is compared when its key comes again.
#[derive(Serialize)]
pub(super) struct Canonical<'a> {
    name: &'a str,
    scopes: Vec<&'static str>,
    places: &'a ClientPlacesInput,
    cost_budget: Option<ClientCostBudgetInput>,
}

impl ClientCreateInput {
    /// The input without its key, in a fixed order.
    pub(super) fn canonical(&self) -> Canonical<'_> {
        Canonical {
            name: &self.name,
            scopes: self.scopes.iter().map(|scope| scope.word()).collect(),
            places: &self.places,
            cost_budget: self.cost_budget,
        }
    }
}

/// A change of a client; what is left out stays.
#[derive(Clone, Debug, InputObject)]
pub struct ClientUpdateInput {
    /// Which client.
    pub id: ID,
    /// The version that the change is based on.
    pub version: i64,
    /// What people call it, at most 200 characters.
    pub name: Option<String>,
    /// What it may do, all of it.
    pub scopes: Option<Vec<ClientScope>>,
    /// Where, all of it.
    pub places: Option<ClientPlacesInput>,
    /// What its operations may cost; null for what everybody's may.
    pub cost_budget: MaybeUndefined<ClientCostBudgetInput>,
}

impl From<ClientUpdateInput> for ClientChange {
    fn from(input: ClientUpdateInput) -> Self {
        Self {
            version: input.version,
            name: input.name,
            scopes: input.scopes,
            places: input.places.as_ref().map(NewPlaces::from),
            budget: patch(input.cost_budget),
        }
    }
}

/// Which client is switched off.
#[derive(Clone, Debug, InputObject)]
pub struct ClientDisableInput {
    /// Which client.
    pub id: ID,
}

/// Which client is switched on.
#[derive(Clone, Debug, InputObject)]
pub struct ClientEnableInput {
    /// Which client.
    pub id: ID,
}

/// Which client gets a new secret.
#[derive(Clone, Debug, InputObject)]
pub struct ClientSecretRotateInput {
    /// Which client.
    pub id: ID,
    /// How long the secrets that it has stay good beside the new one, in minutes: a day when absent, 43200 (30 days) at
    /// most. With 0 they end at once, and with them the tokens that were got by them.
    #[graphql(default = 1440)]
    pub overlap_minutes: i32,
}

/// Which secret is revoked.
#[derive(Clone, Debug, InputObject)]
pub struct ClientSecretRevokeInput {
    /// The secret.
    pub id: ID,
}

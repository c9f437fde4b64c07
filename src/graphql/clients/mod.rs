//! The API of clients: third-party programs, their scopes, places and secrets. How they get tokens is a matter of
//! `http::oauth`.

mod input;
mod mutation;
mod object;
mod query;

pub use input::{
    ClientCostBudgetInput, ClientCreateInput, ClientDisableInput, ClientEnableInput, ClientFilter,
    ClientOrder, ClientPlacesInput, ClientSecretRevokeInput, ClientSecretRotateInput,
    ClientUpdateInput,
};
pub use mutation::{
    ClientCreatePayload, ClientDisablePayload, ClientEnablePayload, ClientSecretRevokePayload,
    ClientSecretRotatePayload, ClientUpdatePayload, ClientsMutation,
};
pub use object::{
    Client, ClientConnection, ClientCostBudget, ClientEdge, ClientPlaces, ClientSecret,
};
pub use query::ClientsQuery;

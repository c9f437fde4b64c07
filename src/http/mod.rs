//! The HTTP side: the GraphQL endpoint, health, metrics, and the server that carries them.
//!
//! The application calls [`serve`] with a listener and [`HttpParts`]. Everything about the trade is behind [`Backend`];
//! everything about documents is in [`crate::graphql::gate`].

mod answer;
mod backend;
mod bearer;
mod body;
mod client_address;
mod company_sign_in;
mod connection;
mod event_stream;
mod explorer;
mod frame;
mod graphql;
mod health;
mod jwks;
mod live;
mod metrics;
mod negotiate;
mod oauth;
mod operation;
mod page;
mod params;
mod persisted;
mod server;
mod settings;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod toy;
mod transfers;
mod websocket;

pub use self::{
    answer::{
        BAD_REQUEST, FORBIDDEN, INTERNAL, RATE_LIMITED, TIMEOUT, UNAUTHENTICATED, UNAVAILABLE,
    },
    backend::{AuthRefusal, Backend, BudgetLeft, DocumentsAway, Executed, RequestOrigin},
    company_sign_in::{Redirect, SignInRefusal, SignInReturn},
    health::ReadyCheck,
    oauth::{Issuer, TokenGrant, TokenRefusal, TokenRequest},
    server::{HttpParts, RunningServer, serve},
    settings::{DocumentsMode, ExplorerPage, ForwardedHeader, HttpSettings},
    transfers::{BodyPart, BodyParts, Download, Problem, Upload},
};

//! A GraphQL backend for shops that live from customers who come back.
//!
//! Modules import downward only: `http` carries requests, `graphql` is the API; neither knows SQL.

pub mod graphql;
pub mod http;

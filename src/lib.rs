//! A GraphQL backend for shops that live from customers who come back.

pub mod intake;

//! The GraphQL API: what it accepts, its types and its roots.
//!
//! `http` hands requests in; nothing in here knows about sockets or headers.

pub mod gate;

//! The API of programmes, memberships and cards.

mod input;
mod loader;
mod mutation;
mod object;
mod query;

pub use loader::{CardsOf, MembershipsOf};
pub use mutation::CardsMutation;
pub(in crate::graphql) use object::money;
pub use object::{Card, Membership, Programme, Tier, TierChange};
pub use query::CardsQuery;

//! The API of groups: clubs that customers join and leave.

mod input;
mod list;
mod loader;
mod mutation;
mod object;
mod query;

pub use loader::MembershipsInGroups;
pub use mutation::GroupsMutation;
pub use object::{Group, GroupMember};
pub use query::GroupsQuery;

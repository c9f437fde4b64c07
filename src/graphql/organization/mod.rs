//! The API of the company, its regions, stores and staff, and of signing in.

mod input;
mod list;
mod loader;
mod mutation;
mod object;
mod query;
mod session;
mod viewer;

#[cfg(test)]
mod tests;

pub use list::{StaffConnection, StoreConnection};
pub use loader::{region, staff, store};
pub use mutation::OrganizationMutation;
pub use object::{Company, Region, Staff, StaffGrant, Store};
pub use query::OrganizationQuery;
pub use session::{Session, SessionMutation, SessionTokens};
pub use viewer::Viewer;

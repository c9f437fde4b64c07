//! Who acts, what they may do, which rows they see, and what is written down about it.
//!
//! Asked by every service of `domain`, by `jobs` and by the commands: a guard in `graphql` may hide
//! something, it never protects. Access has two halves, declared together (rule R3): [`policy`] says which
//! roles may use something, [`sight`] which rows they see. What third-party programs may use is a table of its own,
//! [`CLIENT_SCOPES`].

pub mod audit;
pub mod audit_log;
pub mod budget;
mod context;
mod locks;
mod memory;
pub mod policy;
mod reach;
mod scopes;
pub mod sealed;
mod secrets;
mod seen;
pub mod sight;
mod viewer;

pub use context::{Ctx, Origin, network};
pub use memory::Memory;
pub use policy::Action;
pub use scopes::{CLIENT_SCOPES, ClientScope, ClientViewer, Scopes};
pub use secrets::Secrets;
pub use seen::Seen;
pub use viewer::{Grant, Place, StaffViewer, Viewer};

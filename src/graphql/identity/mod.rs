//! The API of duplicates, merges, exports and erasures.

mod input;
mod list;
mod loader;
mod mutation;
mod object;
mod query;

pub use list::{DuplicatePairConnection, DuplicatePairEdge};
pub use loader::{DuplicatesOf, MergesOf};
pub use mutation::IdentityMutation;
pub use object::{CustomerDataExport, CustomerMerge, DuplicatePair};
pub use query::IdentityQuery;

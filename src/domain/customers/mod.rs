//! Customers: their file, how to reach them, what they like, what was noted about them (rules C1 to C6, C10).
//!
//! Called by the API, by the import and by the topics above (cards, visits). Every read starts from the rows in
//! sight, every change locks the customer first and leaves an event and an audit entry in its own transaction.
//! Never shows a contact detail in full to somebody who may not see it, and never lets them guess one.

pub mod alias;
mod archive;
mod attribute_filter;
pub mod attributes;
pub mod bulk;
mod change;
pub mod completeness;
pub mod consents;
mod contact_reads;
pub mod contacts;
mod create;
pub mod days;
mod file;
pub mod fill;
mod filter;
mod full;
pub mod input;
pub mod journal;
mod keeper;
pub mod keepers;
mod list;
mod lock;
mod lookup;
mod matching;
pub mod merging;
mod merging_points;
pub mod notes;
mod parse;
mod reads;
mod relations;
mod removal;
mod row;
pub mod tastes;
pub mod walk;

pub use archive::{archive, unarchive};
pub use attribute_filter::AttributeCondition;
pub use change::{ChangeInput, change};
pub use create::create;
pub use file::Address;
pub use filter::{CustomerFilter, CustomerOrder, Narrowed, OrderField, narrow};
pub use full::in_full;
pub use keeper::assign_keeper;
pub use list::{count, list};
pub use lock::locked;
pub(in crate::domain) use lock::{note_beside, open};
pub use reads::{by_id, by_ids, by_ids_or_former, details, totals};
pub use row::{CustomerRow, ROW_COLUMNS};

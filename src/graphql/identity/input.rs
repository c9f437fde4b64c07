//! What the mutations of this topic take in.

use crate::domain::identity::merge::MergeInput;
use crate::graphql::ids::key;
use async_graphql::{Enum, ID, InputObject};

/// Why a customer is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "CustomerEraseReason", remote = "entity::enums::ErasureReason")]
pub enum EraseReason {
    /// The customer asked for it.
    Requested,
    /// Nothing asks any more to keep what is known of them.
    NoLongerNeeded,
    /// The file should never have been made.
    RecordedInError,
    /// A court or an authority ordered it.
    Ordered,
}

/// Two files of one person.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerMergeInput {
    /// The customer whose file goes on.
    keep_id: ID,
    /// The customer whose file becomes a part of it; their id leads to the kept customer from then on.
    merge_id: ID,
    /// The version of the kept customer that you have read.
    keep_version: i32,
    /// The version of the other that you have read.
    merge_version: i32,
    /// A key of your own choice: sent again with the same input it gives the same merge, within 7 days.
    pub(super) idempotency_key: Option<String>,
}

impl From<&CustomerMergeInput> for MergeInput {
    fn from(given: &CustomerMergeInput) -> Self {
        Self {
            keep: key(&given.keep_id),
            merge: key(&given.merge_id),
            keep_version: given.keep_version.into(),
            merge_version: given.merge_version.into(),
        }
    }
}

/// A merge to be undone.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerMergeUndoInput {
    /// The merge.
    pub(super) merge_id: ID,
}

/// Two customers who are two.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerDuplicateDismissInput {
    /// The one.
    pub(super) customer_id: ID,
    /// The other.
    pub(super) other_id: ID,
}

/// A customer to be erased.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerEraseInput {
    /// The customer.
    pub(super) id: ID,
    /// The version that you have read.
    pub(super) version: i32,
    /// Why.
    pub(super) reason: EraseReason,
}

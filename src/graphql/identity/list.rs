//! The list of pairs as a Relay connection.

use super::object::DuplicatePair;
use crate::access::Ctx;
use crate::domain::identity::duplicates;
use crate::error::Result;
use crate::graphql::page::{List, PageArgs, connection};
use entity::values::CursorValue;

/// Counts the pairs.
#[derive(Clone, Copy, Debug)]
pub struct DuplicatesTotal;

impl DuplicatesTotal {
    /// How many pairs there are in sight.
    ///
    /// # Errors
    /// The service's.
    pub async fn count(&self, ctx: &Ctx) -> Result<u64> {
        duplicates::count(ctx).await
    }
}

connection!(
    DuplicatePairConnection,
    DuplicatePairEdge,
    DuplicatePair,
    DuplicatesTotal,
    "A list of pairs of customers who may be one.",
    "A pair with its place in the list."
);

/// A page of pairs.
///
/// # Errors
/// The service's.
pub(super) async fn duplicates_page(ctx: &Ctx, args: &PageArgs) -> Result<DuplicatePairConnection> {
    let list = List::new(ctx, "customerDuplicates", &[]);
    let page = duplicates::page(ctx, &list.page(args)?).await?;
    DuplicatePairConnection::new(page.map(DuplicatePair), DuplicatesTotal, |pair| {
        let (first, second) = duplicates::place(&pair.0);
        list.cursor(CursorValue::Uuid(first), second)
    })
}

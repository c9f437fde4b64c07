//! Asking for duplicates and for exports.

use super::list::{DuplicatePairConnection, duplicates_page};
use super::object::CustomerDataExport;
use crate::domain::identity::export::{self, FORMAT, VERSION};
use crate::graphql::context::{Reported, ctx};
use crate::graphql::ids::key;
use crate::graphql::page::PageArgs;
use async_graphql::{Context, ID, Object};

/// The queries of this topic.
#[derive(Clone, Copy, Debug, Default)]
pub struct IdentityQuery;

#[Object]
impl IdentityQuery {
    /// Pairs of customers who may be one person with two files: they share a contact point, or name and birth date. Pairs
    /// that were dismissed are left out.
    async fn customer_duplicates(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "How many items from the start, 1 to 100; 20 when neither this nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only items behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<DuplicatePairConnection> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        duplicates_page(ctx(context)?, &args)
            .await
            .reported(context)
    }

    /// All that is kept about a customer, for them to take along; null when there is none with this id, or you may not see
    /// them. Needs the right to see their contact details in full, and leaves an audit entry.
    async fn customer_data_export(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The customer's global id.")] id: ID,
    ) -> async_graphql::Result<Option<CustomerDataExport>> {
        let content = export::export(ctx(context)?, key(&id))
            .await
            .reported(context)?;
        Ok(content.map(|content| CustomerDataExport {
            format: FORMAT.to_owned(),
            version: VERSION,
            content,
        }))
    }
}

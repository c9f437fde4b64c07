//! Loads the customers of audit entries, all entries of a page at once.

use crate::access::audit_log;
use crate::graphql::loaders::{Batch, Shared};
use async_graphql::dataloader::Loader;
use entity::ids::{AuditEntryId, CustomerId};
use std::collections::HashMap;
use std::sync::Arc;

/// The key: the customers of this entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CustomersOf(pub AuditEntryId);

impl Loader<CustomersOf> for Batch {
    type Value = Vec<CustomerId>;
    type Error = Shared;

    async fn load(
        &self,
        keys: &[CustomersOf],
    ) -> Result<HashMap<CustomersOf, Vec<CustomerId>>, Shared> {
        let entries: Vec<AuditEntryId> = keys.iter().map(|key| key.0).collect();
        let customers = audit_log::customers_of(&self.0, &entries)
            .await
            .map_err(Arc::new)?;
        Ok(customers
            .into_iter()
            .map(|(entry, customers)| (CustomersOf(entry), customers))
            .collect())
    }
}

//! Loads what hangs on customers, for all customers of a page at once: one statement each.

use crate::domain::customers::contacts::ContactPoint;
use crate::domain::customers::{self, CustomerRow, consents, contacts, days, notes, tastes};
use crate::domain::organization::{self, CompanySettings};
pub(super) use crate::graphql::loaders::load_one as load;
use crate::graphql::loaders::{Batch, Shared, batch_loader, grouped};
use async_graphql::dataloader::Loader;
use entity::ids::{ContactPointId, CustomerId};
use entity::{consent, customer, customer_note, customer_total, special_day, taste};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

macro_rules! keys {
    ($($(#[$doc:meta])* $key:ident($id:ty);)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $key(pub $id);
    )+};
}

keys! {
    /// The whole file of this customer.
    FileOf(CustomerId);
    /// The totals of this customer.
    TotalsOf(CustomerId);
    /// Whether this customer's contact details are shown in full.
    FullOf(CustomerId);
    /// The contact points of this customer.
    ContactsOf(CustomerId);
    /// The contact points that were taken off this customer's file.
    RemovedContactsOf(CustomerId);
    /// The consents that hold for this contact point.
    ConsentsOf(ContactPointId);
    /// The tastes of this customer.
    TastesOf(CustomerId);
    /// The special days of this customer.
    DaysOf(CustomerId);
}

/// The settings of the company.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TheCompany;

/// The first notes of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NotesOf {
    /// Whose.
    pub customer: CustomerId,
    /// How many.
    pub size: u64,
    /// From the end.
    pub backward: bool,
}

impl Loader<CustomerId> for Batch {
    type Value = CustomerRow;
    type Error = Shared;

    async fn load(&self, keys: &[CustomerId]) -> Result<HashMap<CustomerId, CustomerRow>, Shared> {
        customers::by_ids_or_former(&self.0, keys)
            .await
            .map_err(Arc::new)
    }
}

impl Loader<FileOf> for Batch {
    type Value = Arc<customer::Model>;
    type Error = Shared;

    async fn load(&self, keys: &[FileOf]) -> Result<HashMap<FileOf, Self::Value>, Shared> {
        let ids: Vec<CustomerId> = keys.iter().map(|key| key.0).collect();
        let rows = customers::details(&self.0, &ids).await.map_err(Arc::new)?;
        Ok(rows
            .into_iter()
            .map(|row| (FileOf(row.id), Arc::new(row)))
            .collect())
    }
}

impl Loader<TotalsOf> for Batch {
    type Value = customer_total::Model;
    type Error = Shared;

    async fn load(&self, keys: &[TotalsOf]) -> Result<HashMap<TotalsOf, Self::Value>, Shared> {
        let ids: Vec<CustomerId> = keys.iter().map(|key| key.0).collect();
        let rows = customers::totals(&self.0, &ids).await.map_err(Arc::new)?;
        Ok(rows
            .into_iter()
            .map(|row| (TotalsOf(row.customer_id), row))
            .collect())
    }
}

impl Loader<FullOf> for Batch {
    type Value = bool;
    type Error = Shared;

    async fn load(&self, keys: &[FullOf]) -> Result<HashMap<FullOf, bool>, Shared> {
        let ids: Vec<CustomerId> = keys.iter().map(|key| key.0).collect();
        let full = customers::in_full(&self.0, &ids).await.map_err(Arc::new)?;
        Ok(keys
            .iter()
            .map(|key| (*key, full.contains(&key.0)))
            .collect())
    }
}

fn ids<K, I>(keys: &[K], id: impl Fn(&K) -> I) -> Vec<I> {
    keys.iter().map(id).collect()
}

batch_loader!(ContactsOf => Vec<ContactPoint>, |ctx, keys| {
    let rows = contacts::of_customers(ctx, &ids(keys, |key| key.0)).await?;
    grouped(keys, rows, |point| ContactsOf(point.row().customer_id))
});

batch_loader!(RemovedContactsOf => Vec<ContactPoint>, |ctx, keys| {
    let rows = contacts::removed_of_customers(ctx, &ids(keys, |key| key.0)).await?;
    grouped(keys, rows, |point| RemovedContactsOf(point.row().customer_id))
});

batch_loader!(ConsentsOf => Vec<consent::Model>, |ctx, keys| {
    let rows = consents::holding(ctx, &ids(keys, |key| key.0)).await?;
    grouped(keys, rows, |row| ConsentsOf(row.contact_point_id))
});

batch_loader!(TastesOf => Vec<taste::Model>, |ctx, keys| {
    let rows = tastes::of_customers(ctx, &ids(keys, |key| key.0)).await?;
    grouped(keys, rows, |row| TastesOf(row.customer_id))
});

batch_loader!(DaysOf => Vec<special_day::Model>, |ctx, keys| {
    let rows = days::of_customers(ctx, &ids(keys, |key| key.0)).await?;
    grouped(keys, rows, |row| DaysOf(row.customer_id))
});

impl Loader<NotesOf> for Batch {
    type Value = Vec<customer_note::Model>;
    type Error = Shared;

    async fn load(&self, keys: &[NotesOf]) -> Result<HashMap<NotesOf, Self::Value>, Shared> {
        let mut found = HashMap::new();
        let mut pages: Vec<(u64, bool)> = keys.iter().map(|key| (key.size, key.backward)).collect();
        pages.sort_unstable();
        pages.dedup();
        // Nearly always one: every customer of a list is asked for the same page.
        for (size, backward) in pages {
            let keys: Vec<NotesOf> = keys
                .iter()
                .filter(|key| (key.size, key.backward) == (size, backward))
                .copied()
                .collect();
            let ids: Vec<CustomerId> = keys.iter().map(|key| key.customer).collect();
            let rows = notes::first_of_each(&self.0, &ids, size, backward)
                .await
                .map_err(Arc::new)?;
            found.extend(grouped(&keys, rows, |row| NotesOf {
                customer: row.customer_id,
                size,
                backward,
            }));
        }
        Ok(found)
    }
}

impl Loader<TheCompany> for Batch {
    type Value = Arc<CompanySettings>;
    type Error = Shared;

    async fn load(&self, keys: &[TheCompany]) -> Result<HashMap<TheCompany, Self::Value>, Shared> {
        let company = organization::settings(&self.0).await.map_err(Arc::new)?;
        Ok(keys.iter().map(|key| (*key, company.clone())).collect())
    }
}

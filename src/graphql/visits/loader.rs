//! What the visit types load by key.

use crate::domain::visits::lookup;
use crate::graphql::loaders::batch_loader;
use crate::graphql::loaders::{by_key, grouped};
use entity::ids::{CustomerId, PurchaseId, PurchaseLineId, VisitId};
use entity::{purchase, purchase_line, visit};
use std::collections::HashMap;

/// The last visits of a customer, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct LastVisitsOf {
    /// Whose.
    pub customer: CustomerId,
    /// How many at most.
    pub limit: u64,
}

/// The receipts of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PurchasesOf(pub VisitId);

/// The lines of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct LinesOf(pub PurchaseId);

/// Whether the viewer may read the costs of a receipt: nothing for those that they may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct CostsOf(pub PurchaseId);

batch_loader!(CostsOf => (), |ctx, keys| {
    let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
    let seen = lookup::with_costs(ctx, &ids).await?;
    seen.into_iter().map(|id| (CostsOf(id), ())).collect()
});
batch_loader!(VisitId => visit::Model, |ctx, keys| by_key(lookup::by_ids(ctx, keys).await?, |row| row.id));
batch_loader!(PurchaseId => purchase::Model, |ctx, keys| by_key(lookup::purchases_by_ids(ctx, keys).await?, |row| row.id));
batch_loader!(PurchaseLineId => purchase_line::Model, |ctx, keys| by_key(lookup::lines_by_ids(ctx, keys).await?, |row| row.id));
batch_loader!(PurchasesOf => Vec<purchase::Model>, |ctx, keys| {
    let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
    grouped(keys, lookup::purchases_of(ctx, &ids).await?, |row| PurchasesOf(row.visit_id))
});
batch_loader!(LinesOf => Vec<purchase_line::Model>, |ctx, keys| {
    let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
    grouped(keys, lookup::lines_of(ctx, &ids).await?, |row| LinesOf(row.purchase_id))
});
batch_loader!(LastVisitsOf => Vec<visit::Model>, |ctx, keys| {
    // Usually all siblings ask for the same number; where they differ, each number is one statement.
    let mut by_limit: HashMap<u64, Vec<CustomerId>> = HashMap::new();
    for key in keys {
        by_limit.entry(key.limit).or_default().push(key.customer);
    }
    let mut found = HashMap::new();
    for (limit, customers) in by_limit {
        let rows = lookup::last_of(ctx, &customers, limit).await?;
        let wanted: Vec<_> = customers.iter().map(|customer| LastVisitsOf { customer: *customer, limit }).collect();
        found.extend(grouped(&wanted, rows, |row| LastVisitsOf { customer: row.customer_id, limit }));
    }
    found
});

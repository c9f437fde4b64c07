//! What the visit types load by key.

use crate::domain::visits::{arrivals, enquiries, expected, lookup};
use crate::graphql::loaders::batch_loader;
use crate::graphql::loaders::{by_key, grouped};
use entity::ids::{AnnouncedVisitId, CustomerId, PurchaseId, PurchaseLineId, VisitId};
use entity::{announced_visit, arrival, enquiry_entry, purchase, purchase_line, visit};
use std::collections::HashMap;

/// The last visits of a customer, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct LastVisitsOf {
    /// Whose.
    pub customer: CustomerId,
    /// How many at most.
    pub limit: u64,
    /// Only those on which something was bought or brought back.
    pub bought: bool,
}

/// The receipts of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct PurchasesOf(pub VisitId);

/// The first entries of an enquiry's transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FirstEntriesOf {
    /// Of which visit.
    pub visit: VisitId,
    /// How many at most.
    pub limit: u64,
}

/// The arrival with which a visit began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct ArrivalOfVisit(pub VisitId);

/// The arrival of whoever was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ArrivalOfAnnounced(pub AnnouncedVisitId);

/// The announced visits of a customer for the day that it is, and ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::graphql) struct AnnouncedAheadOf(pub CustomerId);

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
batch_loader!(AnnouncedVisitId => announced_visit::Model, |ctx, keys| by_key(expected::by_ids(ctx, keys).await?, |row| row.id));
batch_loader!(AnnouncedAheadOf => Vec<announced_visit::Model>, |ctx, keys| {
    let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
    grouped(keys, expected::ahead_of(ctx, &ids).await?, |row| AnnouncedAheadOf(row.customer_id))
});
batch_loader!(ArrivalOfVisit => arrival::Model, |ctx, keys| {
    let ids = keys.iter().map(|key| key.0.into());
    let rows = arrivals::tied(ctx, arrival::Column::VisitId, ids).await?;
    rows.into_iter().filter_map(|row| Some((ArrivalOfVisit(row.visit_id?), row))).collect()
});
batch_loader!(ArrivalOfAnnounced => arrival::Model, |ctx, keys| {
    let ids = keys.iter().map(|key| key.0.into());
    let rows = arrivals::tied(ctx, arrival::Column::AnnouncedVisitId, ids).await?;
    rows.into_iter().filter_map(|row| Some((ArrivalOfAnnounced(row.announced_visit_id?), row))).collect()
});
batch_loader!(FirstEntriesOf => Vec<enquiry_entry::Model>, |ctx, keys| {
    let ids: Vec<_> = keys.iter().map(|key| key.visit).collect();
    // Usually all siblings ask for the same number.
    let most = keys.iter().map(|key| key.limit).max().unwrap_or_default();
    let rows = enquiries::first_of(ctx, &ids, most).await?;
    keys.iter()
        .map(|key| {
            let mut theirs: Vec<_> = rows.iter().filter(|row| row.visit_id == key.visit).cloned().collect();
            theirs.truncate(usize::try_from(key.limit).unwrap_or(usize::MAX));
            (*key, theirs)
        })
        .collect()
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
    let mut alike: HashMap<(u64, bool), Vec<CustomerId>> = HashMap::new();
    for key in keys {
        alike.entry((key.limit, key.bought)).or_default().push(key.customer);
    }
    let mut found = HashMap::new();
    for ((limit, bought), customers) in alike {
        let rows = lookup::last_of(ctx, &customers, limit, bought).await?;
        let key = |customer: CustomerId| LastVisitsOf { customer, limit, bought };
        let wanted: Vec<_> = customers.into_iter().map(key).collect();
        found.extend(grouped(&wanted, rows, |row| key(row.customer_id)));
    }
    found
});

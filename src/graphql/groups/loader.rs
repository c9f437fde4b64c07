//! Loads groups and their members for all rows of a page at once.

use crate::domain::groups::{self, members};
use crate::graphql::loaders::{Batch, Shared, batch_loader, by_key, grouped};
use async_graphql::dataloader::Loader;
use entity::ids::{CustomerId, GroupId};
use entity::{customer_group, group_member};
use std::collections::HashMap;
use std::sync::Arc;

/// How many members this group has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct MembersCount(pub GroupId);

/// The first members of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct MembersOf {
    /// Of which group.
    pub group: GroupId,
    /// Those who have left it.
    pub former: bool,
    /// How many.
    pub size: u64,
    /// From the end.
    pub backward: bool,
}

/// The memberships of a customer: those in which they are, or those that they have left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MembershipsInGroups {
    /// Whose.
    pub customer: CustomerId,
    /// Those that they have left.
    pub former: bool,
}

batch_loader!(GroupId => customer_group::Model, |ctx, keys| by_key(groups::by_ids(ctx, keys).await?, |row| row.id));

batch_loader!(MembersCount => u64, |ctx, keys| {
    let ids: Vec<GroupId> = keys.iter().map(|key| key.0).collect();
    let counts = members::counts(ctx, &ids, false).await?;
    counts.into_iter().map(|(id, count)| (MembersCount(id), count)).collect()
});

/// The keys that are asked for alike, each kind with its keys: nearly always one kind, since every row of a list is asked
/// for the same.
fn alike<K: Copy, P: Ord>(keys: &[K], part: impl Fn(&K) -> P) -> Vec<(P, Vec<K>)> {
    let mut kinds: Vec<P> = keys.iter().map(&part).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
        .into_iter()
        .map(|kind| {
            let of_kind = keys.iter().filter(|key| part(key) == kind).copied();
            let of_kind = of_kind.collect();
            (kind, of_kind)
        })
        .collect()
}

impl Loader<MembersOf> for Batch {
    type Value = Vec<group_member::Model>;
    type Error = Shared;

    async fn load(&self, keys: &[MembersOf]) -> Result<HashMap<MembersOf, Self::Value>, Shared> {
        let mut found = HashMap::new();
        for ((former, size, backward), keys) in
            alike(keys, |key| (key.former, key.size, key.backward))
        {
            let ids: Vec<GroupId> = keys.iter().map(|key| key.group).collect();
            let rows = members::first_of_each(&self.0, &ids, former, size, backward)
                .await
                .map_err(Arc::new)?;
            found.extend(grouped(&keys, rows, |row| MembersOf {
                group: row.group_id,
                former,
                size,
                backward,
            }));
        }
        Ok(found)
    }
}

impl Loader<MembershipsInGroups> for Batch {
    type Value = Vec<group_member::Model>;
    type Error = Shared;

    async fn load(
        &self,
        keys: &[MembershipsInGroups],
    ) -> Result<HashMap<MembershipsInGroups, Self::Value>, Shared> {
        let mut found = HashMap::new();
        for (former, keys) in alike(keys, |key| key.former) {
            let ids: Vec<CustomerId> = keys.iter().map(|key| key.customer).collect();
            let rows = members::of_customers(&self.0, &ids, former)
                .await
                .map_err(Arc::new)?;
            found.extend(grouped(&keys, rows, |row| MembershipsInGroups {
                customer: row.customer_id,
                former,
            }));
        }
        Ok(found)
    }
}

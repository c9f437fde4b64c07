//! What the card types load by key.

use crate::batch_loader;
use crate::domain::cards::{lookup, programmes};
use crate::graphql::loaders::{by_key, grouped};
use entity::ids::{CardId, CustomerId, MembershipId, ProgrammeId, TierChangeId, TierId};
use entity::{card, membership, programme, tier, tier_change};

/// The memberships of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MembershipsOf(pub CustomerId);

/// The cards of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CardsOf(pub CustomerId);

/// The history of a membership's tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TierChangesOf(pub MembershipId);

/// The ladder of a programme.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct LadderOf(pub ProgrammeId);

batch_loader!(ProgrammeId => programme::Model, |ctx, keys| by_key(programmes::by_ids(ctx, keys).await?, |row| row.id));
batch_loader!(TierId => tier::Model, |ctx, keys| by_key(programmes::tiers_by_ids(ctx, keys).await?, |row| row.id));
batch_loader!(MembershipId => membership::Model, |ctx, keys| by_key(lookup::memberships_by_ids(ctx, keys).await?, |row| row.id));
batch_loader!(CardId => card::Model, |ctx, keys| by_key(lookup::cards_by_ids(ctx, keys).await?, |row| row.id));
batch_loader!(TierChangeId => tier_change::Model, |ctx, keys| by_key(lookup::tier_changes_by_ids(ctx, keys).await?, |row| row.id));
batch_loader!(LadderOf => Vec<tier::Model>, |ctx, keys| {
    let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
    grouped(keys, programmes::ladders(ctx, &ids).await?, |row| LadderOf(row.programme_id))
});
batch_loader!(MembershipsOf => Vec<membership::Model>, |ctx, keys| {
    let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
    grouped(keys, lookup::memberships_of(ctx, &ids).await?, |row| MembershipsOf(row.customer_id))
});
batch_loader!(CardsOf => Vec<card::Model>, |ctx, keys| {
    let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
    grouped(keys, lookup::cards_of(ctx, &ids).await?, |row| CardsOf(row.customer_id))
});
batch_loader!(TierChangesOf => Vec<tier_change::Model>, |ctx, keys| {
    let ids: Vec<_> = keys.iter().map(|key| key.0).collect();
    grouped(keys, lookup::tier_changes_of(ctx, &ids).await?, |row| TierChangesOf(row.membership_id))
});

//! A membership's tier as it follows the customer's spend; used wherever spend changes.

use super::ladder::{Ladder, Move};
use crate::db::{Batch, Engine, Table, among};
use crate::error::Result;
use crate::events::NewEvent;
use chrono::{DateTime, Utc};
use entity::enums::TierChangeReason;
use entity::ids::{CustomerId, ProgrammeId, PurchaseId, TierChangeId, TierId};
use entity::{membership, tier_change};
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter, Value};
use serde_json::json;
use std::collections::HashMap;

/// Memberships of the customers of a transaction with the ladders that they stand on.
#[derive(Debug, Default)]
pub struct Standing {
    memberships: HashMap<CustomerId, Vec<membership::Model>>,
    ladders: HashMap<ProgrammeId, Ladder>,
}

static TIER_CHANGES: Table = Table {
    name: "tier_change",
    columns: &[
        ("id", "uuid"),
        ("membership_id", "uuid"),
        ("customer_id", "uuid"),
        ("from_tier_id", "uuid"),
        ("to_tier_id", "uuid"),
        ("reason", "text"),
        ("at", "timestamptz"),
        ("net_spend_minor", "bigint"),
        ("threshold_minor", "bigint"),
        ("purchase_id", "uuid"),
    ],
    conflict: "",
};

/// Memberships whose tier has moved: the row exists, so every insert becomes this update.
static MOVED_MEMBERSHIPS: Table = Table {
    name: "membership",
    columns: &[
        ("id", "uuid"),
        ("customer_id", "uuid"),
        ("programme_id", "uuid"),
        ("tier_id", "uuid"),
        ("enrolled_at", "timestamptz"),
        ("version", "bigint"),
    ],
    conflict: "on conflict (id) do update set tier_id = excluded.tier_id, version = excluded.version",
};

/// The values of a row of tier history.
pub(super) fn change_row(change: &tier_change::Model) -> Vec<Value> {
    vec![
        change.id.into(),
        change.membership_id.into(),
        change.customer_id.into(),
        change.from_tier_id.map(uuid::Uuid::from).into(),
        change.to_tier_id.into(),
        change.reason.as_str().into(),
        change.at.into(),
        change.net_spend_minor.into(),
        change.threshold_minor.into(),
        change.purchase_id.into(),
    ]
}

/// Adds a row of tier history to a batch.
pub(super) fn add_change(batch: &mut Batch, change: &tier_change::Model) {
    batch.insert(&TIER_CHANGES, [change_row(change)]);
}

/// The spend of a customer before and after a purchase, and which purchase that is.
#[derive(Clone, Copy, Debug)]
pub struct Spend {
    /// Net of returns, before, in minor units.
    pub before: i64,
    /// Net of returns, after, in minor units.
    pub after: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// The purchase.
    pub purchase: PurchaseId,
}

impl Standing {
    /// Reads the memberships of customers who are locked, and the ladders they stand on.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn read(tx: &impl ConnectionTrait, customers: &[CustomerId]) -> Result<Self> {
        let mut standing = Self::default();
        let rows = membership::Entity::find()
            .filter(among(
                Engine::of(tx),
                membership::Column::CustomerId,
                customers.iter().copied(),
            ))
            .all(tx)
            .await?;
        for row in rows {
            standing
                .memberships
                .entry(row.customer_id)
                .or_default()
                .push(row);
        }
        let mut programmes: Vec<ProgrammeId> = standing
            .memberships
            .values()
            .flatten()
            .map(|membership| membership.programme_id)
            .collect();
        programmes.sort_unstable();
        programmes.dedup();
        if !programmes.is_empty() {
            let tiers = super::programmes::ladder_rows(tx, programmes.iter().copied()).await?;
            standing.ladders = programmes
                .into_iter()
                .map(|programme| (programme, Ladder::new(programme, tiers.clone())))
                .collect();
        }
        Ok(standing)
    }

    /// Moves the tiers of a customer after their spend has changed; gives the changes, in order.
    pub fn follow(&mut self, customer: CustomerId, spend: Spend) -> Vec<tier_change::Model> {
        let mut changes = Vec::new();
        for membership in self.memberships.get_mut(&customer).into_iter().flatten() {
            let Some(ladder) = self.ladders.get(&membership.programme_id) else {
                continue;
            };
            let moved = ladder.after(
                membership.tier_id,
                membership.granted_tier_id,
                spend.before,
                spend.after,
            );
            let Some(Move {
                to,
                reason,
                threshold_minor,
            }) = moved
            else {
                continue;
            };
            changes.push(tier_change::Model {
                id: TierChangeId::new(),
                membership_id: membership.id,
                customer_id: customer,
                from_tier_id: Some(membership.tier_id),
                to_tier_id: to,
                reason,
                at: spend.at,
                net_spend_minor: spend.after,
                threshold_minor,
                purchase_id: Some(spend.purchase.into()),
            });
            membership.tier_id = to;
            membership.version += 1;
        }
        changes
    }

    /// Adds to a batch what [`Standing::follow`] has changed, and gives the events that tell of it.
    pub fn write(&self, batch: &mut Batch, changes: &[tier_change::Model]) -> Vec<NewEvent> {
        let mut moved: Vec<_> = changes
            .iter()
            .map(|change| (change.customer_id, change.membership_id))
            .collect();
        moved.sort_unstable();
        moved.dedup();
        for (customer, id) in moved {
            let found = self
                .memberships
                .get(&customer)
                .into_iter()
                .flatten()
                .find(|membership| membership.id == id);
            if let Some(membership) = found {
                batch.insert(
                    &MOVED_MEMBERSHIPS,
                    [vec![
                        membership.id.into(),
                        membership.customer_id.into(),
                        membership.programme_id.into(),
                        membership.tier_id.into(),
                        membership.enrolled_at.into(),
                        membership.version.into(),
                    ]],
                );
            }
        }
        batch.insert(&TIER_CHANGES, changes.iter().map(change_row));
        changes.iter().map(event).collect()
    }
}

/// The event that tells of a change of tier.
pub(super) fn event(change: &tier_change::Model) -> NewEvent {
    NewEvent {
        kind: "membership.tier_changed",
        customer: Some(change.customer_id),
        store: None,
        subject: change.membership_id.into(),
        payload: json!({
            "tierChange": change.id,
            "from": change.from_tier_id,
            "to": change.to_tier_id,
            "reason": change.reason,
            "netSpendMinor": change.net_spend_minor,
            "thresholdMinor": change.threshold_minor,
            "purchase": change.purchase_id,
        }),
    }
}

/// A change made by a person or by joining, not by a purchase.
pub(super) fn by_hand(
    membership: &membership::Model,
    from: Option<TierId>,
    reason: TierChangeReason,
    at: DateTime<Utc>,
    net_spend_minor: i64,
    threshold_minor: i64,
) -> tier_change::Model {
    tier_change::Model {
        id: TierChangeId::new(),
        membership_id: membership.id,
        customer_id: membership.customer_id,
        from_tier_id: from,
        to_tier_id: membership.tier_id,
        reason,
        at,
        net_spend_minor,
        threshold_minor,
        purchase_id: None,
    }
}

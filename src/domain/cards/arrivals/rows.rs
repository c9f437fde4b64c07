//! What is new, as rows of a batch.

use super::Hall;
use crate::db::{Batch, Table};
use crate::domain::cards::bulk::CARD;
use crate::domain::cards::tiering;
use entity::ids::CustomerId;

/// A membership that is made, or whose tier has moved.
static MEMBERSHIP: Table = Table {
    name: "membership",
    columns: &[
        ("id", "uuid"),
        ("customer_id", "uuid"),
        ("programme_id", "uuid"),
        ("tier_id", "uuid"),
        ("granted_tier_id", "uuid"),
        ("store_id", "uuid"),
        ("enrolled_at", "timestamptz"),
        ("version", "bigint"),
    ],
    conflict: "on conflict (id) do update set tier_id = excluded.tier_id, \
        granted_tier_id = excluded.granted_tier_id, version = excluded.version",
};

impl Hall<'_> {
    /// Whose cards are new.
    pub fn concerned(&self) -> Vec<CustomerId> {
        self.made.iter().map(|row| row.customer_id).collect()
    }

    /// Adds what is new to a batch.
    pub fn gather(&self, batch: &mut Batch) {
        let moved = self
            .memberships
            .iter()
            .filter(|row| self.moved.contains(&row.id));
        batch.insert(
            &MEMBERSHIP,
            moved.map(|row| {
                vec![
                    row.id.into(),
                    row.customer_id.into(),
                    row.programme_id.into(),
                    row.tier_id.into(),
                    row.granted_tier_id.into(),
                    row.store_id.into(),
                    row.enrolled_at.into(),
                    row.version.into(),
                ]
            }),
        );
        batch.insert(
            &CARD,
            self.made.iter().map(|row| {
                vec![
                    row.id.into(),
                    row.membership_id.into(),
                    row.customer_id.into(),
                    row.number.clone().into(),
                    row.status.into(),
                    row.issued_at.into(),
                    row.valid_until.into(),
                    row.status_changed_at.into(),
                    row.version.into(),
                ]
            }),
        );
        for change in &self.changes {
            tiering::add_change(batch, change);
        }
    }
}

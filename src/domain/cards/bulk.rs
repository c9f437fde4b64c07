//! Many memberships with their cards at once, as of days past: a statement a table, never a round trip for each.
//!
//! Called by the demonstration inside its transaction, before the members' history is booked, so that their tiers
//! rise as of the dates of their receipts. Writes no events and no audit entries: whoever brings thousands in
//! leaves one entry for all of them.

use super::tiering;
use crate::db::{Batch, Table};
use crate::error::{Error, Result};
use chrono::{DateTime, Days, Months, NaiveDate, Utc};
use entity::enums::{CardStatus, TierChangeReason};
use entity::ids::{CardId, CustomerId, MembershipId, StoreId};
use entity::values::{CardNumber, CardPrefix};
use entity::{membership, programme};
use rand::CryptoRng;
use sea_orm::sea_query::Value;

static MEMBERSHIP: Table = Table {
    name: "membership",
    columns: &[
        ("id", "uuid"),
        ("customer_id", "uuid"),
        ("programme_id", "uuid"),
        ("tier_id", "uuid"),
        ("store_id", "uuid"),
        ("enrolled_at", "timestamptz"),
        ("version", "bigint"),
    ],
    conflict: "",
};

pub(super) static CARD: Table = Table {
    name: "card",
    columns: &[
        ("id", "uuid"),
        ("membership_id", "uuid"),
        ("customer_id", "uuid"),
        ("number", "text"),
        ("status", "text"),
        ("issued_at", "timestamptz"),
        ("valid_until", "date"),
        ("status_changed_at", "timestamptz"),
        ("version", "bigint"),
    ],
    conflict: "",
};

/// Somebody who joins, with nothing bought before.
#[derive(Clone, Debug)]
pub struct NewMember {
    /// Who; made before or in the same batch.
    pub customer: CustomerId,
    /// In which store.
    pub store: Option<StoreId>,
    /// When they joined and got their card.
    pub at: DateTime<Utc>,
    /// The number of the card, unique.
    pub number: CardNumber,
}

impl NewMember {
    /// A member whose card's number is drawn with the generator that is handed in.
    pub fn draw<R: CryptoRng + ?Sized>(
        rng: &mut R,
        prefix: &CardPrefix,
        customer: CustomerId,
        store: Option<StoreId>,
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            customer,
            store,
            at,
            number: CardNumber::generate(rng, prefix),
        }
    }
}

/// Adds memberships on the lowest tier, their cards and the first row of their tier's history to a batch. A card
/// whose validity has passed is entered as active: the daily job lets it expire.
///
/// # Errors
/// [`Error::Internal`] when the programme has no tier.
pub fn gather(
    batch: &mut Batch,
    programme: &programme::Model,
    ladder: &super::Ladder,
    members: &[NewMember],
) -> Result<()> {
    let lowest = ladder
        .tiers()
        .first()
        .ok_or_else(|| Error::internal("a programme without tiers"))?;
    for member in members {
        let joined = membership::Model {
            id: MembershipId::new(),
            customer_id: member.customer,
            programme_id: programme.id,
            tier_id: lowest.id,
            granted_tier_id: None,
            store_id: member.store,
            enrolled_at: member.at,
            version: 1,
        };
        let valid_until = last_day(programme, member.at.date_naive());
        batch.insert(&MEMBERSHIP, [row(&joined)]);
        batch.insert(
            &CARD,
            [vec![
                CardId::new().into(),
                joined.id.into(),
                joined.customer_id.into(),
                member.number.as_str().into(),
                CardStatus::Active.into(),
                member.at.into(),
                valid_until.into(),
                member.at.into(),
                1_i64.into(),
            ]],
        );
        let threshold = lowest.spend_threshold_minor;
        let reason = TierChangeReason::Enrolled;
        let first = tiering::by_hand(&joined, None, reason, member.at, 0, threshold);
        tiering::add_change(batch, &first);
    }
    Ok(())
}

/// The last day of a card that is issued on a day, which counts: twelve months from 1 March end on the last day of
/// February.
pub(super) fn last_day(programme: &programme::Model, issued: NaiveDate) -> Option<NaiveDate> {
    let months = u32::try_from(programme.card_valid_months?).ok()?;
    issued
        .checked_add_months(Months::new(months))?
        .checked_sub_days(Days::new(1))
}

fn row(membership: &membership::Model) -> Vec<Value> {
    vec![
        membership.id.into(),
        membership.customer_id.into(),
        membership.programme_id.into(),
        membership.tier_id.into(),
        membership.store_id.into(),
        membership.enrolled_at.into(),
        membership.version.into(),
    ]
}

//! Membership cards with tier and programme.

use super::writer::Record;
use super::{Export, PAGE, moment};
use crate::access::Action;
use crate::domain::cards::{lookup, programmes, walk};
use crate::domain::customers::walk::numbers;
use crate::error::Result;
use chrono::{DateTime, Utc};
use entity::ids::{CardId, CustomerId, MembershipId, ProgrammeId, TierId};
use entity::values::card_number;
use entity::{card, membership, tier};
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// The columns of a CSV file.
pub const COLUMNS: &[&str] = &[
    "number",
    "customer",
    "programme",
    "tier",
    "tier_level",
    "tier_since",
    "granted_tier",
    "status",
    "status_reason",
    "status_changed_at",
    "issued_on",
    "issued_at",
    "valid_until",
    "replaces",
    "enrolled_at",
    "store",
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CardRecord {
    number: String,
    customer: String,
    programme: Option<String>,
    tier: Option<String>,
    tier_level: Option<i32>,
    tier_since: Option<String>,
    granted_tier: Option<String>,
    status: &'static str,
    status_reason: Option<String>,
    status_changed_at: String,
    issued_on: String,
    issued_at: String,
    valid_until: Option<String>,
    /// The number of the card whose place it took.
    replaces: Option<String>,
    enrolled_at: Option<String>,
    store: Option<String>,
}

impl Record for CardRecord {
    fn rows(&self) -> Vec<Vec<String>> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        vec![vec![
            self.number.clone(),
            self.customer.clone(),
            text(&self.programme),
            text(&self.tier),
            self.tier_level
                .map(|level| level.to_string())
                .unwrap_or_default(),
            text(&self.tier_since),
            text(&self.granted_tier),
            self.status.to_owned(),
            text(&self.status_reason),
            self.status_changed_at.clone(),
            self.issued_on.clone(),
            self.issued_at.clone(),
            text(&self.valid_until),
            text(&self.replaces),
            text(&self.enrolled_at),
            text(&self.store),
        ]]
    }
}

/// What belongs to the cards of a page.
struct Around {
    memberships: HashMap<MembershipId, membership::Model>,
    programmes: HashMap<ProgrammeId, String>,
    tiers: HashMap<TierId, tier::Model>,
    /// When each membership came to its tier.
    since: HashMap<MembershipId, DateTime<Utc>>,
    numbers: HashMap<CustomerId, String>,
    replaced: HashMap<CardId, String>,
}

impl Export {
    /// Writes the next cards; gives their ids.
    pub(super) async fn cards(&mut self) -> Result<Vec<Uuid>> {
        let after = self.after.map(CardId);
        let page = walk::walk(&self.ctx, self.changed_since(), after, PAGE).await?;
        if page.is_empty() {
            return Ok(Vec::new());
        }
        let around = self.around_cards(&page).await?;
        for row in &page {
            let record = self.card(row, &around);
            self.writer.write(&record)?;
        }
        Ok(page.into_iter().map(|row| row.id.into()).collect())
    }

    async fn around_cards(&self, page: &[card::Model]) -> Result<Around> {
        let ctx = &self.ctx;
        let ids: BTreeSet<MembershipId> = page.iter().map(|row| row.membership_id).collect();
        let ids: Vec<MembershipId> = ids.into_iter().collect();
        let memberships = lookup::memberships_by_ids(ctx, &ids).await?;
        let programme_ids: BTreeSet<ProgrammeId> =
            memberships.iter().map(|row| row.programme_id).collect();
        let programme_ids: Vec<ProgrammeId> = programme_ids.into_iter().collect();
        let tier_ids: BTreeSet<TierId> = memberships
            .iter()
            .flat_map(|row| [Some(row.tier_id), row.granted_tier_id])
            .flatten()
            .collect();
        let tier_ids: Vec<TierId> = tier_ids.into_iter().collect();
        // Oldest first: the last change of each membership stays.
        let since = lookup::tier_changes_of(ctx, &ids)
            .await?
            .into_iter()
            .map(|change| (change.membership_id, change.at))
            .collect();
        let holders: BTreeSet<CustomerId> = page.iter().map(|row| row.customer_id).collect();
        let holders: Vec<CustomerId> = holders.into_iter().collect();
        let replaced: Vec<CardId> = page.iter().filter_map(|row| row.replaces_id).collect();
        Ok(Around {
            programmes: programmes::by_ids(ctx, &programme_ids)
                .await?
                .into_iter()
                .map(|row| (row.id, row.code))
                .collect(),
            tiers: programmes::tiers_by_ids(ctx, &tier_ids)
                .await?
                .into_iter()
                .map(|row| (row.id, row))
                .collect(),
            memberships: memberships.into_iter().map(|row| (row.id, row)).collect(),
            since,
            numbers: numbers(ctx, &self.plan.source, &holders).await?,
            replaced: lookup::cards_by_ids(ctx, &replaced)
                .await?
                .into_iter()
                .map(|row| (row.id, row.number))
                .collect(),
        })
    }

    fn card(&self, row: &card::Model, around: &Around) -> CardRecord {
        // As the API has it: masked for roles that do not handle cards.
        let shows = self.ctx.viewer.may(Action::CardWrite);
        let shown = |number: &str| {
            if shows {
                number.to_owned()
            } else {
                card_number::mask(number)
            }
        };
        let membership = around.memberships.get(&row.membership_id);
        let tier = membership.and_then(|membership| around.tiers.get(&membership.tier_id));
        let granted = membership
            .and_then(|membership| around.tiers.get(&membership.granted_tier_id?))
            .map(|tier| tier.name.clone());
        CardRecord {
            number: shown(&row.number),
            customer: around
                .numbers
                .get(&row.customer_id)
                .cloned()
                .unwrap_or_default(),
            programme: membership
                .and_then(|membership| around.programmes.get(&membership.programme_id).cloned()),
            tier: tier.map(|tier| tier.name.clone()),
            tier_level: tier.map(|tier| tier.level),
            tier_since: around.since.get(&row.membership_id).copied().map(moment),
            granted_tier: granted,
            status: row.status.as_str(),
            status_reason: row.status_reason.clone(),
            status_changed_at: moment(row.status_changed_at),
            issued_on: self
                .company
                .time_zone
                .local(row.issued_at)
                .date()
                .to_string(),
            issued_at: moment(row.issued_at),
            valid_until: row.valid_until.map(|day| day.to_string()),
            replaces: row
                .replaces_id
                .and_then(|id| around.replaced.get(&id))
                .map(|number| shown(number)),
            enrolled_at: membership.map(|membership| moment(membership.enrolled_at)),
            store: self
                .store_code(membership.and_then(|membership| membership.store_id))
                .map(str::to_owned),
        }
    }
}

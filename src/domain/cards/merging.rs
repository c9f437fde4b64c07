//! The part of memberships and cards in a merge (rules M1 to M3).
//!
//! Called by `identity` under the locks of both customers. A programme that only the merged customer had joined is joined
//! by the kept one with the same membership. Where both had joined, the kept membership goes on with the higher tier and
//! the earlier day, cards and history move to it, and of the cards in use one stays: an active one before one that is
//! frozen or lost, the kept customer's before the other's. The number of the other goes on leading to the kept customer.
//! What both have spent together may raise a tier, never lower one.

use super::ladder::Ladder;
use super::{programmes, tiering};
use crate::access::Ctx;
use crate::db::Batch;
use crate::domain::customers::journal::Journal;
use crate::error::Result;
use crate::events::NewEvent;
use chrono::{DateTime, Utc};
use entity::enums::CardStatus::{self, Active, Frozen, Lost, Replaced};
use entity::enums::TierChangeReason;
use entity::ids::{CardId, CustomerId, MembershipId, ProgrammeId, TierChangeId, TierId};
use entity::{card, membership, tier_change};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// What stands as reason with a card that gave way to another one in a merge.
const REASON: &str = "two files of the customer were merged";

/// Spend net of returns, in minor units.
#[derive(Clone, Copy, Debug)]
pub struct Nets {
    /// The kept customer's alone, before the merge.
    pub kept: i64,
    /// The merged customer's alone, before the merge.
    pub merged: i64,
}

/// A membership before the merge, and what the merge made of it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MembershipBefore {
    tier: TierId,
    granted: Option<TierId>,
    enrolled_at: DateTime<Utc>,
    granted_since: Option<TierId>,
    enrolled_since: DateTime<Utc>,
}

/// A card before the merge.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CardBefore {
    membership: MembershipId,
    status: CardStatus,
    reason: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct ChangeBefore {
    membership: MembershipId,
}

/// The changes of tiers that a merge or its undoing made, with their events.
#[derive(Default)]
struct Moves {
    batch: Batch,
    events: Vec<NewEvent>,
}

impl Moves {
    /// Saves a membership as it is to be; tells of its tier when that is another one.
    async fn save(
        &mut self,
        tx: &impl ConnectionTrait,
        ctx: &Ctx,
        before: &membership::Model,
        next: &membership::Model,
        why: (&Ladder, TierChangeReason, i64),
    ) -> Result<()> {
        if before == next {
            return Ok(());
        }
        let mut row: membership::ActiveModel = next.clone().into();
        row.version = Set(before.version.saturating_add(1));
        let made = row.reset_all().update(tx).await?;
        let (ladder, reason, net) = why;
        if made.tier_id != before.tier_id {
            let threshold = ladder.tier(made.tier_id);
            let threshold = threshold.map_or(0, |tier| tier.spend_threshold_minor);
            let change = tiering::by_hand(
                &made,
                Some(before.tier_id),
                reason,
                ctx.now(),
                net,
                threshold,
            );
            tiering::add_change(&mut self.batch, &change);
            self.events.push(tiering::event(&change));
        }
        Ok(())
    }

    async fn finish(self, tx: &impl ConnectionTrait) -> Result<Vec<NewEvent>> {
        self.batch.write(tx).await?;
        Ok(self.events)
    }
}

/// The ladders of these memberships.
async fn ladders(
    tx: &impl ConnectionTrait,
    memberships: &[&membership::Model],
) -> Result<HashMap<ProgrammeId, Ladder>> {
    let mut ladders = HashMap::new();
    for membership in memberships {
        let programme = membership.programme_id;
        if let Entry::Vacant(place) = ladders.entry(programme) {
            place.insert(programmes::ladder(tx, programme).await?);
        }
    }
    Ok(ladders)
}

async fn of(tx: &impl ConnectionTrait, customer: CustomerId) -> Result<Vec<membership::Model>> {
    Ok(membership::Entity::find()
        .filter(membership::Column::CustomerId.eq(customer))
        .order_by_asc(membership::Column::Id)
        .all(tx)
        .await?)
}

/// The higher of two tiers; a retired one counts below all others.
fn higher(ladder: &Ladder, one: Option<TierId>, other: Option<TierId>) -> Option<TierId> {
    let level = |id: &TierId| ladder.tier(*id).map_or(-1, |tier| tier.level);
    [one, other].into_iter().flatten().max_by_key(level)
}

/// The tier that somebody has who is at `tier` and has spent so much.
fn raised(ladder: &Ladder, tier: TierId, net: i64) -> TierId {
    let earned = ladder.earned(net).map(|tier| tier.id);
    higher(ladder, earned, Some(tier)).unwrap_or(tier)
}

/// Joins memberships and cards. Gives the events to tell.
///
/// # Errors
/// Those of the database.
pub async fn join(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    journal: &Journal,
    nets: Nets,
) -> Result<Vec<NewEvent>> {
    let (kept, merged) = (of(tx, journal.kept).await?, of(tx, journal.merged).await?);
    let all: Vec<&membership::Model> = kept.iter().chain(&merged).collect();
    let ladders = ladders(tx, &all).await?;
    let net = nets.kept.saturating_add(nets.merged);
    let mut moves = Moves::default();
    for own in &kept {
        let Some(ladder) = ladders.get(&own.programme_id) else {
            continue;
        };
        let other = merged
            .iter()
            .find(|other| other.programme_id == own.programme_id);
        let mut next = own.clone();
        if let Some(other) = other {
            next.granted_tier_id = higher(ladder, other.granted_tier_id, own.granted_tier_id);
            next.tier_id =
                higher(ladder, Some(other.tier_id), Some(own.tier_id)).unwrap_or(own.tier_id);
            next.enrolled_at = own.enrolled_at.min(other.enrolled_at);
        }
        next.tier_id = raised(ladder, next.tier_id, net);
        note(tx, journal, "kept_membership", own, &next).await?;
        moves
            .save(tx, ctx, own, &next, (ladder, TierChangeReason::Merged, net))
            .await?;
        if let Some(other) = other {
            history(tx, journal, other.id, own.id).await?;
            one_in_use(tx, ctx, journal, other.id, own.id).await?;
        }
    }
    for other in merged {
        let Some(ladder) = ladders.get(&other.programme_id) else {
            continue;
        };
        if kept
            .iter()
            .any(|own| own.programme_id == other.programme_id)
        {
            continue;
        }
        let mut next = other.clone();
        next.customer_id = journal.kept;
        next.tier_id = raised(ladder, other.tier_id, net);
        note(tx, journal, "membership", &other, &next).await?;
        for card in cards_of(tx, other.id).await? {
            note_card(tx, journal, "card", &card).await?;
        }
        whole(tx, other.id, journal.kept).await?;
        moves
            .save(
                tx,
                ctx,
                &other,
                &next,
                (ladder, TierChangeReason::Merged, net),
            )
            .await?;
    }
    moves.finish(tx).await
}

async fn note(
    tx: &impl ConnectionTrait,
    journal: &Journal,
    of_table: &str,
    before: &membership::Model,
    since: &membership::Model,
) -> Result<()> {
    let before_it = MembershipBefore {
        tier: before.tier_id,
        granted: before.granted_tier_id,
        enrolled_at: before.enrolled_at,
        granted_since: since.granted_tier_id,
        enrolled_since: since.enrolled_at,
    };
    journal.note(tx, of_table, before.id, &before_it).await
}

async fn note_card(
    tx: &impl ConnectionTrait,
    journal: &Journal,
    of_table: &str,
    card: &card::Model,
) -> Result<()> {
    let before = CardBefore {
        membership: card.membership_id,
        status: card.status,
        reason: card.status_reason.clone(),
    };
    journal.note(tx, of_table, card.id, &before).await
}

async fn cards_of(tx: &impl ConnectionTrait, membership: MembershipId) -> Result<Vec<card::Model>> {
    Ok(card::Entity::find()
        .filter(card::Column::MembershipId.eq(membership))
        .order_by_asc(card::Column::Id)
        .all(tx)
        .await?)
}

/// All that hangs on a membership becomes this customer's.
async fn whole(tx: &impl ConnectionTrait, membership: MembershipId, to: CustomerId) -> Result<()> {
    card::Entity::update_many()
        .col_expr(card::Column::CustomerId, Expr::value(to))
        .filter(card::Column::MembershipId.eq(membership))
        .exec(tx)
        .await?;
    tier_change::Entity::update_many()
        .col_expr(tier_change::Column::CustomerId, Expr::value(to))
        .filter(tier_change::Column::MembershipId.eq(membership))
        .exec(tx)
        .await?;
    Ok(())
}

/// The history of one membership's tiers becomes a part of another's.
async fn history(
    tx: &impl ConnectionTrait,
    journal: &Journal,
    from: MembershipId,
    to: MembershipId,
) -> Result<()> {
    let before = ChangeBefore { membership: from };
    let changes = tier_change::Entity::find()
        .filter(tier_change::Column::MembershipId.eq(from))
        .all(tx)
        .await?;
    for change in changes {
        journal.note(tx, "tier_change", change.id, &before).await?;
    }
    tier_change::Entity::update_many()
        .col_expr(tier_change::Column::MembershipId, Expr::value(to))
        .col_expr(tier_change::Column::CustomerId, Expr::value(journal.kept))
        .filter(tier_change::Column::MembershipId.eq(from))
        .exec(tx)
        .await?;
    Ok(())
}

/// The cards of two memberships become those of one, which has one in use at most.
async fn one_in_use(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    journal: &Journal,
    from: MembershipId,
    to: MembershipId,
) -> Result<()> {
    let (own, others) = (cards_of(tx, to).await?, cards_of(tx, from).await?);
    let mut stays: Option<CardId> = None;
    for status in [Active, Frozen, Lost] {
        let mut all = own.iter().chain(&others);
        let found = all.find(|card| card.status == status);
        stays = stays.or(found.map(|card| card.id));
    }
    let gives_way = |card: &card::Model| {
        matches!(card.status, Active | Frozen | Lost) && Some(card.id) != stays
    };
    for card in &own {
        if gives_way(card) {
            note_card(tx, journal, "kept_card", card).await?;
            set_status(tx, ctx, card, Replaced, Some(REASON.to_owned())).await?;
        }
    }
    for card in &others {
        note_card(tx, journal, "card", card).await?;
        if gives_way(card) {
            set_status(tx, ctx, card, Replaced, Some(REASON.to_owned())).await?;
        }
    }
    card::Entity::update_many()
        .col_expr(card::Column::MembershipId, Expr::value(to))
        .col_expr(card::Column::CustomerId, Expr::value(journal.kept))
        .filter(card::Column::MembershipId.eq(from))
        .exec(tx)
        .await?;
    Ok(())
}

async fn set_status(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    card: &card::Model,
    status: CardStatus,
    reason: Option<String>,
) -> Result<()> {
    let mut row: card::ActiveModel = card.clone().into();
    row.status = Set(status);
    row.status_reason = Set(reason);
    row.status_changed_at = Set(ctx.now());
    row.version = Set(card.version.saturating_add(1));
    row.update(tx).await?;
    Ok(())
}

/// Parts memberships and cards again; `now` is what each has spent by themself, now that the visits are parted. Gives the
/// events to tell.
///
/// A tier is what it was before the merge, moved by what its own customer has spent or given back since. Cards that were
/// issued since stay with the kept customer, unless they stand in a membership that goes back or replace a card that
/// does.
///
/// # Errors
/// Those of the database.
pub async fn part(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    journal: &Journal,
    nets: Nets,
    now: Nets,
) -> Result<Vec<NewEvent>> {
    let both = of(tx, journal.kept).await?;
    let stayed = of(tx, journal.merged).await?;
    let all: Vec<&membership::Model> = both.iter().chain(&stayed).collect();
    let ladders = ladders(tx, &all).await?;
    let mut moves = Moves::default();
    let of_kept = notes_of(tx, journal, "kept_membership").await?;
    let of_merged = notes_of(tx, journal, "membership").await?;
    for own in both.iter().chain(&stayed) {
        let Some(ladder) = ladders.get(&own.programme_id) else {
            continue;
        };
        let mut next = own.clone();
        let (base, before, after) = if let Some(before) = of_kept.get(&own.id) {
            restore(&mut next, before);
            (before.tier, nets.kept, now.kept)
        } else if let Some(before) = of_merged.get(&own.id) {
            next.customer_id = journal.merged;
            whole(tx, own.id, journal.merged).await?;
            restore(&mut next, before);
            (before.tier, nets.merged, now.merged)
        } else if own.customer_id == journal.merged {
            (own.tier_id, nets.merged, now.merged)
        } else {
            // Joined since the merge, by what both had spent.
            let together = now.kept.saturating_add(now.merged);
            (own.tier_id, together, now.kept)
        };
        let moved = ladder.after(base, next.granted_tier_id, before, after);
        let tier = moved.map_or(base, |moved| moved.to);
        next.tier_id = higher(ladder, next.granted_tier_id, Some(tier)).unwrap_or(tier);
        let why = (ladder, TierChangeReason::MergeUndone, after);
        moves.save(tx, ctx, own, &next, why).await?;
    }
    for (id, before) in journal
        .notes::<TierChangeId, ChangeBefore>(tx, "tier_change")
        .await?
    {
        tier_change::Entity::update_many()
            .col_expr(
                tier_change::Column::MembershipId,
                Expr::value(before.membership),
            )
            .col_expr(tier_change::Column::CustomerId, Expr::value(journal.merged))
            .filter(tier_change::Column::Id.eq(id))
            .exec(tx)
            .await?;
    }
    cards_back(tx, ctx, journal).await?;
    moves.finish(tx).await
}

async fn notes_of(
    tx: &impl ConnectionTrait,
    journal: &Journal,
    of_table: &str,
) -> Result<HashMap<MembershipId, MembershipBefore>> {
    Ok(journal.notes(tx, of_table).await?.into_iter().collect())
}

/// What nobody has changed since the merge is as before it.
fn restore(next: &mut membership::Model, before: &MembershipBefore) {
    if next.granted_tier_id == before.granted_since {
        next.granted_tier_id = before.granted;
    }
    if next.enrolled_at == before.enrolled_since {
        next.enrolled_at = before.enrolled_at;
    }
}

async fn cards_back(tx: &impl ConnectionTrait, ctx: &Ctx, journal: &Journal) -> Result<()> {
    let noted: Vec<(CardId, CardBefore)> = journal.notes(tx, "card").await?;
    let mut going: HashMap<CardId, MembershipId> = noted
        .iter()
        .map(|(id, before)| (*id, before.membership))
        .collect();
    loop {
        let newer = replacements(tx, journal, going.keys().copied().collect()).await?;
        let before = going.len();
        for (id, replaced) in newer {
            if let Some(membership) = going.get(&replaced).copied() {
                going.entry(id).or_insert(membership);
            }
        }
        if going.len() == before {
            break;
        }
    }
    for (id, membership) in going {
        card::Entity::update_many()
            .col_expr(card::Column::MembershipId, Expr::value(membership))
            .col_expr(card::Column::CustomerId, Expr::value(journal.merged))
            .filter(card::Column::Id.eq(id))
            .exec(tx)
            .await?;
    }
    let own: Vec<(CardId, CardBefore)> = journal.notes(tx, "kept_card").await?;
    for (id, before) in noted.into_iter().chain(own) {
        let Some(card) = card::Entity::find_by_id(id).one(tx).await? else {
            continue;
        };
        // Only what the merge did is undone: a card that somebody has touched since stays as they left it.
        let untouched = card.status == Replaced && card.status_reason.as_deref() == Some(REASON);
        let room = before.status != Active
            || !cards_of(tx, card.membership_id)
                .await?
                .iter()
                .any(|other| other.status == Active);
        if untouched && before.status != Replaced && room {
            set_status(tx, ctx, &card, before.status, before.reason).await?;
        }
    }
    Ok(())
}

/// The kept customer's cards that took the place of one of these, with the one whose place they took.
async fn replacements(
    tx: &impl ConnectionTrait,
    journal: &Journal,
    of: Vec<CardId>,
) -> Result<Vec<(CardId, CardId)>> {
    let found = card::Entity::find()
        .filter(card::Column::CustomerId.eq(journal.kept))
        .filter(card::Column::ReplacesId.is_in(of))
        .all(tx)
        .await?;
    Ok(found
        .into_iter()
        .filter_map(|card| Some((card.id, card.replaces_id?)))
        .collect())
}

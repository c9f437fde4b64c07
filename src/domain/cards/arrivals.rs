//! Many cards of another system at once, as they were printed, with the tiers that their holders have there (rules M1 to
//! M3).
//!
//! Called by the import inside its transaction, with customers that exist. A tier comes as one that is granted: what is
//! bought or given back later never brings it down by itself, and spend may still raise it. Writes no events and no audit
//! entries: whoever brings thousands in leaves one for all of them.

use super::ladder::Ladder;
use super::{programmes, tiering};
use crate::access::{Action, Ctx, sight};
use crate::db::{Engine, Sql, among};
use crate::domain::organization::CompanySettings;
use crate::error::Result;
use chrono::{DateTime, NaiveDate, Utc};
use entity::enums::{CardStatus, TierChangeReason};
use entity::ids::{CardId, CustomerId, MembershipId, StoreId, TierId};
use entity::values::business_date::business_date;
use entity::{card, customer_total, membership, programme, tier, tier_change};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use std::collections::{HashMap, HashSet};

mod rows;

/// A card of another system.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The number, in normal form.
    pub number: String,
    /// Whose.
    pub customer: CustomerId,
    /// The programme's code; the only one there is when absent.
    pub programme: Option<String>,
    /// The name of the tier that the holder has; only a card in use tells of it.
    pub tier: Option<String>,
    /// Since when.
    pub tier_since: Option<NaiveDate>,
    /// The state.
    pub status: CardStatus,
    /// When it was issued.
    pub issued_on: Option<NaiveDate>,
    /// Its last day.
    pub valid_until: Option<NaiveDate>,
}

/// What becomes of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The card is kept, with a membership where there was none.
    Made,
    /// It was known.
    Known,
    /// There is no such programme yet.
    NoProgramme,
    /// The programme has no such tier yet.
    NoTier,
    /// There are several programmes, and none is named.
    WhichProgramme,
    /// The card is somebody else's.
    OtherHolder,
    /// The card is one of another programme.
    OtherProgramme,
    /// The card has another state here, and nobody has changed it since it came in.
    OtherStatus,
    /// The holder was granted another tier.
    OtherTier,
    /// The membership has an active card already.
    SecondActive,
    /// The holder's file was put away.
    PutAway,
}

/// What cards of a batch meet, and what is to be written.
#[derive(Debug)]
pub struct Hall<'a> {
    ctx: &'a Ctx,
    company: &'a CompanySettings,
    today: NaiveDate,
    programmes: Vec<(programme::Model, Ladder)>,
    customers: HashMap<CustomerId, sight::LockedCustomer>,
    spend: HashMap<CustomerId, i64>,
    cards: HashMap<String, card::Model>,
    memberships: Vec<membership::Model>,
    /// By customer: places in `memberships`.
    places: HashMap<CustomerId, Vec<usize>>,
    active: HashSet<MembershipId>,
    /// Memberships whose tier was imported once: whoever took it back since has decided.
    imported: HashSet<MembershipId>,
    moved: HashSet<MembershipId>,
    made: Vec<card::Model>,
    changes: Vec<tier_change::Model>,
}

impl<'a> Hall<'a> {
    /// Locks the holders and reads what is known of them and their cards.
    ///
    /// # Errors
    /// As [`Ctx::require`]; those of the database.
    pub async fn open(
        tx: &impl ConnectionTrait,
        ctx: &'a Ctx,
        company: &'a CompanySettings,
        arrivals: &[&Arrival],
    ) -> Result<Self> {
        let engine = Engine::of(tx);
        let ids: Vec<CustomerId> = arrivals.iter().map(|arrival| arrival.customer).collect();
        let locked = sight::lock_customers(tx, ctx, Action::CardWrite, ids.clone()).await?;
        let rows = programme::Entity::find()
            .order_by_asc(programme::Column::Code)
            .all(tx)
            .await?;
        let tiers = programmes::ladder_rows(tx, rows.iter().map(|row| row.id)).await?;
        let memberships = membership::Entity::find()
            .filter(among(engine, membership::Column::CustomerId, ids.clone()))
            .all(tx)
            .await?;
        let mut hall = Self {
            ctx,
            company,
            today: business_date(ctx.now(), company.time_zone),
            programmes: rows
                .into_iter()
                .map(|row| {
                    let ladder = Ladder::new(row.id, tiers.clone());
                    (row, ladder)
                })
                .collect(),
            customers: locked.into_iter().map(|row| (row.id, row)).collect(),
            spend: HashMap::new(),
            cards: HashMap::new(),
            memberships: Vec::new(),
            places: HashMap::new(),
            active: HashSet::new(),
            imported: HashSet::new(),
            moved: HashSet::new(),
            made: Vec::new(),
            changes: Vec::new(),
        };
        let totals = customer_total::Entity::find()
            .filter(among(
                engine,
                customer_total::Column::CustomerId,
                ids.clone(),
            ))
            .all(tx)
            .await?;
        hall.spend = totals
            .into_iter()
            .map(|row| {
                (
                    row.customer_id,
                    row.bought_minor.saturating_sub(row.returned_minor),
                )
            })
            .collect();
        let members: Vec<MembershipId> = memberships.iter().map(|row| row.id).collect();
        for row in memberships {
            hall.remember(row);
        }
        hall.read_cards(tx, arrivals, members).await?;
        Ok(hall)
    }

    async fn read_cards(
        &mut self,
        tx: &impl ConnectionTrait,
        arrivals: &[&Arrival],
        members: Vec<MembershipId>,
    ) -> Result<()> {
        let engine = Engine::of(tx);
        let mut sql = Sql::for_connection(tx);
        sql.push("select * from card where number").bind_any_text(
            arrivals
                .iter()
                .map(|arrival| arrival.number.clone())
                .collect(),
        );
        let known = card::Entity::find()
            .from_raw_sql(sql.build())
            .all(tx)
            .await?;
        self.cards = known
            .into_iter()
            .map(|row| (row.number.clone(), row))
            .collect();
        if members.is_empty() {
            return Ok(());
        }
        let active = card::Entity::find()
            .filter(among(engine, card::Column::MembershipId, members.clone()))
            .filter(card::Column::Status.eq(CardStatus::Active))
            .all(tx)
            .await?;
        self.active = active.into_iter().map(|row| row.membership_id).collect();
        let imported = tier_change::Entity::find()
            .filter(among(engine, tier_change::Column::MembershipId, members))
            .filter(tier_change::Column::Reason.eq(TierChangeReason::Imported))
            .all(tx)
            .await?;
        self.imported = imported.into_iter().map(|row| row.membership_id).collect();
        Ok(())
    }

    fn remember(&mut self, row: membership::Model) -> usize {
        let place = self.memberships.len();
        self.places.entry(row.customer_id).or_default().push(place);
        self.memberships.push(row);
        place
    }

    /// Lets a card in, if nothing speaks against it.
    pub fn admit(&mut self, arrival: &Arrival) -> Outcome {
        match self.check(arrival) {
            Ok((programme, ladder, tier)) => self.enter(arrival, &programme, &ladder, tier),
            Err(outcome) => outcome,
        }
    }

    fn check(
        &self,
        arrival: &Arrival,
    ) -> Result<(programme::Model, Ladder, Option<tier::Model>), Outcome> {
        if let Some(known) = self.cards.get(&arrival.number)
            && known.customer_id != arrival.customer
        {
            return Err(Outcome::OtherHolder);
        }
        let named = match &arrival.programme {
            Some(code) => self.programmes.iter().find(|(row, _)| row.code == *code),
            None if self.programmes.len() > 1 => return Err(Outcome::WhichProgramme),
            None => self.programmes.first(),
        };
        let (programme, ladder) = named.ok_or(Outcome::NoProgramme)?;
        if let Some(known) = self.cards.get(&arrival.number) {
            let of = |row: &&membership::Model| row.id == known.membership_id;
            let kept = self.memberships.iter().find(of);
            if kept.is_some_and(|row| row.programme_id != programme.id) {
                return Err(Outcome::OtherProgramme);
            }
            // What has become of the card here since it came in is nothing that a file can know.
            let is_same = known.version > 1 || known.status == self.status(arrival);
            return Err(if is_same {
                Outcome::Known
            } else {
                Outcome::OtherStatus
            });
        }
        let customer = self.customers.get(&arrival.customer);
        if customer.is_none_or(|row| row.archived_at.is_some()) {
            return Err(Outcome::PutAway);
        }
        let in_use = !matches!(arrival.status, CardStatus::Expired | CardStatus::Replaced);
        let tier = match &arrival.tier {
            Some(name) if in_use => {
                let mut tiers = ladder.tiers().iter();
                Some(
                    tiers
                        .find(|tier| tier.name == *name)
                        .cloned()
                        .ok_or(Outcome::NoTier)?,
                )
            }
            _ => None,
        };
        Ok((programme.clone(), ladder.clone(), tier))
    }

    /// Its state today: what was valid until yesterday has expired.
    fn status(&self, arrival: &Arrival) -> CardStatus {
        let is_over = arrival.valid_until.is_some_and(|day| day < self.today);
        match arrival.status {
            CardStatus::Active | CardStatus::Frozen if is_over => CardStatus::Expired,
            status => status,
        }
    }

    fn enter(
        &mut self,
        arrival: &Arrival,
        programme: &programme::Model,
        ladder: &Ladder,
        tier: Option<tier::Model>,
    ) -> Outcome {
        let places = self.places.get(&arrival.customer);
        let found = places.into_iter().flatten().copied().find(|place| {
            let row = self.memberships.get(*place);
            row.is_some_and(|row| row.programme_id == programme.id)
        });
        let status = self.status(arrival);
        let place = match found {
            Some(place) => {
                let Some(row) = self.memberships.get(place).cloned() else {
                    return Outcome::NoProgramme;
                };
                if status == CardStatus::Active && self.active.contains(&row.id) {
                    return Outcome::SecondActive;
                }
                if let Some(tier) = &tier
                    && !self.raise(row, ladder, tier, arrival, place)
                {
                    return Outcome::OtherTier;
                }
                place
            }
            None => match self.join(arrival, programme, ladder, tier.as_ref()) {
                Some(place) => place,
                // A programme without tiers is as good as none.
                None => return Outcome::NoTier,
            },
        };
        let Some(membership) = self.memberships.get(place).map(|row| row.id) else {
            return Outcome::NoProgramme;
        };
        if status == CardStatus::Active {
            self.active.insert(membership);
        }
        let now = self.ctx.now();
        let row = card::Model {
            id: CardId::new(),
            membership_id: membership,
            customer_id: arrival.customer,
            number: arrival.number.clone(),
            status,
            issued_at: arrival.issued_on.map_or(now, |day| self.noon(day)),
            valid_until: arrival.valid_until,
            status_reason: None,
            status_changed_at: now,
            replaces_id: None,
            version: 1,
        };
        self.cards.insert(row.number.clone(), row.clone());
        self.made.push(row);
        Outcome::Made
    }

    /// Where only the day is known, noon stands for it, as for purchases; never later than now.
    fn noon(&self, day: NaiveDate) -> DateTime<Utc> {
        let noon = day.and_hms_opt(12, 0, 0).unwrap_or_default();
        self.company.time_zone.instant(noon).min(self.ctx.now())
    }

    fn spend(&self, customer: CustomerId) -> i64 {
        self.spend.get(&customer).copied().unwrap_or(0)
    }

    fn since(&self, arrival: &Arrival) -> DateTime<Utc> {
        let day = arrival.tier_since.or(arrival.issued_on);
        day.map_or(self.ctx.now(), |day| self.noon(day))
    }

    /// A new membership; its place.
    fn join(
        &mut self,
        arrival: &Arrival,
        programme: &programme::Model,
        ladder: &Ladder,
        told: Option<&tier::Model>,
    ) -> Option<usize> {
        let net = self.spend(arrival.customer);
        let granted = told.and_then(|tier| floor(ladder, tier));
        let tier = ladder.on_joining(net, granted)?.clone();
        let days = [arrival.issued_on, arrival.tier_since];
        let first = days.into_iter().flatten().min();
        let now = self.ctx.now();
        let store: Option<StoreId> = self
            .customers
            .get(&arrival.customer)
            .and_then(|customer| customer.home_store_id);
        let mut row = membership::Model {
            id: MembershipId::new(),
            customer_id: arrival.customer,
            programme_id: programme.id,
            tier_id: tier.id,
            granted_tier_id: granted,
            store_id: store,
            enrolled_at: first.map_or(now, |day| self.noon(day)),
            version: 1,
        };
        let (first, reason, at) = match told {
            Some(told) => (told, TierChangeReason::Imported, self.since(arrival)),
            None => (&tier, TierChangeReason::Enrolled, row.enrolled_at),
        };
        row.tier_id = first.id;
        let threshold = first.spend_threshold_minor;
        self.changes
            .push(tiering::by_hand(&row, None, reason, at, net, threshold));
        if tier.id != first.id {
            // Receipts that came in before have earned more than the other system knew.
            row.tier_id = tier.id;
            let reason = TierChangeReason::SpendReached;
            let threshold = tier.spend_threshold_minor;
            let from = Some(first.id);
            self.changes
                .push(tiering::by_hand(&row, from, reason, now, net, threshold));
        }
        self.moved.insert(row.id);
        if told.is_some() {
            self.imported.insert(row.id);
        }
        Some(self.remember(row))
    }

    /// Grants a member the tier that they have in the other system; false when they were granted another one.
    fn raise(
        &mut self,
        mut row: membership::Model,
        ladder: &Ladder,
        told: &tier::Model,
        arrival: &Arrival,
        place: usize,
    ) -> bool {
        let granted = floor(ladder, told);
        if row.granted_tier_id == granted
            || (self.imported.contains(&row.id) && row.granted_tier_id.is_none())
        {
            return true;
        }
        if row.granted_tier_id.is_some() {
            return false;
        }
        let level = |id: TierId| ladder.tier(id).map_or(0, |tier| tier.level);
        let from = row.tier_id;
        row.granted_tier_id = granted;
        if told.level > level(from) {
            row.tier_id = told.id;
            let (net, at) = (self.spend(arrival.customer), self.since(arrival));
            let reason = TierChangeReason::Imported;
            let threshold = told.spend_threshold_minor;
            self.changes.push(tiering::by_hand(
                &row,
                Some(from),
                reason,
                at,
                net,
                threshold,
            ));
        }
        if self.moved.insert(row.id) {
            row.version += 1;
        }
        self.imported.insert(row.id);
        if let Some(kept) = self.memberships.get_mut(place) {
            *kept = row;
        }
        true
    }
}

/// The tier below which its holder cannot fall; the lowest one is everybody's.
fn floor(ladder: &Ladder, tier: &tier::Model) -> Option<TierId> {
    let lowest = ladder.tiers().first()?;
    (tier.id != lowest.id).then_some(tier.id)
}

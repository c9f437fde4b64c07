//! Programmes, tiers, memberships, cards and the history of tiers, as the API shows them.

use super::loader::{CardsOf, LadderOf, TierChangesOf};
use crate::access::Action;
use crate::domain::organization::company;
use crate::graphql::context::{Reported, ctx};
use crate::graphql::customers::Customer;
use crate::graphql::ids::GlobalKey;
use crate::graphql::loaders::load_one;
use crate::graphql::organization::{self, Store};
use crate::graphql::scalars::{Date, DateTime, Decimal, Money};
use async_graphql::{Context, Enum, ID, Object, Result};
use entity::values::card_number;
use entity::values::decimal::format_scaled;
use entity::{card, membership, programme, tier, tier_change};

/// A card's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::CardStatus")]
pub enum CardStatus {
    /// In use; a membership has at most one such card.
    Active,
    /// Held for now.
    Frozen,
    /// Lost, and not replaced.
    Lost,
    /// Past its last day.
    Expired,
    /// Another card has taken its place.
    Replaced,
}

/// Why a membership's tier changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::TierChangeReason")]
pub enum TierChangeReason {
    /// The customer joined the programme.
    Enrolled,
    /// The spend net of returns reached the threshold.
    SpendReached,
    /// A return made an upgrade unearned.
    ReturnUndid,
    /// A person gave the tier or took it back.
    Granted,
    /// The ladder itself was changed.
    LadderChanged,
    /// Two files of one customer became one: the higher tier stays, and what both have spent counts.
    Merged,
    /// They became two again.
    MergeUndone,
    /// The tier was brought from another system, with its day.
    Imported,
}

/// A loyalty programme.
#[derive(Clone, Debug)]
pub struct Programme(pub programme::Model);

/// A loyalty programme.
#[Object]
impl Programme {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// The company's own short name for it.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// First digits of its card numbers.
    async fn card_prefix(&self) -> &str {
        &self.0.card_prefix
    }

    /// How long a card is valid, in months; null when cards are valid for good.
    async fn card_valid_months(&self) -> Option<i32> {
        self.0.card_valid_months
    }

    /// The ladder, lowest tier first.
    async fn tiers(&self, context: &Context<'_>) -> Result<Vec<Tier>> {
        Ok(load_one(context, LadderOf(self.0.id))
            .await?
            .unwrap_or_default()
            .into_iter()
            .map(Tier)
            .collect())
    }

    /// Grows by one with every change; send it back with yours.
    async fn version(&self) -> i64 {
        self.0.version
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.updated_at.into()
    }
}

/// A tier of a programme's ladder.
#[derive(Clone, Debug)]
pub struct Tier(pub tier::Model);

/// A tier of a programme's ladder.
#[Object]
impl Tier {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// Rank from 1, the lowest.
    async fn level(&self) -> i32 {
        self.0.level
    }

    /// The name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The spend net of returns that reaches it.
    async fn spend_threshold(&self, context: &Context<'_>) -> Result<Money> {
        money(context, self.0.spend_threshold_minor).await
    }

    /// The discount in percent, such as `"2.50"`.
    async fn discount_percent(&self) -> Decimal {
        Decimal(format_scaled(i64::from(self.0.discount_basis_points), 2))
    }

    /// The programme whose ladder it belongs to.
    async fn programme(&self, context: &Context<'_>) -> Result<Option<Programme>> {
        Ok(load_one(context, self.0.programme_id).await?.map(Programme))
    }
}

/// A customer's membership in a programme: it holds the tier.
#[derive(Clone, Debug)]
pub struct Membership(pub membership::Model);

/// A customer's membership in a programme: it holds the tier.
#[Object]
impl Membership {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// The member.
    async fn customer(&self, context: &Context<'_>) -> Result<Option<Customer>> {
        Ok(load_one(context, self.0.customer_id).await?.map(Customer))
    }

    /// The programme.
    async fn programme(&self, context: &Context<'_>) -> Result<Option<Programme>> {
        Ok(load_one(context, self.0.programme_id).await?.map(Programme))
    }

    /// The tier that holds now.
    async fn tier(&self, context: &Context<'_>) -> Result<Option<Tier>> {
        Ok(load_one(context, self.0.tier_id).await?.map(Tier))
    }

    /// A tier given by a person, or brought from another system, below which spend cannot bring it.
    async fn granted_tier(&self, context: &Context<'_>) -> Result<Option<Tier>> {
        match self.0.granted_tier_id {
            Some(id) => Ok(load_one(context, id).await?.map(Tier)),
            None => Ok(None),
        }
    }

    /// The store where the customer joined.
    async fn store(&self, context: &Context<'_>) -> Result<Option<Store>> {
        match self.0.store_id {
            Some(id) => organization::store(context, id).await,
            None => Ok(None),
        }
    }

    /// When the customer joined.
    async fn enrolled_at(&self) -> DateTime {
        self.0.enrolled_at.into()
    }

    /// The card in use.
    async fn card(&self, context: &Context<'_>) -> Result<Option<Card>> {
        let cards = self.load_cards(context).await?;
        Ok(cards
            .into_iter()
            .find(|card| card.status == entity::enums::CardStatus::Active)
            .map(Card))
    }

    /// All cards of this membership, oldest first.
    async fn cards(&self, context: &Context<'_>) -> Result<Vec<Card>> {
        Ok(self
            .load_cards(context)
            .await?
            .into_iter()
            .map(Card)
            .collect())
    }

    /// How the tier came to be what it is, oldest change first.
    async fn tier_changes(&self, context: &Context<'_>) -> Result<Vec<TierChange>> {
        Ok(load_one(context, TierChangesOf(self.0.id))
            .await?
            .unwrap_or_default()
            .into_iter()
            .map(TierChange)
            .collect())
    }

    /// Grows by one with every change; send it back with yours.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

impl Membership {
    async fn load_cards(&self, context: &Context<'_>) -> Result<Vec<card::Model>> {
        let all = load_one(context, CardsOf(self.0.customer_id))
            .await?
            .unwrap_or_default();
        Ok(all
            .into_iter()
            .filter(|card| card.membership_id == self.0.id)
            .collect())
    }
}

/// A membership card.
#[derive(Clone, Debug)]
pub struct Card(pub card::Model);

/// A membership card.
#[Object]
impl Card {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// The number, as it is printed; masked for roles that do not handle cards.
    async fn number(&self, context: &Context<'_>) -> Result<String> {
        let in_full = ctx(context)?.viewer.may(Action::CardWrite);
        Ok(if in_full {
            self.0.number.clone()
        } else {
            card_number::mask(&self.0.number)
        })
    }

    /// The state.
    async fn status(&self) -> CardStatus {
        self.0.status.into()
    }

    /// When it was issued.
    async fn issued_at(&self) -> DateTime {
        self.0.issued_at.into()
    }

    /// Its last day; null when it is valid for good.
    async fn valid_until(&self) -> Option<Date> {
        self.0.valid_until.map(Date)
    }

    /// Why the state last changed.
    async fn status_reason(&self) -> Option<&str> {
        self.0.status_reason.as_deref()
    }

    /// When the state last changed.
    async fn status_changed_at(&self) -> DateTime {
        self.0.status_changed_at.into()
    }

    /// The card whose place it took.
    async fn replaces(&self, context: &Context<'_>) -> Result<Option<Self>> {
        match self.0.replaces_id {
            Some(id) => Ok(load_one(context, id).await?.map(Self)),
            None => Ok(None),
        }
    }

    /// The membership whose token it is.
    async fn membership(&self, context: &Context<'_>) -> Result<Option<Membership>> {
        Ok(load_one(context, self.0.membership_id)
            .await?
            .map(Membership))
    }

    /// The holder.
    async fn customer(&self, context: &Context<'_>) -> Result<Option<Customer>> {
        Ok(load_one(context, self.0.customer_id).await?.map(Customer))
    }

    /// Grows by one with every change; send it back with yours.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

/// A change of a membership's tier, with the figures behind it.
#[derive(Clone, Debug)]
pub struct TierChange(pub tier_change::Model);

/// A change of a membership's tier, with the figures behind it.
#[Object]
impl TierChange {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// When.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }

    /// Why.
    async fn reason(&self) -> TierChangeReason {
        self.0.reason.into()
    }

    /// The tier before; null on joining.
    async fn from(&self, context: &Context<'_>) -> Result<Option<Tier>> {
        match self.0.from_tier_id {
            Some(id) => Ok(load_one(context, id).await?.map(Tier)),
            None => Ok(None),
        }
    }

    /// The tier after.
    async fn to(&self, context: &Context<'_>) -> Result<Option<Tier>> {
        Ok(load_one(context, self.0.to_tier_id).await?.map(Tier))
    }

    /// The customer's spend net of returns at that moment.
    async fn net_spend(&self, context: &Context<'_>) -> Result<Money> {
        money(context, self.0.net_spend_minor).await
    }

    /// The threshold that was passed, or that was missed.
    async fn threshold(&self, context: &Context<'_>) -> Result<Money> {
        money(context, self.0.threshold_minor).await
    }
}

/// An amount in the company's currency.
pub(in crate::graphql) async fn money(context: &Context<'_>, minor: i64) -> Result<Money> {
    let company = company::settings(ctx(context)?).await.reported(context)?;
    Ok(Money::of(minor, company.currency))
}

//! Inputs of programmes, memberships and cards.

use crate::domain::cards::Rung;
use crate::error::{Code, Result, UserErrors};
use crate::graphql::ids::GlobalKey;
use crate::graphql::scalars::{Decimal, MoneyInput};
use async_graphql::{ID, InputObject, MaybeUndefined};
use entity::ids::TierId;
use entity::values::decimal::parse_scaled;
use iso_currency::Currency;

/// A tier of a ladder.
#[derive(Clone, Debug, InputObject)]
pub struct TierInput {
    /// An existing tier that goes on; a new one is made when absent.
    pub id: Option<ID>,
    /// The name.
    pub name: String,
    /// The spend net of returns that reaches it; 0 for the lowest tier, and rising strictly.
    pub spend_threshold: MoneyInput,
    /// The discount in percent, with at most two decimals; rising strictly.
    pub discount_percent: Decimal,
}

/// A programme to be made.
#[derive(Clone, Debug, InputObject)]
pub struct ProgrammeCreateInput {
    /// The company's own short name for it, unique: letters, digits and dashes.
    pub code: String,
    /// The name.
    pub name: String,
    /// First digits of its card numbers, 1 to 6; the usual ones when absent.
    pub card_prefix: Option<String>,
    /// How long a card is valid, in months; for good when absent.
    pub card_valid_months: Option<i32>,
    /// The ladder, lowest tier first.
    pub tiers: Vec<TierInput>,
}

/// What is to be changed of a programme; what is absent stays.
#[derive(Clone, Debug, InputObject)]
pub struct ProgrammeUpdateInput {
    /// The programme.
    pub id: ID,
    /// The version that you have read.
    pub version: i64,
    /// A new name.
    pub name: Option<String>,
    /// A new validity in months of cards issued from now on; null makes them valid for good.
    pub card_valid_months: MaybeUndefined<i32>,
    /// A new ladder, lowest tier first. Tiers that are left out must have no members.
    pub tiers: Option<Vec<TierInput>>,
}

/// Who joins which programme.
#[derive(Clone, Debug, InputObject)]
pub struct MembershipEnrollInput {
    /// Who joins.
    pub customer_id: ID,
    /// Which programme; the only one there is when absent.
    pub programme_id: Option<ID>,
    /// In which store; the customer's home store when absent.
    pub store_id: Option<ID>,
}

/// A tier given by hand, or taken back.
#[derive(Clone, Debug, InputObject)]
pub struct MembershipTierGrantInput {
    /// The membership.
    pub membership_id: ID,
    /// The version that you have read.
    pub version: i64,
    /// The tier below which spend cannot bring it; null takes an earlier grant back.
    pub tier_id: Option<ID>,
}

/// A card to be issued.
#[derive(Clone, Debug, InputObject, serde::Serialize)]
pub struct CardIssueInput {
    /// To whom.
    pub customer_id: ID,
    /// In which programme; the only one there is when absent. Whoever has not joined it joins it now.
    pub programme_id: Option<ID>,
    /// In which store; the customer's home store when absent.
    pub store_id: Option<ID>,
    /// Your own key for this change, 1 to 128 visible ASCII characters: the same key with the same input gives
    /// the same answer, and nothing is done twice. Remembered for at least 24 hours.
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

/// A step with a card.
#[derive(Clone, Debug, InputObject)]
pub struct CardStepInput {
    /// The card.
    pub card_id: ID,
    /// The version that you have read.
    pub version: i64,
    /// Why, at most 200 characters.
    pub reason: Option<String>,
}

/// A card to be replaced.
#[derive(Clone, Debug, InputObject, serde::Serialize)]
pub struct CardReplaceInput {
    /// The card whose place is taken.
    pub card_id: ID,
    /// The version that you have read.
    pub version: i64,
    /// Why, at most 200 characters.
    pub reason: Option<String>,
    /// Your own key for this change, 1 to 128 visible ASCII characters: the same key with the same input gives
    /// the same answer, and nothing is done twice. Remembered for at least 24 hours.
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

/// Reads the rungs of a proposed ladder.
pub(super) fn rungs(tiers: &[TierInput], currency: Currency) -> Result<Vec<Rung>> {
    let mut errors = UserErrors::new();
    let rungs = tiers
        .iter()
        .enumerate()
        .map(|(n, tier)| {
            let id = tier.id.as_ref().and_then(|id| {
                let found = TierId::parse(id);
                if found.is_none() {
                    errors.push(
                        Code::NotFound,
                        &format!("tiers.{n}.id"),
                        "no such tier in this programme",
                    );
                }
                found
            });
            let threshold = tier.spend_threshold.minor(
                &format!("tiers.{n}.spendThreshold"),
                currency,
                &mut errors,
            );
            let discount = errors.take(
                &format!("tiers.{n}.discountPercent"),
                |_| Code::Invalid,
                parse_scaled(&tier.discount_percent.0, 2),
            );
            Rung {
                id,
                name: tier.name.clone(),
                spend_threshold_minor: threshold.unwrap_or_default(),
                discount_basis_points: discount
                    .and_then(|points| i32::try_from(points).ok())
                    .unwrap_or(-1),
            }
        })
        .collect();
    errors.check()?;
    Ok(rungs)
}

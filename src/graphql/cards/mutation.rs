//! Mutations of programmes, memberships and cards.

use super::input::{
    CardIssueInput, CardReplaceInput, CardStepInput, MembershipEnrollInput,
    MembershipTierGrantInput, ProgrammeCreateInput, ProgrammeUpdateInput, rungs,
};
use super::object::{Card, Membership, Programme};
use crate::access::Ctx;
use crate::domain::cards::issue::{self, CardChange, NewCard, Step};
use crate::domain::cards::lookup;
use crate::domain::cards::memberships::{self, Enrolment, TierGrant};
use crate::domain::cards::programmes::{self, NewProgramme, ProgrammeChange};
use crate::domain::organization::company;
use crate::error::{Error, Result, UserErrors, text_code};
use crate::graphql::context::ctx;
use crate::graphql::idempotency::key;
use crate::graphql::ids::{GlobalKey, need, need_option};
use crate::graphql::payload::payload;
use async_graphql::{Context, ID, MaybeUndefined, Object};
use entity::ids::{CardId, MembershipId, ProgrammeId};
use entity::values::clean_line;

payload!(ProgrammeCreatePayload, programme: Programme, "What `programmeCreate` answers.", "The new programme.");
payload!(versioned ProgrammeUpdatePayload, programme: Programme, "What `programmeUpdate` answers.", "The programme as it is now, also after a stale version; null after other errors.");
payload!(MembershipEnrollPayload, membership: Membership, "What `membershipEnroll` answers.", "The new membership.");
payload!(versioned MembershipTierGrantPayload, membership: Membership, "What `membershipTierGrant` answers.", "The membership as it is now, also after a stale version; null after other errors.");
payload!(CardIssuePayload, card: Card, "What `cardIssue` answers.", "The new card.");
payload!(versioned CardFreezePayload, card: Card, "What `cardFreeze` answers.", "The frozen card; after a stale version the card as it is now, null after other errors.");
payload!(versioned CardUnfreezePayload, card: Card, "What `cardUnfreeze` answers.", "The card in use again; after a stale version the card as it is now, null after other errors.");
payload!(versioned CardReportLostPayload, card: Card, "What `cardReportLost` answers.", "The lost card; after a stale version the card as it is now, null after other errors.");
payload!(versioned CardReplacePayload, card: Card, "What `cardReplace` answers.", "The new card; the old one ends `REPLACED`. After a stale version the old card as it is now, null after other errors.");

/// Mutations of programmes, memberships and cards.
#[derive(Debug, Default)]
pub struct CardsMutation;

/// Mutations of programmes, memberships and cards.
#[Object]
impl CardsMutation {
    /// Makes a loyalty programme with its ladder of tiers.
    async fn programme_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The programme to be made.")] input: ProgrammeCreateInput,
    ) -> async_graphql::Result<ProgrammeCreatePayload> {
        ProgrammeCreatePayload::from_result(
            context,
            programme_create(ctx(context)?, input).await.map(Programme),
        )
    }

    /// Changes a loyalty programme or its ladder. Members keep their tier until a purchase or return moves it.
    async fn programme_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is to be changed.")] input: ProgrammeUpdateInput,
    ) -> async_graphql::Result<ProgrammeUpdatePayload> {
        let (ctx, id) = (ctx(context)?, ProgrammeId::parse(&input.id));
        let changed = programme_update(ctx, input).await;
        ProgrammeUpdatePayload::from_change(context, changed.map(Programme), async {
            Ok(programmes::by_ids(ctx, id.as_slice())
                .await?
                .pop()
                .map(Programme))
        })
        .await
    }

    /// Enrolls a customer in a programme, at the tier that their spend so far has earned.
    async fn membership_enroll(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who joins which programme.")] input: MembershipEnrollInput,
    ) -> async_graphql::Result<MembershipEnrollPayload> {
        MembershipEnrollPayload::from_result(
            context,
            enroll(ctx(context)?, input).await.map(Membership),
        )
    }

    /// Gives a membership a tier by hand, or takes an earlier grant back.
    async fn membership_tier_grant(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The tier given by hand.")] input: MembershipTierGrantInput,
    ) -> async_graphql::Result<MembershipTierGrantPayload> {
        let (ctx, id) = (ctx(context)?, MembershipId::parse(&input.membership_id));
        let changed = tier_grant(ctx, input).await;
        MembershipTierGrantPayload::from_change(context, changed.map(Membership), async {
            Ok(lookup::memberships_by_ids(ctx, id.as_slice())
                .await?
                .pop()
                .map(Membership))
        })
        .await
    }

    /// Issues a card; whoever has not joined the programme joins it now.
    async fn card_issue(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The card to be issued.")] input: CardIssueInput,
    ) -> async_graphql::Result<CardIssuePayload> {
        CardIssuePayload::from_result(context, card_issue(ctx(context)?, input).await.map(Card))
    }

    /// Holds a card in use for now.
    async fn card_freeze(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The card to be frozen.")] input: CardStepInput,
    ) -> async_graphql::Result<CardFreezePayload> {
        let (ctx, id) = (ctx(context)?, input.card_id.clone());
        let changed = step(ctx, Step::Freeze, input).await;
        CardFreezePayload::from_change(context, changed.map(Card), present_card(ctx, &id)).await
    }

    /// Puts a frozen card to use again.
    async fn card_unfreeze(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The card to be used again.")] input: CardStepInput,
    ) -> async_graphql::Result<CardUnfreezePayload> {
        let (ctx, id) = (ctx(context)?, input.card_id.clone());
        let changed = step(ctx, Step::Unfreeze, input).await;
        CardUnfreezePayload::from_change(context, changed.map(Card), present_card(ctx, &id)).await
    }

    /// Notes that a card is lost, where no new one is wanted yet.
    async fn card_report_lost(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The lost card.")] input: CardStepInput,
    ) -> async_graphql::Result<CardReportLostPayload> {
        let (ctx, id) = (ctx(context)?, input.card_id.clone());
        let changed = step(ctx, Step::ReportLost, input).await;
        CardReportLostPayload::from_change(context, changed.map(Card), present_card(ctx, &id)).await
    }

    /// Replaces a card in one step: the number changes, the membership with its history does not.
    async fn card_replace(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The card to be replaced.")] input: CardReplaceInput,
    ) -> async_graphql::Result<CardReplacePayload> {
        let (ctx, id) = (ctx(context)?, input.card_id.clone());
        let changed = card_replace(ctx, input).await;
        CardReplacePayload::from_change(context, changed.map(Card), present_card(ctx, &id)).await
    }
}

/// The card as the viewer sees it now.
async fn present_card(ctx: &Ctx, id: &ID) -> Result<Option<Card>> {
    let id = CardId::parse(id);
    Ok(lookup::cards_by_ids(ctx, id.as_slice())
        .await?
        .pop()
        .map(Card))
}

async fn programme_create(
    ctx: &Ctx,
    input: ProgrammeCreateInput,
) -> Result<entity::programme::Model> {
    ctx.require(crate::access::Action::ProgrammeManage)?;
    let tiers = rungs(&input.tiers, company::settings(ctx).await?.currency)?;
    let new = NewProgramme {
        code: input.code,
        name: input.name,
        card_prefix: input.card_prefix,
        card_valid_months: input.card_valid_months,
        tiers,
    };
    programmes::create(ctx, new).await
}

async fn programme_update(
    ctx: &Ctx,
    input: ProgrammeUpdateInput,
) -> Result<entity::programme::Model> {
    ctx.require(crate::access::Action::ProgrammeManage)?;
    let currency = company::settings(ctx).await?.currency;
    let change = ProgrammeChange {
        id: need(&input.id, "id", "programme")?,
        version: input.version,
        name: input.name,
        card_valid_months: match input.card_valid_months {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(months) => Some(Some(months)),
        },
        tiers: input
            .tiers
            .map(|tiers| rungs(&tiers, currency))
            .transpose()?,
    };
    programmes::change(ctx, change).await
}

async fn enroll(ctx: &Ctx, input: MembershipEnrollInput) -> Result<entity::membership::Model> {
    ctx.require(crate::access::Action::CardWrite)?;
    let enrolment = Enrolment {
        customer: need(&input.customer_id, "customerId", "customer")?,
        programme: need_option(input.programme_id.as_ref(), "programmeId", "programme")?,
        store: need_option(input.store_id.as_ref(), "storeId", "store")?,
    };
    memberships::enrol(ctx, enrolment).await
}

async fn tier_grant(
    ctx: &Ctx,
    input: MembershipTierGrantInput,
) -> Result<entity::membership::Model> {
    ctx.require(crate::access::Action::TierGrant)?;
    let grant = TierGrant {
        membership: need(&input.membership_id, "membershipId", "membership")?,
        version: input.version,
        tier: need_option(input.tier_id.as_ref(), "tierId", "tier in this programme")?,
    };
    memberships::grant_tier(ctx, grant).await
}

async fn card_issue(ctx: &Ctx, input: CardIssueInput) -> Result<entity::card::Model> {
    ctx.require(crate::access::Action::CardWrite)?;
    let new = NewCard {
        customer: need(&input.customer_id, "customerId", "customer")?,
        programme: need_option(input.programme_id.as_ref(), "programmeId", "programme")?,
        store: need_option(input.store_id.as_ref(), "storeId", "store")?,
        key: key(ctx, "cardIssue", input.idempotency_key.as_deref(), &input)?,
    };
    issue::issue(ctx, new).await
}

fn reason(text: Option<&str>) -> Result<Option<String>> {
    let mut errors = UserErrors::new();
    let reason = text.and_then(|text| errors.take("reason", text_code, clean_line(text, 200)));
    errors.check()?;
    Ok(reason)
}

async fn step(ctx: &Ctx, step: Step, input: CardStepInput) -> Result<entity::card::Model> {
    ctx.require(crate::access::Action::CardWrite)?;
    let change = CardChange {
        card: need(&input.card_id, "cardId", "card")?,
        version: input.version,
        reason: reason(input.reason.as_deref())?,
        key: None,
    };
    issue::step(ctx, step, change).await
}

async fn card_replace(ctx: &Ctx, input: CardReplaceInput) -> Result<entity::card::Model, Error> {
    ctx.require(crate::access::Action::CardWrite)?;
    let change = CardChange {
        card: need(&input.card_id, "cardId", "card")?,
        version: input.version,
        reason: reason(input.reason.as_deref())?,
        key: key(ctx, "cardReplace", input.idempotency_key.as_deref(), &input)?,
    };
    issue::replace(ctx, change).await
}

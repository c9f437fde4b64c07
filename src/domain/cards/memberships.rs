//! Joining a programme, and tiers given by hand.

use super::{programmes, tiering};
use crate::access::{Action, Ctx, audit, sight};
use crate::db::Batch;
use crate::error::{Code, Error, Result};
use crate::events::{self, NewEvent};
use entity::enums::TierChangeReason;
use entity::ids::{CustomerId, MembershipId, ProgrammeId, StoreId, TierId};
use entity::{customer_total, membership, programme, store};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait,
    QueryFilter,
};
use serde_json::json;

/// Who joins which programme.
#[derive(Clone, Copy, Debug)]
pub struct Enrolment {
    /// Who.
    pub customer: CustomerId,
    /// Which programme; the only one there is when absent.
    pub programme: Option<ProgrammeId>,
    /// In which store; their home store when absent.
    pub store: Option<StoreId>,
}

/// Enrols a customer. Their tier is the one that their spend so far has earned.
///
/// # Errors
/// User errors for a customer, programme or store that is not there, and for one who has joined already.
pub async fn enrol(ctx: &Ctx, enrolment: Enrolment) -> Result<membership::Model> {
    ctx.require(Action::CardWrite)?;
    ctx.db
        .write_for(&[enrolment.customer], |tx| async move {
            let customer = sight::lock_customer(
                &*tx,
                ctx,
                Action::CardWrite,
                enrolment.customer,
                "customerId",
            )
            .await?;
            let programme = programmes::meant(&*tx, enrolment.programme).await?;
            if let Some(joined) = find(&*tx, customer.id, programme.id).await? {
                let message = format!(
                    "the customer has been a member since {}",
                    joined.enrolled_at.date_naive()
                );
                return Err(Error::user(Code::Taken, "customerId", message));
            }
            join(&*tx, ctx, &customer, &programme, enrolment.store).await
        })
        .await
}

/// The membership of a customer in a programme.
pub(super) async fn find(
    connection: &impl ConnectionTrait,
    customer: CustomerId,
    programme: ProgrammeId,
) -> Result<Option<membership::Model>> {
    let both = Condition::all()
        .add(membership::Column::CustomerId.eq(customer))
        .add(membership::Column::ProgrammeId.eq(programme));
    Ok(membership::Entity::find()
        .filter(both)
        .one(connection)
        .await?)
}

/// Writes a membership with its first tier, its event and its audit entry. The customer is locked.
pub(super) async fn join(
    tx: &impl ConnectionTrait,
    ctx: &Ctx,
    customer: &sight::LockedCustomer,
    programme: &programme::Model,
    store: Option<StoreId>,
) -> Result<membership::Model> {
    if customer.archived_at.is_some() {
        return Err(Error::user(
            Code::WrongState,
            "customerId",
            "the customer's file is put away; take it out first",
        ));
    }
    if let Some(store) = store {
        let reach = sight::Reach::of(&ctx.viewer, Action::CardWrite)
            .covers(sea_orm::sea_query::Expr::col(store::Column::Id));
        if store::Entity::find_by_id(store)
            .filter(reach)
            .count(tx)
            .await?
            == 0
        {
            return Err(Error::not_found("storeId", "store"));
        }
    }
    let net = net_spend(tx, customer.id).await?;
    let ladder = programmes::ladder(tx, programme.id).await?;
    let tier = ladder
        .on_joining(net, None)
        .ok_or_else(|| Error::internal("a programme without tiers"))?;
    let made = membership::ActiveModel {
        id: Set(MembershipId::new()),
        customer_id: Set(customer.id),
        programme_id: Set(programme.id),
        tier_id: Set(tier.id),
        granted_tier_id: Set(None),
        store_id: Set(store.or(customer.home_store_id)),
        enrolled_at: Set(ctx.now()),
        version: Set(1),
    }
    .insert(tx)
    .await?;
    let change = tiering::by_hand(
        &made,
        None,
        TierChangeReason::Enrolled,
        ctx.now(),
        net,
        tier.spend_threshold_minor,
    );
    let mut batch = Batch::new();
    tiering::add_change(&mut batch, &change);
    batch.write(tx).await?;
    let event = NewEvent {
        kind: "membership.enrolled",
        customer: Some(customer.id),
        store: made.store_id,
        subject: made.id.into(),
        payload: json!({ "programme": programme.id, "tier": made.tier_id, "netSpendMinor": net }),
    };
    events::record(tx, ctx, &[event]).await?;
    let entry = audit::Entry::new(ctx, "membership.enrol")
        .about([customer.id])
        .detail(json!({ "membership": made.id }));
    audit::write(tx, &[entry]).await?;
    Ok(made)
}

/// A customer's spend net of returns, in minor units.
async fn net_spend(connection: &impl ConnectionTrait, customer: CustomerId) -> Result<i64> {
    let total = customer_total::Entity::find_by_id(customer)
        .one(connection)
        .await?;
    Ok(total.map_or(0, |total| {
        total.bought_minor.saturating_sub(total.returned_minor)
    }))
}

/// A tier given by hand, or taken back.
#[derive(Clone, Copy, Debug)]
pub struct TierGrant {
    /// The membership.
    pub membership: MembershipId,
    /// The version that the caller has read.
    pub version: i64,
    /// The tier below which spend cannot bring it; `None` takes the grant back.
    pub tier: Option<TierId>,
}

/// Gives a membership a tier by hand: it holds until it is taken back, and spend may still raise it.
///
/// # Errors
/// User errors for a membership out of sight, a stale version, and a tier of another programme.
pub async fn grant_tier(ctx: &Ctx, grant: TierGrant) -> Result<membership::Model> {
    ctx.require(Action::TierGrant)?;
    let gone = || Error::not_found("membershipId", "membership");
    let Some(known) = membership::Entity::find_by_id(grant.membership)
        .one(ctx.db.read())
        .await?
    else {
        return Err(gone());
    };
    ctx.db
        .write_for(&[known.customer_id], |tx| async move {
            let customer = sight::lock_customer(
                &*tx,
                ctx,
                Action::TierGrant,
                known.customer_id,
                "membershipId",
            )
            .await
            .map_err(|error| {
                if matches!(error, Error::User(_)) {
                    gone()
                } else {
                    error
                }
            })?;
            let Some(found) = membership::Entity::find_by_id(grant.membership)
                .one(&*tx)
                .await?
            else {
                return Err(gone());
            };
            if found.version != grant.version {
                return Err(Error::user(
                    Code::StaleVersion,
                    "version",
                    "the membership was changed meanwhile; read it again",
                ));
            }
            let ladder = programmes::ladder(&*tx, found.programme_id).await?;
            if grant.tier.is_some_and(|tier| ladder.tier(tier).is_none()) {
                return Err(Error::not_found("tierId", "tier in this programme"));
            }
            let net = net_spend(&*tx, customer.id).await?;
            let tier = ladder
                .on_joining(net, grant.tier)
                .ok_or_else(|| Error::internal("a programme without tiers"))?;
            let before = found.tier_id;
            let mut row: membership::ActiveModel = found.clone().into();
            row.granted_tier_id = Set(grant.tier);
            row.tier_id = Set(tier.id);
            row.version = Set(found.version + 1);
            let made = row.update(&*tx).await?;
            if made.tier_id != before {
                let change = tiering::by_hand(
                    &made,
                    Some(before),
                    TierChangeReason::Granted,
                    ctx.now(),
                    net,
                    tier.spend_threshold_minor,
                );
                let mut batch = Batch::new();
                tiering::add_change(&mut batch, &change);
                batch.write(&*tx).await?;
                events::record(&*tx, ctx, &[tiering::event(&change)]).await?;
            }
            let detail = json!({ "membership": made.id, "grantedTier": grant.tier });
            audit::write(
                &*tx,
                &[audit::Entry::new(ctx, "membership.grant_tier")
                    .about([customer.id])
                    .detail(detail)],
            )
            .await?;
            Ok(made)
        })
        .await
}

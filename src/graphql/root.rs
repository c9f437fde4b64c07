//! The roots of the schema: one line a topic; and the way to any object by its global id.
//!
//! `app` builds the schema once and hands it to the endpoint; `regulars schema` prints it.

use super::cards::{Card, CardsMutation, CardsQuery, Membership, Programme, Tier, TierChange};
use super::context::{Reported, ctx};
use super::customers::{Customer, CustomerMutation, CustomerPartsMutation, CustomerQuery};
use super::ids::{GlobalKey, decode};
use super::operations::{AuditEntry, Job, OperationsMutation, OperationsQuery};
use super::organization::{
    Company, OrganizationMutation, OrganizationQuery, Region, Session, SessionMutation, Staff,
    Store,
};
use super::visits::{Purchase, PurchaseLine, Visit, VisitsMutation, VisitsQuery};
use crate::access::{Ctx, Viewer, audit_log};
use crate::domain::organization::{company, regions, sessions, staff_list, stores};
use crate::domain::{cards, customers, visits};
use crate::error::{Error, Result};
use crate::jobs;
use async_graphql::{
    Context, EmptySubscription, ID, Interface, MergedObject, Object, SDLExportOptions, Schema,
    ValidationMode,
};
use entity::ids::{
    AuditEntryId, CardId, CompanyId, CustomerId, JobId, MembershipId, ProgrammeId, PurchaseId,
    PurchaseLineId, RegionId, SessionId, StaffId, StoreId, TierChangeId, TierId, VisitId,
};
use uuid::Uuid;

/// The whole schema.
pub type ApiSchema = Schema<Query, Mutation, EmptySubscription>;

/// Everything that can be asked.
#[derive(Debug, Default, MergedObject)]
pub struct Query(
    NodeQuery,
    OrganizationQuery,
    CustomerQuery,
    CardsQuery,
    VisitsQuery,
    OperationsQuery,
);

/// Everything that can be changed.
#[derive(Debug, Default, MergedObject)]
pub struct Mutation(
    SessionMutation,
    OrganizationMutation,
    CustomerMutation,
    CustomerPartsMutation,
    CardsMutation,
    VisitsMutation,
    OperationsMutation,
);

/// The schema, ready to run what the gate has admitted.
pub fn build() -> ApiSchema {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        // The gate has validated and measured the document already, more strictly than the engine would.
        .validation_mode(ValidationMode::Fast)
        .finish()
}

/// The schema in the definition language, everything sorted, so that it changes only when the API does.
pub fn sdl() -> String {
    let options = SDLExportOptions::new()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items()
        .include_specified_by();
    build().sdl_with_options(options)
}

/// Objects that `nodes` gives at once at most.
const MOST_NODES: usize = 100;

/// An object that has a global id.
#[derive(Debug, Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "The global id, opaque and good for ever."
))]
pub enum Node {
    /// An entry of the audit log.
    AuditEntry(AuditEntry),
    /// The company.
    Company(Company),
    /// A membership card.
    Card(Card),
    /// A customer.
    Customer(Customer),
    /// A job of the queue.
    Job(Job),
    /// A customer's membership in a programme.
    Membership(Membership),
    /// A loyalty programme.
    Programme(Programme),
    /// A purchase: one receipt.
    Purchase(Purchase),
    /// A line of a receipt.
    PurchaseLine(PurchaseLine),
    /// A region of the company.
    Region(Region),
    /// A sign-in of the viewer.
    Session(Session),
    /// A member of staff.
    Staff(Staff),
    /// A store.
    Store(Store),
    /// A tier of a programme's ladder.
    Tier(Tier),
    /// A change of a membership's tier.
    TierChange(TierChange),
    /// One encounter started by a customer.
    Visit(Visit),
}

impl Node {
    /// The object with this id; none when it does not exist or the viewer may not see it.
    async fn find(ctx: &Ctx, id: &ID) -> Result<Option<Self>> {
        let Some((letter, key)) = decode(id) else {
            return Ok(None);
        };
        match Self::of(ctx, letter, key).await {
            // What one may not see looks as if it did not exist.
            Err(Error::Forbidden) => Ok(None),
            other => other,
        }
    }

    async fn of(ctx: &Ctx, letter: u8, key: Uuid) -> Result<Option<Self>> {
        Ok(match letter {
            AuditEntryId::LETTER => audit_log::by_id(ctx, key.into())
                .await?
                .map(|row| AuditEntry(row).into()),
            CompanyId::LETTER => {
                let company = company::read(ctx).await?;
                (company.id == CompanyId::from(key)).then(|| Company(company).into())
            }
            CustomerId::LETTER => customers::by_id(ctx, key.into())
                .await?
                .map(|row| Customer(row).into()),
            JobId::LETTER => jobs::list::by_id(ctx, key.into())
                .await?
                .map(|row| Job(row).into()),
            RegionId::LETTER => regions::by_id(ctx, key.into())
                .await?
                .map(|row| Region(row).into()),
            SessionId::LETTER => sessions::own(ctx)
                .await?
                .into_iter()
                .find(|session| session.id == SessionId::from(key))
                .map(|session| Session(session).into()),
            StaffId::LETTER => staff_list::by_id(ctx, key.into())
                .await?
                .map(|member| Staff(member).into()),
            StoreId::LETTER => stores::by_id(ctx, key.into())
                .await?
                .map(|row| Store(row).into()),
            CardId::LETTER => cards::lookup::cards_by_ids(ctx, &[key.into()])
                .await?
                .pop()
                .map(|row| Card(row).into()),
            MembershipId::LETTER => cards::lookup::memberships_by_ids(ctx, &[key.into()])
                .await?
                .pop()
                .map(|row| Membership(row).into()),
            ProgrammeId::LETTER => cards::programmes::by_ids(ctx, &[key.into()])
                .await?
                .pop()
                .map(|row| Programme(row).into()),
            TierId::LETTER => cards::programmes::tiers_by_ids(ctx, &[key.into()])
                .await?
                .pop()
                .map(|row| Tier(row).into()),
            TierChangeId::LETTER => cards::lookup::tier_changes_by_ids(ctx, &[key.into()])
                .await?
                .pop()
                .map(|row| TierChange(row).into()),
            VisitId::LETTER => visits::lookup::by_ids(ctx, &[key.into()])
                .await?
                .pop()
                .map(|row| Visit(row).into()),
            PurchaseId::LETTER => visits::lookup::purchases_by_ids(ctx, &[key.into()])
                .await?
                .pop()
                .map(|row| Purchase(row).into()),
            PurchaseLineId::LETTER => visits::lookup::lines_by_ids(ctx, &[key.into()])
                .await?
                .pop()
                .map(|row| PurchaseLine(row).into()),
            _ => None,
        })
    }
}

/// The way to any object by its global id.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object with this global id; null when it does not exist or you may not see it.
    async fn node(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The global id.")] id: ID,
    ) -> async_graphql::Result<Option<Node>> {
        let ctx = ctx(context)?;
        signed_in(ctx).reported(context)?;
        Node::find(ctx, &id).await.reported(context)
    }

    /// The objects with these global ids, in their order; null in the place of what does not exist or you may
    /// not see.
    async fn nodes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The global ids, at most 100.")] ids: Vec<ID>,
    ) -> async_graphql::Result<Vec<Option<Node>>> {
        let ctx = ctx(context)?;
        signed_in(ctx).reported(context)?;
        if ids.len() > MOST_NODES {
            let error = Error::BadRequest(format!("ids takes at most {MOST_NODES}").into());
            return Err(error).reported(context);
        }
        let mut found = Vec::with_capacity(ids.len());
        for id in &ids {
            found.push(Node::find(ctx, id).await.reported(context)?);
        }
        Ok(found)
    }
}

/// Whoever is not signed in learns nothing about any id, not even that it is none.
fn signed_in(ctx: &Ctx) -> Result<()> {
    match ctx.viewer {
        Viewer::Anonymous => Err(Error::Unauthenticated),
        _ => Ok(()),
    }
}

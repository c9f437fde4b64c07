//! Global object identification: the way to any object by its id.
//!
//! However many ids a request names, those of one type are one call of the type's service.

use super::attributes::{Attribute, CustomerAttribute};
use super::cards::{Card, Membership, Programme, Tier, TierChange};
use super::catalog::{Category, Product, ProductPrice};
use super::clients::Client;
use super::context::{Reported, ctx};
use super::customers::{ContactPoint, Customer, Note, SpecialDay, Taste};
use super::groups::{Group, GroupMember};
use super::identity::{CustomerMerge, DuplicatePair};
use super::ids::{GlobalKey, decode, parse_pair};
use super::loaders::{Batch, Shared, batch, report_shared};
use super::operations::{AuditEntry, Job};
use super::organization::{Company, Region, Session, Staff, Store};
use super::transfers::Transfer;
use super::visits::{AnnouncedVisit, Arrival, EnquiryEntry, Purchase, PurchaseLine, Visit};
use super::webhooks::{Webhook, WebhookDelivery};
use crate::access::{Ctx, Viewer, audit_log};
use crate::domain::cards::{lookup, programmes};
use crate::domain::catalog::{categories, prices, products};
use crate::domain::customers::{contacts, days, notes, tastes};
use crate::domain::identity::{duplicates, merges};
use crate::domain::organization::{client_list, company, regions, sessions, staff_list, stores};
use crate::domain::webhooks::list as webhooks;
use crate::domain::{attributes, customers, groups, transfers, visits};
use crate::error::{Error, Result};
use crate::jobs;
use async_graphql::dataloader::Loader;
use async_graphql::{Context, ID, Interface, Object};
use entity::ids::{
    AnnouncedVisitId, ArrivalId, AttributeId, AuditEntryId, CardId, CategoryId, ClientId,
    CompanyId, ContactPointId, CustomerAttributeId, CustomerId, EnquiryEntryId, GroupId,
    GroupMemberId, JobId, MembershipId, MergeId, NoteId, ProductId, ProductPriceId, ProgrammeId,
    PurchaseId, PurchaseLineId, RegionId, SessionId, SpecialDayId, StaffId, StoreId, TasteId,
    TierChangeId, TierId, TransferId, VisitId, WebhookDeliveryId, WebhookId,
};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// Objects that `nodes` gives at once at most.
const MOST_NODES: usize = 100;

/// An object that has a global id.
#[derive(Clone, Debug, Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "The global id, opaque and good for ever."
))]
pub enum Node {
    /// An attribute that the shop defines for its customers.
    Attribute(Attribute),
    /// A visit that was announced before.
    AnnouncedVisit(AnnouncedVisit),
    /// A customer who is here, or was.
    Arrival(Arrival),
    /// An entry of the audit log.
    AuditEntry(AuditEntry),
    /// The company.
    Company(Company),
    /// A membership card.
    Card(Card),
    /// A category of products.
    Category(Category),
    /// A third-party program that signs in with a secret of its own.
    Client(Client),
    /// A way to reach a customer.
    ContactPoint(ContactPoint),
    /// A customer.
    Customer(Customer),
    /// What an attribute says of a customer.
    CustomerAttribute(CustomerAttribute),
    /// A merge of two customers' files into one.
    CustomerMerge(CustomerMerge),
    /// Two customers who may be one person with two files.
    DuplicatePair(DuplicatePair),
    /// What one side said in an enquiry.
    EnquiryEntry(EnquiryEntry),
    /// A group that customers join and leave.
    Group(Group),
    /// A customer's membership in a group.
    GroupMember(GroupMember),
    /// A job of the queue.
    Job(Job),
    /// A customer's membership in a programme.
    Membership(Membership),
    /// Something that is sold.
    Product(Product),
    /// A list price of a product.
    ProductPrice(ProductPrice),
    /// A loyalty programme.
    Programme(Programme),
    /// A note on a customer.
    Note(Note),
    /// A purchase: one receipt.
    Purchase(Purchase),
    /// A line of a receipt.
    PurchaseLine(PurchaseLine),
    /// A region of the company.
    Region(Region),
    /// A sign-in of the viewer.
    Session(Session),
    /// A day worth remembering.
    SpecialDay(SpecialDay),
    /// A member of staff.
    Staff(Staff),
    /// A store.
    Store(Store),
    /// Something a customer likes or dislikes.
    Taste(Taste),
    /// A tier of a programme's ladder.
    Tier(Tier),
    /// A change of a membership's tier.
    TierChange(TierChange),
    /// An export or import.
    Transfer(Transfer),
    /// One encounter started by a customer.
    Visit(Visit),
    /// An address at which a client is told of events.
    Webhook(Webhook),
    /// One message to a webhook.
    WebhookDelivery(WebhookDelivery),
}

/// The letter that names a type, and the key of an object of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeKey(u8, Uuid);

impl Loader<NodeKey> for Batch {
    type Value = Node;
    type Error = Shared;

    async fn load(&self, keys: &[NodeKey]) -> Result<HashMap<NodeKey, Node>, Shared> {
        let mut types: BTreeMap<u8, Vec<Uuid>> = BTreeMap::new();
        for NodeKey(letter, key) in keys {
            types.entry(*letter).or_default().push(*key);
        }
        let mut found = HashMap::new();
        for (letter, keys) in types {
            match of_type(&self.0, letter, &keys).await {
                Ok(nodes) => found.extend(
                    nodes
                        .into_iter()
                        .map(|(key, node)| (NodeKey(letter, key), node)),
                ),
                // What one may not see looks as if it did not exist.
                Err(Error::Forbidden) => {}
                Err(error) => return Err(Arc::new(error)),
            }
        }
        Ok(found)
    }
}

/// Those of one type that are there and in sight.
async fn of_type(ctx: &Ctx, letter: u8, keys: &[Uuid]) -> Result<Vec<(Uuid, Node)>> {
    Ok(match letter {
        AuditEntryId::LETTER => nodes(audit_log::by_ids(ctx, &ids(keys)).await?, |row| {
            (row.id, AuditEntry(row))
        }),
        ClientId::LETTER => nodes(client_list::by_ids(ctx, &ids(keys)).await?, |client| {
            (client.row.id, Client(client))
        }),
        CompanyId::LETTER => nodes([company::read(ctx).await?], |company| {
            (company.id, Company(company))
        }),
        ContactPointId::LETTER => nodes(contacts::by_ids(ctx, &ids(keys)).await?, |point| {
            (point.row().id, ContactPoint(point))
        }),
        NoteId::LETTER => nodes(notes::by_ids(ctx, &ids(keys)).await?, |row| {
            (row.id, Note(row))
        }),
        TasteId::LETTER => nodes(tastes::by_ids(ctx, &ids(keys)).await?, |row| {
            (row.id, Taste(row))
        }),
        SpecialDayId::LETTER => nodes(days::by_ids(ctx, &ids(keys)).await?, |row| {
            (row.id, SpecialDay(row))
        }),
        CustomerId::LETTER => nodes(
            customers::by_ids_or_former(ctx, &ids(keys)).await?,
            |(id, row)| (id, Customer(row)),
        ),
        AttributeId::LETTER => nodes(attributes::by_ids(ctx, &ids(keys)).await?, |one| {
            (one.row.id, Attribute(Arc::new(one)))
        }),
        CustomerAttributeId::LETTER => nodes(
            customers::attributes::by_ids(ctx, &ids(keys)).await?,
            |row| (row.id, CustomerAttribute(row)),
        ),
        GroupId::LETTER => nodes(groups::by_ids(ctx, &ids(keys)).await?, |row| {
            (row.id, Group(row))
        }),
        GroupMemberId::LETTER => nodes(groups::members::by_ids(ctx, &ids(keys)).await?, |row| {
            (row.id, GroupMember(row))
        }),
        MergeId::LETTER => nodes(merges::by_ids(ctx, &ids(keys)).await?, |row| {
            (row.id, CustomerMerge(row))
        }),
        JobId::LETTER => nodes(jobs::list::by_ids(ctx, &ids(keys)).await?, |row| {
            (row.id, Job(row))
        }),
        RegionId::LETTER => nodes(regions::by_ids(ctx, &ids(keys)).await?, |(id, row)| {
            (id, Region(row))
        }),
        SessionId::LETTER => nodes(sessions::own(ctx).await?, |row| (row.id, Session(row))),
        // What is found by its id is a whole account, not the mere name of a colleague.
        StaffId::LETTER => nodes(
            staff_list::colleagues(ctx, &ids(keys))
                .await?
                .into_values()
                .filter(|member| member.in_full),
            |member| (member.row.id, Staff(member)),
        ),
        StoreId::LETTER => nodes(stores::by_ids(ctx, &ids(keys)).await?, |(id, row)| {
            (id, Store(row))
        }),
        CardId::LETTER => nodes(lookup::cards_by_ids(ctx, &ids(keys)).await?, |row| {
            (row.id, Card(row))
        }),
        MembershipId::LETTER => nodes(lookup::memberships_by_ids(ctx, &ids(keys)).await?, |row| {
            (row.id, Membership(row))
        }),
        ProgrammeId::LETTER => nodes(programmes::by_ids(ctx, &ids(keys)).await?, |row| {
            (row.id, Programme(row))
        }),
        TierId::LETTER => nodes(programmes::tiers_by_ids(ctx, &ids(keys)).await?, |row| {
            (row.id, Tier(row))
        }),
        TierChangeId::LETTER => nodes(lookup::tier_changes_by_ids(ctx, &ids(keys)).await?, |row| {
            (row.id, TierChange(row))
        }),
        CategoryId::LETTER => nodes(categories::by_ids(ctx, &ids(keys)).await?, |row| {
            (row.id, Category(row))
        }),
        ProductId::LETTER => nodes(products::by_ids(ctx, &ids(keys)).await?, |row| {
            (row.id, Product(row))
        }),
        ProductPriceId::LETTER => nodes(prices::by_ids(ctx, &ids(keys)).await?, |row| {
            (row.id, ProductPrice(row))
        }),
        TransferId::LETTER => nodes(transfers::by_ids(ctx, &ids(keys)).await?, |row| {
            (row.id, Transfer(row))
        }),
        AnnouncedVisitId::LETTER => {
            nodes(visits::expected::by_ids(ctx, &ids(keys)).await?, |row| {
                (row.id, AnnouncedVisit(row))
            })
        }
        ArrivalId::LETTER => nodes(visits::arrivals::by_ids(ctx, &ids(keys)).await?, |row| {
            (row.id, Arrival(row))
        }),
        EnquiryEntryId::LETTER => nodes(visits::enquiries::by_ids(ctx, &ids(keys)).await?, |row| {
            (row.id, EnquiryEntry(row))
        }),
        VisitId::LETTER => nodes(visits::lookup::by_ids(ctx, &ids(keys)).await?, |row| {
            (row.id, Visit(row))
        }),
        PurchaseId::LETTER => nodes(
            visits::lookup::purchases_by_ids(ctx, &ids(keys)).await?,
            |row| (row.id, Purchase(row)),
        ),
        PurchaseLineId::LETTER => nodes(
            visits::lookup::lines_by_ids(ctx, &ids(keys)).await?,
            |row| (row.id, PurchaseLine(row)),
        ),
        WebhookId::LETTER => nodes(webhooks::by_ids(ctx, &ids(keys)).await?, |hook| {
            (hook.row.id, Webhook(hook))
        }),
        WebhookDeliveryId::LETTER => {
            nodes(webhooks::deliveries_by_ids(ctx, &ids(keys)).await?, |row| {
                (row.id, WebhookDelivery(row))
            })
        }
        _ => Vec::new(),
    })
}

fn ids<K: From<Uuid>>(keys: &[Uuid]) -> Vec<K> {
    keys.iter().copied().map(K::from).collect()
}

/// What a service gave, as nodes under their keys.
fn nodes<R, K: Into<Uuid>, T: Into<Node>>(
    rows: impl IntoIterator<Item = R>,
    node: impl Fn(R) -> (K, T),
) -> Vec<(Uuid, Node)> {
    rows.into_iter()
        .map(|row| {
            let (key, object) = node(row);
            (key.into(), object.into())
        })
        .collect()
}

/// The way to any object by its global id.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object with this global id; null when it does not exist or you may not see it. The id of a customer who was
    /// merged into another leads to the kept one.
    async fn node(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The global id.")] id: ID,
    ) -> async_graphql::Result<Option<Node>> {
        Ok(find(context, &[id]).await?.pop().flatten())
    }

    /// The objects with these global ids, in their order; null in the place of what does not exist or you may
    /// not see.
    async fn nodes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The global ids, at most 100.")] ids: Vec<ID>,
    ) -> async_graphql::Result<Vec<Option<Node>>> {
        find(context, &ids).await
    }
}

/// The objects with these global ids, each in its place.
async fn find(context: &Context<'_>, ids: &[ID]) -> async_graphql::Result<Vec<Option<Node>>> {
    signed_in(ctx(context)?).reported(context)?;
    if ids.len() > MOST_NODES {
        let error = Error::BadRequest(format!("ids takes at most {MOST_NODES}").into());
        return Err(error).reported(context);
    }
    let keys: Vec<Option<NodeKey>> = ids
        .iter()
        .map(|id| decode(id).map(|(letter, key)| NodeKey(letter, key)))
        .collect();
    let found = batch(context)?
        .load_many(keys.iter().copied().flatten())
        .await
        .map_err(|error| report_shared(context, error))?;
    let pairs = pairs(ctx(context)?, ids).await.reported(context)?;
    Ok(keys
        .iter()
        .zip(ids)
        .map(|(key, id)| match key {
            Some(key) => found.get(key).cloned(),
            None => pairs.get(&parse_pair(id)?).cloned(),
        })
        .collect())
}

/// The pairs of customers among the ids, which have no key of their own.
async fn pairs(ctx: &Ctx, ids: &[ID]) -> Result<HashMap<(CustomerId, CustomerId), Node>> {
    let wanted: Vec<_> = ids.iter().filter_map(parse_pair).collect();
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    match duplicates::by_ids(ctx, &wanted).await {
        Ok(found) => Ok(found
            .into_iter()
            .map(|pair| ((pair.first, pair.second), DuplicatePair(pair).into()))
            .collect()),
        // What one may not see looks as if it did not exist.
        Err(Error::Forbidden) => Ok(HashMap::new()),
        Err(error) => Err(error),
    }
}

/// Whoever is not signed in learns nothing about any id, not even that it is none.
fn signed_in(ctx: &Ctx) -> Result<()> {
    match ctx.viewer {
        Viewer::Anonymous => Err(Error::Unauthenticated),
        _ => Ok(()),
    }
}

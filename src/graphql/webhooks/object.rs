//! Webhooks and their deliveries as the API shows them.

use super::input::WebhookDeliveryFilter;
use super::loader::AttemptsOf;
use crate::access::Ctx;
use crate::domain::webhooks::list::{self, DeliveryFilter, Secret, WebhookFilter};
use crate::domain::webhooks::{EventKind, Subject};
use crate::error::Result;
use crate::graphql::clients::Client;
use crate::graphql::context::{Reported, ctx};
use crate::graphql::ids::GlobalKey;
use crate::graphql::loaders::load_one;
use crate::graphql::organization::{self, Store};
use crate::graphql::page::{List, PageArgs};
use crate::graphql::scalars::{DateTime, EventPosition};
use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use entity::ids::{
    AnnouncedVisitId, AttributeId, CardId, CategoryId, CompanyId, ContactPointId,
    CustomerAttributeId, CustomerId, GroupId, GroupMemberId, MembershipId, MergeId, NoteId,
    ProductId, ProgrammeId, RegionId, SpecialDayId, StoreId, TasteId, VisitId, WebhookId,
};
use entity::values::CursorValue;
use entity::{webhook_attempt, webhook_delivery};
use uuid::Uuid;

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::WebhookDeliveryState")]
pub enum WebhookDeliveryState {
    /// Waits for its time, or is on its way.
    Pending,
    /// Was answered with a status of 200 to 299.
    Delivered,
    /// Was not taken as often as it was tried; nobody tries any more.
    Failed,
    /// Is not tried: the webhook or its client was switched off, or the client may not see any more what it tells.
    Cancelled,
}

/// Why a webhook is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::WebhookDisabledReason")]
pub enum WebhookDisabledReason {
    /// Somebody has switched it off.
    ByHand,
    /// Its address has answered 410: it is gone for good.
    Gone,
}

/// Why a try brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::WebhookErrorKind")]
pub enum WebhookErrorKind {
    /// The address, or each one behind its name, is in a network that is not public.
    AddressRefused,
    /// Nobody knows the name.
    NameUnknown,
    /// No connection could be made.
    Unreachable,
    /// The certificate is not good.
    Tls,
    /// There was no answer within 15 seconds.
    Timeout,
    /// The connection was lost, or what came over it is no HTTP.
    Broken,
}

/// An address at which a client is told of events, signed as Standard Webhooks has it.
#[derive(Clone, Debug)]
pub struct Webhook(pub list::Webhook);

/// An address at which a client is told of events, signed as Standard Webhooks has it.
#[Object]
impl Webhook {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.row.id.global()
    }

    /// Who is told.
    async fn client(&self, context: &Context<'_>) -> async_graphql::Result<Option<Client>> {
        Ok(load_one(context, self.0.row.client_id).await?.map(Client))
    }

    /// Where to.
    async fn url(&self) -> &str {
        &self.0.row.url
    }

    /// Of what.
    async fn kinds(&self) -> Vec<EventKind> {
        self.0.kinds()
    }

    /// Only of what happened in these stores, or to customers of theirs; of all when empty.
    async fn stores(&self, context: &Context<'_>) -> async_graphql::Result<Vec<Store>> {
        let ids = self.0.stores().into_iter();
        let found =
            futures_util::future::try_join_all(ids.map(|id| organization::store(context, id)));
        Ok(found.await?.into_iter().flatten().collect())
    }

    /// Its secrets that sign now, the newest first; at most three.
    async fn secrets(&self) -> Vec<WebhookSecret> {
        self.0.secrets.iter().cloned().map(WebhookSecret).collect()
    }

    /// Is it told of anything, as far as it has not been switched off?
    async fn enabled(&self) -> bool {
        self.0.row.disabled_at.is_none()
    }

    /// When it was switched off; null while it is on.
    async fn disabled_at(&self) -> Option<DateTime> {
        self.0.row.disabled_at.map(DateTime::from)
    }

    /// Why it was switched off; null while it is on.
    async fn disabled_reason(&self) -> Option<WebhookDisabledReason> {
        self.0.row.disabled_reason.map(Into::into)
    }

    /// Grows by one with every change; give it back when you change the webhook.
    async fn version(&self) -> i64 {
        self.0.row.version
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.row.created_at.into()
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.row.updated_at.into()
    }

    /// What it was and will be told, the last first. Kept for some days after a delivery has ended.
    async fn deliveries(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "How many items from the start, 1 to 100; 20 when neither this nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only items behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which deliveries; all when absent.")] filter: Option<
            WebhookDeliveryFilter,
        >,
    ) -> async_graphql::Result<WebhookDeliveryConnection> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        let filter = DeliveryFilter {
            hook: self.0.row.id,
            state: filter.unwrap_or_default().state.map(Into::into),
        };
        deliveries(ctx(context)?, &args, filter)
            .await
            .reported(context)
    }
}

async fn deliveries(
    ctx: &Ctx,
    args: &PageArgs,
    filter: DeliveryFilter,
) -> Result<WebhookDeliveryConnection> {
    let list = List::new(ctx, "webhookDeliveries", &[&format!("{filter:?}")]);
    let page = list::deliveries(ctx, &filter, &list.page(args)?).await?;
    let total = WebhookDeliveryTotal(filter);
    WebhookDeliveryConnection::new(page.map(WebhookDelivery), total, |delivery| {
        let row = &delivery.0;
        list.cursor(CursorValue::Timestamp(row.created_at), row.id)
    })
}

/// A secret by which messages are signed. Its text is shown when it is made, and never again.
#[derive(Clone, Debug)]
pub struct WebhookSecret(pub Secret);

/// A secret by which messages are signed. Its text is shown when it is made, and never again.
#[Object]
impl WebhookSecret {
    /// Its last four characters, those for filling up aside, to tell it from others.
    async fn hint(&self) -> &str {
        &self.0.hint
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it ends; null when it does not.
    async fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(DateTime::from)
    }
}

/// One message to a webhook.
#[derive(Clone, Debug)]
pub struct WebhookDelivery(pub webhook_delivery::Model);

/// One message to a webhook.
#[Object]
impl WebhookDelivery {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// The message's own id, as in the header `webhook-id`: the same with every try.
    async fn message_id(&self) -> String {
        self.0.id.to_string()
    }

    /// Who is told.
    async fn webhook(&self, context: &Context<'_>) -> async_graphql::Result<Option<Webhook>> {
        Ok(load_one(context, self.0.webhook_id).await?.map(Webhook))
    }

    /// What it tells of, as in the message's `type`: the word of a `WebhookEventKind`, or `webhook.test`.
    async fn event_type(&self) -> &str {
        &self.0.kind
    }

    /// The event's place in the order of events; null for a test.
    async fn event_position(&self) -> Option<EventPosition> {
        self.0.event_position.map(EventPosition)
    }

    /// When it happened.
    async fn occurred_at(&self) -> DateTime {
        self.0.occurred_at.into()
    }

    /// Where it stands.
    async fn state(&self) -> WebhookDeliveryState {
        self.0.state.into()
    }

    /// How often it was tried since it was put in line, or put there again.
    async fn attempt_count(&self) -> i32 {
        self.0.attempts
    }

    /// When it is tried next, unless something earlier of the same customer is still in line; null when it has ended.
    async fn next_attempt_at(&self) -> Option<DateTime> {
        let is_pending = self.0.finished_at.is_none();
        is_pending.then(|| self.0.next_attempt_at.into())
    }

    /// When it was put in line.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it ended; null while it is pending.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime::from)
    }

    /// What came of each try, in their order; of all of them, when it was put in line more than once.
    async fn attempts(&self, context: &Context<'_>) -> async_graphql::Result<Vec<WebhookAttempt>> {
        let rows = load_one(context, AttemptsOf(self.0.id)).await?;
        let rows = rows.unwrap_or_default().into_iter();
        Ok(rows.map(WebhookAttempt::from).collect())
    }
}

/// A try to deliver, and what came of it.
#[derive(Clone, Debug, SimpleObject)]
pub struct WebhookAttempt {
    /// When it began.
    pub at: DateTime,
    /// The HTTP status of the answer; null when there was none.
    pub status: Option<i32>,
    /// Why there was no answer; null when there was one.
    pub error: Option<WebhookErrorKind>,
    /// How long it took.
    pub milliseconds: i32,
    /// The beginning of the answer's body, at most 1,024 bytes of it; null when there was none.
    pub answer: Option<String>,
}

impl From<webhook_attempt::Model> for WebhookAttempt {
    fn from(row: webhook_attempt::Model) -> Self {
        Self {
            at: row.at.into(),
            status: row.status,
            error: row.error.map(Into::into),
            milliseconds: row.millis,
            answer: row.answer,
        }
    }
}

/// The `totalCount` of webhooks.
#[derive(Clone, Debug)]
pub struct WebhookTotal(pub WebhookFilter);

impl WebhookTotal {
    async fn count(&self, ctx: &Ctx) -> Result<u64> {
        list::count(ctx, &self.0).await
    }
}

/// The `totalCount` of deliveries.
#[derive(Clone, Debug)]
pub struct WebhookDeliveryTotal(pub DeliveryFilter);

impl WebhookDeliveryTotal {
    async fn count(&self, ctx: &Ctx) -> Result<u64> {
        list::count_deliveries(ctx, &self.0).await
    }
}

crate::graphql::page::connection!(
    WebhookConnection,
    WebhookEdge,
    Webhook,
    WebhookTotal,
    "A page of webhooks.",
    "A webhook in a list."
);
crate::graphql::page::connection!(
    WebhookDeliveryConnection,
    WebhookDeliveryEdge,
    WebhookDelivery,
    WebhookDeliveryTotal,
    "A page of deliveries.",
    "A delivery in a list."
);

/// What the API calls something, for messages; none for what has no id there.
pub fn global_id(subject: Subject, id: Uuid) -> Option<String> {
    fn of<K: GlobalKey>(id: Uuid) -> ID {
        K::from(id).global()
    }
    let id = match subject {
        Subject::Customer => of::<CustomerId>(id),
        Subject::ContactPoint => of::<ContactPointId>(id),
        Subject::Note => of::<NoteId>(id),
        Subject::Taste => of::<TasteId>(id),
        Subject::SpecialDay => of::<SpecialDayId>(id),
        Subject::CustomerAttribute => of::<CustomerAttributeId>(id),
        Subject::GroupMember => of::<GroupMemberId>(id),
        Subject::Merge => of::<MergeId>(id),
        Subject::Membership => of::<MembershipId>(id),
        Subject::Card => of::<CardId>(id),
        Subject::Visit => of::<VisitId>(id),
        Subject::AnnouncedVisit => of::<AnnouncedVisitId>(id),
        Subject::Category => of::<CategoryId>(id),
        Subject::Product => of::<ProductId>(id),
        Subject::Store => of::<StoreId>(id),
        Subject::Region => of::<RegionId>(id),
        Subject::Programme => of::<ProgrammeId>(id),
        Subject::Group => of::<GroupId>(id),
        Subject::Attribute => of::<AttributeId>(id),
        Subject::Company => of::<CompanyId>(id),
        Subject::Webhook => of::<WebhookId>(id),
        Subject::Nameless => return None,
    };
    Some(id.0)
}

//! Lists of visits.

use super::loader::LastVisitsOf;
use super::object::{Visit, VisitChannel};
use crate::access::Ctx;
use crate::db::Sort;
use crate::domain::visits::lookup::{self, VisitFilter};
use crate::error::{Error, Result};
use crate::graphql::ids::GlobalKey;
use crate::graphql::loaders::load_one;
use crate::graphql::page::connection;
use crate::graphql::page::{List, PageArgs};
use crate::graphql::scalars::Date;
use crate::graphql::sort::OrderDirection;
use async_graphql::{Context, Enum, ID, InputObject};
use entity::ids::CustomerId;
use entity::values::CursorValue;

connection!(
    VisitConnection,
    VisitEdge,
    Visit,
    VisitTotal,
    "A list of visits.",
    "A visit in a list."
);

/// What counts the visits of a list.
#[derive(Clone, Debug)]
pub struct VisitTotal(VisitFilter);

impl VisitTotal {
    async fn count(&self, ctx: &Ctx) -> Result<u64> {
        lookup::count(ctx, &self.0).await
    }
}

/// Which visits; every condition given must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct VisitFilterInput {
    /// Of this customer.
    pub customer_id: Option<ID>,
    /// In this store.
    pub store_id: Option<ID>,
    /// Served by this member of staff.
    pub served_by_id: Option<ID>,
    /// By this way.
    pub channel: Option<VisitChannel>,
    /// On this business day or later.
    pub from: Option<Date>,
    /// On this business day or earlier.
    pub to: Option<Date>,
}

/// By what visits are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum VisitOrderField {
    /// By their time.
    At,
}

/// How visits are ordered.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct VisitOrderInput {
    /// By what.
    pub field: VisitOrderField,
    /// Which way.
    pub direction: OrderDirection,
}

impl VisitFilterInput {
    /// The filter; `None` when it names something that is nowhere, so that nothing can match.
    fn parse(&self) -> Option<VisitFilter> {
        fn key<K: GlobalKey>(id: Option<&ID>) -> Option<Option<K>> {
            id.map_or(Some(None), |id| K::parse(id).map(Some))
        }
        Some(VisitFilter {
            customer: key(self.customer_id.as_ref())?,
            store: key(self.store_id.as_ref())?,
            served_by: key(self.served_by_id.as_ref())?,
            channel: self.channel.map(Into::into),
            from: self.from.map(|day| day.0),
            to: self.to.map(|day| day.0),
        })
    }
}

/// The list of visits in sight.
pub(super) async fn all(
    ctx: &Ctx,
    filter: Option<VisitFilterInput>,
    order: Option<VisitOrderInput>,
    args: &PageArgs,
) -> Result<VisitConnection> {
    let filter = filter.unwrap_or_default().parse();
    let sort = order.map_or(Sort::Descending, |order| order.direction.into());
    match filter {
        Some(filter) => page(ctx, filter, sort, args).await,
        None => Err(Error::BadRequest(
            "the filter names something that does not exist".into(),
        )),
    }
}

async fn page(
    ctx: &Ctx,
    filter: VisitFilter,
    sort: Sort,
    args: &PageArgs,
) -> Result<VisitConnection> {
    let list = list(ctx, &filter, sort)?;
    let page = lookup::page(ctx, &filter, sort, &list.page(args)?).await?;
    connect(&list, page, filter)
}

fn list<'a>(ctx: &'a Ctx, filter: &VisitFilter, sort: Sort) -> Result<List<'a>> {
    let filter = serde_json::to_string(filter)
        .map_err(|error| Error::internal(format!("filter: {error}")))?;
    Ok(List::new(
        ctx,
        "visits",
        &[&filter, if sort == Sort::Ascending { "at" } else { "-at" }],
    ))
}

fn connect(
    list: &List<'_>,
    page: crate::db::Page<entity::visit::Model>,
    filter: VisitFilter,
) -> Result<VisitConnection> {
    VisitConnection::new(page.map(Visit), VisitTotal(filter), |visit| {
        list.cursor(CursorValue::Timestamp(visit.0.at), visit.0.id)
    })
}

/// The visits of a customer, newest first. The first page of many customers is read at once.
///
/// # Errors
/// As [`lookup::page`].
pub async fn of_customer(
    context: &Context<'_>,
    customer: CustomerId,
    args: PageArgs,
) -> async_graphql::Result<VisitConnection> {
    use crate::graphql::context::{Reported, ctx};
    let ctx = ctx(context)?;
    let filter = VisitFilter {
        customer: Some(customer),
        ..VisitFilter::default()
    };
    if args.after.is_some() || args.before.is_some() || args.last.is_some() {
        return page(ctx, filter, Sort::Descending, &args)
            .await
            .reported(context);
    }
    let list = list(ctx, &filter, Sort::Descending).reported(context)?;
    let request = list.page(&args).reported(context)?;
    let key = LastVisitsOf {
        customer,
        limit: request.size.saturating_add(1),
        bought: false,
    };
    let rows = load_one(context, key).await?.unwrap_or_default();
    connect(&list, request.cut(rows), filter).reported(context)
}

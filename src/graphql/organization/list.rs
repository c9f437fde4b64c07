//! The lists of stores and staff.

use super::input::{StaffFilter, StaffOrder, StoreFilter, StoreOrder};
use super::object::{Staff, Store};
use crate::access::Ctx;
use crate::domain::organization::{self, CompanySettings, staff_list, stores};
use crate::error::Result;
use crate::graphql::page::connection;
use crate::graphql::page::{List, PageArgs};
use entity::values::CursorValue;

/// Counts the stores of a filter.
#[derive(Clone, Debug)]
pub struct StoreTotal(stores::StoreFilter);

impl StoreTotal {
    pub(crate) async fn count(&self, ctx: &Ctx) -> Result<u64> {
        stores::count(ctx, &self.0).await
    }
}

connection!(
    StoreConnection,
    StoreEdge,
    Store,
    StoreTotal,
    "A list of stores.",
    "A store in a list."
);

/// Counts the staff of a filter.
#[derive(Clone, Debug)]
pub struct StaffTotal(staff_list::StaffFilter);

impl StaffTotal {
    pub(crate) async fn count(&self, ctx: &Ctx) -> Result<u64> {
        staff_list::count(ctx, &self.0).await
    }
}

connection!(
    StaffConnection,
    StaffEdge,
    Staff,
    StaffTotal,
    "A list of staff.",
    "A member of staff in a list."
);

pub(super) async fn stores_page(
    ctx: &Ctx,
    args: &PageArgs,
    filter: Option<StoreFilter>,
    order: Option<StoreOrder>,
) -> Result<StoreConnection> {
    let filter = stores::StoreFilter::from(filter.unwrap_or_default());
    let (order, sort) = StoreOrder::parts(order);
    let company = organization::settings(ctx).await?;
    let list = List::new(
        ctx,
        "stores",
        &[
            &format!("{filter:?}"),
            &format!("{order:?} {sort:?}"),
            &company.locale,
        ],
    );
    let page = list.page(args)?;
    let page = stores::list(ctx, &filter, order, sort, &page).await?;
    StoreConnection::new(page.map(Store), StoreTotal(filter), |store| {
        let place = match order {
            stores::StoreOrder::Code => CursorValue::Text(store.0.code.clone()),
            stores::StoreOrder::Name => by_name(&company, &store.0.name),
        };
        list.cursor(place, store.0.id)
    })
}

pub(super) async fn staff_page(
    ctx: &Ctx,
    args: &PageArgs,
    filter: Option<StaffFilter>,
    order: Option<StaffOrder>,
) -> Result<StaffConnection> {
    let filter = staff_list::StaffFilter::from(filter.unwrap_or_default());
    let sort = StaffOrder::sort(order);
    let company = organization::settings(ctx).await?;
    let list = List::new(
        ctx,
        "staff",
        &[
            &format!("{filter:?}"),
            &format!("{sort:?}"),
            &company.locale,
        ],
    );
    let page = list.page(args)?;
    let page = staff_list::list(ctx, &filter, sort, &page).await?;
    StaffConnection::new(page.map(Staff), StaffTotal(filter), |staff| {
        list.cursor(by_name(&company, &staff.0.row.name), staff.0.row.id)
    })
}

/// A name's place in the company's order; a list's cursors are bound to the locale that the order is of.
fn by_name(company: &CompanySettings, name: &str) -> CursorValue {
    CursorValue::Bytes(company.collation.key(name).into_bytes())
}

//! The lists of stores and staff.

use super::input::{StaffFilter, StaffOrder, StoreFilter, StoreOrder};
use super::object::{Staff, Store};
use crate::access::Ctx;
use crate::domain::organization::{staff_list, stores};
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
    let list = List::new(
        ctx,
        "stores",
        &[&format!("{filter:?}"), &format!("{order:?} {sort:?}")],
    );
    let page = list.page(args)?;
    let page = stores::list(ctx, &filter, order, sort, &page).await?;
    StoreConnection::new(page.map(Store), StoreTotal(filter), |store| {
        let place = match order {
            stores::StoreOrder::Code => &store.0.code,
            stores::StoreOrder::Name => &store.0.name,
        };
        list.cursor(CursorValue::Text(place.clone()), store.0.id)
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
    let list = List::new(
        ctx,
        "staff",
        &[&format!("{filter:?}"), &format!("{sort:?}")],
    );
    let page = list.page(args)?;
    let page = staff_list::list(ctx, &filter, sort, &page).await?;
    StaffConnection::new(page.map(Staff), StaffTotal(filter), |staff| {
        list.cursor(CursorValue::Text(staff.0.row.name.clone()), staff.0.row.id)
    })
}

//! The lists of this topic as Relay connections.

use super::loader::{NotesOf, load};
use super::object::Customer;
use super::parts::Note;
use crate::access::Ctx;
use crate::db::Page;
use crate::domain::customers::{
    self, CustomerFilter, CustomerOrder, CustomerRow, Narrowed, OrderField, notes,
};
use crate::error::{Error, Result};
use crate::graphql::context::{Reported, ctx};
use crate::graphql::page::connection;
use crate::graphql::page::{List, PageArgs};
use async_graphql::Context;
use entity::customer_note;
use entity::ids::CustomerId;
use entity::values::CursorValue;

/// Counts a list of customers.
#[derive(Clone, Debug)]
pub struct CustomersTotal(Narrowed);

impl CustomersTotal {
    /// How many customers the whole list has.
    ///
    /// # Errors
    /// The service's.
    pub async fn count(&self, ctx: &Ctx) -> Result<u64> {
        customers::count(ctx, &self.0).await
    }
}

connection!(
    CustomerConnection,
    CustomerEdge,
    Customer,
    CustomersTotal,
    "A list of customers.",
    "A customer with their place in a list."
);

/// Counts the notes on a customer.
#[derive(Clone, Debug)]
pub struct NotesTotal(CustomerId);

impl NotesTotal {
    /// How many notes the customer has.
    ///
    /// # Errors
    /// The service's.
    pub async fn count(&self, ctx: &Ctx) -> Result<u64> {
        notes::count(ctx, self.0).await
    }
}

connection!(
    NoteConnection,
    NoteEdge,
    Note,
    NotesTotal,
    "The notes on a customer.",
    "A note with its place in the list."
);

/// A page of customers.
///
/// # Errors
/// The service's.
pub(super) async fn customers_page(
    ctx: &Ctx,
    args: &PageArgs,
    filter: &CustomerFilter,
    order: CustomerOrder,
) -> Result<CustomerConnection> {
    let bound = serde_json::to_string(filter)
        .map_err(|error| Error::internal(format!("filter: {error}")))?;
    let list = List::new(ctx, "customers", &[&bound, &format!("{order:?}")]);
    let page = list.page(args)?;
    let narrowed = customers::narrow(ctx, filter).await?;
    let page = customers::list(ctx, &narrowed, order, &page).await?;
    CustomerConnection::new(page.map(Customer), CustomersTotal(narrowed), |customer| {
        list.cursor(place(&customer.0, order), customer.0.id)
    })
}

fn place(row: &CustomerRow, order: CustomerOrder) -> CursorValue {
    match order.field {
        OrderField::Name => CursorValue::Bytes(row.name_key.clone()),
        OrderField::CreatedAt => CursorValue::Timestamp(row.created_at),
        OrderField::Completeness => CursorValue::Int(row.completeness.unwrap_or(-1).into()),
    }
}

/// A page of the notes on a customer. The first page, which lists ask for, is read for all customers at once.
///
/// # Errors
/// The service's, as an entry of `errors`.
pub(super) async fn notes_page(
    context: &Context<'_>,
    customer: CustomerId,
    args: &PageArgs,
) -> async_graphql::Result<NoteConnection> {
    let ctx = ctx(context)?;
    let list = List::new(ctx, "customer.notes", &[&customer.to_string()]);
    let request = list.page(args).reported(context)?;
    let page: Page<customer_note::Model> =
        if request.bounds.after.is_none() && request.bounds.before.is_none() {
            let key = NotesOf {
                customer,
                size: request.size,
                backward: request.backward,
            };
            request.cut(load(context, key).await?.unwrap_or_default())
        } else {
            notes::page(ctx, customer, &request)
                .await
                .reported(context)?
        };
    NoteConnection::new(page.map(Note), NotesTotal(customer), |note| {
        list.cursor(CursorValue::Timestamp(note.0.written_at), note.0.id)
    })
    .reported(context)
}

//! What was said in an enquiry, as the API shows it: a list of entries below the visit.

use super::loader::FirstEntriesOf;
use crate::access::Ctx;
use crate::domain::visits::enquiries;
use crate::error::Result;
use crate::graphql::context::{Reported, ctx};
use crate::graphql::ids::GlobalKey;
use crate::graphql::loaders::load_one;
use crate::graphql::organization::{self, Staff};
use crate::graphql::page::{List, PageArgs, connection};
use crate::graphql::scalars::DateTime;
use async_graphql::{Context, Enum, ID, Object};
use entity::enquiry_entry;
use entity::ids::VisitId;
use entity::values::CursorValue;

/// Which side said something in an enquiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::EnquiryAuthor")]
pub enum EnquiryAuthor {
    /// The customer.
    Customer,
    /// The shop.
    Staff,
}

/// What one side said in an enquiry.
#[derive(Clone, Debug)]
pub struct EnquiryEntry(pub enquiry_entry::Model);

/// What one side said in an enquiry.
#[Object]
impl EnquiryEntry {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// Its place in the transcript, from 1.
    async fn place(&self) -> i32 {
        i32::try_from(self.0.place).unwrap_or(i32::MAX)
    }

    /// When it was said.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }

    /// Which side said it.
    async fn author(&self) -> EnquiryAuthor {
        self.0.author.into()
    }

    /// Which member of staff said it; null where the customer did.
    async fn staff(&self, context: &Context<'_>) -> async_graphql::Result<Option<Staff>> {
        match self.0.staff_id {
            Some(id) => organization::staff(context, id).await,
            None => Ok(None),
        }
    }

    /// What was said.
    async fn text(&self) -> &str {
        &self.0.text
    }
}

connection!(
    EnquiryEntryConnection,
    EnquiryEntryEdge,
    EnquiryEntry,
    EntryTotal,
    "What was said in an enquiry, in its order.",
    "An entry of a transcript."
);

/// What counts the entries of a transcript.
#[derive(Clone, Debug)]
pub struct EntryTotal(VisitId);

impl EntryTotal {
    async fn count(&self, ctx: &Ctx) -> Result<u64> {
        enquiries::count(ctx, self.0).await
    }
}

/// The transcript of a visit. The first page of many visits is read at once.
pub(super) async fn of_visit(
    context: &Context<'_>,
    visit: VisitId,
    args: &PageArgs,
) -> async_graphql::Result<EnquiryEntryConnection> {
    let ctx = ctx(context)?;
    let list = List::new(ctx, "transcript", &[&visit.to_string()]);
    let request = list.page(args).reported(context)?;
    let page = if args.after.is_some() || args.before.is_some() || args.last.is_some() {
        enquiries::page(ctx, visit, &request)
            .await
            .reported(context)?
    } else {
        let limit = request.size.saturating_add(1);
        let rows = load_one(context, FirstEntriesOf { visit, limit }).await?;
        request.cut(rows.unwrap_or_default())
    };
    EnquiryEntryConnection::new(page.map(EnquiryEntry), EntryTotal(visit), |entry| {
        list.cursor(CursorValue::Int(entry.0.place), entry.0.id)
    })
    .reported(context)
}

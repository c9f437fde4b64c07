//! Writing customers, cards, visits or purchases into a file, piece by piece and as of one moment.
//!
//! Called by the command `export` and by the job of an export. Reads through the viewer whom the context names: rows
//! in sight only, contact details masked where they are masked elsewhere. Memory does not grow with the file.

mod cards;
mod customers;
mod purchases;
mod visits;
mod writer;

pub use cards::COLUMNS as CARD_COLUMNS;
pub use customers::COLUMNS as CUSTOMER_COLUMNS;
pub use purchases::COLUMNS as PURCHASE_COLUMNS;
pub use visits::COLUMNS as VISIT_COLUMNS;

use crate::access::{Action, Ctx};
use crate::domain::organization::{CompanySettings, staff_list, stores};
use crate::domain::{cards as card_topic, customers as customer_topic, visits as visit_topic};
use crate::error::{Error, Result};
use chrono::{DateTime, NaiveDate, Utc};
use entity::enums::{ContactKind, FileFormat, TransferKind};
use entity::ids::{CustomerId, StaffId, StoreId};
use entity::store;
use entity::values::business_date::local_midnight;
use entity::values::{TimeZone, handle};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;
use writer::Writer;

/// Records read and written at once.
const PAGE: u64 = 500;

/// What is exported, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What.
    pub kind: TransferKind,
    /// How the file is written.
    pub format: FileFormat,
    /// Visits and purchases from this business day on; customers and cards that were changed on this day or later, by
    /// the clock of headquarters. Everything when absent.
    pub since: Option<NaiveDate>,
    /// The system by whose numbers customers and receipts are called: the one under which they were, or will be,
    /// imported.
    pub source: String,
    /// Disarm what a spreadsheet program would run as a formula; such a file cannot be imported as it is.
    pub for_spreadsheet: bool,
}

/// The source that imports have when none is named.
pub const USUAL_SOURCE: &str = "pos";
/// Characters of a source's name.
pub const LONGEST_SOURCE: usize = 100;

/// A piece of the file.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    /// What it adds to the file.
    pub bytes: Vec<u8>,
    /// Records in it: customers, cards, visits, receipts.
    pub records: u64,
    /// Whose contact details stand in it in full; an audit entry names them before the piece goes anywhere.
    pub shown: Vec<CustomerId>,
}

/// An export under way.
pub struct Export {
    plan: Plan,
    /// Reads the snapshot.
    ctx: Ctx,
    company: Arc<CompanySettings>,
    stores: HashMap<StoreId, store::Model>,
    writer: Writer,
    after: Option<Uuid>,
    is_done: bool,
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export")
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

impl Export {
    /// Fixes the moment. What is read afterwards is as of now, however long it takes.
    ///
    /// # Errors
    /// As [`crate::access::Viewer::require`]; those of the database.
    pub async fn begin(ctx: &Ctx, plan: Plan) -> Result<Self> {
        ctx.require(Action::DataExport)?;
        let company = crate::domain::organization::settings(ctx).await?;
        // What is shown is told of by the pieces, not by the trail of whoever began it.
        let ctx = Ctx {
            db: ctx.db.snapshot().await?,
            ..ctx.for_request(ctx.viewer.clone(), ctx.origin.clone())
        };
        let ids: Vec<StoreId> = stores::codes(&ctx).await?.into_keys().collect();
        Ok(Self {
            stores: stores::by_ids(&ctx, &ids).await?,
            writer: Writer::new(plan.format, plan.for_spreadsheet, columns(plan.kind)),
            plan,
            ctx,
            company,
            after: None,
            is_done: false,
        })
    }

    /// How many records there are.
    ///
    /// # Errors
    /// As [`Export::begin`].
    pub async fn total(&self) -> Result<u64> {
        match self.plan.kind {
            TransferKind::Customers => {
                customer_topic::walk::walk_count(&self.ctx, self.changed_since()).await
            }
            TransferKind::Cards => {
                card_topic::walk::walk_count(&self.ctx, self.changed_since()).await
            }
            TransferKind::Visits => {
                visit_topic::walk::count_visits(&self.ctx, self.plan.since).await
            }
            TransferKind::Purchases => {
                visit_topic::walk::count_purchases(&self.ctx, self.plan.since).await
            }
            TransferKind::Products | TransferKind::Staff => Err(not_exported()),
        }
    }

    /// The next piece; none after the last.
    ///
    /// # Errors
    /// As [`Export::begin`]; [`Error::Unavailable`] when the moment was lost with its connection.
    pub async fn next(&mut self) -> Result<Option<Piece>> {
        if self.is_done {
            return Ok(None);
        }
        let ids = match self.plan.kind {
            TransferKind::Customers => self.customers().await?,
            TransferKind::Cards => self.cards().await?,
            TransferKind::Visits => self.visits().await?,
            TransferKind::Purchases => self.purchases().await?,
            TransferKind::Products | TransferKind::Staff => return Err(not_exported()),
        };
        self.is_done = (ids.len() as u64) < PAGE;
        if let Some(last) = ids.last() {
            self.after = Some(*last);
        }
        Ok(Some(Piece {
            bytes: self.writer.take()?,
            records: ids.len() as u64,
            shown: self.ctx.reads.take(),
        }))
    }

    /// Lets the moment go.
    ///
    /// # Errors
    /// Those of the database, after which nothing is left to do.
    pub async fn close(self) -> Result<()> {
        self.ctx.db.close().await
    }

    /// The moment from which changes count.
    fn changed_since(&self) -> Option<DateTime<Utc>> {
        self.plan
            .since
            .map(|day| local_midnight(self.company.time_zone, day))
    }

    fn store_code(&self, id: Option<StoreId>) -> Option<&str> {
        Some(self.stores.get(&id?)?.code.as_str())
    }

    fn zone(&self, id: StoreId) -> Result<TimeZone> {
        let store = self.stores.get(&id);
        let name = store.map_or_else(|| self.company.time_zone.name(), |store| &store.time_zone);
        TimeZone::parse(name)
            .map_err(|error| Error::internal(format!("a store's time zone {error}")))
    }

    /// The addresses of members of staff: in full for those who may read the list of staff, otherwise masked.
    async fn staff_addresses(
        &self,
        ids: impl Iterator<Item = StaffId>,
    ) -> Result<HashMap<StaffId, String>> {
        let ids: std::collections::BTreeSet<StaffId> = ids.collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<StaffId> = ids.into_iter().collect();
        let colleagues = staff_list::colleagues(&self.ctx, &ids).await?;
        Ok(colleagues
            .into_iter()
            .map(|(id, member)| {
                let address = if member.in_full {
                    member.row.email
                } else {
                    handle::mask(ContactKind::Email, &member.row.email)
                };
                (id, address)
            })
            .collect())
    }
}

/// The columns of a CSV file, in order.
pub fn columns(kind: TransferKind) -> &'static [&'static str] {
    match kind {
        TransferKind::Customers => CUSTOMER_COLUMNS,
        TransferKind::Cards => CARD_COLUMNS,
        TransferKind::Visits => VISIT_COLUMNS,
        TransferKind::Purchases => PURCHASE_COLUMNS,
        TransferKind::Products | TransferKind::Staff => &[],
    }
}

fn not_exported() -> Error {
    Error::internal("an export of what is imported only was let in")
}

/// A moment as files have it.
fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

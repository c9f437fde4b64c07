//! Exports and imports as the API shows them.

use crate::access::Ctx;
use crate::domain::transfers::{self, ResultFile};
use crate::error::Result;
use crate::graphql::ids::GlobalKey;
use crate::graphql::organization::{self, Staff};
use crate::graphql::scalars::{DateTime, Decimal};
use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use entity::transfer;

/// Which way data go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::TransferDirection")]
pub enum TransferDirection {
    /// Out of the shop's books, into a file.
    Export,
    /// Out of a file, into the shop's books.
    Import,
}

/// What data are transferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::TransferKind")]
pub enum TransferKind {
    /// Customers with contact points, consents and references.
    Customers,
    /// Membership cards with tier and programme.
    Cards,
    /// Visits, with or without a purchase.
    Visits,
    /// Receipts with their lines.
    Purchases,
    /// The catalogue; for imports only.
    Products,
    /// Accounts of staff; for imports only.
    Staff,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::FileFormat")]
pub enum FileFormat {
    /// Comma-separated values with a header: what an import takes.
    Csv,
    /// One JSON object a line, with everything that hangs on it.
    Jsonl,
}

/// Where a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::TransferState")]
pub enum TransferState {
    /// Its file is being uploaded.
    Receiving,
    /// Waits to be taken up.
    Queued,
    /// Is being done.
    Running,
    /// Is done; its result can be fetched.
    Done,
    /// Could not be done; `error` says why.
    Failed,
    /// Was called off.
    Cancelled,
}

/// An export or import, from its request to the file that comes of it. Kept for some days after it has ended.
#[derive(Clone, Debug)]
pub struct Transfer(pub transfer::Model);

fn number(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// An export or import, from its request to the file that comes of it. Kept for some days after it has ended.
#[Object]
impl Transfer {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// Which way the data go.
    async fn direction(&self) -> TransferDirection {
        self.0.direction.into()
    }

    /// What data.
    async fn kind(&self) -> TransferKind {
        self.0.kind.into()
    }

    /// How the file is written.
    async fn format(&self) -> FileFormat {
        self.0.format.into()
    }

    /// Where it stands.
    async fn state(&self) -> TransferState {
        self.0.state.into()
    }

    /// Does it only tell what would happen?
    async fn dry_run(&self) -> bool {
        self.0.options.get("dryRun") == Some(&true.into())
    }

    /// Who asked for it.
    async fn requested_by(&self, context: &Context<'_>) -> async_graphql::Result<Option<Staff>> {
        organization::staff(context, self.0.requested_by).await
    }

    /// Records done so far: customers, cards, visits or receipts.
    async fn rows_done(&self) -> i32 {
        number(self.0.rows_done)
    }

    /// Records in all; null until that is known.
    async fn rows_total(&self) -> Option<i32> {
        self.0.rows_total.map(number)
    }

    /// Rows of an imported file that were rejected so far; the result tells each with its reason.
    async fn rows_rejected(&self) -> i32 {
        number(self.0.rows_rejected)
    }

    /// What came of an import; null before it is done, and for exports.
    async fn report(&self) -> Option<ImportReport> {
        let report = self.0.report.as_ref()?;
        let figure = |name: &str| number(report.get(name).and_then(|n| n.as_i64()).unwrap_or(0));
        Some(ImportReport {
            rows: figure("rows"),
            items: figure("items"),
            made: figure("made"),
            changed: figure("changed"),
            known: figure("known"),
            customers: figure("customers"),
            rejected: figure("rejected"),
            left_out: figure("left_out"),
            open: figure("open"),
        })
    }

    /// Why it failed, fit to show; null when it has not.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    /// The file that came of it: the export, or the rejected rows of an import. Null until it is whole, and once it is
    /// forgotten: with time, or because a customer was erased who may stand in it.
    async fn result(&self) -> Option<TransferResult> {
        let file = ResultFile::of(&self.0)?;
        Some(TransferResult {
            path: format!("/transfers/{}/result", self.0.id.global().as_str()),
            size_bytes: Decimal(file.bytes.to_string()),
            media_type: file.media_type.to_owned(),
            file_name: file.name,
        })
    }

    /// When it was asked for.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it was first taken up; null while it waits.
    async fn started_at(&self) -> Option<DateTime> {
        self.0.started_at.map(DateTime::from)
    }

    /// When it ended, well or not; null before.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime::from)
    }
}

/// A file that came of a transfer.
#[derive(Clone, Debug, SimpleObject)]
pub struct TransferResult {
    /// What it is called.
    pub file_name: String,
    /// Its length in bytes.
    pub size_bytes: Decimal,
    /// Its media type.
    pub media_type: String,
    /// Where to GET it, with the same access token.
    pub path: String,
}

/// What came of an import.
#[derive(Clone, Debug, SimpleObject)]
pub struct ImportReport {
    /// Rows of the file, without its header.
    pub rows: i32,
    /// What they make: receipts of purchases, otherwise one for each row that is one.
    pub items: i32,
    /// New ones; with a dry run, those that would be.
    pub made: i32,
    /// Known ones that were filled in; with a dry run, those that would be.
    pub changed: i32,
    /// Those that were known already.
    pub known: i32,
    /// Customers made beside purchases; with a dry run, those who would be.
    pub customers: i32,
    /// Rows rejected.
    pub rejected: i32,
    /// Details left out of rows that came in otherwise; they stand among the rejected rows.
    pub left_out: i32,
    /// References to what is not there yet, of this file and of earlier ones; every import looks for them in the end.
    pub open: i32,
}

/// The `totalCount` of transfers.
#[derive(Clone, Debug)]
pub struct TransferTotal(pub transfers::TransferFilter);

impl TransferTotal {
    async fn count(&self, ctx: &Ctx) -> Result<u64> {
        transfers::count(ctx, &self.0).await
    }
}

crate::graphql::page::connection!(
    TransferConnection,
    TransferEdge,
    Transfer,
    TransferTotal,
    "A page of transfers.",
    "A transfer in a list."
);

//! Filters, orders and inputs of exports and imports.

use super::object::{FileFormat, TransferDirection, TransferKind, TransferState};
use crate::db::Sort;
use crate::domain::transfers;
use crate::graphql::scalars::Date;
use async_graphql::{Enum, ID, InputObject};
use serde::Serialize;

/// Which transfers; conditions that are left out let everything pass.
#[derive(Clone, Debug, Default, InputObject)]
pub struct TransferFilter {
    /// Only those that go this way.
    pub direction: Option<TransferDirection>,
    /// Only those of this kind.
    pub kind: Option<TransferKind>,
    /// Only those that stand there.
    pub state: Option<TransferState>,
}

impl From<TransferFilter> for transfers::TransferFilter {
    fn from(filter: TransferFilter) -> Self {
        Self {
            direction: filter.direction.map(Into::into),
            kind: filter.kind.map(Into::into),
            state: filter.state.map(Into::into),
        }
    }
}

/// The order of transfers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub enum TransferOrder {
    /// Those that were asked for last first.
    #[default]
    NewestFirst,
    /// Those that were asked for first first.
    OldestFirst,
}

impl From<TransferOrder> for Sort {
    fn from(order: TransferOrder) -> Self {
        match order {
            TransferOrder::NewestFirst => Self::Descending,
            TransferOrder::OldestFirst => Self::Ascending,
        }
    }
}

/// What is to be exported.
#[derive(Clone, Debug, InputObject)]
pub struct ExportCreateInput {
    /// What.
    pub kind: TransferKind,
    /// How the file is written; CSV when absent.
    pub format: Option<FileFormat>,
    /// Visits and purchases from this business day on; customers and cards that were changed on this day or later.
    /// Everything when absent.
    pub since: Option<Date>,
    /// The system by whose numbers customers and receipts are called; `pos`, as with imports, when absent.
    pub source: Option<String>,
    /// Disarm what a spreadsheet program would run as a formula; such a file cannot be imported as it is. No when absent.
    pub for_spreadsheet: Option<bool>,
    /// Makes it safe to send the same request again: the same key with the same input leads to the same export.
    pub idempotency_key: Option<String>,
}

/// What of an input is compared when its key comes again.
#[derive(Serialize)]
pub(super) struct Canonical<'a> {
    kind: &'a str,
    format: &'a str,
    since: Option<chrono::NaiveDate>,
    source: Option<&'a str>,
    for_spreadsheet: bool,
}

impl ExportCreateInput {
    /// The request that the input makes.
    pub(super) fn request(&self) -> transfers::ExportRequest {
        transfers::ExportRequest {
            kind: self.kind.into(),
            format: self.format.unwrap_or(FileFormat::Csv).into(),
            since: self.since.map(|day| day.0),
            source: self.source.clone(),
            for_spreadsheet: self.for_spreadsheet.unwrap_or(false),
        }
    }

    /// The input without its key, in a fixed order.
    pub(super) fn canonical(&self) -> Canonical<'_> {
        let kind: entity::enums::TransferKind = self.kind.into();
        let format: entity::enums::FileFormat = self.format.unwrap_or(FileFormat::Csv).into();
        Canonical {
            kind: kind.as_str(),
            format: format.as_str(),
            since: self.since.map(|day| day.0),
            source: self.source.as_deref(),
            for_spreadsheet: self.for_spreadsheet.unwrap_or(false),
        }
    }
}

/// Which transfer is called off.
#[derive(Clone, Debug, InputObject)]
pub struct TransferCancelInput {
    /// The transfer's global id.
    pub id: ID,
}

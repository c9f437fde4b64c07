//! Files of every kind as import jobs: what can be said with an upload, and taking it in.

use super::import_job::{Desk, Upload, behind};
use crate::access::Ctx;
use crate::domain::moving::{self, Kind, MoveOptions};
use crate::domain::organization::stores;
use crate::error::{Code, Error, Result, UserErrors};
use crate::intake::{DateFormats, DecimalFormat, FileEncoding, Progress};
use entity::enums::TransferKind;
use entity::transfer;
use serde::{Deserialize, Serialize};

/// What can be said with an upload, as the options of the command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportOptions {
    /// Which column holds what, such as `customer=customer_id,date=date,amount=amount`.
    pub map: String,
    /// Only tell what would happen.
    pub dry_run: bool,
    /// The encoding; recognized when absent.
    pub encoding: Option<String>,
    /// The name of the other system.
    pub source: Option<String>,
    /// The code of the store of purchases that name none.
    pub store: Option<String>,
    /// How dates are written; ISO when empty.
    pub date_format: Vec<String>,
    /// The decimal mark.
    pub decimal: Option<char>,
    /// The mark between thousands.
    pub thousands: Option<char>,
    /// The mark between fields.
    pub delimiter: Option<char>,
}

/// The kinds of files that can be uploaded, by the last part of their address.
pub(super) fn kind_named(name: &str) -> Option<TransferKind> {
    match name {
        "customers" => Some(TransferKind::Customers),
        "cards" => Some(TransferKind::Cards),
        "purchases" => Some(TransferKind::Purchases),
        "products" => Some(TransferKind::Products),
        "staff" => Some(TransferKind::Staff),
        _ => None,
    }
}

fn kind(of: TransferKind) -> Result<Kind> {
    match of {
        TransferKind::Customers => Ok(Kind::Customers),
        TransferKind::Cards => Ok(Kind::Cards),
        TransferKind::Purchases => Ok(Kind::Purchases),
        TransferKind::Products => Ok(Kind::Products),
        TransferKind::Staff => Ok(Kind::Staff),
        TransferKind::Visits => Err(Error::internal("visits cannot be imported")),
    }
}

/// Checks the options, all of them, and whether the viewer may take such a file in; gives what they mean.
///
/// # Errors
/// User errors at the options' names; [`Error::Forbidden`]; those of the database.
pub(super) async fn read(
    ctx: &Ctx,
    of: TransferKind,
    options: &ImportOptions,
) -> Result<(Kind, MoveOptions)> {
    let kind = kind(of)?;
    moving::allowed(ctx, kind)?;
    let mut errors = UserErrors::new();
    let mut invalid = |field: &str, error: &dyn std::fmt::Display| {
        errors.push(Code::Invalid, field, format!("{field}: {error}"));
    };
    if let Err(error) = kind.check_map(&options.map) {
        invalid("map", &error);
    }
    if let Some(Err(error)) = options.encoding.as_deref().map(FileEncoding::parse) {
        invalid("encoding", &error);
    }
    if !options.date_format.is_empty()
        && let Err(error) = DateFormats::new(&options.date_format)
    {
        invalid("dateFormat", &error);
    }
    let usual = MoveOptions::new(&options.map, "upload");
    let read = MoveOptions {
        dry_run: options.dry_run,
        source: options.source.clone().unwrap_or(usual.source),
        store: options.store.clone().unwrap_or(usual.store),
        encoding: options.encoding.clone(),
        date_formats: options.date_format.clone(),
        decimal: options.decimal.unwrap_or(usual.decimal),
        thousands: options.thousands,
        delimiter: options.delimiter.unwrap_or(usual.delimiter),
        map: usual.map,
        file: usual.file,
    };
    if let Err(error) = DecimalFormat::new(read.decimal, read.thousands) {
        invalid("decimal", &error);
    }
    if !read.delimiter.is_ascii() {
        invalid("delimiter", &"it is an ASCII character");
    }
    if read.source.is_empty() || read.source.chars().count() > super::export::LONGEST_SOURCE {
        invalid("source", &"it has 1 to 100 characters");
    }
    if kind == Kind::Purchases {
        let known = stores::by_code(ctx, &read.store).await?;
        if known.is_none_or(|store| store.archived_at.is_some()) {
            let store = &read.store;
            errors.push(
                Code::NotFound,
                "store",
                format!(
                    "no open store has the code {store}: give one as `store`, for rows that name none"
                ),
            );
        }
    }
    errors.check()?;
    Ok((kind, read))
}

/// Takes the upload in; gives the figures.
pub(super) async fn run(
    ctx: &Ctx,
    row: &transfer::Model,
    file: Upload,
    desk: &Desk,
) -> Result<serde_json::Value> {
    let options: ImportOptions = serde_json::from_value(row.options.clone())
        .map_err(|_| Error::internal("the options of an import cannot be read"))?;
    let (kind, options) = read(ctx, row.kind, &options).await?;
    let failure = file.failure();
    let report = moving::run(ctx, kind, &options, file, |progress| match progress {
        Progress::Rejected(reject) | Progress::LeftOut(reject) => desk.reject(reject),
        // Rows are read first and taken in afterwards: what they make is what is worked through.
        Progress::Read(report) => desk.tell(0, None, report.rejected),
        Progress::Booked(report) => desk.tell(report.settled, Some(report.items), report.rejected),
    })
    .await
    .map_err(|error| behind(&failure, error))?;
    desk.tell(report.settled, Some(report.items), report.rejected)?;
    serde_json::to_value(&report)
        .map_err(|_| Error::internal("the figures of an import cannot be written"))
}

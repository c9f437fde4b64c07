//! Purchases as an import job: what can be said with an upload, and doing it.

use super::import_job::{Desk, Upload, behind};
use crate::access::Ctx;
use crate::domain::organization::{self, stores};
use crate::domain::visits::import::{self, Progress, Target};
use crate::error::{Code, Error, Result, UserErrors};
use crate::intake::{
    DateFormats, DecimalFormat, FileEncoding, Mapping, PurchaseOptions, PurchaseRows,
};
use entity::transfer;
use entity::values::business_date::business_date;
use serde::{Deserialize, Serialize};
use serde_json::json;

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
    /// The name of the till system.
    pub source: Option<String>,
    /// The code of the store of rows that name none.
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

/// Checks the options, all of them, and gives what they mean.
///
/// # Errors
/// User errors at the options' names; those of the database.
pub(super) async fn read(ctx: &Ctx, options: &ImportOptions) -> Result<(PurchaseOptions, Target)> {
    let company = organization::settings(ctx).await?;
    let mut errors = UserErrors::new();
    let invalid = |errors: &mut UserErrors, field: &str, error: &dyn std::fmt::Display| {
        errors.push(Code::Invalid, field, format!("{field}: {error}"));
    };
    let mapping = Mapping::parse(&options.map)
        .map_err(|error| invalid(&mut errors, "map", &error))
        .ok();
    let encoding = options
        .encoding
        .as_deref()
        .map(FileEncoding::parse)
        .transpose()
        .map_err(|error| invalid(&mut errors, "encoding", &error))
        .ok()
        .flatten();
    let dates = if options.date_format.is_empty() {
        Some(DateFormats::default())
    } else {
        DateFormats::new(&options.date_format)
            .map_err(|error| invalid(&mut errors, "dateFormat", &error))
            .ok()
    };
    let decimals = DecimalFormat::new(options.decimal.unwrap_or('.'), options.thousands)
        .map_err(|error| invalid(&mut errors, "decimal", &error))
        .ok();
    let delimiter = u8::try_from(options.delimiter.unwrap_or(','))
        .ok()
        .filter(|mark| mark.is_ascii());
    if delimiter.is_none() {
        invalid(&mut errors, "delimiter", &"it is an ASCII character");
    }
    let source = options
        .source
        .clone()
        .unwrap_or_else(|| super::export::USUAL_SOURCE.to_owned());
    if source.is_empty() || source.chars().count() > super::export::LONGEST_SOURCE {
        invalid(&mut errors, "source", &"it has 1 to 100 characters");
    }
    let store = options.store.clone().unwrap_or_else(|| "main".to_owned());
    let known = stores::by_code(ctx, &store).await?;
    if known.is_none_or(|store| store.archived_at.is_some()) {
        errors.push(
            Code::NotFound,
            "store",
            format!(
                "no open store has the code {store}: give one as `store`, for rows that name none"
            ),
        );
    }
    let (Some(mapping), Some(dates), Some(decimals), Some(delimiter)) =
        (mapping, dates, decimals, delimiter)
    else {
        errors.check()?;
        return Err(Error::internal("an option was refused without a word"));
    };
    errors.check()?;
    let today = business_date(ctx.now(), company.time_zone);
    let mut read = PurchaseOptions::new(mapping, company.currency, company.country, today);
    read.encoding = encoding;
    read.dates = dates;
    read.decimals = decimals;
    read.delimiter = delimiter;
    let target = Target {
        source,
        store,
        currency: company.currency,
        phone_region: company.country,
        dry_run: options.dry_run,
    };
    Ok((read, target))
}

/// Imports the upload; gives the figures.
pub(super) async fn run(
    ctx: &Ctx,
    row: &transfer::Model,
    file: Upload,
    desk: &Desk,
) -> Result<serde_json::Value> {
    let options: ImportOptions = serde_json::from_value(row.options.clone())
        .map_err(|_| Error::internal("the options of an import cannot be read"))?;
    let (read, target) = read(ctx, &options).await?;
    let failure = file.failure();
    // The header is read here, and reading waits for pieces.
    let rows = tokio::task::spawn_blocking(move || PurchaseRows::open(file, read))
        .await
        .map_err(|error| Error::internal(format!("the reading thread failed: {error}")))?
        .map_err(|error| behind(&failure, Error::BadRequest(error.to_string().into())))?;
    let report = import::run(ctx, target, rows, |progress| match progress {
        Progress::Rejected(reject) => desk.reject(reject),
        // Rows are read first and booked afterwards: receipts are what is worked through.
        Progress::Read(report) => desk.tell(0, None, report.rejected),
        Progress::Booked(report) => {
            desk.tell(report.settled, Some(report.receipts), report.rejected)
        }
    })
    .await
    .map_err(|error| behind(&failure, error))?;
    desk.tell(report.settled, Some(report.receipts), report.rejected)?;
    Ok(json!({
        "rows": report.rows,
        "receipts": report.receipts,
        "booked": report.booked,
        "known": report.known,
        "customers": report.customers,
        "rejected": report.rejected,
    }))
}

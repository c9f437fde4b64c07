//! Asking for an export.

use super::attempt::reread;
use super::export::{LONGEST_SOURCE, Plan, USUAL_SOURCE};
use super::job::RunTransfer;
use super::settings::TransferSettings;
use crate::access::{Action, Ctx, audit};
use crate::db::{IdempotencyKey, Sql, Tx};
use crate::error::{Code, Error, Result};
use crate::jobs;
use chrono::NaiveDate;
use entity::enums::{FileFormat, TransferDirection, TransferKind, TransferState};
use entity::ids::{StaffId, TransferId};
use entity::transfer;
use sea_orm::{ActiveModelTrait, ConnectionTrait, IntoActiveModel};
use serde_json::json;

/// What is to be exported, as it is told.
#[derive(Clone, Debug)]
pub struct ExportRequest {
    /// What.
    pub kind: TransferKind,
    /// How the file is written.
    pub format: FileFormat,
    /// Visits and purchases from this day on; customers and cards that were changed on this day or later.
    pub since: Option<NaiveDate>,
    /// The system by whose numbers customers and receipts are called.
    pub source: Option<String>,
    /// Disarm what a spreadsheet program would run as a formula.
    pub for_spreadsheet: bool,
}

/// Puts an export into the queue.
///
/// # Errors
/// User errors when the source is none or too many transfers wait already; as [`crate::access::Viewer::require`];
/// those of the database.
pub async fn request_export(
    ctx: &Ctx,
    request: ExportRequest,
    key: Option<&IdempotencyKey>,
) -> Result<transfer::Model> {
    ctx.require(Action::DataExport)?;
    let staff = ctx.viewer.staff()?.id;
    let source = request.source.unwrap_or_else(|| USUAL_SOURCE.to_owned());
    if source.is_empty()
        || source.chars().count() > LONGEST_SOURCE
        || source.chars().any(char::is_control)
    {
        return Err(Error::user(
            Code::Invalid,
            "source",
            format!("source has 1 to {LONGEST_SOURCE} characters on one line"),
        ));
    }
    if matches!(request.kind, TransferKind::Products | TransferKind::Staff) {
        return Err(Error::user(
            Code::NotAllowed,
            "kind",
            "kind is for imports only; export CUSTOMERS, CARDS, VISITS or PURCHASES",
        ));
    }
    let plan = Plan {
        kind: request.kind,
        format: request.format,
        since: request.since,
        source,
        for_spreadsheet: request.for_spreadsheet,
    };
    let options = serde_json::to_value(&plan)
        .map_err(|_| Error::internal("the plan of an export cannot be written"))?;
    let row = &transfer::Model {
        options,
        ..fresh(
            ctx,
            staff,
            TransferDirection::Export,
            request.kind,
            request.format,
        )
    };
    ctx.db
        .write(|tx| async move {
            if let Some(key) = key
                && let Some(known) = key.seen(&*tx).await?
            {
                return reread(&*tx, TransferId(known)).await;
            }
            refuse_too_many(&tx, ctx, staff).await?;
            let job = RunTransfer { transfer: row.id };
            let job_id = jobs::enqueue(&*tx, ctx, &job, ctx.now()).await?;
            let row = transfer::Model {
                job_id,
                ..row.clone()
            };
            let row = row.into_active_model().reset_all().insert(&*tx).await?;
            if let Some(key) = key {
                key.remember(&*tx, row.id.into(), ctx.now()).await?;
            }
            note(&tx, ctx, "transfer.request", &row).await?;
            Ok(row)
        })
        .await
}

/// A transfer of which nothing is done yet.
pub(super) fn fresh(
    ctx: &Ctx,
    staff: StaffId,
    direction: TransferDirection,
    kind: TransferKind,
    format: FileFormat,
) -> transfer::Model {
    transfer::Model {
        id: TransferId::new(),
        direction,
        kind,
        format,
        state: TransferState::Queued,
        options: json!({}),
        requested_by: staff,
        job_id: None,
        attempt: 0,
        rows_done: 0,
        rows_total: None,
        rows_rejected: 0,
        report: None,
        error: None,
        stored_bytes: 0,
        result_part: None,
        result_bytes: None,
        made_under: None,
        created_at: ctx.now(),
        started_at: None,
        finished_at: None,
    }
}

/// Who has many transfers open waits until some are done: a program gone wild fills neither queue nor disk.
pub(super) async fn refuse_too_many(tx: &Tx, ctx: &Ctx, staff: StaffId) -> Result<()> {
    let most = ctx.memory.of::<TransferSettings>().open_by_person;
    let mut sql = Sql::for_connection(&**tx);
    sql.push("select count(*) as open from transfer where state in ('RECEIVING', 'QUEUED', 'RUNNING') and requested_by = ")
        .bind(staff);
    let row = tx.query_one_raw(sql.build()).await?;
    let open = row
        .map(|row| row.try_get::<i64>("", "open"))
        .transpose()?
        .unwrap_or(0);
    if u64::try_from(open).unwrap_or(0) >= most {
        return Err(Error::user(
            Code::TooMany,
            "",
            format!(
                "you have {open} exports and imports that are not done yet; wait for them, or call some off"
            ),
        ));
    }
    Ok(())
}

/// Writes down who does what with a transfer.
pub(super) async fn note(
    tx: &Tx,
    ctx: &Ctx,
    action: &'static str,
    row: &transfer::Model,
) -> Result<()> {
    let entry = audit::Entry::new(ctx, action).detail(json!({
        "transfer": row.id,
        "direction": row.direction.as_str(),
        "kind": row.kind.as_str(),
    }));
    audit::write(&**tx, &[entry]).await
}

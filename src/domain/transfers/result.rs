//! The file that came of a transfer, for whoever asked for it.

use super::chunks;
use super::job::rights;
use super::list::visible;
use super::request::note;
use crate::access::{Action, Ctx};
use crate::error::{Error, Result};
use entity::enums::{FileFormat, TransferDirection};
use entity::ids::TransferId;
use entity::transfer;
use sea_orm::{ColumnTrait, QueryFilter};

/// A result that may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultFile {
    /// Whose.
    pub transfer: TransferId,
    /// Which part of the transfer's files.
    pub part: i32,
    /// Bytes.
    pub bytes: u64,
    /// What it is called.
    pub name: String,
    /// Its media type.
    pub media_type: &'static str,
}

impl ResultFile {
    /// The result of a transfer that has one.
    pub fn of(row: &transfer::Model) -> Option<Self> {
        let (part, bytes) = row.result_part.zip(row.result_bytes)?;
        let day = row.created_at.format("%Y-%m-%d");
        let kind = row.kind.as_str().to_ascii_lowercase();
        let (name, media_type) = match (row.direction, row.format) {
            (TransferDirection::Import, _) => (
                format!("{kind}-{day}-rejected.csv"),
                "text/csv; charset=utf-8",
            ),
            (_, FileFormat::Csv) => (format!("{kind}-{day}.csv"), "text/csv; charset=utf-8"),
            (_, FileFormat::Jsonl) => (format!("{kind}-{day}.jsonl"), "application/x-ndjson"),
        };
        Some(Self {
            transfer: row.id,
            part,
            bytes: u64::try_from(bytes).unwrap_or(0),
            name,
            media_type,
        })
    }
}

/// Opens the result of a transfer; none when there is no such transfer in sight, or it has no result. Leaves an entry
/// in the audit log; whom an export names in full, the entries of its making say.
///
/// # Errors
/// [`Error::Forbidden`] when the roles under which it was made have changed since; as
/// [`crate::access::Viewer::require`]; those of the database.
pub async fn open(ctx: &Ctx, id: TransferId) -> Result<Option<ResultFile>> {
    let row = visible(ctx)?
        .filter(transfer::Column::Id.eq(id))
        .one(ctx.db.read())
        .await?;
    let Some((row, file)) = row.and_then(|row| ResultFile::of(&row).map(|file| (row, file))) else {
        return Ok(None);
    };
    if !ctx.viewer.may(Action::TransferManage) {
        ctx.require(match row.direction {
            TransferDirection::Export => Action::DataExport,
            TransferDirection::Import => Action::DataImport,
        })?;
        if row.made_under != rights(&ctx.viewer) {
            return Err(Error::Forbidden);
        }
    }
    let row = &row;
    ctx.db
        .write(|tx| async move { note(&tx, ctx, "transfer.download", row).await })
        .await?;
    Ok(Some(file))
}

/// A piece of an opened result, by its place from 0; none behind the last one.
///
/// # Errors
/// Those of the database.
pub async fn piece(ctx: &Ctx, file: &ResultFile, place: i32) -> Result<Option<Vec<u8>>> {
    chunks::read(ctx, file.transfer, file.part, place).await
}

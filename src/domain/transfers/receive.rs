//! Receiving a file that is to be imported, while it is uploaded.
//!
//! Called by `app` for the endpoint. What arrives is unpacked, bounded and put into the database piece by piece; the
//! job is asked for when the last byte is there. An upload that breaks off leaves nothing behind.

use super::attempt::reread;
use super::chunks::{self, Cutter, PIECE, UPLOAD};
use super::job::RunTransfer;
use super::moving::{self, ImportOptions};
use super::request::{fresh, note, refuse_too_many};
use super::settings::TransferSettings;
use super::unpack::Unpacker;
use crate::access::{Action, Ctx};
use crate::db::{IdempotencyKey, Sql};
use crate::error::{Code, Error, Result, UserErrors};
use crate::jobs;
use entity::enums::{FileFormat, TransferDirection, TransferState};
use entity::ids::TransferId;
use entity::transfer;
use sea_orm::{ActiveModelTrait, ConnectionTrait, IntoActiveModel};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// What comes with an upload.
#[derive(Clone, Debug, Default)]
pub struct UploadRequest {
    /// What the file holds, such as `purchases`.
    pub kind: String,
    /// Names and values of what is said about it.
    pub parameters: Vec<(String, String)>,
    /// The encoding that the content type names.
    pub charset: Option<String>,
    /// Is it packed by gzip?
    pub is_gzip: bool,
    /// Its length in bytes as it is sent, where that is said.
    pub declared: Option<u64>,
    /// The idempotency key.
    pub key: Option<String>,
}

/// Why an upload is refused.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// Larger than one upload may be; the caller cuts the file into several.
    #[error("the file has more than {0} bytes; cut it into several")]
    TooLarge(u64),
    /// There is no room beside what is kept already; the caller tries later.
    #[error(
        "there is no room for the file: all uploads and results that are kept may have {0} bytes; try again later"
    )]
    NoRoom(u64),
    /// There is no import of this kind.
    #[error("there is no import of this kind")]
    NoSuchKind,
    /// Anything else.
    #[error(transparent)]
    Service(#[from] Error),
}

/// Bytes gathered before they are written.
const GATHERED: usize = 4 * PIECE;

/// An upload under way.
#[derive(Debug)]
pub struct Reception {
    ctx: Ctx,
    row: transfer::Model,
    settings: Arc<TransferSettings>,
    /// Bytes that others have stored.
    others: u64,
    key: Option<String>,
    /// Bytes that have arrived.
    sent: u64,
    unpacker: Unpacker,
    cutter: Cutter,
    hash: Sha256,
}

impl Reception {
    /// Checks everything that can be checked before the file is there.
    ///
    /// # Errors
    /// See [`ReceiveError`].
    pub async fn begin(ctx: &Ctx, request: UploadRequest) -> Result<Self, ReceiveError> {
        ctx.require(Action::DataImport)?;
        let staff = ctx.viewer.staff()?.id;
        let kind = moving::kind_named(&request.kind).ok_or(ReceiveError::NoSuchKind)?;
        let options = options(request.parameters, request.charset)?;
        moving::read(ctx, kind, &options).await?;
        // Read again when it is used; here so that a bad one is told of before the file is sent.
        IdempotencyKey::read(ctx.viewer.caller(), MUTATION, request.key.as_deref(), "")?;
        let settings = ctx.memory.of::<TransferSettings>();
        let others = chunks::stored(ctx.db.read()).await?;
        if let Some(declared) = request.declared {
            if declared > settings.upload_bytes {
                return Err(ReceiveError::TooLarge(settings.upload_bytes));
            }
            if others.saturating_add(declared) > settings.total_bytes {
                return Err(ReceiveError::NoRoom(settings.total_bytes));
            }
        }
        let row = transfer::Model {
            state: TransferState::Receiving,
            options: serde_json::to_value(&options)
                .map_err(|_| Error::internal("the options of an import cannot be written"))?,
            ..fresh(ctx, staff, TransferDirection::Import, kind, FileFormat::Csv)
        };
        let made = &row;
        ctx.db
            .write(|tx| async move {
                refuse_too_many(&tx, ctx, staff).await?;
                let row = made.clone().into_active_model().reset_all();
                row.insert(&*tx).await?;
                Ok(())
            })
            .await?;
        Ok(Self {
            ctx: ctx.clone(),
            row,
            settings,
            others,
            key: request.key,
            sent: 0,
            unpacker: Unpacker::new(request.is_gzip),
            cutter: Cutter::default(),
            hash: Sha256::new(),
        })
    }

    /// Takes up the next bytes of the file.
    ///
    /// # Errors
    /// See [`ReceiveError`]; then it is to be abandoned.
    pub async fn push(&mut self, bytes: &[u8]) -> Result<(), ReceiveError> {
        // In small parts, so that what is packed tightly is measured before it is large.
        self.sent = self.sent.saturating_add(bytes.len() as u64);
        // Packed well it holds more than it is long; what is longer holds nothing.
        if self.sent > self.settings.upload_bytes {
            return Err(ReceiveError::TooLarge(self.settings.upload_bytes));
        }
        for part in bytes.chunks(4096) {
            let unpacked = self.unpacker.push(part)?;
            self.hash.update(&unpacked);
            self.cutter.push(&unpacked);
            if self.cutter.bytes() > self.settings.upload_bytes {
                return Err(ReceiveError::TooLarge(self.settings.upload_bytes));
            }
            if self.others.saturating_add(self.cutter.bytes()) > self.settings.total_bytes {
                return Err(ReceiveError::NoRoom(self.settings.total_bytes));
            }
            if self.cutter.waiting() >= GATHERED {
                self.flush().await?;
            }
        }
        Ok(())
    }

    /// The file is there: puts the import into the queue. The same key with the same file leads to the import that it
    /// led to before.
    ///
    /// # Errors
    /// See [`ReceiveError`]; nothing is left behind then.
    pub async fn finish(mut self) -> Result<transfer::Model, ReceiveError> {
        match self.conclude().await {
            Ok(row) if row.id == self.row.id => Ok(row),
            // It was there already, and this one is not needed.
            Ok(known) => {
                self.abandon().await;
                Ok(known)
            }
            Err(error) => {
                self.abandon().await;
                Err(error)
            }
        }
    }

    async fn conclude(&mut self) -> Result<transfer::Model, ReceiveError> {
        let rest = self.unpacker.finish()?;
        self.hash.update(&rest);
        self.cutter.push(&rest);
        if self.cutter.bytes() > self.settings.upload_bytes {
            return Err(ReceiveError::TooLarge(self.settings.upload_bytes));
        }
        if self.cutter.bytes() == 0 {
            return Err(Error::BadRequest("the file is empty".into()).into());
        }
        let hash: String = std::mem::take(&mut self.hash)
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let canonical = format!("{} {} {hash}", self.row.kind, self.row.options);
        let key = IdempotencyKey::read(
            self.ctx.viewer.caller(),
            MUTATION,
            self.key.as_deref(),
            &canonical,
        )?;
        let pieces = self.cutter.cut(true);
        let (ctx, row, key, pieces) = (&self.ctx, &self.row, key.as_ref(), &pieces);
        let stored = i64::try_from(self.cutter.bytes()).unwrap_or(i64::MAX);
        let concluded = ctx
            .db
            .write(|tx| async move {
                if let Some(key) = key
                    && let Some(known) = key.seen(&*tx).await?
                {
                    return reread(&*tx, TransferId(known)).await;
                }
                chunks::write(&tx, row.id, UPLOAD, pieces).await?;
                let job = RunTransfer { transfer: row.id };
                let job = jobs::enqueue(&*tx, ctx, &job, ctx.now()).await?;
                let mut sql = Sql::for_connection(&*tx);
                sql.push("update transfer set state = 'QUEUED', job_id = ")
                    .bind(job)
                    .push(", stored_bytes = ")
                    .bind(stored)
                    .push(" where state = 'RECEIVING' and id = ")
                    .bind(row.id);
                if tx.execute_raw(sql.build()).await?.rows_affected() == 0 {
                    return Err(called_off());
                }
                if let Some(key) = key {
                    key.remember(&*tx, row.id.into(), ctx.now()).await?;
                }
                note(&tx, ctx, "transfer.request", row).await?;
                reread(&*tx, row.id).await
            })
            .await?;
        Ok(concluded)
    }

    async fn flush(&mut self) -> Result<()> {
        let pieces = self.cutter.cut(false);
        let stored = i64::try_from(self.cutter.bytes()).unwrap_or(i64::MAX);
        let (row, pieces) = (&self.row, &pieces);
        self.ctx
            .db
            .write(|tx| async move {
                let mut sql = Sql::for_connection(&*tx);
                sql.push("update transfer set stored_bytes = ")
                    .bind(stored)
                    .push(" where state = 'RECEIVING' and id = ")
                    .bind(row.id);
                if tx.execute_raw(sql.build()).await?.rows_affected() == 0 {
                    return Err(called_off());
                }
                chunks::write(&tx, row.id, UPLOAD, pieces).await
            })
            .await
    }

    /// Forgets the upload, which has broken off.
    pub async fn abandon(&self) {
        if let Err(error) = forget(&self.ctx, self.row.id).await {
            // The hourly job does it then.
            tracing::warn!(?error, "an upload that broke off could not be forgotten");
        }
    }
}

/// The name under which idempotency keys of uploads are remembered.
const MUTATION: &str = "import";

fn called_off() -> Error {
    Error::user(Code::WrongState, "", "the upload was called off")
}

/// Deletes a transfer whose file never came whole.
pub(super) async fn forget(ctx: &Ctx, id: TransferId) -> Result<()> {
    chunks::clear(ctx, id, None).await?;
    ctx.db
        .write(|tx| async move {
            let mut sql = Sql::for_connection(&*tx);
            sql.push("delete from transfer where state = 'RECEIVING' and id = ")
                .bind(id);
            tx.execute_raw(sql.build()).await?;
            Ok(())
        })
        .await
}

/// Reads what is said about the file.
fn options(parameters: Vec<(String, String)>, charset: Option<String>) -> Result<ImportOptions> {
    let mut options = ImportOptions {
        encoding: charset,
        ..ImportOptions::default()
    };
    let mut errors = UserErrors::new();
    for (name, value) in parameters {
        let mark = |errors: &mut UserErrors| {
            let mut marks = value.chars();
            let mark = marks.next().filter(|_| marks.next().is_none());
            if mark.is_none() {
                errors.push(Code::Invalid, &name, format!("{name} is one character"));
            }
            mark
        };
        match name.as_str() {
            "map" => options.map = value,
            "dryRun" => match value.as_str() {
                "true" => options.dry_run = true,
                "false" => options.dry_run = false,
                _ => errors.push(Code::Invalid, "dryRun", "dryRun is true or false"),
            },
            "encoding" => options.encoding = Some(value),
            "source" => options.source = Some(value),
            "store" => options.store = Some(value),
            "dateFormat" => options.date_format.push(value),
            "decimal" => options.decimal = mark(&mut errors),
            "thousands" => options.thousands = mark(&mut errors),
            "delimiter" => options.delimiter = mark(&mut errors),
            _ => {
                let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
                errors.push(
                    Code::Invalid,
                    "",
                    format!("there is no parameter {shown}; there are map, dryRun, encoding, source, store, dateFormat, decimal, thousands and delimiter"),
                );
            }
        }
    }
    errors.check()?;
    Ok(options)
}

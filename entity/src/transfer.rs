//! Data on their way out or in: what was asked for, how far it has come, what came of it.
use crate::{
    enums::{FileFormat, TransferDirection, TransferKind, TransferState},
    ids::{JobId, StaffId, TransferId},
};
use sea_orm::entity::prelude::*;

/// Data on their way out or in: what was asked for, how far it has come, what came of it.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "transfer")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TransferId,
    /// Which way.
    pub direction: TransferDirection,
    /// What.
    pub kind: TransferKind,
    /// How its file is written.
    pub format: FileFormat,
    /// Where it stands.
    pub state: TransferState,
    /// What was asked for; names of columns and formats, never personal values.
    pub options: Json,
    /// Who asked for it.
    pub requested_by: StaffId,
    /// The job that does it.
    pub job_id: Option<JobId>,
    /// How often it was begun. Whoever has begun it an earlier time writes nothing any more.
    pub attempt: i32,
    /// Records done in this attempt.
    pub rows_done: i64,
    /// Records in all, once that is known.
    pub rows_total: Option<i64>,
    /// Rows of the file that were rejected.
    pub rows_rejected: i64,
    /// The figures of an import.
    pub report: Option<Json>,
    /// Why it failed, fit to be shown.
    pub error: Option<String>,
    /// Bytes of its files that are in the database.
    pub stored_bytes: i64,
    /// The part of its chunks that is the result; none until it is whole.
    pub result_part: Option<i32>,
    /// Bytes of the result.
    pub result_bytes: Option<i64>,
    /// Hash of the roles that whoever asked for it held when it was made.
    pub made_under: Option<Vec<u8>>,
    /// When it was asked for.
    pub created_at: DateTimeUtc,
    /// When it was first begun.
    pub started_at: Option<DateTimeUtc>,
    /// When it ended, well or not.
    pub finished_at: Option<DateTimeUtc>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

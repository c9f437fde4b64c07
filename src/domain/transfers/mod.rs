//! Data out and in, in bulk: what is exported, what is imported, and the jobs that do it.
//!
//! Called by the API, by the command `export` and by the queue. It reads and fills all other topics; but for `identity`,
//! which has the files of somebody who is erased forgotten, none of them knows of it. A transfer is a row that says what was asked for and how far it has come; its files stand
//! beside it in the database, in pieces, so that any node writes and serves them. A job does it as whoever asked for it,
//! with the roles that they hold when it runs.

mod attempt;
mod cancel;
mod chunks;
pub mod export;
mod export_job;
mod forget;
mod import_job;
mod job;
mod list;
mod moving;
mod receive;
mod request;
mod result;
mod settings;
mod unpack;

pub use cancel::cancel;
pub use forget::{ClearTransfer, ForgetTransfers, forget_files};
pub use job::RunTransfer;
pub use list::{TransferFilter, by_ids, count, page};
pub use receive::{ReceiveError, Reception, UploadRequest};
pub use request::{ExportRequest, request_export};
pub use result::{ResultFile, open, piece};
pub use settings::TransferSettings;

#[cfg(test)]
mod tests;

//! The API of exports and imports: asking for them, following them, calling them off. Files themselves go by REST, see
//! `http::transfers`.

mod input;
mod mutation;
mod object;
mod query;

pub use input::{
    ExportCreateInput, TransferCancelInput, TransferFilter as TransferFilterInput, TransferOrder,
};
pub use mutation::{ExportCreatePayload, TransferCancelPayload, TransfersMutation};
pub use object::{
    FileFormat, ImportReport, Transfer, TransferConnection, TransferDirection, TransferEdge,
    TransferKind, TransferResult, TransferState,
};
pub use query::TransfersQuery;

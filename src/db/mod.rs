//! The database: connecting, reading, the write transaction, paging, and every difference of the engines.
//!
//! Called by the services of `domain` and by `access`, `events` and `jobs`. Nobody else knows which engine
//! runs: what differs is a function here.

mod batch;
mod connect;
pub mod copy;
mod failure;
mod idempotency;
mod keyset;
mod lease;
pub mod probe;
mod queue;
mod reader;
mod snapshot;
mod spool;
mod sql;
mod time_limit;
mod transaction;
mod turns;
mod watch;
mod write;

pub use batch::{Batch, Table};
pub use connect::{Db, DbSettings, Engine};
pub use copy::Look;
pub use failure::{is_disk_full, is_no_database, is_unavailable, is_unique_violation};
pub use idempotency::IdempotencyKey;
pub use keyset::{Bounds, Keyset, Page, PageRequest, Sort, SortKey};
pub use reader::Reader;
pub use spool::{Sorted, Spool, SpoolRow};
pub use sql::{
    Sql, Template, among, literal_limit, literal_limits, look_up_one_by_one, prefer_indexes,
};
pub use time_limit::{end_of_work, until};
pub use transaction::Transaction;
pub use write::Tx;

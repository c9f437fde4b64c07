//! What is told of a file while it is taken in, and in the end: the same for all kinds of rows, and for whoever shows it,
//! a command or a job.

use super::reject::Reject;
use serde::{Deserialize, Serialize};

/// What came of a file; while it is taken in, what came of it so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Rows read, without the header.
    pub rows: u64,
    /// Bytes of the file read.
    pub bytes: u64,
    /// What the rows make: receipts of purchases, otherwise one for each row that is one.
    pub items: u64,
    /// Those of them that are taken in, known or rejected by now.
    pub settled: u64,
    /// New ones taken in, or that would be.
    pub made: u64,
    /// Known ones that were filled in, or that would be.
    pub changed: u64,
    /// Those that were known already.
    pub known: u64,
    /// Customers made beside the items, or that would be.
    pub customers: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Details left out of rows that came in otherwise.
    pub left_out: u64,
    /// References that are open in the end, of this file and of earlier ones.
    pub open: u64,
}

/// What is told while a file is taken in.
#[derive(Debug)]
pub enum Progress<'a> {
    /// A row was rejected.
    Rejected(&'a Reject),
    /// A row came in, but for the detail that this tells of.
    LeftOut(&'a Reject),
    /// More of the file was read.
    Read(&'a Report),
    /// A batch is safe.
    Booked(&'a Report),
}

//! Reading the files that a shop brings: exports of its till system.
//!
//! Called by the command line's import, and by import jobs. A leaf: it turns bytes into checked
//! rows, one at a time and in constant memory, and says of every row that it cannot use where it
//! is and why. It knows no database, writes nothing but the file of rejected rows, reads no clock
//! and never guesses: what is not plain in the file is an error that tells what to say.
//!
//! From bytes to rows: [`unpack`] unpacks, [`encoding`] makes UTF-8, [`records`] makes fields, [`mapping`] finds the
//! columns, [`formats`] reads dates and numbers, [`table`] is what all kinds of rows have in common, and [`purchases`],
//! [`customers`], [`cards`], [`products`] and [`staff`] are the kinds. [`identity`] gives each purchase a name that
//! stays the same when the file is read again.

pub mod cards;
pub mod customers;
pub mod encoding;
pub mod formats;
pub mod identity;
pub mod mapping;
mod moments;
pub mod products;
pub mod progress;
pub mod purchases;
pub mod records;
pub mod reject;
pub mod rejects;
pub mod staff;
pub mod table;
pub mod unpack;

use thiserror::Error;

pub use encoding::{EncodingError, FileEncoding};
pub use formats::{DateFormats, DecimalFormat, FormatError};
pub use mapping::{Columns, Field, MappedField, Mapping, MappingError};
pub use progress::{Progress, Report};
pub use purchases::{PurchaseOptions, PurchaseRow, PurchaseRows, Row};
pub use records::HeaderError;
pub use reject::{Reject, RejectCode};
pub use rejects::RejectsWriter;
pub use table::{Options, Placed, RowKind, Rows};

/// Why a file cannot be read at all. Shown to whoever started the import.
#[derive(Debug, Error)]
pub enum IntakeError {
    /// The file cannot be read (any further).
    #[error("the file cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// Its encoding is unknown or not the given one.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// Its first line is no header.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The given mapping is wrong or does not fit the file.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// A given date or number format is wrong.
    #[error(transparent)]
    Format(#[from] FormatError),
}

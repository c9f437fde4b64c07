//! Rows that cannot be used: where, what and why.

use std::fmt;

/// Why a row is rejected; closed, so that scripts can go by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RejectCode {
    /// Bytes that are no text in the file's encoding.
    Encoding,
    /// More or fewer fields than the header.
    FieldCount,
    /// A quote that is not closed.
    UnterminatedQuote,
    /// Something stands behind a closing quote.
    BadQuote,
    /// A row or a field beyond its largest size.
    TooLong,
    /// A required field is empty.
    Missing,
    /// NUL or another control character.
    ControlCharacter,
    /// A mark that turns the direction of text.
    DirectionMark,
    /// Not a date in one of the given formats.
    BadDate,
    /// Not a time of day.
    BadTime,
    /// After today.
    FutureDate,
    /// Not an amount in the given format and currency.
    BadAmount,
    /// Not a quantity, or zero.
    BadQuantity,
    /// Not a currency.
    BadCurrency,
    /// Not a phone number.
    BadPhone,
    /// Not an email address.
    BadEmail,
    /// No store has this code.
    UnknownStore,
    /// The receipt is known already, with other content.
    ReceiptConflict,
    /// None of the words that the field knows.
    UnknownWord,
    /// Not of the form that the field must have; the reason says which.
    BadValue,
    /// What is known already says otherwise; what is known stays.
    Contradiction,
    /// A consent without proof or day: it was left out, the rest of the row came in.
    NoEvidence,
    /// Another record has this value, which must be unique.
    Taken,
    /// The member has an active card already.
    SecondActiveCard,
    /// The customer's file was put away.
    PutAway,
    /// The customer was erased, and is not brought back.
    Erased,
    /// The row refers to itself.
    RefersToItself,
    /// No store or region has this code.
    UnknownPlace,
    /// More than there may be.
    TooMany,
}

impl RejectCode {
    /// All of them.
    pub const ALL: [Self; 29] = [
        Self::Encoding,
        Self::FieldCount,
        Self::UnterminatedQuote,
        Self::BadQuote,
        Self::TooLong,
        Self::Missing,
        Self::ControlCharacter,
        Self::DirectionMark,
        Self::BadDate,
        Self::BadTime,
        Self::FutureDate,
        Self::BadAmount,
        Self::BadQuantity,
        Self::BadCurrency,
        Self::BadPhone,
        Self::BadEmail,
        Self::UnknownStore,
        Self::ReceiptConflict,
        Self::UnknownWord,
        Self::BadValue,
        Self::Contradiction,
        Self::NoEvidence,
        Self::Taken,
        Self::SecondActiveCard,
        Self::PutAway,
        Self::Erased,
        Self::RefersToItself,
        Self::UnknownPlace,
        Self::TooMany,
    ];

    /// As it is written into reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Encoding => "ENCODING",
            Self::FieldCount => "FIELD_COUNT",
            Self::UnterminatedQuote => "UNTERMINATED_QUOTE",
            Self::BadQuote => "BAD_QUOTE",
            Self::TooLong => "TOO_LONG",
            Self::Missing => "MISSING",
            Self::ControlCharacter => "CONTROL_CHARACTER",
            Self::DirectionMark => "DIRECTION_MARK",
            Self::BadDate => "BAD_DATE",
            Self::BadTime => "BAD_TIME",
            Self::FutureDate => "FUTURE_DATE",
            Self::BadAmount => "BAD_AMOUNT",
            Self::BadQuantity => "BAD_QUANTITY",
            Self::BadCurrency => "BAD_CURRENCY",
            Self::BadPhone => "BAD_PHONE",
            Self::BadEmail => "BAD_EMAIL",
            Self::UnknownStore => "UNKNOWN_STORE",
            Self::ReceiptConflict => "RECEIPT_CONFLICT",
            Self::UnknownWord => "UNKNOWN_WORD",
            Self::BadValue => "BAD_VALUE",
            Self::Contradiction => "CONTRADICTION",
            Self::NoEvidence => "NO_EVIDENCE",
            Self::Taken => "TAKEN",
            Self::SecondActiveCard => "SECOND_ACTIVE_CARD",
            Self::PutAway => "PUT_AWAY",
            Self::Erased => "ERASED",
            Self::RefersToItself => "REFERS_TO_ITSELF",
            Self::UnknownPlace => "UNKNOWN_PLACE",
            Self::TooMany => "TOO_MANY",
        }
    }
}

impl fmt::Display for RejectCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A row that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The physical line on which the row begins, from 1.
    pub line: u64,
    /// The name of the column, where one is to blame.
    pub column: Option<String>,
    /// Why.
    pub code: RejectCode,
    /// Why, in words, and what to do; fit to be shown.
    pub reason: String,
    /// The row as it stood in the file.
    pub original: String,
}

//! Rows of cards: what another system issued, with the tier that it stands for.

use std::io::Read;

use chrono::NaiveDate;
use entity::enums::CardStatus;
use entity::values::CardNumber;
use serde::{Deserialize, Serialize};

use super::mapping::fields;
use super::reject::RejectCode;
use super::table::{Fault, LONGEST_REFERENCE, RowKind, Table, fault, missing};

fields! {
    /// What a row of cards can tell.
    CardField needs [Number, Customer] {
        /// The number as the card bears it.
        Number = "number",
        /// The holder's number in the other system.
        Customer = "customer",
        /// The programme's code.
        Programme = "programme",
        /// The name of the tier that the holder has.
        Tier = "tier",
        /// Since when they have it.
        TierSince = "tier_since",
        /// Its state.
        Status = "status",
        /// When it was issued.
        IssuedOn = "issued_on",
        /// Its last day.
        ValidUntil = "valid_until",
    }
}

/// What a row says of a card. Numbers and days only: it may have to wait for its holder in the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardRow {
    /// The number in normal form.
    pub number: String,
    /// The holder's number in the other system.
    pub customer: String,
    /// The programme's code; the only one there is when absent.
    pub programme: Option<String>,
    /// The name of the tier.
    pub tier: Option<String>,
    /// Since when the holder has it.
    pub tier_since: Option<NaiveDate>,
    /// The state.
    pub status: CardStatus,
    /// When it was issued.
    pub issued_on: Option<NaiveDate>,
    /// Its last day; good for ever when absent.
    pub valid_until: Option<NaiveDate>,
}

impl RowKind for CardRow {
    type Field = CardField;

    fn read<R: Read>(table: &Table<R, CardField>) -> Result<Self, Fault<CardField>> {
        use CardField as F;
        let number = table.parsed_short(F::Number, RejectCode::BadValue, |text| {
            CardNumber::parse_any(text).map(|number| number.as_str().to_owned())
        })?;
        let day = |field: F| Ok(table.past_moment(field)?.map(|(day, _)| day));
        let row = Self {
            number: number.ok_or_else(|| missing(F::Number))?,
            customer: table.required(F::Customer, LONGEST_REFERENCE)?,
            programme: table.line(F::Programme, LONGEST_REFERENCE)?,
            tier: table.folded_line(F::Tier, LONGEST_REFERENCE)?,
            tier_since: day(F::TierSince)?,
            status: table
                .word(F::Status, "ACTIVE, FROZEN, LOST, EXPIRED, REPLACED")?
                .unwrap_or(CardStatus::Active),
            issued_on: day(F::IssuedOn)?,
            valid_until: table.date(F::ValidUntil)?.map(|(day, _)| day),
        };
        let ended = row.valid_until.zip(row.issued_on);
        if ended.is_some_and(|(until, issued)| until < issued) {
            return Err(fault(
                F::ValidUntil,
                RejectCode::BadDate,
                "lies before the day on which the card was issued; correct one of them",
            ));
        }
        Ok(row)
    }
}

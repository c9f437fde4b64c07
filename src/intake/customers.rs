//! Rows of customers: the file that another system kept of each.

use std::io::Read;

use chrono::{NaiveDate, NaiveDateTime};
use entity::enums::{AcquisitionSource, CustomerKind, Gender, Importance, Purpose};
use entity::values::{BirthDate, ContactKind, ContactValue, Email, LanguageTag, PhoneRegion};
use serde::{Deserialize, Serialize};

use super::mapping::fields;
use super::reject::RejectCode;
use super::table::{Fault, LONGEST_REFERENCE, RowKind, Table, fault};

/// Characters of a name.
const LONGEST_NAME: usize = 200;
/// Lines of an address.
const ADDRESS_LINES: usize = 5;
/// Characters of what proves a consent.
const LONGEST_EVIDENCE: usize = 500;
/// Characters of a note.
const LONGEST_NOTE: usize = 4000;

fields! {
    /// What a row of customers can tell.
    CustomerField needs [Customer] {
        /// The customer's number in the other system.
        Customer = "customer",
        /// Person or trade.
        Kind = "kind",
        /// The full name.
        Name = "name",
        /// How to address them.
        Salutation = "salutation",
        /// As stated.
        Gender = "gender",
        /// Solar, or lunar with an `L` in front.
        BirthDate = "birth_date",
        /// BCP 47 tag.
        Language = "language",
        /// The region they live in.
        Region = "region",
        /// Street and house; its lines are those of the address.
        Address = "address",
        /// A second line of the address.
        Address2 = "address2",
        /// A third line of the address.
        Address3 = "address3",
        /// Postal code.
        PostalCode = "postal_code",
        /// City.
        City = "city",
        /// ISO 3166 code.
        Country = "country",
        /// Employer.
        Employer = "employer",
        /// Position there.
        Position = "position",
        /// Occupation.
        Occupation = "occupation",
        /// A mobile phone.
        Mobile = "mobile",
        /// A phone that stays in its place.
        Landline = "landline",
        /// An email address.
        Email = "email",
        /// A WeChat name.
        WeChat = "wechat",
        /// A QQ number.
        Qq = "qq",
        /// When all consents of the row were given or withdrawn.
        ConsentAt = "consent_at",
        /// What proves all consents of the row.
        ConsentEvidence = "consent_evidence",
        /// May they be written to about what they asked for?
        Service = "consent_service",
        /// When that was said.
        ServiceAt = "consent_service_at",
        /// What proves it.
        ServiceEvidence = "consent_service_evidence",
        /// May they be cared for?
        Care = "consent_care",
        /// When that was said.
        CareAt = "consent_care_at",
        /// What proves it.
        CareEvidence = "consent_care_evidence",
        /// May they be sent offers?
        Marketing = "consent_marketing",
        /// When that was said.
        MarketingAt = "consent_marketing_at",
        /// What proves it.
        MarketingEvidence = "consent_marketing_evidence",
        /// The code of their home store.
        HomeStore = "home_store",
        /// The e-mail address of the member of staff who keeps them.
        Keeper = "keeper",
        /// How much they matter.
        Importance = "importance",
        /// How they came to the shop.
        AcquisitionSource = "acquisition_source",
        /// The number of the customer who referred them.
        ReferredBy = "referred_by",
        /// The number of the customer whose gift brought them.
        GiftFrom = "gift_from",
        /// A note.
        Note = "note",
    }
}

/// The fields of a purpose: what was said, when, and what proves it.
const CONSENTS: [(Purpose, [CustomerField; 3]); 3] = [
    (
        Purpose::Service,
        [
            CustomerField::Service,
            CustomerField::ServiceAt,
            CustomerField::ServiceEvidence,
        ],
    ),
    (
        Purpose::Care,
        [
            CustomerField::Care,
            CustomerField::CareAt,
            CustomerField::CareEvidence,
        ],
    ),
    (
        Purpose::Marketing,
        [
            CustomerField::Marketing,
            CustomerField::MarketingAt,
            CustomerField::MarketingEvidence,
        ],
    ),
];

/// The field that says whether a consent for a purpose was given.
#[must_use]
pub const fn consent_field(purpose: Purpose) -> CustomerField {
    match purpose {
        Purpose::Service => CustomerField::Service,
        Purpose::Care => CustomerField::Care,
        Purpose::Marketing => CustomerField::Marketing,
    }
}

/// What a row says about one purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentCell {
    /// For what.
    pub purpose: Purpose,
    /// Given, or withdrawn.
    pub granted: bool,
    /// When, by the company's clock.
    pub at: Option<NaiveDateTime>,
    /// What proves it.
    pub evidence: Option<String>,
}

/// A home address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressCells {
    /// Street and house.
    pub lines: Vec<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// City.
    pub city: Option<String>,
    /// ISO 3166 code.
    pub country: Option<String>,
}

/// What a row says of a customer; what is empty says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerRow {
    /// The customer's number in the other system.
    pub number: String,
    /// Person or trade.
    pub kind: Option<CustomerKind>,
    /// The full name.
    pub full_name: Option<String>,
    /// How to address them.
    pub salutation: Option<String>,
    /// As stated.
    pub gender: Option<Gender>,
    /// The text form of a [`BirthDate`].
    pub birth_date: Option<String>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// The region they live in.
    pub region: Option<String>,
    /// Home address.
    pub address: Option<AddressCells>,
    /// Employer.
    pub employer: Option<String>,
    /// Position there.
    pub position: Option<String>,
    /// Occupation.
    pub occupation: Option<String>,
    /// Ways to reach them.
    pub contact_points: Vec<ContactValue>,
    /// What these may be used for.
    pub consents: Vec<ConsentCell>,
    /// The code of their home store.
    pub home_store: Option<String>,
    /// The address of who keeps them, in normal form.
    pub keeper: Option<String>,
    /// How much they matter.
    pub importance: Option<Importance>,
    /// How they came to the shop.
    pub acquisition_source: Option<AcquisitionSource>,
    /// The number of who referred them.
    pub referred_by: Option<String>,
    /// The number of whose gift brought them.
    pub gift_from: Option<String>,
    /// A note.
    pub note: Option<String>,
}

impl RowKind for CustomerRow {
    type Field = CustomerField;

    fn read<R: Read>(table: &Table<R, CustomerField>) -> Result<Self, Fault<CustomerField>> {
        use CustomerField as F;
        let number = table.required(F::Customer, LONGEST_REFERENCE)?;
        let other = |field: F| match table.line(field, LONGEST_REFERENCE)? {
            Some(other) if other == number => Err(fault(
                field,
                RejectCode::RefersToItself,
                "is the customer themself; name another customer",
            )),
            other => Ok(other),
        };
        Ok(Self {
            kind: table.word(F::Kind, "PERSON, TRADE")?,
            full_name: name(table)?,
            salutation: table.folded_line(F::Salutation, 50)?,
            gender: table.parsed_short(F::Gender, RejectCode::UnknownWord, gender)?,
            birth_date: birth_date(table)?,
            language: table.parsed_short(F::Language, RejectCode::BadValue, |text| {
                LanguageTag::parse(text).map(|tag| tag.as_str().to_owned())
            })?,
            region: table.folded_line(F::Region, 100)?,
            address: address(table)?,
            employer: table.folded_line(F::Employer, LONGEST_NAME)?,
            position: table.folded_line(F::Position, 100)?,
            occupation: table.folded_line(F::Occupation, 100)?,
            contact_points: contact_points(table)?,
            consents: consents(table)?,
            home_store: table.line(F::HomeStore, LONGEST_REFERENCE)?,
            keeper: table.parsed(F::Keeper, RejectCode::BadEmail, |text| {
                Email::parse(text).map(|email| email.normal().to_owned())
            })?,
            importance: table.word(F::Importance, "KEY, REGULAR")?,
            acquisition_source: table.word(
                F::AcquisitionSource,
                "WALK_IN, REFERRAL, GIFT, ONLINE, ADVERTISEMENT, EVENT, IMPORT, OTHER",
            )?,
            referred_by: other(F::ReferredBy)?,
            gift_from: other(F::GiftFrom)?,
            note: table.lines(F::Note, LONGEST_NOTE)?,
            number,
        })
    }
}

/// Rule C1: a full name, not only a family name. One character says no more than that.
fn name<R: Read>(table: &Table<R, CustomerField>) -> Result<Option<String>, Fault<CustomerField>> {
    let name = table.folded_line(CustomerField::Name, LONGEST_NAME)?;
    let is_short = |name: &String| {
        name.chars()
            .filter(|letter| letter.is_alphanumeric())
            .count()
            < 2
    };
    if name.as_ref().is_some_and(is_short) {
        return Err(fault(
            CustomerField::Name,
            RejectCode::BadValue,
            "is one character only; give the full name, not only the family name",
        ));
    }
    Ok(name)
}

fn gender(text: &str) -> Result<Gender, &'static str> {
    match text.to_uppercase().as_str() {
        "FEMALE" | "F" | "女" | "여" => Ok(Gender::Female),
        "MALE" | "M" | "男" | "남" => Ok(Gender::Male),
        "OTHER" => Ok(Gender::Other),
        _ => Err("is none of FEMALE, MALE, OTHER"),
    }
}

/// In one of the given formats, or as the file of a customer keeps it.
fn birth_date<R: Read>(
    table: &Table<R, CustomerField>,
) -> Result<Option<String>, Fault<CustomerField>> {
    let options = &table.options;
    table.parsed_short(CustomerField::BirthDate, RejectCode::BadDate, |text| {
        let date = match options.dates.parse(text) {
            Some((day, _)) => BirthDate::parse(&BirthDate::Solar(day).to_string(), options.today),
            None => BirthDate::parse(text, options.today),
        };
        date.map(|date| date.to_string())
    })
}

fn address<R: Read>(
    table: &Table<R, CustomerField>,
) -> Result<Option<AddressCells>, Fault<CustomerField>> {
    use CustomerField as F;
    let mut lines = Vec::new();
    for field in [F::Address, F::Address2, F::Address3] {
        let text = table.lines(field, LONGEST_NAME * ADDRESS_LINES)?;
        for line in text.iter().flat_map(|text| text.lines()) {
            let line = line.trim();
            if line.chars().count() > LONGEST_NAME || lines.len() >= ADDRESS_LINES {
                return Err(fault(
                    field,
                    RejectCode::TooLong,
                    "has more than 5 lines, or one of more than 200 characters; shorten it",
                ));
            }
            if !line.is_empty() {
                lines.push(line.to_owned());
            }
        }
    }
    let address = AddressCells {
        lines,
        postal_code: table.line(F::PostalCode, 20)?,
        city: table.folded_line(F::City, 100)?,
        country: table.parsed_short(F::Country, RejectCode::BadValue, |text| {
            PhoneRegion::parse(text).map(|country| country.code().to_owned())
        })?,
    };
    Ok((address != AddressCells::default()).then_some(address))
}

fn contact_points<R: Read>(
    table: &Table<R, CustomerField>,
) -> Result<Vec<ContactValue>, Fault<CustomerField>> {
    use CustomerField as F;
    let mut points: Vec<ContactValue> = Vec::new();
    for (field, kind, code) in [
        (F::Mobile, ContactKind::Mobile, RejectCode::BadPhone),
        (F::Landline, ContactKind::Landline, RejectCode::BadPhone),
        (F::Email, ContactKind::Email, RejectCode::BadEmail),
        (F::WeChat, ContactKind::WeChat, RejectCode::BadValue),
        (F::Qq, ContactKind::Qq, RejectCode::BadValue),
    ] {
        let region = table.options.phone_region;
        points.extend(table.parsed(field, code, |text| ContactValue::parse(kind, text, region))?);
    }
    Ok(points)
}

/// Yes or no, or the words of our own exports.
fn said<R: Read>(
    table: &Table<R, CustomerField>,
    field: CustomerField,
) -> Result<Option<bool>, Fault<CustomerField>> {
    match table.line(field, LONGEST_REFERENCE)?.as_deref() {
        Some("GRANTED") => Ok(Some(true)),
        Some("WITHDRAWN") => Ok(Some(false)),
        _ => table.yes_or_no(field),
    }
}

fn consents<R: Read>(
    table: &Table<R, CustomerField>,
) -> Result<Vec<ConsentCell>, Fault<CustomerField>> {
    let moment = |field: CustomerField| -> Result<Option<NaiveDateTime>, Fault<CustomerField>> {
        let found = table.past_moment(field)?;
        // Where only the day is known, noon stands for it, as for purchases.
        let noon = NaiveDate::default()
            .and_hms_opt(12, 0, 0)
            .unwrap_or_default();
        Ok(found.map(|(day, time)| day.and_time(time.unwrap_or(noon.time()))))
    };
    let mut consents = Vec::new();
    for (purpose, [given, at, evidence]) in CONSENTS {
        let Some(granted) = said(table, given)? else {
            continue;
        };
        let at = match moment(at)? {
            Some(at) => Some(at),
            None => moment(CustomerField::ConsentAt)?,
        };
        let evidence = match table.lines(evidence, LONGEST_EVIDENCE)? {
            Some(evidence) => Some(evidence),
            None => table.lines(CustomerField::ConsentEvidence, LONGEST_EVIDENCE)?,
        };
        consents.push(ConsentCell {
            purpose,
            granted,
            at,
            evidence,
        });
    }
    Ok(consents)
}

//! The fields that are looked at: what each weighs unless an administrator says otherwise, and how the database tells
//! whether it is known.
//!
//! One table for all: the standing that is read, the score that is stored, the recount of many and the doctor's question
//! are made of it. Left out is what is learned by the way, and for which nobody is called: who referred them, whose gift
//! brought them, how they came, how much the price decides, what a single purchase was for.

use super::rules::Rules;
use entity::enums::{ContactKind, CustomerKind, FileField, TasteAspect};
use sea_orm::Iterable;
use std::fmt::Write;

/// A field that is looked at.
pub(super) struct Asked {
    /// Which.
    pub field: FileField,
    /// What it weighs in a person's file; 0 when it is not asked for there.
    pub person: i32,
    /// What it weighs in the file of a business.
    pub trade: i32,
    /// Holds of a row of `customer` in which it is known.
    known: &'static str,
}

/// What is known of taste; what is computed from purchases is left out, since nobody was asked for it, and it changes
/// with purchases and not with the file.
const TASTE: &str =
    "exists (select 1 from taste t where t.customer_id = customer.id and t.provenance <> 'DERIVED'
    and t.aspect <> 'SIZE')";
const SIZE: &str =
    "exists (select 1 from taste t where t.customer_id = customer.id and t.provenance <> 'DERIVED'
    and t.aspect = 'SIZE')";
const PHONE: &str = "exists (select 1 from contact_point p where p.customer_id = customer.id and p.removed_at is null
    and p.kind in ('MOBILE', 'LANDLINE'))";
const EMAIL_OR_CHAT: &str =
    "exists (select 1 from contact_point p where p.customer_id = customer.id
    and p.removed_at is null and p.kind in ('EMAIL', 'WECHAT', 'QQ'))";
/// A refusal is known as well: what counts is that they were asked.
const CONSENT: &str =
    "exists (select 1 from contact_point p join consent s on s.contact_point_id = p.id
    where p.customer_id = customer.id and p.removed_at is null)";
const SPECIAL_DAY: &str = "exists (select 1 from special_day d where d.customer_id = customer.id)";
/// See [`crate::domain::customers::bulk::placeholder`]: the name of somebody of whom only a number is known.
const FULL_NAME: &str =
    "customer.full_name <> '' and not exists (select 1 from customer_reference r
    where r.customer_id = customer.id and customer.full_name = 'Customer ' || r.external_id)";

/// All of them. The weights of each kind make 100.
///
/// They are version 1 of the rules: whoever changes a weight or a condition here sets `customer.completeness_rules` to 0
/// in a change of the schema, so that everybody is counted anew.
pub(super) const FIELDS: [Asked; 17] = [
    asked(FileField::FullName, 15, 20, FULL_NAME),
    asked(
        FileField::Salutation,
        3,
        0,
        "customer.salutation is not null",
    ),
    asked(FileField::Gender, 3, 0, "customer.gender is not null"),
    asked(
        FileField::BirthDate,
        12,
        0,
        "customer.birth_date is not null",
    ),
    asked(FileField::Phone, 18, 22, PHONE),
    asked(FileField::EmailOrChat, 8, 14, EMAIL_OR_CHAT),
    asked(FileField::Address, 8, 16, "customer.address is not null"),
    asked(FileField::Region, 3, 5, "customer.region_name is not null"),
    asked(FileField::Language, 3, 4, "customer.language is not null"),
    asked(
        FileField::Occupation,
        4,
        0,
        "coalesce(customer.occupation, customer.position, customer.employer) is not null",
    ),
    asked(FileField::Income, 2, 0, "customer.income_band is not null"),
    asked(FileField::Taste, 6, 5, TASTE),
    asked(FileField::Size, 3, 0, SIZE),
    asked(FileField::SpecialDay, 3, 0, SPECIAL_DAY),
    asked(FileField::Keeper, 2, 5, "customer.keeper_id is not null"),
    asked(
        FileField::HomeStore,
        2,
        3,
        "customer.home_store_id is not null",
    ),
    asked(FileField::Consent, 5, 6, CONSENT),
];

const fn asked(field: FileField, person: i32, trade: i32, known: &'static str) -> Asked {
    Asked {
        field,
        person,
        trade,
        known,
    }
}

/// By what lists are narrowed and ordered: whoever was not counted yet stands below everybody. The words are those of the
/// indexes.
pub(in crate::domain::customers) const LISTED: &str = "coalesce(\"customer\".\"completeness\", -1)";

/// A set of fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldSet(i32);

impl FieldSet {
    /// The set that the database tells by [`known`].
    pub(super) const fn told(bits: i32) -> Self {
        Self(bits)
    }

    /// Is this field in it?
    pub const fn has(self, field: FileField) -> bool {
        self.0 & bit(field) != 0
    }

    /// Its fields, in the order of their words.
    pub fn fields(self) -> impl Iterator<Item = FileField> {
        FileField::iter().filter(move |field| self.has(*field))
    }
}

const fn bit(field: FileField) -> i32 {
    1 << field as i32
}

/// An expression over a row of `customer`: which fields are known, a bit for each.
pub(super) fn known() -> String {
    sum(FIELDS.iter().map(|asked| (asked, bit(asked.field))))
}

/// An expression over a row of `customer`: its score by these rules, or null for a file that is nobody's any more. It
/// says the same as [`Rules::score`] of [`known`]; a test holds both to it.
pub(super) fn score(rules: &Rules) -> String {
    let of_kind = |kind: CustomerKind| {
        let weights = FIELDS
            .iter()
            .map(|asked| (asked, rules.weight(kind, asked.field)))
            .filter(|(_, weight)| *weight > 0);
        format!("{} * 100 / {}", sum(weights), rules.total(kind))
    };
    format!(
        "case when customer.merged_into_id is not null or customer.erased_at is not null then null
            when customer.kind = 'TRADE' then {} else {} end",
        of_kind(CustomerKind::Trade),
        of_kind(CustomerKind::Person)
    )
}

fn sum<'a>(parts: impl Iterator<Item = (&'a Asked, i32)>) -> String {
    let mut text = String::from("(0");
    for (asked, value) in parts {
        // Writing to a string does not fail.
        let _ = write!(text, " + case when {} then {value} else 0 end", asked.known);
    }
    text.push(')');
    text
}

/// The field that a contact point of this kind fills.
pub(super) const fn reached_by(kind: ContactKind) -> Option<FileField> {
    match kind {
        ContactKind::Mobile | ContactKind::Landline => Some(FileField::Phone),
        ContactKind::Email | ContactKind::WeChat | ContactKind::Qq => Some(FileField::EmailOrChat),
        ContactKind::Other => None,
    }
}

/// The field that a like or dislike fills.
pub(in crate::domain::customers) const fn told_by(aspect: TasteAspect) -> FileField {
    match aspect {
        TasteAspect::Size => FileField::Size,
        TasteAspect::Category
        | TasteAspect::Brand
        | TasteAspect::Hobby
        | TasteAspect::OtherShop => FileField::Taste,
    }
}

/// The field behind a name that a change of the file gives to what it changed; none for what is not looked at.
pub(in crate::domain::customers) fn named(name: &str) -> Option<FileField> {
    Some(match name {
        "fullName" => FileField::FullName,
        "salutation" => FileField::Salutation,
        "gender" => FileField::Gender,
        "birthDate" => FileField::BirthDate,
        "address" => FileField::Address,
        "regionName" => FileField::Region,
        "language" => FileField::Language,
        "occupation" | "position" | "employer" => FileField::Occupation,
        "income" => FileField::Income,
        "keeper" => FileField::Keeper,
        "homeStore" => FileField::HomeStore,
        _ => return None,
    })
}

//! The fields of the customer file: checked, and made into the columns that a creation or a change writes.
//!
//! Called by [`super::create`] and [`super::change`]. A field that was not given stays unset in the result, so
//! the same columns serve both. Never writes.

use super::input::{AddressInput, FileInput, IncomeInput, Patch};
use super::parse::{date_code, language, line, maybe_line, maybe_lines, patch_line, patch_lines};
use crate::access::Ctx;
use crate::domain::organization::CompanySettings;
use crate::error::{Code, UserErrors};
use entity::customer::{ActiveModel, Column};
use entity::enums::{CustomerKind, Importance, IncomeProvenance};
use entity::values::business_date::business_date;
use entity::values::{BirthDate, PhoneRegion};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Value;
use sea_orm::{ActiveModelTrait, ActiveValue, Iterable};
use serde::{Deserialize, Serialize};

/// Characters of a name.
pub(super) const LONGEST_NAME: usize = 200;

/// A home address as the file keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Address {
    /// Street and house.
    pub lines: Vec<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// City.
    pub city: Option<String>,
    /// ISO 3166 code.
    pub country: Option<String>,
}

/// Checks the fields and gives the columns to write.
pub(super) fn columns(
    ctx: &Ctx,
    company: &CompanySettings,
    input: &FileInput,
    errors: &mut UserErrors,
) -> ActiveModel {
    let mut row = <ActiveModel as Default>::default();
    if let Some(name) = &input.full_name {
        let name = line(
            errors,
            "fullName",
            name.as_deref().unwrap_or_default(),
            LONGEST_NAME,
        );
        if let Some(name) = name.and_then(|name| full_name(errors, name)) {
            row.name_key = Set(company.collation.key(&name).into_bytes());
            row.full_name = Set(name);
        }
    }
    set(&mut row.kind, &input.kind, CustomerKind::Person);
    set(&mut row.importance, &input.importance, Importance::Regular);
    put(&mut row.gender, input.gender);
    put(&mut row.price_sensitivity, input.price_sensitivity);
    put(&mut row.acquisition_source, input.acquisition_source);
    put(&mut row.referred_by_id, input.referred_by_id);
    put(&mut row.gift_from_id, input.gift_from_id);
    put(&mut row.home_store_id, input.home_store_id);
    for (column, field, patch, longest) in [
        (&mut row.salutation, "salutation", &input.salutation, 50),
        (&mut row.region_name, "regionName", &input.region_name, 100),
        (&mut row.employer, "employer", &input.employer, 200),
        (&mut row.position, "position", &input.position, 100),
        (&mut row.occupation, "occupation", &input.occupation, 100),
        (
            &mut row.buying_purpose,
            "buyingPurpose",
            &input.buying_purpose,
            500,
        ),
    ] {
        put(column, patch_line(errors, field, patch, longest));
    }
    for (column, field, patch) in [
        (&mut row.stated_need, "statedNeed", &input.stated_need),
        (&mut row.motive, "motive", &input.motive),
    ] {
        put(column, patch_lines(errors, field, patch, 1000));
    }
    put(
        &mut row.language,
        given(&input.language, |tag| language(errors, "language", tag)),
    );
    let today = business_date(ctx.now(), company.time_zone);
    put(
        &mut row.birth_date,
        given(&input.birth_date, |text| {
            errors
                .take("birthDate", date_code, BirthDate::parse(text, today))
                .map(|date| date.to_string())
        }),
    );
    put(
        &mut row.address,
        given(&input.address, |given| address(errors, given)),
    );
    if let Some(given) = &input.income {
        income(ctx, &mut row, given.as_ref(), errors);
    }
    row
}

/// Rule C1: a full name, not only a family name. One character says no more than that.
fn full_name(errors: &mut UserErrors, name: String) -> Option<String> {
    if name.chars().filter(|c| c.is_alphanumeric()).count() < 2 {
        return errors.none(
            Code::Invalid,
            "fullName",
            "fullName is one character only; give the full name, not only the family name",
        );
    }
    Some(name)
}

fn address(errors: &mut UserErrors, given: &AddressInput) -> Option<serde_json::Value> {
    if given.lines.len() > 5 {
        return errors.none(
            Code::TooMany,
            "address.lines",
            "lines has more than 5 lines; join some",
        );
    }
    let mut lines = Vec::new();
    for (n, text) in given.lines.iter().enumerate() {
        lines.extend(maybe_line(
            errors,
            &format!("address.lines.{n}"),
            Some(text),
            200,
        ));
    }
    let country = given.country.as_deref().and_then(|code| {
        errors.take(
            "address.country",
            |_| Code::Invalid,
            PhoneRegion::parse(code),
        )
    });
    let address = Address {
        lines,
        postal_code: maybe_line(
            errors,
            "address.postalCode",
            given.postal_code.as_deref(),
            20,
        ),
        city: maybe_line(errors, "address.city", given.city.as_deref(), 100),
        country: country.map(|country| country.code().to_owned()),
    };
    if address == Address::default() {
        return None;
    }
    serde_json::to_value(address).ok()
}

fn income(ctx: &Ctx, row: &mut ActiveModel, given: Option<&IncomeInput>, errors: &mut UserErrors) {
    let reason = given.and_then(|income| {
        let reason = maybe_lines(errors, "income.reason", income.reason.as_deref(), 500);
        if reason.is_none()
            && income.provenance == IncomeProvenance::Estimated
            && income
                .reason
                .as_ref()
                .is_none_or(|text| text.trim().is_empty())
        {
            errors.push(
                Code::Required,
                "income.reason",
                "reason must say why the estimate is thought to be right",
            );
        }
        reason
    });
    row.income_band = Set(given.map(|income| income.band));
    row.income_provenance = Set(given.map(|income| income.provenance));
    row.income_reason = Set(reason);
    row.income_noted_by = Set(given.and_then(|_| ctx.viewer.staff_id()));
    row.income_noted_at = Set(given.map(|_| ctx.now()));
}

/// A given value that is parsed; one that is refused counts as not given.
fn given<T, U>(patch: &Patch<T>, parse: impl FnOnce(&T) -> Option<U>) -> Patch<U> {
    patch.as_ref().map(|value| value.as_ref().and_then(parse))
}

fn put<T: Into<Value> + sea_orm::sea_query::Nullable>(
    column: &mut ActiveValue<Option<T>>,
    patch: Patch<T>,
) {
    if let Some(value) = patch {
        *column = Set(value);
    }
}

/// A column that is never empty: cleared means its usual value.
fn set<T: Into<Value> + Copy>(column: &mut ActiveValue<T>, patch: &Patch<T>, usual: T) {
    if let Some(value) = patch {
        *column = Set(value.unwrap_or(usual));
    }
}

/// Takes the columns that `changes` sets to something else into `row`; gives the names of the fields changed,
/// as the API calls them.
pub(super) fn merge(row: &mut ActiveModel, changes: &ActiveModel) -> Vec<&'static str> {
    let mut fields = Vec::new();
    let income_changes = [
        Column::IncomeBand,
        Column::IncomeProvenance,
        Column::IncomeReason,
    ]
    .into_iter()
    .any(|column| differs(row, changes, column));
    for column in Column::iter() {
        // The same income said again is no change, whoever says it.
        let income_note = matches!(column, Column::IncomeNotedBy | Column::IncomeNotedAt);
        if !differs(row, changes, column) || (income_note && !income_changes) {
            continue;
        }
        if let Set(value) = changes.get(column) {
            row.set(column, value);
        }
        if let Some(field) = field_of(column)
            && !fields.contains(&field)
        {
            fields.push(field);
        }
    }
    fields
}

fn differs(row: &ActiveModel, changes: &ActiveModel, column: Column) -> bool {
    match (changes.get(column), row.get(column)) {
        (Set(new), Set(old) | ActiveValue::Unchanged(old)) => new != old,
        (Set(_), ActiveValue::NotSet) => true,
        _ => false,
    }
}

/// What the API calls a column; none for what only the program writes.
fn field_of(column: Column) -> Option<&'static str> {
    Some(match column {
        Column::Kind => "kind",
        Column::FullName => "fullName",
        Column::Salutation => "salutation",
        Column::Gender => "gender",
        Column::BirthDate => "birthDate",
        Column::Language => "language",
        Column::RegionName => "regionName",
        Column::Address => "address",
        Column::Employer => "employer",
        Column::Position => "position",
        Column::Occupation => "occupation",
        Column::IncomeBand
        | Column::IncomeProvenance
        | Column::IncomeReason
        | Column::IncomeNotedBy
        | Column::IncomeNotedAt => "income",
        Column::PriceSensitivity => "priceSensitivity",
        Column::BuyingPurpose => "buyingPurpose",
        Column::StatedNeed => "statedNeed",
        Column::Motive => "motive",
        Column::AcquisitionSource => "acquisitionSource",
        Column::ReferredById => "referredBy",
        Column::GiftFromId => "giftFrom",
        Column::KeeperId => "keeper",
        Column::HomeStoreId => "homeStore",
        Column::Importance => "importance",
        Column::Id
        | Column::NameKey
        | Column::ArchivedAt
        | Column::Version
        | Column::CreatedAt
        | Column::UpdatedAt
        | Column::MergedIntoId
        | Column::ErasedAt
        | Column::MatchKey
        | Column::Completeness
        | Column::CompletenessRules => return None,
    })
}

//! The customer file (rules C1 to C6).
use crate::{
    enums::{
        AcquisitionSource, CustomerKind, Gender, Importance, IncomeBand, IncomeProvenance,
        PriceSensitivity,
    },
    ids::{CustomerId, StaffId, StoreId},
};
use sea_orm::entity::prelude::*;

/// The customer file (rules C1 to C6).
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "customer")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CustomerId,
    /// Person or trade.
    pub kind: CustomerKind,
    /// The full name.
    pub full_name: String,
    /// Collation key of the name, compared bytewise.
    pub name_key: Vec<u8>,
    /// How to address them.
    pub salutation: Option<String>,
    /// As stated.
    pub gender: Option<Gender>,
    /// Text form of `values::BirthDate`, solar or lunar.
    pub birth_date: Option<String>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// The region they live in.
    pub region_name: Option<String>,
    /// Home address as lines, postal code, city, country.
    pub address: Option<Json>,
    /// Employer.
    pub employer: Option<String>,
    /// Position there.
    pub position: Option<String>,
    /// Occupation.
    pub occupation: Option<String>,
    /// Income.
    pub income_band: Option<IncomeBand>,
    /// How it is known.
    pub income_provenance: Option<IncomeProvenance>,
    /// Who estimated it.
    pub income_noted_by: Option<StaffId>,
    /// Why they think so.
    pub income_reason: Option<String>,
    /// When.
    pub income_noted_at: Option<DateTimeUtc>,
    /// How much the price decides.
    pub price_sensitivity: Option<PriceSensitivity>,
    /// What for they buy.
    pub buying_purpose: Option<String>,
    /// What they say they need.
    pub stated_need: Option<String>,
    /// What is behind it.
    pub motive: Option<String>,
    /// How they came to the shop.
    pub acquisition_source: Option<AcquisitionSource>,
    /// Which customer referred them.
    pub referred_by_id: Option<CustomerId>,
    /// From which customer they received a gift.
    pub gift_from_id: Option<CustomerId>,
    /// The associate dedicated to them.
    pub keeper_id: Option<StaffId>,
    /// Their home store.
    pub home_store_id: Option<StoreId>,
    /// How much they matter.
    pub importance: Importance,
    /// When the file was put away.
    pub archived_at: Option<DateTimeUtc>,
    /// Grows by one with every change; a stale one is refused.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was last changed.
    pub updated_at: DateTimeUtc,
    /// Whose file this one was merged into: then only the journal of the merge needs it any more.
    pub merged_into_id: Option<CustomerId>,
    /// When the person was erased: what is left is nameless and carries the sums.
    pub erased_at: Option<DateTimeUtc>,
    /// Words of the name and birth date, for finding a second file of the same person.
    pub match_key: Option<String>,
    /// How complete the file is, 0 to 100; none where it was not counted yet.
    pub completeness: Option<i32>,
    /// The version of the rules by which that was counted; 0 where it is to be counted anew.
    pub completeness_rules: i64,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

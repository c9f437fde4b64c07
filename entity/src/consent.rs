//! One statement of consent or withdrawal; the latest of a purpose holds.
use crate::{
    enums::{ConsentMethod, Purpose},
    ids::{ConsentId, ContactPointId, StaffId},
};
use sea_orm::entity::prelude::*;

/// One statement of consent or withdrawal; the latest of a purpose holds.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "consent")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ConsentId,
    /// For which contact point.
    pub contact_point_id: ContactPointId,
    /// For which purpose.
    pub purpose: Purpose,
    /// Given or withdrawn.
    pub granted: bool,
    /// How it was said.
    pub method: ConsentMethod,
    /// What proves it.
    pub evidence: Option<String>,
    /// When it was said.
    pub at: DateTimeUtc,
    /// Who wrote it down.
    pub recorded_by: Option<StaffId>,
    /// When that was.
    pub recorded_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A visit that was announced before: an appointment (rule V1).
use crate::enums::AnnouncedVisitState;
use crate::ids::{AnnouncedVisitId, CustomerId, StaffId, StoreId};
use sea_orm::entity::prelude::*;

/// A visit that was announced before: an appointment (rule V1).
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "announced_visit")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AnnouncedVisitId,
    /// Who will come.
    pub customer_id: CustomerId,
    /// To which store.
    pub store_id: StoreId,
    /// When.
    pub expected_at: DateTimeUtc,
    /// When the store's business day of it begins.
    pub day_from: DateTimeUtc,
    /// When that day ends: whoever has not come by then has missed it.
    pub day_until: DateTimeUtc,
    /// Who will attend to them.
    pub attended_by_id: Option<StaffId>,
    /// What is wanted, and what to prepare.
    pub note: Option<String>,
    /// What became of it. That it was missed is told by the clock, and not written.
    pub state: AnnouncedVisitState,
    /// Why it was called off.
    pub cancel_reason: Option<String>,
    /// Who took it down.
    pub announced_by_id: Option<StaffId>,
    /// When it was taken down.
    pub announced_at: DateTimeUtc,
    /// Grows by one with every change.
    pub version: i64,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

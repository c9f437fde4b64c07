//! A customer who is here: what the shop is told before anything else is known of the visit (rule V5).
use crate::ids::{AnnouncedVisitId, ArrivalId, CustomerId, StaffId, StoreId, VisitId};
use sea_orm::entity::prelude::*;

/// A customer who is here: what the shop is told before anything else is known of the visit (rule V5).
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "arrival")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ArrivalId,
    /// Who came.
    pub customer_id: CustomerId,
    /// To which store.
    pub store_id: StoreId,
    /// When.
    pub at: DateTimeUtc,
    /// The store's business day.
    pub business_date: Date,
    /// Who received them.
    pub received_by_id: Option<StaffId>,
    /// The announcement with which they came.
    pub announced_visit_id: Option<AnnouncedVisitId>,
    /// The visit that was recorded of it; none while it goes on.
    pub visit_id: Option<VisitId>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

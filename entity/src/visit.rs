//! One encounter started by the customer (rule V1).
use crate::{
    enums::{NoPurchaseReason, VisitChannel, VisitOutcome},
    ids::{CustomerId, StaffId, StoreId, VisitId},
};
use sea_orm::entity::prelude::*;

/// One encounter started by the customer (rule V1).
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "visit")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VisitId,
    /// Who came.
    pub customer_id: CustomerId,
    /// To which store.
    pub store_id: StoreId,
    /// By which way.
    pub channel: VisitChannel,
    /// When.
    pub at: DateTimeUtc,
    /// The store's business day.
    pub business_date: Date,
    /// Who served.
    pub served_by_id: Option<StaffId>,
    /// What came of it.
    pub outcome: VisitOutcome,
    /// Why nothing was bought.
    pub no_purchase_reason: Option<NoPurchaseReason>,
    /// What was said; the transcript of an enquiry.
    pub note: Option<String>,
    /// Moved in with history: starts no tasks or messages.
    pub history: bool,
    /// When it was recorded.
    pub recorded_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

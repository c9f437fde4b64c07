//! Two customers who look like one and are two: somebody has looked (rule C8).
use crate::ids::{CustomerId, StaffId};
use sea_orm::entity::prelude::*;

/// Two customers who look like one and are two: somebody has looked (rule C8).
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "duplicate_dismissal")]
pub struct Model {
    /// The one with the lower id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub first_id: CustomerId,
    /// The other one.
    #[sea_orm(primary_key, auto_increment = false)]
    pub second_id: CustomerId,
    /// Who looked.
    pub dismissed_by: Option<StaffId>,
    /// When.
    pub dismissed_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

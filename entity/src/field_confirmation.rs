//! When a field of a customer's file was last confirmed (rule C7).
use crate::{
    enums::FileField,
    ids::{CustomerId, StaffId},
};
use sea_orm::entity::prelude::*;

/// When a field of a customer's file was last confirmed (rule C7).
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "field_confirmation")]
pub struct Model {
    /// Whose file.
    #[sea_orm(primary_key, auto_increment = false)]
    pub customer_id: CustomerId,
    /// Which field.
    #[sea_orm(primary_key, auto_increment = false)]
    pub field: FileField,
    /// When it was written, or was asked for and still held.
    pub confirmed_at: DateTimeUtc,
    /// By whom.
    pub confirmed_by: Option<StaffId>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A way to reach a customer (rule C2).
use crate::{
    enums::ContactKind,
    ids::{ContactPointId, CustomerId, StaffId},
};
use sea_orm::entity::prelude::*;

/// A way to reach a customer (rule C2).
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "contact_point")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ContactPointId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// What kind.
    pub kind: ContactKind,
    /// In normal form.
    pub value: String,
    /// The customer's own word for it.
    pub label: Option<String>,
    /// To be tried first.
    pub preferred: bool,
    /// When it was proved to be theirs.
    pub verified_at: Option<DateTimeUtc>,
    /// When it was noted.
    pub created_at: DateTimeUtc,
    /// When it was taken off the file; kept for the statements of consent that were made about it.
    pub removed_at: Option<DateTimeUtc>,
    /// Who did so.
    pub removed_by: Option<StaffId>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

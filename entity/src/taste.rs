//! Something a customer likes or dislikes (rule C4).
use crate::{
    enums::{Attitude, TasteAspect, TasteProvenance},
    ids::{CustomerId, StaffId, TasteId},
};
use sea_orm::entity::prelude::*;

/// Something a customer likes or dislikes (rule C4).
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "taste")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TasteId,
    /// Whose.
    pub customer_id: CustomerId,
    /// What it is about.
    pub aspect: TasteAspect,
    /// Which one.
    pub value: String,
    /// For or against.
    pub attitude: Attitude,
    /// Where it is known from.
    pub provenance: TasteProvenance,
    /// Who noted it.
    pub noted_by: Option<StaffId>,
    /// When.
    pub noted_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

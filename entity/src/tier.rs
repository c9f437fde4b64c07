//! A tier of a programme's ladder.
use crate::ids::{ProgrammeId, TierId};
use sea_orm::entity::prelude::*;

/// A tier of a programme's ladder.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "tier")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: TierId,
    /// The programme.
    pub programme_id: ProgrammeId,
    /// Rank from 1, the lowest.
    pub level: i32,
    /// The name.
    pub name: String,
    /// Spend net of returns that reaches it, in minor units.
    pub spend_threshold_minor: i64,
    /// Discount in hundredths of a percent.
    pub discount_basis_points: i32,
    /// When it was taken from the ladder.
    pub retired_at: Option<DateTimeUtc>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

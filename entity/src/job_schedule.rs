//! When a scheduled job was last put into the queue.
use sea_orm::entity::prelude::*;

/// When a scheduled job was last put into the queue.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "job_schedule")]
pub struct Model {
    /// Which kind of job.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The time of the schedule that was last served.
    pub fired_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

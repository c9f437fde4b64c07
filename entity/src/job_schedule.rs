//! When a scheduled job was last put into the queue.
use sea_orm::entity::prelude::*;

/// When a scheduled job was last put into the queue.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "job_schedule")]
pub struct Model {
    /// Which kind of job.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The time of the schedule that was last served.
    pub fired_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

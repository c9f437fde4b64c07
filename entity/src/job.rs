//! A job of the queue.
use crate::{enums::JobState, ids::JobId};
use sea_orm::entity::prelude::*;

/// A job of the queue.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "job")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: JobId,
    /// Which kind of job.
    pub name: String,
    /// At most one waiting or running job of a kind has it.
    pub dedup_key: Option<String>,
    /// Ids only.
    pub payload: Json,
    /// Where it stands.
    pub state: JobState,
    /// Not before.
    pub run_at: DateTimeUtc,
    /// How often it was begun.
    pub attempts: i32,
    /// How often it may be begun.
    pub max_attempts: i32,
    /// The node that runs it.
    pub claimed_by: Option<Uuid>,
    /// When it counts as abandoned.
    pub claimed_until: Option<DateTimeUtc>,
    /// What went wrong last, fit for an operator.
    pub last_error: Option<String>,
    /// When it was asked for.
    pub created_at: DateTimeUtc,
    /// When it was done or given up.
    pub finished_at: Option<DateTimeUtc>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! A sign-in and the family of its refresh tokens.
use crate::ids::{SessionId, StaffId};
use sea_orm::entity::prelude::*;

/// A sign-in and the family of its refresh tokens.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    /// Who signed in.
    pub staff_id: StaffId,
    /// When.
    pub created_at: DateTimeUtc,
    /// When its tokens were last renewed.
    pub last_used_at: DateTimeUtc,
    /// When it ends at the latest.
    pub expires_at: DateTimeUtc,
    /// When it was ended before that.
    pub ended_at: Option<DateTimeUtc>,
    /// Why it was ended.
    pub ended_reason: Option<String>,
    /// From where it was opened.
    pub address: Option<String>,
    /// With what program.
    pub user_agent: Option<String>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

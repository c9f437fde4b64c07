//! News for all nodes about who may still come in; polled each second.
use crate::{
    enums::AccessChangeKind,
    ids::{SessionId, StaffId},
};
use sea_orm::entity::prelude::*;

/// News for all nodes about who may still come in; polled each second.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "access_change")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Whom it concerns.
    pub staff_id: StaffId,
    /// The one sign-in it concerns.
    pub session_id: Option<SessionId>,
    /// What happened.
    pub kind: AccessChangeKind,
    /// When; tokens issued before are dead.
    pub at: DateTimeUtc,
    /// When no token that it concerns can be alive any more.
    pub expires_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

//! News for all nodes about what clients may still do; polled each second.
use crate::ids::ClientId;
use sea_orm::entity::prelude::*;

/// News for all nodes about what clients may still do; polled each second.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "client_change")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Which client has changed.
    pub client_id: ClientId,
    /// When.
    pub at: DateTimeUtc,
    /// When every node has long read it.
    pub expires_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

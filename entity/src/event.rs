//! The outbox: what happened, in the order in which each customer's changes were committed.
use crate::{
    enums::ActorKind,
    ids::{CustomerId, StoreId},
};
use sea_orm::entity::prelude::*;

/// The outbox: what happened, in the order in which each customer's changes were committed.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    /// Drawn from a sequence after the customer was locked.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Given by the sequencer after the commit; everyone reads by it.
    pub position: Option<i64>,
    /// What happened, `visit.recorded` and so on.
    pub kind: String,
    /// The customer it concerns.
    pub customer_id: Option<CustomerId>,
    /// The store it happened in.
    pub store_id: Option<StoreId>,
    /// The row that it is about.
    pub subject_id: Uuid,
    /// When.
    pub at: DateTimeUtc,
    /// What kind of actor.
    pub actor_kind: ActorKind,
    /// Which one.
    pub actor_id: Option<Uuid>,
    /// Ids and figures; never personal values.
    pub payload: Json,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

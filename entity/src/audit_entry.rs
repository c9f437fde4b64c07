//! Who did or read what, when, and from where (rule R4).
use crate::{enums::ActorKind, ids::AuditEntryId};
use sea_orm::entity::prelude::*;

/// Who did or read what, when, and from where (rule R4).
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_entry")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AuditEntryId,
    /// When.
    pub at: DateTimeUtc,
    /// What kind of actor.
    pub actor_kind: ActorKind,
    /// Which one.
    pub actor_id: Option<Uuid>,
    /// What: `customer.read_contact`, `card.issue` and so on.
    pub action: String,
    /// From which network address.
    pub address: Option<String>,
    /// The request, as in the log.
    pub request_id: Uuid,
    /// How many customers it concerns; which ones is in `audit_customer`.
    pub customer_count: i32,
    /// Ids and field names; never personal values.
    pub detail: Json,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

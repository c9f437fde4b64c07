//! One event for one webhook.
use crate::{
    enums::WebhookDeliveryState,
    ids::{CustomerId, StoreId, WebhookDeliveryId, WebhookId},
};
use sea_orm::entity::prelude::*;

/// One event for one webhook.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_delivery")]
pub struct Model {
    /// The key, which is also the message's id: the same with every try.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WebhookDeliveryId,
    /// Who is told.
    pub webhook_id: WebhookId,
    /// The event's position; none for a test. Each comes once for each webhook.
    pub event_position: Option<i64>,
    /// What happened.
    pub kind: String,
    /// The customer it concerns, whose deliveries go out in order.
    pub customer_id: Option<CustomerId>,
    /// The store it happened in.
    pub store_id: Option<StoreId>,
    /// The row that it is about.
    pub subject_id: Uuid,
    /// When it happened.
    pub occurred_at: DateTimeUtc,
    /// Where it stands.
    pub state: WebhookDeliveryState,
    /// Tries since it was last put in line, by the event or by hand.
    pub attempts: i32,
    /// When it is tried next, while it is pending.
    pub next_attempt_at: DateTimeUtc,
    /// The node that is trying.
    pub claimed_by: Option<Uuid>,
    /// Until when its claim counts.
    pub claimed_until: Option<DateTimeUtc>,
    /// When it was put in line first.
    pub created_at: DateTimeUtc,
    /// When it ended.
    pub finished_at: Option<DateTimeUtc>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

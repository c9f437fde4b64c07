//! A try to deliver, and what came of it.
use crate::{
    enums::WebhookErrorKind,
    ids::{WebhookAttemptId, WebhookDeliveryId},
};
use sea_orm::entity::prelude::*;

/// A try to deliver, and what came of it.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_attempt")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WebhookAttemptId,
    /// Of what.
    pub delivery_id: WebhookDeliveryId,
    /// When it began.
    pub at: DateTimeUtc,
    /// The HTTP status of the answer.
    pub status: Option<i32>,
    /// Why there was no answer.
    pub error: Option<WebhookErrorKind>,
    /// How long it took.
    pub millis: i32,
    /// The beginning of the answer.
    pub answer: Option<String>,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

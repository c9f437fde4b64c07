//! An address at which a client is told of events.
use crate::{
    enums::WebhookDisabledReason,
    ids::{ClientId, WebhookId},
};
use sea_orm::entity::prelude::*;

/// An address at which a client is told of events.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: WebhookId,
    /// Who is told, with whose rights.
    pub client_id: ClientId,
    /// Where to.
    pub url: String,
    /// Of what: words with a space between them.
    pub kinds: String,
    /// Only of what happened in these stores: a list of their keys, empty for all.
    pub store_ids: Json,
    /// When it was switched off.
    pub disabled_at: Option<DateTimeUtc>,
    /// Why.
    pub disabled_reason: Option<WebhookDisabledReason>,
    /// Grows by one with every change; a stale one is refused.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was last changed.
    pub updated_at: DateTimeUtc,
}

/// None: what a query joins, it says itself.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

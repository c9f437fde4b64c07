//! Puts events in line for the webhooks that are to be told of them: a listener over the outbox.

use super::kinds::EventKind;
use super::queue::{self, NewDelivery};
use super::rights::{self, Fact, Wishes};
use crate::access::Ctx;
use crate::error::Result;
use crate::events::Listener;
use entity::ids::ClientId;
use entity::{event, webhook};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use std::sync::Arc;
use tokio::sync::Notify;

/// Puts events in line.
#[derive(Debug)]
pub struct Teller {
    /// Wakes the worker of this process; the others look by themselves.
    poke: Arc<Notify>,
}

impl Teller {
    /// A teller that wakes a worker through `poke`.
    pub fn new(poke: Arc<Notify>) -> Self {
        Self { poke }
    }
}

#[async_trait::async_trait]
impl Listener for Teller {
    fn name(&self) -> &'static str {
        "webhooks"
    }

    /// Before the first webhook there is nobody to be told.
    fn reads_history(&self) -> bool {
        false
    }

    async fn handle(&self, ctx: &Ctx, events: &[event::Model]) -> Result<()> {
        let (events, facts): (Vec<&event::Model>, Vec<Fact>) = events
            .iter()
            .filter_map(|event| Some((event, fact(event)?)))
            .unzip();
        if facts.is_empty() {
            return Ok(());
        }
        let hooks = webhook::Entity::find()
            .filter(webhook::Column::DisabledAt.is_null())
            .order_by_asc(webhook::Column::Id)
            .all(ctx.db.read())
            .await?;
        if hooks.is_empty() {
            return Ok(());
        }
        let clients: Vec<ClientId> = hooks.iter().map(|hook| hook.client_id).collect();
        let viewers = rights::viewers(&ctx.db, &clients).await?;
        let mut deliveries = Vec::new();
        for hook in &hooks {
            let Some(viewer) = viewers.get(&hook.client_id) else {
                continue;
            };
            let told = rights::told(ctx, viewer, Some(&Wishes::of(hook)), &facts).await?;
            let told = told.iter().filter_map(|at| events.get(*at));
            deliveries.extend(told.map(|event| NewDelivery::of_event(hook.id, event)));
        }
        if deliveries.is_empty() {
            return Ok(());
        }
        ctx.db
            .write(|tx| {
                let deliveries = &deliveries;
                async move { queue::add(&*tx, ctx.now(), deliveries).await }
            })
            .await?;
        self.poke.notify_one();
        Ok(())
    }
}

fn fact(event: &event::Model) -> Option<Fact> {
    Some(Fact {
        kind: EventKind::of_word(&event.kind)?,
        customer: event.customer_id,
        store: event.store_id,
    })
}

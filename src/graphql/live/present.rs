//! The context of each event that a subscription tells.

use crate::access::{Ctx, Origin, Viewer};
use crate::events::EventHub;
use crate::graphql::context::fault;
use crate::graphql::loaders::loaders;
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute};
use async_graphql::{Data, Response};
use futures_util::future::BoxFuture;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// Why nobody can be told any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// The token has ended, or the sign-in behind it.
    SignedOut,
    /// Who it is cannot be told right now.
    Unavailable,
}

/// Who asks, as they stand now.
pub type Viewers = Arc<dyn Fn() -> BoxFuture<'static, Result<Viewer, Gone>> + Send + Sync>;

/// The context of the event that is being told; none before the first.
#[derive(Clone, Debug, Default)]
pub struct Present(Arc<Mutex<Option<Ctx>>>);

impl Present {
    /// The context of the last event that was told.
    pub fn get(&self) -> Option<Ctx> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set(&self, ctx: Ctx) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(ctx);
    }
}

/// What a subscription finds in its request beside the context in which it was asked for.
#[derive(Clone)]
pub struct Live {
    /// All events.
    pub hub: EventHub,
    /// Who asks.
    pub viewers: Viewers,
    /// Set for each event before it is told.
    pub present: Present,
    /// The longest time that the telling of one event may take.
    pub time: Duration,
}

impl Live {
    /// A context for the next event, from the one of the subscription.
    pub(super) async fn renew(&self, ctx: &Ctx) -> Result<Ctx, Gone> {
        let viewer = (self.viewers)().await?;
        let origin = Origin {
            request_id: Uuid::now_v7(),
            ..ctx.origin.clone()
        };
        Ok(ctx.for_request(viewer, origin).for_query())
    }

    /// The event that is told next is told in this context.
    pub(super) fn tell_in(&self, ctx: Ctx) {
        self.present.set(ctx);
    }
}

/// Has each event of a subscription resolved in its own context. Part of the schema that runs subscriptions and of no
/// other: the engine asks extensions about every field.
#[derive(Clone, Copy, Debug)]
pub struct PerEvent;

impl ExtensionFactory for PerEvent {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait::async_trait]
impl Extension for PerEvent {
    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let live = ctx.data_opt::<Live>();
        let Some((live, present)) = live.and_then(|live| Some((live, live.present.get()?))) else {
            return next.run(ctx, operation_name).await;
        };
        let mut data = Data::default();
        data.insert(loaders(present.clone()));
        data.insert(present);
        let told = next.run_with_data(ctx, operation_name, data);
        match tokio::time::timeout(live.time, told).await {
            Ok(response) => response,
            Err(_) => fault("TIMEOUT", "the event could not be told in time"),
        }
    }
}

//! From events to what is told of them.

use super::present::{Gone, Live};
use crate::access::Ctx;
use crate::error::{Error, Result};
use crate::events::Follower;
use crate::graphql::context::report_as;
use entity::event;
use futures_util::future::BoxFuture;
use futures_util::stream::{Stream, unfold};
use std::sync::Arc;
use std::time::Duration;

/// What comes of an event.
#[derive(Debug)]
pub(super) enum Step<T> {
    /// Nothing that the viewer sees.
    Skip,
    /// This is told.
    Tell(T),
    /// This is told, and nothing after it.
    Last(T),
}

/// Makes of an event what is told.
pub(super) type Make<T> =
    Box<dyn Fn(Ctx, Arc<event::Model>) -> BoxFuture<'static, Result<Step<T>>> + Send + Sync>;

/// How often something is tried again while the database is away, and the wait between.
const TRIES: u32 = 10;
const WAIT: Duration = Duration::from_secs(1);

struct Following<T> {
    live: Live,
    /// In which it was asked for.
    ctx: Ctx,
    follower: Follower,
    make: Make<T>,
    first: Option<Step<T>>,
    ended: bool,
}

/// Tells what comes of events; before them `first`, which is told in the context of the subscription itself. After an error
/// nothing follows: the client goes on behind the last position that it has.
pub(super) fn follow<T: Send + 'static>(
    live: Live,
    ctx: Ctx,
    follower: Follower,
    first: Option<Step<T>>,
    make: Make<T>,
) -> impl Stream<Item = async_graphql::Result<T>> + use<T> {
    let following = Following {
        live,
        ctx,
        follower,
        make,
        first,
        ended: false,
    };
    unfold(following, |mut following| async move {
        if following.ended {
            return None;
        }
        let told = match following.next().await {
            Ok(told) => Ok(told),
            Err((ctx, error)) => {
                following.ended = true;
                // Whoever was signed out is told so in the context that they had.
                let id = ctx.origin.request_id;
                following.live.tell_in(ctx);
                Err(report_as(id, error))
            }
        };
        Some((told, following))
    })
}

impl<T> Following<T> {
    async fn next(&mut self) -> Result<T, (Ctx, Error)> {
        if let Some(step) = self.first.take()
            && let Some(told) = self.tell(self.ctx.clone(), step)
        {
            return Ok(told);
        }
        loop {
            let event = self.event().await?;
            let (ctx, step) = self.step(event).await?;
            if let Some(told) = self.tell(ctx, step) {
                return Ok(told);
            }
        }
    }

    fn tell(&mut self, ctx: Ctx, step: Step<T>) -> Option<T> {
        let told = match step {
            Step::Skip => return None,
            Step::Tell(told) => told,
            Step::Last(told) => {
                self.ended = true;
                told
            }
        };
        self.live.tell_in(ctx);
        Some(told)
    }

    async fn event(&mut self) -> Result<Arc<event::Model>, (Ctx, Error)> {
        let mut tries = 0;
        loop {
            match self.follower.next().await {
                Err(Error::Unavailable(_)) if tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(WAIT).await;
                }
                done => return done.map_err(|error| (self.ctx.clone(), error)),
            }
        }
    }

    /// The same event again, when the database goes away in between.
    async fn step(&self, event: Arc<event::Model>) -> Result<(Ctx, Step<T>), (Ctx, Error)> {
        let mut tries = 0;
        loop {
            let outcome = match self.live.renew(&self.ctx).await {
                Ok(ctx) => match (self.make)(ctx.clone(), Arc::clone(&event)).await {
                    Ok(step) => return Ok((ctx, step)),
                    Err(error) => Err((ctx, error)),
                },
                Err(Gone::SignedOut) => Err((self.ctx.clone(), Error::Unauthenticated)),
                Err(Gone::Unavailable) => {
                    let cause = sea_orm::DbErr::Custom("who follows cannot be told".to_owned());
                    Err((self.ctx.clone(), Error::Unavailable(cause)))
                }
            };
            match outcome {
                Err((_, Error::Unavailable(_))) if tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(WAIT).await;
                }
                done => return done,
            }
        }
    }
}

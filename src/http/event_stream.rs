//! GraphQL over server-sent events, by the protocol graphql-sse in its mode of distinct connections.
//!
//! Called by `graphql.rs` for clients that ask for `text/event-stream`. Each operation has a response of its own: `next`
//! for each answer, `complete` after the last. Whoever takes nothing is waited for, not buffered for. A stream that ends
//! without `complete` was cut off: because the token has ended, or since the server stops.

use std::{convert::Infallible, sync::Arc, time::Duration};

use actix_web::{
    HttpResponse,
    http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName},
    rt, web,
};
use apollo_compiler::ast::OperationType;
use futures_util::{StreamExt, stream::unfold};
use secrecy::SecretString;
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use tracing::Instrument;

use crate::graphql::gate::Admitted;

use super::{
    answer::{self, Within},
    backend::{AuthRefusal, Backend, RequestOrigin},
    graphql::{Endpoint, outcome_word},
    live::{self, Seat},
    operation::{self, Cost, Ran, Refused},
};

/// Proxies end what is silent for a minute.
const KEEP_ALIVE: u32 = 15;

/// Tells a proxy in front not to gather what should arrive at once.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Who asks.
pub(super) struct Asker<B: Backend> {
    pub shared: web::Data<Endpoint<B>>,
    pub viewer: B::Viewer,
    pub token: Option<SecretString>,
    pub origin: RequestOrigin,
    pub seat: Seat,
}

fn event(kind: &str, data: &str) -> web::Bytes {
    // JSON of ours has no line breaks in it.
    format!("event: {kind}\ndata: {data}\n\n").into()
}

fn complete() -> web::Bytes {
    event("complete", "")
}

fn streaming(chunks: mpsc::Receiver<web::Bytes>) -> HttpResponse {
    let body = unfold(chunks, |mut chunks| async move {
        let chunk = chunks.recv().await?;
        Some((Ok::<_, Infallible>(chunk), chunks))
    });
    let mut builder = HttpResponse::Ok();
    builder
        .insert_header((CONTENT_TYPE, "text/event-stream; charset=utf-8"))
        // Compressed, it would be held back until there is enough of it.
        .insert_header((CONTENT_ENCODING, "identity"))
        .insert_header((ACCEL_BUFFERING, "no"))
        .force_close();
    builder.streaming(body)
}

/// Tells what was refused, within a stream, since that is what the client reads.
pub(super) fn refused(refused: &Refused) -> HttpResponse {
    let (out, chunks) = mpsc::channel(2);
    let body = answer::refused_text(refused, Within::Body);
    // There is room for both.
    let _ = out.try_send(event("next", &body));
    let _ = out.try_send(complete());
    streaming(chunks)
}

/// Answers an operation that was admitted.
pub(super) async fn run<B: Backend>(
    asker: Asker<B>,
    admitted: Admitted,
) -> (HttpResponse, &'static str) {
    if admitted.kind == OperationType::Subscription {
        let (out, chunks) = mpsc::channel(1);
        let span = tracing::info_span!("event_stream", id = %asker.origin.request_id);
        rt::spawn(follow(asker, admitted, out).instrument(span));
        return (streaming(chunks), "ok");
    }
    let Asker {
        shared,
        viewer,
        origin,
        ..
    } = asker;
    let ran = operation::run(&shared, viewer, origin, admitted).await;
    let (body, outcome) = answer::executed_text(&ran);
    let (out, chunks) = mpsc::channel(2);
    let _ = out.try_send(event("next", &body));
    let _ = out.try_send(complete());
    (streaming(chunks), outcome_word(&ran, outcome))
}

async fn follow<B: Backend>(asker: Asker<B>, admitted: Admitted, out: mpsc::Sender<web::Bytes>) {
    let Asker {
        shared,
        viewer,
        token,
        origin,
        seat: _seat,
    } = asker;
    let (cost, order) = (Cost::of(&admitted), Arc::clone(&admitted.order));
    let mut told = shared
        .backend
        .subscribe(viewer, token.clone(), origin.clone(), admitted);
    let mut looks = interval(live::LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut silent: u32 = 0;
    let time = shared.settings.write_timeout;
    loop {
        let chunk = tokio::select! {
            biased;
            () = shared.seats.closing.cancelled() => return,
            () = out.closed() => return,
            _ = looks.tick() => {
                let now = live::authenticate(&shared, token.as_ref(), &origin).await;
                if matches!(now, Err(AuthRefusal::InvalidToken)) {
                    return;
                }
                silent += 1;
                if silent < KEEP_ALIVE {
                    continue;
                }
                web::Bytes::from_static(b":\n\n")
            }
            told = told.next() => {
                let Some(told) = told else {
                    send(&out, time, complete()).await;
                    return;
                };
                let is_last = told.is_err();
                let (Ok(response) | Err(response)) = told;
                let ran = Ran {
                    cost: Cost {
                        actual: Some(order.cost_of(&response.data)),
                        ..cost
                    },
                    response,
                    order: Arc::clone(&order),
                    request_id: origin.request_id,
                    timed_out: false,
                };
                let next = event("next", &answer::executed_text(&ran).0);
                if is_last {
                    send(&out, time, next).await;
                    send(&out, time, complete()).await;
                    return;
                }
                next
            }
        };
        silent = 0;
        if !send(&out, time, chunk).await {
            return;
        }
    }
}

/// False when the client is gone, or takes nothing.
async fn send(out: &mpsc::Sender<web::Bytes>, time: Duration, chunk: web::Bytes) -> bool {
    matches!(
        tokio::time::timeout(time, out.send(chunk)).await,
        Ok(Ok(()))
    )
}

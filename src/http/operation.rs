//! One operation, whatever the transport: finding its document, the gate, the run within its time.
//!
//! Called by `graphql.rs`, `websocket/` and `event_stream.rs`, so that what is refused by one is refused by all.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use async_graphql::Response;
use futures_util::FutureExt;
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    db::until,
    graphql::{
        context::fault,
        gate::{Admitted, FieldOrder, Refusal, VALIDATION_FAILED},
    },
    spans,
};

use super::{
    answer::{INTERNAL, TIMEOUT},
    backend::{Backend, BudgetLeft, RequestOrigin},
    graphql::Endpoint,
    metrics,
    params::Params,
    persisted::NoDocument,
};

/// Why nothing of a request ran.
#[derive(Debug)]
pub enum Refused {
    /// It is no request of GraphQL; the text is fit to show.
    Malformed(String),
    /// Its document is not to be had.
    NoDocument(NoDocument),
    /// The gate refuses it.
    Gate(Refusal),
}

/// What came of an operation, with what is needed to tell it.
#[derive(Debug)]
pub struct Ran {
    /// The executor's answer.
    pub response: Response,
    /// What it cost.
    pub cost: Cost,
    /// How the fields are to be ordered.
    pub order: Arc<FieldOrder>,
    /// Under which id it is in the log.
    pub request_id: Uuid,
    /// Whether it was stopped for want of time.
    pub timed_out: bool,
}

/// What an operation cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// At most.
    pub requested: u64,
    /// What an operation may cost.
    pub limit: u64,
    /// Really; none where it was turned away or stopped.
    pub actual: Option<u64>,
    /// What the caller has left.
    pub left: Option<BudgetLeft>,
}

impl Cost {
    /// Before it runs.
    pub fn of(admitted: &Admitted) -> Self {
        Self {
            requested: admitted.cost,
            limit: admitted.cost_limit,
            actual: None,
            left: None,
        }
    }
}

/// Has a request pass: its document is found, and the gate admits it.
pub async fn admit<B: Backend>(
    shared: &Endpoint<B>,
    viewer: &B::Viewer,
    params: &Params,
) -> Result<Admitted, Refused> {
    let document = shared
        .documents
        .find(params, &shared.backend)
        .await
        .map_err(|error| {
            metrics::refused(error.code());
            Refused::NoDocument(error)
        })?;
    let admitted = spans::gate()
        .in_scope(|| {
            shared.gate.admit(
                &document,
                params.operation_name.as_deref(),
                &params.variables,
            )
        })
        .map_err(|refusal| {
            metrics::refused(refusal.code());
            Refused::Gate(refusal)
        })?;
    if admitted.introspects && !shared.backend.may_introspect(viewer) {
        metrics::refused(VALIDATION_FAILED);
        let message = "introspection is for signed-in staff here";
        return Err(Refused::Gate(Refusal::one(
            VALIDATION_FAILED,
            message,
            None,
        )));
    }
    shared.documents.keep(params);
    metrics::cost(admitted.kind.name(), admitted.cost);
    Ok(admitted)
}

/// Runs a query or a mutation that was admitted.
pub async fn run<B: Backend>(
    shared: &Endpoint<B>,
    viewer: B::Viewer,
    origin: RequestOrigin,
    admitted: Admitted,
) -> Ran {
    let mut cost = Cost::of(&admitted);
    let request_id = origin.request_id;
    let order = Arc::clone(&admitted.order);
    let span = spans::operation(admitted.kind.name());
    let work = shared
        .backend
        .execute(viewer, origin, admitted)
        .instrument(span);
    let running = AssertUnwindSafe(work).catch_unwind();
    let time = shared.settings.operation_timeout;
    let running = until(Instant::now() + time, running);
    let (response, timed_out) = match tokio::time::timeout(time, running).await {
        Ok(Ok(executed)) => {
            cost.actual = executed.actual;
            cost.left = executed.left;
            (executed.response, false)
        }
        Ok(Err(_)) => {
            tracing::error!("a resolver panicked");
            (fault(INTERNAL, "internal error"), false)
        }
        Err(_) => {
            let seconds = time.as_secs_f32();
            let message = format!("the operation took longer than {seconds} seconds");
            (fault(TIMEOUT, &message), true)
        }
    };
    Ran {
        response,
        cost,
        order,
        request_id,
        timed_out,
    }
}

//! Whether the process lives (`/healthz`) and whether it should get requests (`/readyz`).
//!
//! Asked by load balancers and supervisors. `/healthz` touches nothing; `/readyz` runs the check that was handed in,
//! and says no while the server drains. Causes go to the log, never into the answer.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix_web::{HttpResponse, web};
use futures_util::future::BoxFuture;

/// Longest wait for the readiness check.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks whether requests can be served; the error says why not, for the log.
pub type ReadyCheck = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// What `/readyz` needs.
#[derive(Clone)]
pub struct Readiness {
    /// The check.
    pub check: ReadyCheck,
    /// Set when the server begins to stop.
    pub draining: Arc<AtomicBool>,
}

/// Answers `/healthz`.
pub async fn healthz() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body("ok\n")
}

/// Answers `/readyz`.
pub async fn readyz(readiness: web::Data<Readiness>) -> HttpResponse {
    let not_ready = |word: &'static str| {
        HttpResponse::ServiceUnavailable()
            .content_type("text/plain; charset=utf-8")
            .body(word)
    };
    if readiness.draining.load(Ordering::Acquire) {
        return not_ready("stopping\n");
    }
    match tokio::time::timeout(PATIENCE, (readiness.check)()).await {
        Ok(Ok(())) => HttpResponse::Ok()
            .content_type("text/plain; charset=utf-8")
            .body("ready\n"),
        Ok(Err(reason)) => {
            tracing::warn!(reason, "not ready");
            not_ready("not ready\n")
        }
        Err(_) => {
            tracing::warn!("the readiness check took too long");
            not_ready("not ready\n")
        }
    }
}

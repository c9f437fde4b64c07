//! The recorder behind `/metrics`. There is one in a process.

use super::StartError;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::{Mutex, PoisonError};

/// Bounds of the buckets in which times are counted, in seconds.
const SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];
/// Bounds of the buckets in which costs are counted.
const COSTS: [f64; 6] = [10.0, 50.0, 200.0, 1000.0, 3000.0, 10_000.0];

static HANDLE: Mutex<Option<PrometheusHandle>> = Mutex::new(None);

/// Installs the recorder once, before anything that counts is made, and gives its handle.
///
/// # Errors
/// Another recorder is installed already, which only a defect does.
pub(super) fn recorder() -> Result<PrometheusHandle, StartError> {
    let mut handle = HANDLE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*handle {
        return Ok(handle.clone());
    }
    let failed = |error: &dyn std::fmt::Display| {
        StartError::Refused(format!("the figures cannot be recorded: {error}"))
    };
    let installed = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Suffix("_cost".to_owned()), &COSTS)
        })
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| failed(&error))?;
    metrics::gauge!("regulars_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    *handle = Some(installed.clone());
    Ok(installed)
}

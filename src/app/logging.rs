//! The program's own log, on standard error: one line an event, each with the request that it belongs to.
//!
//! Started once by the commands. Nothing personal is logged by anybody; see the rule in `lib.rs`.

use super::StartError;
use crate::config::{LogFormat, Settings};
use crate::spans;
use std::io::IsTerminal;
use tracing_subscriber::filter::{FilterExt, LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// Starts the log, and traces where they are asked for. A second call in one process changes nothing.
///
/// # Errors
/// A filter that cannot be read; an address of a collector that is none.
pub fn start(settings: &Settings) -> Result<(), StartError> {
    let traces = super::traces::layer(&settings.traces)?;
    let settings = &settings.logging;
    let filter = EnvFilter::builder()
        .parse(&settings.filter)
        .map_err(|error| StartError::Refused(format!("logging.filter cannot be read: {error}")))?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match settings.format {
        LogFormat::Json => lines
            .json()
            .with_current_span(true)
            .with_span_list(false)
            .boxed(),
        LogFormat::Pretty => lines
            .with_ansi(std::io::stderr().is_terminal())
            .with_target(false)
            .boxed(),
    };
    // Spans for traces are no part of the log. The hint says that this asks for nothing beyond the filter: without it
    // each call that the log leaves out would be looked at when it comes.
    let ours = filter_fn(|it| it.target() != spans::TARGET).with_max_level_hint(LevelFilter::TRACE);
    let mut layers = vec![lines.with_filter(filter.and(ours)).boxed()];
    layers.extend(traces);
    // It is started already in a process that runs several programs, which only tests do.
    let _ = tracing_subscriber::registry().with(layers).try_init();
    Ok(())
}

//! `regulars serve`: answers until it is told to stop.

use super::terminal::say;
use crate::app::{App, House, Running, StartError, logging};
use crate::config::{Configuration, Mode};
use entity::values::SystemClock;
use std::process::ExitCode;
use std::sync::Arc;

/// Runs the command.
///
/// # Errors
/// Whatever stands in the way of starting; a server that fails.
pub async fn run(configuration: Configuration) -> Result<ExitCode, StartError> {
    logging::start(&configuration.settings)?;
    let house = House::open(configuration, Mode::Serve, Arc::new(SystemClock)).await?;
    // Before anybody is told where it listens: whoever knows may stop it.
    let signals = Signals::new()?;
    let running = App::build(house).await?.start().await?;
    say(&format!(
        "regulars listens on http://{}/graphql",
        running.address()
    ));
    until_told_to_stop(running, signals).await
}

/// Serves until SIGTERM or SIGINT, then stops in order; a second signal ends the program at once.
///
/// # Errors
/// A server that fails, or does not stop well.
pub async fn until_told_to_stop(
    mut running: Running,
    mut signals: Signals,
) -> Result<ExitCode, StartError> {
    tokio::select! {
        () = signals.next() => {}
        error = running.failed() => return Err(error),
    }
    tokio::spawn(async move {
        signals.next().await;
        tracing::warn!("told to stop a second time: ending at once");
        std::process::exit(1);
    });
    running.stop().await?;
    Ok(ExitCode::SUCCESS)
}

/// The signals that end the program in order, heard from the moment this is made.
#[cfg(unix)]
#[derive(Debug)]
pub struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Begins to listen for them.
    ///
    /// # Errors
    /// [`StartError::Io`] when the system does not allow it.
    pub fn new() -> Result<Self, StartError> {
        use tokio::signal::unix::{SignalKind, signal};
        let hear = |kind| {
            signal(kind)
                .map_err(|error| StartError::Io("signals cannot be waited for".to_owned(), error))
        };
        Ok(Self {
            terminate: hear(SignalKind::terminate())?,
            interrupt: hear(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// The signals that end the program in order.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Begins to listen for them.
    ///
    /// # Errors
    /// None on this system.
    pub fn new() -> Result<Self, StartError> {
        Ok(Self)
    }

    async fn next(&mut self) {
        // Without signals the program runs until it is ended.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

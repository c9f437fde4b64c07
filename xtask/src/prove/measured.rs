//! Runs a command of the program and watches how long it takes and how large it gets.

use super::place::Place;
use super::process::peak_memory;
use crate::failure::{During, Result};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;

/// What a command said and took.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Its standard output.
    pub said: String,
    /// How long it ran.
    pub seconds: f64,
    /// The most memory that it had, in bytes.
    pub peak: u64,
}

/// Runs a command that must succeed, however long it takes.
pub async fn run(place: &Place, arguments: &[String]) -> Result<Measured> {
    let began = Instant::now();
    let mut child = place
        .command()
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let process = child.id().during("the command has ended")?;
    let mut streams = (
        child.stdout.take().during("no standard output")?,
        child.stderr.take().during("no standard error")?,
    );
    let (mut said, mut complained) = (String::new(), String::new());
    let mut peak = 0;
    let (status, ..) = tokio::try_join!(
        async {
            loop {
                // The figure never falls, so that only the very last growth can be missed.
                peak = peak_memory(process).unwrap_or_default().max(peak);
                tokio::select! {
                    status = child.wait() => return status,
                    () = tokio::time::sleep(Duration::from_millis(5)) => {}
                }
            }
        },
        streams.0.read_to_string(&mut said),
        streams.1.read_to_string(&mut complained),
    )?;
    let what: Vec<&String> = arguments.iter().take(2).collect();
    ensure!(
        status.success(),
        "{what:?} ended with {status}: {said}{complained}"
    );
    Ok(Measured {
        said,
        seconds: began.elapsed().as_secs_f64(),
        peak,
    })
}

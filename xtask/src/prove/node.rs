//! A `serve` process. It dies with the value that stands for it.

use super::client::Client;
use super::place::Place;
use crate::failure::{During, Result};
use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

/// The longest that a server may take to start.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A server that is running.
#[derive(Debug)]
pub struct Node {
    child: Child,
    id: u32,
    /// Where it listens.
    pub address: SocketAddr,
    /// A client of it.
    pub client: Client,
}

impl Node {
    /// Starts `serve` on a free port and waits until it says where it listens. `command` is the program, or something
    /// that becomes it.
    pub async fn start(place: &Place, mut command: Command) -> Result<Self> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(place.log_file())?;
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .during("serve")?;
        let mut lines = BufReader::new(child.stdout.take().during("no standard output")?);
        let mut line = String::new();
        tokio::time::timeout(START_LIMIT, lines.read_line(&mut line))
            .await
            .during("serve did not start in time")??;
        let address = line
            .trim()
            .strip_prefix("regulars listens on http://")
            .and_then(|rest| rest.strip_suffix("/graphql"))
            .during(format!(
                "serve said {line:?}; its log:\n{}",
                last_lines(&place.log(), 10)
            ))?
            .parse()?;
        // Whatever it says later is read, so that it never waits for a reader.
        tokio::spawn(async move {
            let mut rest = Vec::new();
            let _ = lines.read_to_end(&mut rest).await;
        });
        let id = child.id().during("serve has ended")?;
        Ok(Self {
            child,
            id,
            address,
            client: Client::new(address)?,
        })
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Ends it by SIGKILL, which it cannot hear.
    pub async fn kill(mut self) -> Result<()> {
        ensure!(
            self.child.try_wait()?.is_none(),
            "the server had ended by itself"
        );
        Ok(self.child.kill().await?)
    }

    /// Fails when it has ended by itself.
    pub fn still_runs(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => fail!("the server ended by itself with {status}"),
        }
    }
}

/// The end of a longer text.
pub fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(count);
    lines.get(from..).unwrap_or_default().join("\n")
}

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

/// What a server says when it listens.
const LISTENS: &str = "regulars listens on http://";

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
    pub async fn start(place: &Place, command: Command) -> Result<Self> {
        let arguments = ["serve", "--listen", "127.0.0.1:0"];
        Self::start_as(place, command, &arguments.map(str::to_owned)).await
    }

    /// The same with another command that serves, such as `demo`.
    pub async fn start_as(
        place: &Place,
        mut command: Command,
        arguments: &[String],
    ) -> Result<Self> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(place.log_file())?;
        let mut child = command
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .during("serve")?;
        let mut lines = BufReader::new(child.stdout.take().during("no standard output")?);
        let mut line = String::new();
        let listens = async {
            // The demonstration says what it has made before.
            let mut all = String::new();
            while !line.starts_with(LISTENS) {
                line.clear();
                if lines.read_line(&mut line).await? == 0 {
                    line = all;
                    break;
                }
                all.push_str(&line);
            }
            Ok::<_, std::io::Error>(())
        };
        tokio::time::timeout(START_LIMIT, listens)
            .await
            .during("serve did not start in time")??;
        let address = line
            .trim()
            .strip_prefix(LISTENS)
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

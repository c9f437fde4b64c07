//! Stands between a server and its database, and can take it away.

use crate::failure::{During, Result};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How the database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// There.
    Up,
    /// Connections are cut, and new ones refused.
    Cut,
    /// Connections stay, new ones are taken, and nothing passes; those are of no use afterwards.
    Silent,
}

/// The proxy; it ends with this value.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    line: watch::Sender<Line>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// Starts one in front of a host and port.
    pub async fn start(target: String) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (line, seen) = watch::channel(Line::Up);
        let accepting = tokio::spawn(accept(listener, address, target, seen));
        Ok(Self {
            address,
            line,
            accepting,
        })
    }

    /// Takes the database away, or brings it back.
    pub fn set(&self, line: Line) {
        self.line.send_replace(line);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    address: SocketAddr,
    target: String,
    mut line: watch::Receiver<Line>,
) {
    let mut open = Some(listener);
    loop {
        let state = *line.borrow_and_update();
        if state == Line::Cut {
            // Nobody listens: the system refuses.
            open = None;
        } else if open.is_none() {
            open = TcpListener::bind(address).await.ok();
        }
        let Some(listener) = &open else {
            tokio::select! {
                changed = line.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(Duration::from_millis(50)) => {}
            }
            continue;
        };
        tokio::select! {
            changed = line.changed() => if changed.is_err() { return },
            accepted = listener.accept() => if let Ok((from, _)) = accepted {
                tokio::spawn(carry(from, target.clone(), line.clone()));
            }
        }
    }
}

/// Carries one connection until an end closes it or it is cut.
async fn carry(mut from: TcpStream, target: String, mut line: watch::Receiver<Line>) {
    if line.wait_for(|line| *line != Line::Silent).await.is_err() {
        return;
    }
    let Ok(mut to) = TcpStream::connect(&target).await else {
        return;
    };
    // Dropped without a farewell: whatever was under way is lost.
    tokio::select! {
        _ = copy_bidirectional(&mut from, &mut to) => return,
        _ = line.changed() => {}
    }
    // A line gone silent ends only when it is over, as when a cable was pulled.
    let _ = line.wait_for(|line| *line != Line::Silent).await;
}

/// Host and port of a PostgreSQL address, and the address with others in their place.
pub fn split_address(url: &str) -> Result<(String, impl Fn(SocketAddr) -> String)> {
    let scheme_end = url.find("://").during("the address has no scheme")? + 3;
    let (scheme, rest) = url.split_at(scheme_end);
    let authority_end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    let (account, host) = match authority.rsplit_once('@') {
        Some((account, host)) => (format!("{account}@"), host),
        None => (String::new(), authority),
    };
    ensure!(
        !host.is_empty(),
        "the address names no host: a proxy cannot stand before a socket"
    );
    let with_port = host.rsplit_once(':').is_some_and(|(_, port)| {
        !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
    });
    let target = if with_port {
        host.to_owned()
    } else {
        format!("{host}:5432")
    };
    let (scheme, path) = (scheme.to_owned(), path.to_owned());
    Ok((target, move |address| {
        format!("{scheme}{account}{address}{path}")
    }))
}

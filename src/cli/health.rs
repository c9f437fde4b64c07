//! `regulars health`: asks the server on this machine whether it is ready, for supervisors and containers that have no
//! other client at hand. The doctor asks in the same way.

use super::terminal::say;
use crate::app::StartError;
use crate::config::Configuration;
use secrecy::{ExposeSecret, SecretString};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longer than the server itself waits for its database.
const PATIENCE: Duration = Duration::from_secs(4);
/// Larger than any answer that is asked for here.
const LARGEST: u64 = 4 << 20;

/// What the server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// Runs the command: ends with 0 when the server is ready, with 1 when it is not or does not answer.
///
/// # Errors
/// None: whatever goes wrong is said.
pub async fn run(configuration: &Configuration) -> Result<ExitCode, StartError> {
    let there = reachable(configuration.settings.server.listen);
    Ok(match get(there, "/readyz", None).await {
        Ok(answer) if answer.status == 200 => {
            say("ready");
            ExitCode::SUCCESS
        }
        Ok(answer) => {
            say(&format!(
                "not ready: {} {}",
                answer.status,
                answer.body.trim()
            ));
            ExitCode::FAILURE
        }
        Err(error) => {
            say(&format!("not ready: {there} does not answer: {error}"));
            ExitCode::FAILURE
        }
    })
}

/// Where a server is asked on its own machine that may listen on every address.
pub fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// Asks for a path by HTTP.
///
/// # Errors
/// No answer in time, or one that is none.
pub async fn get(
    there: SocketAddr,
    path: &str,
    token: Option<&SecretString>,
) -> io::Result<Answer> {
    let authorization = token.map_or_else(String::new, |token| {
        format!("Authorization: Bearer {}\r\n", token.expose_secret())
    });
    // HTTP/1.0: the answer ends with the connection and is not cut into chunks.
    let request = format!("GET {path} HTTP/1.0\r\nHost: {there}\r\n{authorization}\r\n");
    let ask = async {
        let mut stream = TcpStream::connect(there).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(LARGEST).read_to_end(&mut answer).await?;
        Ok::<_, io::Error>(answer)
    };
    let answer = tokio::time::timeout(PATIENCE, ask)
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    read(&String::from_utf8_lossy(&answer)).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

fn read(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?;
    Some(Answer {
        status: status.parse().ok()?,
        body: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_and_anything_else_is_none() {
        let answer = read("HTTP/1.1 503 Service Unavailable\r\nx: y\r\n\r\nstopping\n").unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (503, "stopping\n"));
        for text in ["", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 many\r\n\r\n"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_server_on_every_address_is_asked_on_its_own_machine() {
        for (listen, asked) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("10.1.2.3:80", "10.1.2.3:80"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), asked);
        }
    }
}

//! Why a PostgreSQL server does not let us in, in words for the operator.
//!
//! Called by the doctor before it connects as the program does: the pool tries again and again and at last says only
//! that its time is over.

use sea_orm::sqlx::postgres::{PgConnectOptions, PgSslMode};
use sea_orm::sqlx::{ConnectOptions, Connection, Error};
use std::io::ErrorKind;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

/// Longer than any server that answers at all.
const PATIENCE: Duration = Duration::from_secs(10);

/// What stands between us and the server, and what to do about it; none when it lets us in. Never tells the password.
pub async fn obstacle(url: &str) -> Option<String> {
    let is_ours = url.starts_with("postgres://") || url.starts_with("postgresql://");
    let options = match PgConnectOptions::from_str(url) {
        Ok(options) if is_ours => options,
        // The error may quote the address, and with it the password.
        _ => {
            return Some(
                "the address is none: it must look like postgres://user:password@host/database, with special \
                 characters of the password percent-encoded"
                    .to_owned(),
            );
        }
    };
    let place = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    match tokio::time::timeout(PATIENCE, options.connect()).await {
        Ok(Ok(connection)) => {
            // Nothing was asked of it.
            let _ = connection.close().await;
            None
        }
        Ok(Err(error)) => Some(advice(&error, &options, &place)),
        Err(_) => Some(format!(
            "{place} does not answer within {PATIENCE:?}: is the address right, and does a firewall let this machine \
             through?"
        )),
    }
}

fn advice(error: &Error, options: &PgConnectOptions, place: &str) -> String {
    let user = options.get_username();
    let no_tls = |cause: &dyn std::fmt::Display| {
        format!(
            "no TLS with {place} ({cause}): name the authority of its certificate with ?sslrootcert=FILE; only on a \
             network of your own turn TLS off with ?sslmode=disable"
        )
    };
    match error {
        // A certificate that is not believed comes as data that make no sense.
        Error::Io(cause) if cause.kind() == ErrorKind::InvalidData => no_tls(cause),
        Error::Tls(cause) => no_tls(cause),
        Error::Io(cause) => match cause.kind() {
            ErrorKind::ConnectionRefused => {
                format!("nobody listens at {place}: start the server, or correct host and port")
            }
            ErrorKind::NotFound => {
                format!("there is no socket at {place}: start the server, or correct host and port")
            }
            ErrorKind::PermissionDenied => {
                format!("{place} may not be used by this account ({cause})")
            }
            _ => format!(
                "{place} cannot be reached ({cause}): is the name right, and the network up?"
            ),
        },
        Error::Database(cause) => {
            let told = cause.message();
            match cause.code().as_deref() {
                Some("28P01") => format!("{place} refuses the password of {user}: correct it"),
                Some("28000") => format!(
                    "{place} does not let {user} in ({told}): does the account exist, and does pg_hba.conf allow it from \
                     here?"
                ),
                Some("3D000") => format!(
                    "there is no database {} at {place}: make it with `createdb`, then run `regulars migrate up`",
                    options.get_database().unwrap_or(user)
                ),
                Some("53300") => format!(
                    "{place} has no connection free: raise its max_connections, or lower REGULARS_DATABASE_CONNECTIONS \
                     on the nodes"
                ),
                Some("57P03") => format!("{place} is starting or stopping ({told}): wait for it"),
                _ => format!("{place} refuses: {told}"),
            }
        }
        other => format!("{place}: {other}"),
    }
}

/// Whether passwords and customers' data go over a network to a server whose name nobody has checked.
pub fn is_unguarded(url: &str) -> bool {
    PgConnectOptions::from_str(url).is_ok_and(|options| {
        let host = options.get_host();
        let is_here = options.get_socket().is_some()
            || host.starts_with('/')
            || host == "localhost"
            || host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        !is_here && !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_over_a_network_is_guarded_only_by_a_checked_name() {
        for (url, unguarded) in [
            ("postgres://a:b@db.example/regulars", true),
            ("postgres://a:b@db.example/regulars?sslmode=require", true),
            (
                "postgres://a:b@db.example/regulars?sslmode=verify-full",
                false,
            ),
            ("postgres://a:b@localhost/regulars", false),
            ("postgres://a:b@127.0.0.1/regulars", false),
            ("postgres:///regulars?host=/var/run/postgresql", false),
        ] {
            assert_eq!(is_unguarded(url), unguarded, "{url}");
        }
    }

    #[tokio::test]
    async fn an_obstacle_is_told_with_what_to_do_and_without_the_password() {
        // A port that was free a moment ago.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        for (url, words) in [
            (
                format!("postgres://shop:hunter2@127.0.0.1:{port}/regulars"),
                "nobody listens",
            ),
            (
                "postgres://shop:hunter2@no-such-host.invalid/regulars".to_owned(),
                "is the name right",
            ),
            (
                "postgres:///regulars?host=/nowhere&user=shop".to_owned(),
                "there is no socket",
            ),
            (
                "postgres://shop:hunter2@127.0.0.1:port/regulars".to_owned(),
                "the address is none",
            ),
        ] {
            let told = obstacle(&url).await.unwrap();
            assert!(told.contains(words) && !told.contains("hunter2"), "{told}");
        }
    }
}

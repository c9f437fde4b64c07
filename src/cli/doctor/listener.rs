//! The address on which the server listens: is it free, or is it ours that answers there; and what comes through proxies.

use super::report::Report;
use crate::cli::health::{Answer, get, reachable};
use crate::config::Configuration;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

/// Looks at the address.
pub(super) async fn look(report: &mut Report, configuration: &Configuration) {
    let listen = configuration.settings.server.listen;
    match TcpListener::bind(listen) {
        Ok(_) => report.ok("address", &format!("{listen} is free, no server runs here")),
        Err(error) => match error.kind() {
            ErrorKind::AddrInUse => taken(report, configuration, listen).await,
            ErrorKind::PermissionDenied => report.fail(
                "address",
                &format!(
                    "{listen} may not be taken by this account: ports below 1024 are for root; take a higher one with \
                     REGULARS_LISTEN and put a proxy in front"
                ),
            ),
            ErrorKind::AddrNotAvailable => report.fail(
                "address",
                &format!(
                    "{listen} is no address of this machine: correct REGULARS_LISTEN (from {})",
                    configuration.source("server.listen")
                ),
            ),
            _ => report.fail("address", &format!("{listen} cannot be listened on: {error}")),
        },
    }
    if !listen.ip().is_loopback() && configuration.settings.server.trusted_proxies.is_empty() {
        report.warn(
            "proxies",
            &format!(
                "{listen} is open to other machines and no proxy is named: if one stands in front, name its network in \
                 REGULARS_TRUSTED_PROXIES, otherwise all clients seem to be one; if none does, passwords go over the \
                 network without TLS"
            ),
        );
    }
}

/// Somebody listens there already: one of ours?
async fn taken(report: &mut Report, configuration: &Configuration, listen: SocketAddr) {
    let there = reachable(listen);
    match get(there, "/healthz", None).await {
        Ok(Answer { status: 200, body }) if body == "ok\n" => {
            report.ok("address", &format!("{listen} is answered by a running server"));
            ready(report, there).await;
            forwarded(report, configuration, there).await;
        }
        _ => report.fail(
            "address",
            &format!(
                "{listen} is taken by another program: stop it, or take another port with REGULARS_LISTEN (now from {})",
                configuration.source("server.listen")
            ),
        ),
    }
}

async fn ready(report: &mut Report, there: SocketAddr) {
    match get(there, "/readyz", None).await {
        Ok(Answer { status: 200, .. }) => report.ok("server", "is ready"),
        Ok(answer) => report.fail(
            "server",
            &format!(
                "says that it is {}: it stops, or the database is away; its log tells why",
                answer.body.trim()
            ),
        ),
        Err(error) => report.fail("server", &format!("does not answer /readyz: {error}")),
    }
}

/// The server counts requests that some proxy forwarded which it was not told of.
async fn forwarded(report: &mut Report, configuration: &Configuration, there: SocketAddr) {
    let token = configuration.settings.server.metrics_token.as_ref();
    let Ok(Answer { status: 200, body }) = get(there, "/metrics", token).await else {
        report.warn(
            "proxies",
            "the server does not show its figures: is the token the same?",
        );
        return;
    };
    let count = body
        .lines()
        .find_map(|line| line.strip_prefix("http_forwarded_unknown_total "))
        .map_or("0", str::trim);
    if count == "0" {
        report.ok("proxies", "no request came through an unknown one");
    } else {
        report.warn(
            "proxies",
            &format!(
                "{count} request(s) name a client that an unknown proxy forwarded: if it is yours, name its network in \
                 REGULARS_TRUSTED_PROXIES, otherwise limits count all of its clients as one; if not, somebody sends the \
                 header to pass for another, in vain"
            ),
        );
    }
}

//! Everything about serving that somebody may want to change.
//!
//! Filled by whoever builds the application; nothing in `http` reads files or the environment.

use std::time::Duration;

use ipnet::IpNet;
use secrecy::SecretString;

/// Which header a trusted proxy names the client's address in. Exactly one is believed: a proxy that writes one of them
/// passes the other one on as the client sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, as nearly every proxy writes it.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Which page a browser gets at the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExplorerPage {
    /// The explorer that was built in, or the plain one where none was.
    #[default]
    On,
    /// The plain explorer, which loads GraphiQL from a public CDN.
    Plain,
    /// A page that only says where it is.
    Off,
}

/// Which documents run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DocumentsMode {
    /// Any that passes the gate.
    #[default]
    Any,
    /// Only those that were registered.
    Registered,
}

/// How the server listens and what it bears. `Default` is fit for a server reached directly or behind one proxy.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// Path of the GraphQL endpoint (`/graphql`).
    pub path: String,
    /// Threads that answer requests (as many as the machine has cores).
    pub workers: usize,
    /// Connections open at once on each worker (10,000); more wait in the system's queue.
    pub max_connections: usize,
    /// Connections open at once from one network address, other than a trusted proxy's (1,000); more are hung up.
    pub connections_per_address: usize,
    /// Bytes of a request body (1 MiB).
    pub body_bytes: usize,
    /// Time until a request's head has to be there (10 s).
    pub header_timeout: Duration,
    /// Time until a request's body has to be there (15 s).
    pub body_timeout: Duration,
    /// Time until an uploaded file has to be there (15 min).
    pub upload_time: Duration,
    /// Time without the client taking a byte of an answer (30 s).
    pub write_timeout: Duration,
    /// Time one operation may run (30 s).
    pub operation_timeout: Duration,
    /// Time until a websocket's first message has to be there (10 s).
    pub websocket_init_timeout: Duration,
    /// Operations that run at once on one websocket (100).
    pub websocket_operations: usize,
    /// Websockets and event streams that one viewer holds open, or one address before anybody has signed in (100).
    pub live_connections: usize,
    /// Time an idle connection stays open (75 s).
    pub keep_alive: Duration,
    /// Time that requests in flight get when the server stops (20 s).
    pub drain: Duration,
    /// Networks of the proxies in front (none): only from these is the forwarding header believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The header that these proxies write.
    pub forwarded_header: ForwardedHeader,
    /// Origins of browser clients, such as `https://admin.example` (none: no CORS headers at all).
    pub cors_origins: Vec<String>,
    /// Token for reading `/metrics` from elsewhere than the machine itself (none: only from loopback).
    pub metrics_token: Option<SecretString>,
    /// Whether answers are compressed for clients that ask for it (no).
    pub compress: bool,
    /// Which page a browser gets at the endpoint (the explorer).
    pub explorer: ExplorerPage,
    /// Which documents run (any).
    pub documents: DocumentsMode,
    /// Whether what is served is the demonstration, whose accounts everybody may know (no).
    pub demo: bool,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            path: "/graphql".to_owned(),
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            max_connections: 10_000,
            connections_per_address: 1000,
            body_bytes: 1024 * 1024,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(15),
            upload_time: Duration::from_secs(15 * 60),
            write_timeout: Duration::from_secs(30),
            operation_timeout: Duration::from_secs(30),
            websocket_init_timeout: Duration::from_secs(10),
            websocket_operations: 100,
            live_connections: 100,
            keep_alive: Duration::from_secs(75),
            drain: Duration::from_secs(20),
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedHeader::default(),
            cors_origins: Vec::new(),
            metrics_token: None,
            compress: false,
            explorer: ExplorerPage::default(),
            documents: DocumentsMode::default(),
            demo: false,
        }
    }
}

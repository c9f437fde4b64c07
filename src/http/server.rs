//! Puts the routes together, listens, and stops in good order.
//!
//! Called by the application with a bound listener and the parts. Reads no configuration and installs nothing global.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix_cors::Cors;
use actix_http::HttpService;
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::{
    App, HttpResponse,
    dev::{AppConfig, Extensions, Server, ServerHandle},
    http::{
        KeepAlive, Method, Uri,
        header::{ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderName},
    },
    middleware::{Compress, Condition, from_fn},
    web,
};
use ipnet::IpNet;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{access::network, graphql::gate::Gate};

use super::{
    backend::Backend,
    company_sign_in::{callback, start},
    connection::{Connection, Times},
    explorer::{self, Explorer},
    frame::{RequestIds, frame},
    graphql::{Endpoint, endpoint},
    health::{Readiness, ReadyCheck, healthz, readyz},
    jwks::jwks,
    live::Seats,
    metrics::{self, MetricsAccess},
    oauth,
    persisted::Documents,
    settings::HttpSettings,
    transfers,
};

/// What a server is made of.
pub struct HttpParts<B> {
    /// Admits documents.
    pub gate: Gate,
    /// Runs them.
    pub backend: B,
    /// How to listen and what to bear.
    pub settings: HttpSettings,
    /// Asked by `/readyz`.
    pub ready: ReadyCheck,
    /// Renders `/metrics`; `None` answers 404 there.
    pub metrics: Option<PrometheusHandle>,
    /// Makes request ids: `Uuid::now_v7` outside tests.
    pub request_ids: fn() -> Uuid,
}

/// A server at work. Dropping it does not stop it: call [`RunningServer::stop`].
#[derive(Debug)]
pub struct RunningServer {
    address: SocketAddr,
    handle: ServerHandle,
    draining: Arc<AtomicBool>,
    closing: CancellationToken,
    task: tokio::task::JoinHandle<io::Result<()>>,
}

impl RunningServer {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more connections, lets requests in flight finish within the configured time, then closes.
    pub async fn stop(self) -> io::Result<()> {
        self.draining.store(true, Ordering::Release);
        // Those never finish by themselves.
        self.closing.cancel();
        self.handle.stop(true).await;
        self.task.await.map_err(io::Error::other)?
    }

    /// Waits until the server ends by itself, which it does only when it fails.
    pub async fn ended(&mut self) -> io::Result<()> {
        (&mut self.task).await.map_err(io::Error::other)?
    }
}

/// Serves on a bound listener. Fails when the listener cannot be used or an origin is none.
pub fn serve<B: Backend>(listener: TcpListener, parts: HttpParts<B>) -> io::Result<RunningServer> {
    let HttpParts {
        gate,
        backend,
        settings,
        ready,
        metrics,
        request_ids,
    } = parts;
    for origin in &settings.cors_origins {
        check_origin(origin)?;
    }
    metrics::describe();
    let address = listener.local_addr()?;
    let draining = Arc::new(AtomicBool::new(false));
    let readiness = web::Data::new(Readiness {
        check: ready,
        draining: Arc::clone(&draining),
    });
    let access = web::Data::new(MetricsAccess {
        handle: metrics,
        token: settings.metrics_token.clone(),
    });
    let explorer = Explorer::new(settings.explorer, settings.demo).map(web::Data::new);
    let seats = Seats::new(settings.live_connections);
    let closing = seats.closing.clone();
    let shared = web::Data::new(Endpoint {
        gate,
        seats: seats.clone(),
        request_ids,
        documents: Documents::new(settings.documents, settings.operation_timeout),
        backend,
        settings: settings.clone(),
        explorer: explorer.clone(),
    });
    let ids = web::Data::new(RequestIds(request_ids));
    let routes = settings.clone();
    let times = Times {
        head: settings.header_timeout,
        idle: settings.keep_alive,
        write: settings.write_timeout,
    };
    let doors = Seats::new(settings.connections_per_address);
    let builder = Server::build()
        .workers(settings.workers.max(1))
        .max_concurrent_connections(settings.max_connections)
        .shutdown_timeout(settings.drain.as_secs().max(1))
        .disable_signals();
    let draining_signal = builder.graceful_shutdown_signal();
    // `HttpServer` does the same, but leaves no place for a socket of our own.
    let factory = move || {
        let app = App::new()
            .app_data(shared.clone())
            .app_data(readiness.clone())
            .app_data(access.clone())
            .app_data(ids.clone())
            .route("/healthz", web::get().to(healthz))
            .route("/readyz", web::get().to(readyz))
            .route("/.well-known/jwks.json", web::get().to(jwks::<B>))
            .route(
                "/.well-known/oauth-authorization-server",
                web::get().to(oauth::metadata::<B>),
            )
            .service(web::resource(oauth::TOKEN_PATH).to(oauth::token::<B>))
            .route("/auth/oidc/start", web::get().to(start::<B>))
            .route("/auth/oidc/callback", web::get().to(callback::<B>))
            .route("/metrics", web::get().to(metrics::metrics))
            .service(web::resource("/imports/{kind}").to(transfers::import::<B>))
            .service(web::resource("/transfers/{id}/result").to(transfers::result::<B>))
            .service(web::resource(routes.path.as_str()).to(endpoint::<B>))
            .configure(|parts| explore(parts, &routes.path, explorer.as_ref()))
            .default_service(web::to(|| async { HttpResponse::NotFound().finish() }))
            .wrap(Condition::new(routes.compress, Compress::default()))
            .wrap(Condition::new(
                !routes.cors_origins.is_empty(),
                cors(&routes.cors_origins),
            ))
            .wrap(from_fn(frame))
            .into_factory()
            .map_err(|error: actix_web::Error| error.error_response());
        let signal = draining_signal.clone();
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let signal = signal.clone();
                async move { signal.notified().await }
            })
            .keep_alive(KeepAlive::Timeout(routes.keep_alive))
            .client_request_timeout(routes.header_timeout)
            // Otherwise the server would read on after an early answer, for as long, only to discard: see `body.rs`.
            .client_disconnect_timeout(Duration::ZERO)
            .local_addr(address)
            .on_connect_ext(|connection: &Connection, data: &mut Extensions| {
                data.insert(connection.serving());
            })
            .h1(map_config(app, |()| AppConfig::default()));
        let (doors, proxies) = (doors.clone(), routes.trusted_proxies.clone());
        fn_service(move |socket: TcpStream| {
            let (doors, proxies) = (doors.clone(), proxies.clone());
            async move {
                // Answers go out in one piece; waiting for more would only delay them.
                let _ = socket.set_nodelay(true);
                let peer = socket.peer_addr().ok();
                let seat = doors.take(door(peer, &proxies), "tcp");
                Ok((Connection::new(socket, times, seat), peer))
            }
        })
        .and_then(http)
    };
    let server = builder.listen("http", listener, factory)?.run();
    let handle = server.handle();
    Ok(RunningServer {
        address,
        handle,
        draining,
        closing,
        task: tokio::spawn(server),
    })
}

/// Among whose connections one counts: those of its network. Each of a trusted proxy's stands for itself.
fn door(peer: Option<SocketAddr>, proxies: &[IpNet]) -> String {
    match peer {
        Some(peer)
            if proxies
                .iter()
                .any(|proxy| proxy.contains(&peer.ip().to_canonical())) =>
        {
            format!("proxy:{peer}")
        }
        Some(peer) => format!("network:{:?}", network(peer.ip())),
        None => "none".to_owned(),
    }
}

/// Serves the explorer's files, where it is switched on.
fn explore(parts: &mut web::ServiceConfig, path: &str, explorer: Option<&web::Data<Explorer>>) {
    if let Some(explorer) = explorer {
        parts.service(
            web::resource(explorer::pattern(path))
                .app_data(explorer.clone())
                .route(web::get().to(explorer::file))
                .route(web::head().to(explorer::file)),
        );
    }
}

/// An origin is scheme, host and port, and nothing else.
fn check_origin(origin: &str) -> io::Result<()> {
    let good = origin.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri
                .authority()
                .is_some_and(|host| !host.as_str().contains('@'))
            && uri.path_and_query().is_none_or(|path| path == "/")
            && !origin.ends_with('/')
    });
    if good {
        Ok(())
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("`{origin}` is not an origin such as https://admin.example"),
        ))
    }
}

/// Answers browsers of these origins.
fn cors(origins: &[String]) -> Cors {
    let cors = Cors::default()
        .allowed_methods([Method::GET, Method::POST])
        .allowed_headers([
            ACCEPT,
            AUTHORIZATION,
            CONTENT_TYPE,
            CONTENT_ENCODING,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("x-request-id"),
        ])
        .expose_headers(["x-request-id", "retry-after", "content-disposition"])
        .max_age(3600);
    origins
        .iter()
        .fold(cors, |cors, origin| cors.allowed_origin(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_checked_at_start() {
        for good in ["https://admin.example", "http://localhost:3000"] {
            assert!(check_origin(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "*",
            "null",
            "admin.example",
            "https://a.example/",
            "https://a.example/x",
            "https://u@a.example",
            "ftp://a.example",
        ] {
            assert!(check_origin(bad).is_err(), "{bad}");
        }
    }
}

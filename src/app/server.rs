//! The server: everything that runs while `serve` or `demo` runs, started and stopped in order.

use super::StartError;
use super::backend::Api;
use super::background::Background;
use super::heavy::Heavy;
use super::house::House;
use crate::access::audit::AuditLog;
use crate::config::{Documents, ExplorerPage, ForwardedHeader, Introspection, Mode, Settings};
use crate::domain::organization::{Authenticator, staff};
use crate::graphql::gate::{Gate, Limits};
use crate::graphql::{root, scalars};
use crate::http::{self, HttpParts, HttpSettings, ReadyCheck, RunningServer, serve};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

/// How often the recorder of figures gathers what was counted.
const UPKEEP: Duration = Duration::from_secs(5);

/// A server that is put together and bound to its address, but does not answer yet.
#[derive(Debug)]
pub struct App {
    house: House,
    listener: TcpListener,
    address: SocketAddr,
}

impl App {
    /// Binds the configured address; port 0 takes any free one.
    ///
    /// # Errors
    /// An address that cannot be bound; an account of the demonstration that can sign in, outside of it.
    pub async fn build(house: House) -> Result<Self, StartError> {
        let listen = house.configuration.settings.server.listen;
        if house.mode == Mode::Serve {
            refuse_demo_accounts(&house).await?;
        }
        let failed = |error| StartError::Io(format!("cannot listen on {listen}"), error);
        let listener = TcpListener::bind(listen).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self {
            house,
            listener,
            address,
        })
    }

    /// Where it will answer.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts the parts: who may come in, then the work in the background, then the endpoint.
    ///
    /// # Errors
    /// Whatever stands in the way of a part.
    pub async fn start(self) -> Result<Running, StartError> {
        let Self {
            house, listener, ..
        } = self;
        let settings = &house.configuration.settings;
        let ctx = house.ctx.clone();
        let authenticator = Arc::new(Authenticator::start(ctx.clone()).await?);
        let schema = root::build();
        let heavy = Heavy::start()
            .map(Arc::new)
            .map_err(|error| StartError::Io("threads cannot be started".to_owned(), error))?;
        let gate = gate(settings)?;
        let background = Background::start(&ctx, settings).await?;
        let stop = CancellationToken::new();
        tokio::spawn(upkeep(house.figures.clone(), stop.clone()));
        let db = ctx.db.clone();
        let ready: ReadyCheck = Arc::new(move || {
            let db = db.clone();
            Box::pin(async move { db.ping().await.map_err(|error| format!("{error:?}")) })
        });
        let parts = HttpParts {
            gate,
            backend: Api {
                audit: AuditLog::start(ctx.db.clone()),
                heavy: heavy.clone(),
                authenticator: authenticator.clone(),
                schema,
                live_schema: root::build_live(),
                hub: background.hub(),
                introspection: settings.limits.introspection,
                event_time: settings.server.operation_timeout,
                ctx,
            },
            settings: http_settings(settings, house.mode),
            ready,
            metrics: Some(house.figures.clone()),
            request_ids: Uuid::now_v7,
        };
        let server = serve(listener, parts)
            .map_err(|error| StartError::Io("the server cannot start".to_owned(), error))?;
        Ok(Running {
            server,
            authenticator,
            background,
            house,
            _heavy: heavy,
            _stop: stop.drop_guard(),
        })
    }
}

/// A server at work.
#[derive(Debug)]
pub struct Running {
    server: RunningServer,
    authenticator: Arc<Authenticator>,
    background: Background,
    house: House,
    // Ended after the database is closed: connections may have been opened there.
    _heavy: Arc<Heavy>,
    _stop: DropGuard,
}

impl Running {
    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The program's own context, for what runs beside the server in one process.
    pub fn house(&self) -> &House {
        &self.house
    }

    /// Waits until the endpoint ends by itself, which it does only when it fails.
    pub async fn failed(&mut self) -> StartError {
        let error = match self.server.ended().await {
            Ok(()) => std::io::Error::other("it ended by itself"),
            Err(error) => error,
        };
        StartError::Io("the server".to_owned(), error)
    }

    /// Stops in order: requests in flight get their answers, the work in the background ends, the database is
    /// closed.
    ///
    /// # Errors
    /// Those of the parts; what can be stopped is stopped all the same.
    pub async fn stop(self) -> Result<(), StartError> {
        tracing::info!("stopping");
        let served = self.server.stop().await;
        self.background.stop().await;
        // The endpoint held the other handle; it is gone with its last request.
        if let Some(authenticator) = Arc::into_inner(self.authenticator) {
            authenticator.stop().await;
        }
        let closed = self.house.close().await;
        served.map_err(|error| StartError::Io("the server".to_owned(), error))?;
        closed?;
        tracing::info!("stopped");
        Ok(())
    }
}

async fn refuse_demo_accounts(house: &House) -> Result<(), StartError> {
    if staff::demo_can_sign_in(&house.ctx).await? {
        return Err(StartError::Refused(
            "accounts of the demonstration can sign in with a password that everybody knows: disable them with \
             `regulars staff disable`, or start with another data directory"
                .to_owned(),
        ));
    }
    Ok(())
}

async fn upkeep(figures: metrics_exporter_prometheus::PrometheusHandle, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => figures.run_upkeep(),
        }
    }
}

/// The gate as the server has it: also for commands that check documents before anybody sends them.
///
/// # Errors
/// A schema that is not valid, which only a defect makes.
pub fn gate(settings: &Settings) -> Result<Gate, StartError> {
    let (sdl, sizes) = (root::sdl(), root::usual_sizes());
    Gate::with_rules(&sdl, limits(settings), &sizes, scalars::rules())
        .map_err(|error| StartError::Refused(error.to_string()))
}

fn limits(settings: &Settings) -> Limits {
    Limits {
        cost: settings.limits.cost,
        depth: settings.limits.depth,
        introspection: settings.limits.introspection != Introspection::Off,
        ..Limits::default()
    }
}

fn http_settings(settings: &Settings, mode: Mode) -> HttpSettings {
    let server = &settings.server;
    let default = HttpSettings::default();
    HttpSettings {
        workers: if server.workers == 0 {
            default.workers
        } else {
            server.workers
        },
        max_connections: server.connections,
        connections_per_address: server.connections_per_address,
        body_bytes: server.body_bytes,
        operation_timeout: server.operation_timeout,
        live_connections: settings.limits.live_connections,
        websocket_operations: settings.limits.websocket_operations,
        upload_time: settings.transfers.upload_timeout,
        drain: server.drain_timeout,
        trusted_proxies: server.trusted_proxies.clone(),
        forwarded_header: match server.forwarded_header {
            ForwardedHeader::XForwardedFor => http::ForwardedHeader::XForwardedFor,
            ForwardedHeader::Forwarded => http::ForwardedHeader::Forwarded,
        },
        cors_origins: server.cors_origins.clone(),
        metrics_token: server.metrics_token.clone(),
        compress: server.compress,
        explorer: match server.explorer {
            ExplorerPage::On => http::ExplorerPage::On,
            ExplorerPage::Plain => http::ExplorerPage::Plain,
            ExplorerPage::Off => http::ExplorerPage::Off,
        },
        documents: match server.documents {
            Documents::Any => http::DocumentsMode::Any,
            Documents::Registered => http::DocumentsMode::Registered,
        },
        demo: mode == Mode::Demo,
        ..default
    }
}

//! One websocket from its first message to its close.

use std::time::Duration;

use actix_web::web;
use actix_ws::{
    AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, ProtocolError, Session,
};
use futures_util::StreamExt;
use secrecy::SecretString;
use serde_json::{Map, Value};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::http::{
    answer::{self, RATE_LIMITED},
    backend::{AuthRefusal, Backend, RequestOrigin},
    bearer,
    graphql::Endpoint,
    live::{self, Seat},
    metrics,
};

use super::{
    message::{self, Incoming},
    operations::{Asker, Operations, origin_of},
    outgoing::{Gone, Outgoing},
};

/// Silence after which the client is asked whether it is there, and after twice of which it is given up.
const QUIET: Duration = Duration::from_secs(30);

/// Close codes of graphql-transport-ws.
mod code {
    pub const BAD_REQUEST: u16 = 4400;
    pub const UNAUTHORIZED: u16 = 4401;
    pub const FORBIDDEN: u16 = 4403;
    pub const INIT_TIMEOUT: u16 = 4408;
    pub const SUBSCRIBER_EXISTS: u16 = 4409;
    pub const TOO_MANY_INITS: u16 = 4429;
}

/// How a connection ends.
enum Ending {
    /// With a close frame.
    Close(CloseCode, String),
    /// By itself.
    Gone,
}

impl Ending {
    fn protocol(code: u16, reason: impl Into<String>) -> Self {
        Self::Close(CloseCode::Other(code), reason.into())
    }

    /// For the metrics.
    fn code(&self) -> u16 {
        match self {
            Self::Close(code, _) => u16::from(*code),
            Self::Gone => 1006,
        }
    }
}

impl From<Gone> for Ending {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// A websocket after its handshake.
pub struct Connection<B: Backend> {
    shared: web::Data<Endpoint<B>>,
    outgoing: Outgoing,
    origin: RequestOrigin,
    /// That of the handshake, until the first message brings another one.
    token: Option<SecretString>,
    acknowledged: bool,
    operations: Operations,
    seat: Seat,
    heard: Instant,
    asked: Instant,
}

impl<B: Backend> Connection<B> {
    /// A connection that waits for its first message.
    pub fn new(
        shared: web::Data<Endpoint<B>>,
        session: Session,
        origin: RequestOrigin,
        token: Option<SecretString>,
        seat: Seat,
    ) -> Self {
        let outgoing = Outgoing::new(session, shared.settings.write_timeout);
        Self {
            shared,
            outgoing,
            origin,
            token,
            acknowledged: false,
            operations: Operations::default(),
            seat,
            heard: Instant::now(),
            asked: Instant::now(),
        }
    }

    /// Serves it until it ends.
    pub async fn serve(mut self, mut messages: AggregatedMessageStream) {
        let ending = self.follow(&mut messages).await;
        self.operations.end_all();
        metrics::websocket_closed(ending.code());
        if let Ending::Close(code, reason) = ending {
            self.outgoing.close(code, &reason).await;
        }
        tracing::debug!("websocket ended");
    }

    async fn follow(&mut self, messages: &mut AggregatedMessageStream) -> Ending {
        let closing = self.shared.seats.closing.clone();
        let broken = self.outgoing.broken.clone();
        let begin_by = Instant::now() + self.shared.settings.websocket_init_timeout;
        let mut looks = interval(live::LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let step = tokio::select! {
                biased;
                () = closing.cancelled() => {
                    return Ending::Close(CloseCode::Away, "the server is going away".to_owned());
                }
                () = broken.cancelled() => return Ending::Gone,
                () = sleep_until(begin_by), if !self.acknowledged => {
                    return Ending::protocol(code::INIT_TIMEOUT, "connection_init did not come in time");
                }
                _ = looks.tick() => self.look().await,
                message = messages.next() => match message {
                    None => return Ending::Gone,
                    Some(Ok(message)) => {
                        self.heard = Instant::now();
                        self.hear(message).await
                    }
                    Some(Err(error)) => return broken_by(&error),
                },
            };
            if let Err(ending) = step {
                return ending;
            }
        }
    }

    /// Is the client there, and may it still listen?
    async fn look(&mut self) -> Result<(), Ending> {
        if self.heard.elapsed() > 2 * QUIET {
            return Err(Ending::Gone);
        }
        if self.heard.elapsed() > QUIET && self.asked.elapsed() > QUIET {
            self.asked = Instant::now();
            self.outgoing.ping().await?;
        }
        if self.acknowledged {
            let now = live::authenticate(&self.shared, self.token.as_ref(), &self.origin).await;
            if matches!(now, Err(AuthRefusal::InvalidToken)) {
                // Not 4401, after which clients do not come again: with a fresh token this one may.
                return Err(Ending::protocol(
                    code::FORBIDDEN,
                    "the access token has ended",
                ));
            }
        }
        Ok(())
    }

    async fn hear(&mut self, message: AggregatedMessage) -> Result<(), Ending> {
        match message {
            AggregatedMessage::Text(text) => self.read(&text).await,
            AggregatedMessage::Binary(_) => Err(Ending::protocol(
                code::BAD_REQUEST,
                "a message is text, not bytes",
            )),
            AggregatedMessage::Ping(bytes) => Ok(self.outgoing.pong(&bytes).await?),
            AggregatedMessage::Pong(_) => Ok(()),
            AggregatedMessage::Close(reason) => Err(answered(reason)),
        }
    }

    async fn read(&mut self, text: &str) -> Result<(), Ending> {
        let message = message::read(text)
            .map_err(|error| Ending::protocol(code::BAD_REQUEST, error.to_string()))?;
        match message {
            Incoming::ConnectionInit(payload) => self.begin(&payload).await,
            Incoming::Ping(payload) => Ok(self
                .outgoing
                .send(message::pong(payload.as_deref()))
                .await?),
            Incoming::Pong => Ok(()),
            Incoming::Complete(id) => {
                self.operations.end(&id);
                Ok(())
            }
            Incoming::Subscribe(id, params) => {
                if !self.acknowledged {
                    return Err(Ending::protocol(code::UNAUTHORIZED, "Unauthorized"));
                }
                if self.operations.has(&id) {
                    return Err(Ending::protocol(
                        code::SUBSCRIBER_EXISTS,
                        format!("Subscriber for {id} already exists"),
                    ));
                }
                if self.operations.count() >= self.shared.settings.websocket_operations {
                    let errors = answer::error_text(
                        RATE_LIMITED,
                        "too many operations run on this connection: complete some first",
                    );
                    let error = message::about("error", &id, &errors);
                    return Ok(self.outgoing.send(error).await?);
                }
                let asker = Asker {
                    shared: web::Data::clone(&self.shared),
                    token: self.token.clone(),
                    origin: origin_of(&self.origin, (self.shared.request_ids)()),
                };
                self.operations
                    .begin(id, params, asker, self.outgoing.clone());
                Ok(())
            }
        }
    }

    /// The session begins, with the one whose token the client sends; with nobody, when it sends none.
    async fn begin(&mut self, payload: &Map<String, Value>) -> Result<(), Ending> {
        if self.acknowledged {
            return Err(Ending::protocol(
                code::TOO_MANY_INITS,
                "Too many initialisation requests",
            ));
        }
        let forbidden = |reason: &str| Ending::protocol(code::FORBIDDEN, reason);
        if let Some(token) = token(payload).map_err(forbidden)? {
            self.token = Some(token.to_owned().into());
        }
        let viewer = live::authenticate(&self.shared, self.token.as_ref(), &self.origin)
            .await
            .map_err(|refusal| match refusal {
                AuthRefusal::InvalidToken => forbidden("the access token is not valid"),
                refusal => Ending::Close(CloseCode::Again, refusal.to_string()),
            })?;
        let holder = live::holder(&self.shared, &viewer, &self.origin);
        // Whoever is not known has their address' seat already.
        if holder != live::at_address(&self.origin) {
            self.seat = self.shared.seats.take(holder, "websocket").ok_or_else(|| {
                Ending::Close(CloseCode::Again, "too many connections are open".to_owned())
            })?;
        }
        self.acknowledged = true;
        Ok(self.outgoing.send(message::ACK.to_owned()).await?)
    }
}

/// The token in `connection_init`: `authorization` as in the header of that name.
fn token(payload: &Map<String, Value>) -> Result<Option<&str>, &'static str> {
    let given = payload
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    match given {
        None | Some((_, Value::Null)) => Ok(None),
        Some((_, Value::String(text))) => bearer::token(text)
            .map(Some)
            .map_err(|_| "authorization must be `Bearer` and one token"),
        Some(_) => Err("authorization must be a string"),
    }
}

/// A close frame is answered with the same code.
fn answered(reason: Option<CloseReason>) -> Ending {
    let code = reason.map_or(CloseCode::Normal, |reason| reason.code);
    Ending::Close(code, String::new())
}

fn broken_by(error: &ProtocolError) -> Ending {
    match error {
        ProtocolError::Overflow => Ending::Close(
            CloseCode::Size,
            "the message is larger than what is read here".to_owned(),
        ),
        ProtocolError::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            Ending::Close(CloseCode::Invalid, "text is UTF-8".to_owned())
        }
        ProtocolError::Io(_) => Ending::Gone,
        _ => Ending::Close(CloseCode::Protocol, "no frame of a websocket".to_owned()),
    }
}

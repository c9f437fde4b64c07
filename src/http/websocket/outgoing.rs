//! What goes out over a websocket.
//!
//! Nothing is buffered but a few messages on their way: whoever sends waits until there is room. A client that takes
//! nothing for too long is given up.

use std::time::Duration;

use actix_ws::{CloseCode, CloseReason, Session};
use tokio_util::sync::CancellationToken;

/// The way to the client. Cheap to clone.
#[derive(Clone)]
pub struct Outgoing {
    session: Session,
    time: Duration,
    /// Told when the client takes nothing any more.
    pub broken: CancellationToken,
}

/// The client is gone, or given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

impl Outgoing {
    /// To this client, which must take a message within this time.
    pub fn new(session: Session, time: Duration) -> Self {
        Self {
            session,
            time,
            broken: CancellationToken::new(),
        }
    }

    /// Sends a message.
    pub async fn send(&self, text: String) -> Result<(), Gone> {
        let mut session = self.session.clone();
        self.within(async move { session.text(text).await }).await
    }

    /// Asks whether the client is there.
    pub async fn ping(&self) -> Result<(), Gone> {
        let mut session = self.session.clone();
        self.within(async move { session.ping(b"").await }).await
    }

    /// Answers such a question.
    pub async fn pong(&self, bytes: &[u8]) -> Result<(), Gone> {
        let mut session = self.session.clone();
        self.within(async move { session.pong(bytes).await }).await
    }

    /// Says farewell. The reason is cut to what fits into the frame.
    pub async fn close(&self, code: CloseCode, reason: &str) {
        let session = self.session.clone();
        let reason = CloseReason {
            code,
            description: (!reason.is_empty()).then(|| reason.to_owned()),
        };
        // Whoever does not take it is gone anyway.
        let _ = self.within(session.close(Some(reason))).await;
    }

    async fn within(
        &self,
        sending: impl Future<Output = Result<(), actix_ws::Closed>>,
    ) -> Result<(), Gone> {
        match tokio::time::timeout(self.time, sending).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Gone),
            Err(_) => {
                self.broken.cancel();
                Err(Gone)
            }
        }
    }
}

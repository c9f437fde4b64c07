//! What connections that stay open have in common: how many somebody may hold, and when they have to end.
//!
//! Called by `websocket/` and `event_stream.rs`. A connection holds a [`Seat`] as long as it lives. Seats are counted in
//! this process only: they bound what one caller can hold of its memory.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_web::{
    HttpResponse,
    http::{StatusCode, header::RETRY_AFTER},
};
use secrecy::{ExposeSecret, SecretString};
use tokio_util::sync::CancellationToken;

use crate::access::network;

use super::{
    answer::{self, RATE_LIMITED},
    backend::{AuthRefusal, Backend, RequestOrigin},
    graphql::Endpoint,
    metrics,
    negotiate::MediaType,
};

/// How often it is looked whether the one who listens still may.
pub const LOOK: Duration = Duration::from_secs(1);

/// Seats by who holds them.
#[derive(Debug, Clone)]
pub struct Seats {
    held: Arc<Mutex<HashMap<String, usize>>>,
    most: usize,
    /// Told when the server stops: every connection ends then.
    pub closing: CancellationToken,
}

impl Seats {
    /// So many seats for each.
    pub fn new(most: usize) -> Self {
        Self {
            held: Arc::default(),
            most,
            closing: CancellationToken::new(),
        }
    }

    /// Takes a seat; none when all that somebody may have are taken.
    pub fn take(&self, who: String, transport: &'static str) -> Option<Seat> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(who.clone()).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        metrics::live(transport, 1.0);
        Some(Seat {
            seats: Arc::clone(&self.held),
            who,
            transport,
        })
    }
}

/// A seat, given back when it is dropped.
#[derive(Debug)]
pub struct Seat {
    seats: Arc<Mutex<HashMap<String, usize>>>,
    who: String,
    transport: &'static str,
}

impl Drop for Seat {
    fn drop(&mut self) {
        metrics::live(self.transport, -1.0);
        let mut held = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = held.entry(std::mem::take(&mut self.who)) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

/// Who holds a seat: the viewer, or the address of somebody who is not signed in.
pub fn holder<B: Backend>(
    shared: &Endpoint<B>,
    viewer: &B::Viewer,
    origin: &RequestOrigin,
) -> String {
    shared
        .backend
        .name(viewer)
        .unwrap_or_else(|| at_address(origin))
}

/// Who holds a seat as long as it is not known who they are.
pub fn at_address(origin: &RequestOrigin) -> String {
    format!("network:{:?}", network(origin.address))
}

/// The answer to somebody who holds as many seats as they may.
pub fn too_many(media: MediaType) -> HttpResponse {
    answer::request_error_with(
        StatusCode::TOO_MANY_REQUESTS,
        media,
        RATE_LIMITED,
        "too many connections are open: end some first",
        |builder| {
            builder.insert_header((RETRY_AFTER, "10"));
        },
    )
}

/// Who it is, as they stand now.
pub async fn authenticate<B: Backend>(
    shared: &Endpoint<B>,
    token: Option<&SecretString>,
    origin: &RequestOrigin,
) -> Result<B::Viewer, AuthRefusal> {
    let token = token.map(ExposeSecret::expose_secret);
    let asked = shared.backend.authenticate(token, origin);
    tokio::time::timeout(shared.settings.operation_timeout, asked)
        .await
        .unwrap_or(Err(AuthRefusal::Unavailable))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_their_own_seats_and_gives_them_back() {
        let seats = Seats::new(2);
        let take = |who: &str| seats.take(who.to_owned(), "test");
        let (first, second) = (take("a").unwrap(), take("a").unwrap());
        assert!(take("a").is_none());
        let other = take("b");
        assert!(other.is_some());
        drop(first);
        let third = take("a");
        assert!(third.is_some() && take("a").is_none());
        drop((second, third, other));
        assert!(seats.held.lock().unwrap().is_empty());
    }
}

//! A server in the test's own process, with a clock that the test moves.

use super::engine::Place;
use super::{Client, SECRET_KEY};
use chrono::{DateTime, Utc};
use entity::values::ManualClock;
use regulars::app::{App, House, Running};
use regulars::config::{Configuration, Mode};
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;

/// A server of one test.
#[derive(Debug)]
pub struct TestServer {
    running: Running,
    /// Its clock: stands still until it is moved.
    pub clock: ManualClock,
    /// A client of it.
    pub client: Client,
    /// Where its data are.
    pub place: Place,
}

async fn start(
    place: &Place,
    clock: &ManualClock,
    change: impl FnOnce(&mut Configuration),
) -> Running {
    let mut configuration = Configuration::default();
    let settings = &mut configuration.settings;
    settings.database = place.settings();
    settings.server.listen = "127.0.0.1:0".parse().unwrap();
    settings.server.workers = 1;
    settings.server.drain_timeout = Duration::from_secs(2);
    // The clock stands still: what is spent would never be restored.
    settings.limits.budget = 0;
    settings.security.secret_key = Some(SecretString::from(SECRET_KEY));
    settings.company.time_zone = "Asia/Shanghai".to_owned();
    change(&mut configuration);
    let house = House::open(configuration, Mode::Serve, Arc::new(clock.clone()))
        .await
        .unwrap();
    App::build(house).await.unwrap().start().await.unwrap()
}

/// A moment that tests begin at: a Monday, nine in the morning in Shanghai.
pub fn beginning() -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_413_200, 0).unwrap()
}

impl TestServer {
    /// Starts a server on an empty database.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// As [`TestServer::start`], with changes to the configuration.
    pub async fn start_with(change: impl FnOnce(&mut Configuration)) -> Self {
        Self::start_in(Place::new().await, change).await
    }

    /// As [`TestServer::start_with`], in a place that may have data already.
    pub async fn start_in(place: Place, change: impl FnOnce(&mut Configuration)) -> Self {
        let clock = ManualClock::new(beginning());
        let running = start(&place, &clock, change).await;
        Self {
            client: Client::new(running.address()),
            clock,
            running,
            place,
        }
    }

    /// Starts another node on the same database, by the same clock.
    pub async fn beside(&self, change: impl FnOnce(&mut Configuration)) -> (Running, Client) {
        let running = start(&self.place, &self.clock, change).await;
        let client = Client::new(running.address());
        (running, client)
    }

    /// Stops it in order and gives its place, for another start.
    pub async fn stop(self) -> Place {
        self.running.stop().await.unwrap();
        self.place
    }
}

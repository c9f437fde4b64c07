//! Puts the parts together: the one place that knows all of them.
//!
//! Called by `cli` and by the tests. [`House`] is what every command stands in: configuration, database,
//! secrets.

mod backend;
mod background;
pub mod backup;
mod company_sign_in;
pub mod consistency;
mod figures;
mod files;
mod heavy;
pub mod house;
pub mod logging;
pub mod machine;
mod oauth;
pub mod schema;
mod server;
pub mod traces;

pub use house::House;
pub use server::{App, Running, gate};

use crate::config::{ConfigError, Database};
use crate::db::DbSettings;
use crate::error::Error;
use secrecy::ExposeSecret;

/// Why the program or a command cannot go on; said to the operator, with the cause.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Something is not as it must be; the text says what to do.
    #[error("{0}")]
    Refused(String),
    /// A file or a socket.
    #[error("{0}: {1}")]
    Io(String, #[source] std::io::Error),
    /// The database cannot be reached or asked.
    #[error("the database: {0}")]
    Database(#[from] sea_orm::DbErr),
    /// A service refused.
    #[error("{}", told(.0))]
    Service(#[from] Error),
}

/// What an operator is told of a service's error: more than a caller of the API.
fn told(error: &Error) -> String {
    match error {
        Error::User(errors) => errors
            .iter()
            .map(|error| error.message.as_str())
            .collect::<Vec<_>>()
            .join("; "),
        Error::Unavailable(cause) | Error::Database(cause) => format!("the database: {cause}"),
        Error::Internal(cause) => cause.clone().into_owned(),
        other => other.to_string(),
    }
}

/// The database's settings as `db` wants them.
pub fn db_settings(settings: &Database) -> DbSettings {
    DbSettings {
        url: settings
            .url
            .as_ref()
            .map(|url| url.expose_secret().to_owned()),
        data: settings.data.clone(),
        connections: settings.connections,
        statement_timeout: settings.statement_timeout,
        lock_timeout: settings.lock_timeout,
    }
}

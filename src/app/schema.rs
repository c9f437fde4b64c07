//! The state of the database's schema: which changes are made, whether this program may run on it, making and
//! undoing changes.
//!
//! Called by `app` at the start and by the commands `migrate` and `doctor`. Never drops anything that a change's own
//! way back does not name.

use super::StartError;
use crate::config::Database;
use crate::db::{Db, DbSettings, Engine};
use migration::sea_orm::{
    ConnectOptions, ConnectionTrait, Database as Connector, DatabaseConnection, DbBackend, DbErr,
    Statement, sqlx::postgres::PgConnectOptions,
};
use migration::{CHANGES, Migrator, MigratorTrait, PROGRAM_LEVEL};
use secrecy::ExposeSecret;
use std::time::Duration;

/// The key of the advisory lock under which PostgreSQL's schema is changed: the bytes of `regulars`.
const LOCK: i64 = i64::from_be_bytes(*b"regulars");

/// What is made and what is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaState {
    /// Changes that are made, in their order.
    pub applied: Vec<String>,
    /// Changes that this program knows and that are not made.
    pub pending: Vec<&'static str>,
    /// Changes that are made and that this program does not know: a newer one has made them.
    pub newer: Vec<String>,
    /// The lowest level of a program that still runs on the schema as it is.
    pub oldest_program: i32,
}

impl SchemaState {
    /// Reads the state; an empty database has all changes pending.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn read(connection: &impl ConnectionTrait) -> Result<Self, DbErr> {
        let backend = connection.get_database_backend();
        let is_there = match backend {
            DbBackend::Sqlite => {
                "select 1 as one from sqlite_master where type = 'table' and name = 'schema_change'"
            }
            _ => "select 1 as one where to_regclass('schema_change') is not null",
        };
        let is_there = connection
            .query_one_raw(Statement::from_string(backend, is_there))
            .await?
            .is_some();
        let mut made: Vec<(String, i32)> = Vec::new();
        if is_there {
            let all = "select name, oldest_program from schema_change order by name";
            for row in connection
                .query_all_raw(Statement::from_string(backend, all))
                .await?
            {
                made.push((row.try_get("", "name")?, row.try_get("", "oldest_program")?));
            }
        }
        Ok(Self::compare(made))
    }

    /// Does this program know a change of that name?
    pub fn knows(name: &str) -> bool {
        CHANGES.iter().any(|change| change.name == name)
    }

    fn compare(made: Vec<(String, i32)>) -> Self {
        let is_made = |name: &str| made.iter().any(|(made, _)| made == name);
        Self {
            pending: CHANGES
                .iter()
                .map(|change| change.name)
                .filter(|name| !is_made(name))
                .collect(),
            newer: made
                .iter()
                .map(|(name, _)| name.clone())
                .filter(|name| !Self::knows(name))
                .collect(),
            oldest_program: made.iter().map(|(_, oldest)| *oldest).max().unwrap_or(0),
            applied: made.into_iter().map(|(name, _)| name).collect(),
        }
    }

    /// May this program serve on the schema? An older program may on a newer schema that says so.
    ///
    /// # Errors
    /// Why not, and what to do.
    pub fn fit(&self) -> Result<(), StartError> {
        if self.oldest_program > PROGRAM_LEVEL {
            return Err(StartError::Refused(format!(
                "the database was changed by a newer program ({}) and this one is too old for it (level \
                 {PROGRAM_LEVEL}, needed is {}): start the newer program",
                self.newer.join(", "),
                self.oldest_program,
            )));
        }
        if !self.pending.is_empty() {
            return Err(StartError::Refused(format!(
                "the database lacks {} change(s): {}; run `regulars migrate up`",
                self.pending.len(),
                self.pending.join(", "),
            )));
        }
        Ok(())
    }

    /// May this program change the schema?
    fn fit_to_change(&self) -> Result<(), StartError> {
        if self.newer.is_empty() {
            Ok(())
        } else {
            Err(StartError::Refused(format!(
                "a newer program has changed the database ({}): only it can change it further",
                self.newer.join(", "),
            )))
        }
    }
}

/// Makes all pending changes, and says which. Two at once: the second waits, and finds nothing to do.
///
/// # Errors
/// A schema that a newer program has changed; those of the database.
pub async fn up(settings: &Database) -> Result<Vec<&'static str>, StartError> {
    let changer = Changer::open(settings).await?;
    let outcome = async {
        let state = SchemaState::read(&changer.connection).await?;
        // Nothing to do is no harm, whoever has changed it.
        if !state.pending.is_empty() {
            state.fit_to_change()?;
            Migrator::up(&changer.connection, None).await?;
        }
        Ok(state.pending)
    }
    .await;
    changer.close().await;
    outcome
}

/// Undoes the last `steps` changes, and says which.
///
/// # Errors
/// A schema that a newer program has changed; those of the database.
pub async fn down(settings: &Database, steps: u32) -> Result<Vec<String>, StartError> {
    let changer = Changer::open(settings).await?;
    let outcome = async {
        let before = SchemaState::read(&changer.connection).await?;
        before.fit_to_change()?;
        Migrator::down(&changer.connection, Some(steps)).await?;
        let after = SchemaState::read(&changer.connection).await?;
        Ok(before
            .applied
            .into_iter()
            .rev()
            .filter(|name| !after.applied.contains(name))
            .collect())
    }
    .await;
    changer.close().await;
    outcome
}

/// Makes pending changes at the start where that needs nobody's leave: on the embedded engine.
///
/// # Errors
/// As [`up`] and [`SchemaState::fit`].
pub(super) async fn prepare(settings: &Database, db: &Db) -> Result<(), StartError> {
    let mut state = SchemaState::read(db.read()).await?;
    if db.engine() == Engine::Sqlite && !state.pending.is_empty() {
        for name in up(settings).await? {
            tracing::info!(name, "schema change made");
        }
        state = SchemaState::read(db.read()).await?;
    }
    state.fit()
}

/// The one connection on which the schema is changed, with nobody beside it.
struct Changer {
    connection: DatabaseConnection,
    /// The whole database that the connection belongs to, on the embedded engine.
    db: Option<Db>,
    // Held until the changes are made: the embedded engine has no lock that outlives a transaction.
    _file: Option<std::fs::File>,
}

impl Changer {
    async fn open(settings: &Database) -> Result<Self, StartError> {
        match &settings.url {
            Some(url) => Self::postgres(url.expose_secret()).await,
            None => Self::sqlite(settings).await,
        }
    }

    async fn postgres(url: &str) -> Result<Self, StartError> {
        let mut options = ConnectOptions::new(url);
        options
            // One connection, never exchanged: the lock belongs to it.
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None::<Duration>)
            .max_lifetime(None::<Duration>)
            .acquire_timeout(Duration::from_secs(10))
            .sqlx_logging(false)
            .map_sqlx_postgres_opts(|options: PgConnectOptions| {
                options
                    .application_name("regulars migrate")
                    .options([("statement_timeout", "0"), ("timezone", "UTC")])
            });
        let connection = Connector::connect(options).await?;
        connection
            .execute_unprepared(&format!("select pg_advisory_lock({LOCK})"))
            .await?;
        // A change that waits for a table makes everybody behind it wait: better that it fails and is run again.
        connection
            .execute_unprepared("set lock_timeout = '30s'")
            .await?;
        Ok(Self {
            connection,
            db: None,
            _file: None,
        })
    }

    async fn sqlite(settings: &Database) -> Result<Self, StartError> {
        let data = settings.data.clone();
        let failed = |error: std::io::Error| {
            StartError::Io(format!("cannot lock {}", settings.data.display()), error)
        };
        let file = tokio::task::spawn_blocking(move || {
            std::fs::create_dir_all(&data)?;
            let file = std::fs::File::create(data.join("migrate.lock"))?;
            file.lock()?;
            Ok(file)
        })
        .await
        .map_err(|error| failed(std::io::Error::other(error)))?
        .map_err(failed)?;
        // A change of a large table takes as long as it takes.
        let db = Db::connect(&DbSettings {
            statement_timeout: Duration::ZERO,
            ..super::db_settings(settings)
        })
        .await?;
        Ok(Self {
            connection: db.for_migrations().clone(),
            db: Some(db),
            _file: Some(file),
        })
    }

    /// Gives the lock back with the connection.
    async fn close(self) {
        let closed = match self.db {
            Some(db) => db.close().await.map_err(StartError::from),
            None => self.connection.close().await.map_err(StartError::from),
        };
        if let Err(error) = closed {
            tracing::debug!(%error, "the connection of the schema's changes did not close well");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(names: &[&str], oldest: i32) -> Vec<(String, i32)> {
        names
            .iter()
            .map(|name| ((*name).to_owned(), oldest))
            .collect()
    }

    fn all() -> Vec<&'static str> {
        CHANGES.iter().map(|change| change.name).collect()
    }

    #[test]
    fn an_older_program_starts_on_a_newer_schema_that_bears_it() {
        let mut names = all();
        names.push("m9999_newer");
        let state = SchemaState::compare(made(&names, PROGRAM_LEVEL));
        assert_eq!(state.newer, ["m9999_newer"]);
        state.fit().unwrap();
        assert!(state.fit_to_change().is_err());
    }

    #[test]
    fn an_older_program_does_not_start_on_a_schema_that_needs_a_newer_one() {
        let mut names = all();
        names.push("m9999_newer");
        let state = SchemaState::compare(made(&names, PROGRAM_LEVEL + 1));
        let error = state.fit().unwrap_err().to_string();
        assert!(
            error.contains("m9999_newer") && error.contains("newer program"),
            "{error}"
        );
    }

    #[test]
    fn pending_changes_are_named_with_the_command() {
        let names = all();
        let (last, before) = names.split_last().unwrap();
        let state = SchemaState::compare(made(before, 1));
        let error = state.fit().unwrap_err().to_string();
        assert!(
            error.contains(last) && error.contains("regulars migrate up"),
            "{error}"
        );
    }
}

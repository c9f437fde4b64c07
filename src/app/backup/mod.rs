//! Backups of the embedded engine's database, and bringing them back. PostgreSQL has tools of its own.
//!
//! Called by the commands `backup` and `restore`. A backup is a directory with the database's file and a manifest. It
//! gets its name only once it is whole, checked and on the disk: a full disk, a kill or a power cut leave what was there
//! before, and nothing that looks like a backup and is none. Never changes the database that it copies.

mod files;
mod manifest;
mod restore;

pub use manifest::Manifest;
pub use restore::restore;

use super::StartError;
use super::machine::free_space;
use super::schema::SchemaState;
use crate::config::{Configuration, write_secret_key};
use crate::db::{Db, DbSettings, Look, copy};
use crate::error::Error;
use chrono::{DateTime, Utc};
use files::failed;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The database's file in a backup and in a data directory.
const DATABASE: &str = "regulars.db";
/// The secret key's file in a backup and in a data directory.
const SECRET_KEY: &str = "secret.key";
/// How names of backups begin; the rest is the time in UTC, so that they sort by it.
const PREFIX: &str = "regulars-";
/// How names of what is not whole yet, or not any more, begin: whatever is called so is of no use.
const DRAFT: &str = ".draft-";

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The directory that holds the backups.
    pub to: PathBuf,
    /// How many to keep, this one included; all when not given.
    pub keep: Option<usize>,
    /// Put the secret key beside the data.
    pub with_secret_key: bool,
}

/// What was done.
#[derive(Clone, Debug)]
pub struct Made {
    /// Where the backup is.
    pub path: PathBuf,
    /// What it says about itself.
    pub manifest: Manifest,
    /// Backups that were removed, since newer ones are enough.
    pub removed: Vec<PathBuf>,
}

/// Makes a backup of the embedded engine's database beside whoever uses it.
///
/// # Errors
/// PostgreSQL; no database; no room; another backup at work in the directory; a copy that is not whole.
pub async fn make(
    configuration: &Configuration,
    plan: &Plan,
    now: DateTime<Utc>,
) -> Result<Made, StartError> {
    let database = &configuration.settings.database;
    if database.url.is_some() {
        return Err(StartError::Refused(
            "PostgreSQL is backed up by its own tools, which do it beside running nodes: \
             pg_dump --format=custom --file=regulars.dump \"$DATABASE_URL\"; the rest is in docs/operations.md"
                .to_owned(),
        ));
    }
    let file = database.data.join(DATABASE);
    if !file.exists() {
        return Err(StartError::Refused(format!(
            "there is no database in {}: name the directory with --data",
            database.data.display()
        )));
    }
    let to = plan.to.as_path();
    files::create_directory(to).map_err(failed("make", to))?;
    let Some(_held) = files::hold(to).map_err(failed("lock", to))? else {
        return Err(StartError::Refused(format!(
            "another backup is being made in {}: wait for it",
            to.display()
        )));
    };
    sweep(to)?;
    let db = Db::connect(&DbSettings {
        // A large database takes as long as it takes.
        statement_timeout: Duration::ZERO,
        connections: 1,
        ..super::db_settings(database)
    })
    .await?;
    let name = format!("{PREFIX}{}", now.format("%Y%m%dT%H%M%S%.3fZ"));
    let outcome = make_from(&db, configuration, plan, now, &name).await;
    // Only read from: a connection that closes badly does no harm.
    let _ = db.close().await;
    if outcome.is_err() {
        // It may be what filled the disk. What cannot be removed now is by the next run.
        let _ = std::fs::remove_dir_all(to.join(format!("{DRAFT}{name}")));
    }
    let manifest = outcome?;
    Ok(Made {
        path: to.join(&name),
        manifest,
        removed: rotate(to, plan.keep)?,
    })
}

async fn make_from(
    db: &Db,
    configuration: &Configuration,
    plan: &Plan,
    now: DateTime<Utc>,
    name: &str,
) -> Result<Manifest, StartError> {
    let to = plan.to.as_path();
    enough_room(to, db.size().await?)?;
    let draft = to.join(format!("{DRAFT}{name}"));
    files::create_directory(&draft).map_err(failed("make", &draft))?;
    let file = draft.join(DATABASE);
    // The engine takes an empty file for a new one: so it is its owner's from the beginning.
    files::create(&file).map_err(failed("make", &file))?;
    db.copy_into(&file)
        .await
        .map_err(|error| not_copied(error, to))?;
    std::fs::File::open(&file)
        .and_then(|file| file.sync_all())
        .map_err(failed("write", &file))?;
    let (schema, counts) = examine(&file, "the copy").await?;
    let hashed = file.clone();
    let (sha256, bytes) = blocking(move || files::digest(&hashed))
        .await?
        .map_err(failed("read", &file))?;
    if plan.with_secret_key {
        write_secret_key(configuration, &draft.join(SECRET_KEY))?;
    }
    let manifest = Manifest {
        format: manifest::FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: now,
        schema: schema.into(),
        database: manifest::Database {
            file: DATABASE.to_owned(),
            bytes,
            sha256,
        },
        counts,
        secret_key: plan.with_secret_key,
    };
    let text = serde_json::to_string_pretty(&manifest)
        .map_err(|error| StartError::Refused(format!("the manifest cannot be written: {error}")))?;
    let path = draft.join(manifest::FILE);
    files::write(&path, format!("{text}\n").as_bytes()).map_err(failed("write", &path))?;
    files::sync_directory(&draft).map_err(failed("write", &draft))?;
    let whole = to.join(name);
    std::fs::rename(&draft, &whole).map_err(failed("name", &whole))?;
    files::sync_directory(to).map_err(failed("write", to))?;
    Ok(manifest)
}

/// Runs what waits for a disk where waiting does no harm.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StartError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| StartError::Refused(format!("the work was cut off: {error}")))
}

/// The smallest room that is left beside a backup: manifest, key, and what the file system itself needs.
const MARGIN: u64 = 1 << 20;

fn enough_room(to: &Path, needed: u64) -> Result<(), StartError> {
    let needed = needed.saturating_add(MARGIN);
    match free_space(to) {
        Some(free) if free < needed => Err(StartError::Refused(format!(
            "{} has {} MB free, and the backup takes up to {} MB: make room, or choose another disk; earlier backups \
             are left as they are",
            to.display(),
            free >> 20,
            needed >> 20
        ))),
        _ => Ok(()),
    }
}

fn not_copied(error: Error, to: &Path) -> StartError {
    let is_full = matches!(&error, Error::Unavailable(cause) if crate::db::is_disk_full(cause));
    if is_full {
        StartError::Refused(format!(
            "the disk of {} is full: make room, or choose another one; earlier backups are left as they are",
            to.display()
        ))
    } else {
        StartError::from(error)
    }
}

/// Is the file whole, and all that belongs together there? Gives the state of its schema and its rows by table.
async fn examine(
    file: &Path,
    what: &str,
) -> Result<(SchemaState, std::collections::BTreeMap<String, i64>), StartError> {
    let connection = copy::open_copy(file).await?;
    let outcome = async {
        let damage = copy::damage(&connection, Look::Quick).await;
        let orphan = match damage {
            None => copy::orphan(&connection).await,
            Some(_) => None,
        };
        match (damage, orphan) {
            (Some(damage), _) => Err(StartError::Refused(format!(
                "{what} is damaged ({damage}): `regulars doctor` tells whether the database itself is"
            ))),
            (_, Some(table)) => Err(StartError::Refused(format!(
                "rows of {table} in {what} refer to nothing: `regulars doctor` tells whether the database itself is \
                 damaged"
            ))),
            (None, None) => {
                let schema = SchemaState::read(&connection).await?;
                Ok((schema, copy::counts(&connection).await?))
            }
        }
    }
    .await;
    // Only read from.
    let _ = connection.close().await;
    outcome
}

/// Backups that are whole in a directory, the oldest first.
fn complete(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let is_named_so = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(PREFIX));
        // A directory that somebody else has made there is none of ours.
        if is_named_so && entry.path().join(manifest::FILE).is_file() {
            found.push(entry.path());
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Removes what earlier runs have left that did not come to their end. Called while the directory is held.
fn sweep(to: &Path) -> Result<(), StartError> {
    for entry in std::fs::read_dir(to).map_err(failed("read", to))? {
        let path = entry.map_err(failed("read", to))?.path();
        let is_draft = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with(DRAFT));
        if is_draft {
            std::fs::remove_dir_all(&path).map_err(failed("remove", &path))?;
        }
    }
    Ok(())
}

/// Removes the oldest backups beyond those to keep; each loses its name first, so that no half of one is left.
fn rotate(to: &Path, keep: Option<usize>) -> Result<Vec<PathBuf>, StartError> {
    let Some(keep) = keep else {
        return Ok(Vec::new());
    };
    let mut all = complete(to).map_err(failed("read", to))?;
    all.truncate(all.len().saturating_sub(keep.max(1)));
    for path in &all {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let draft = to.join(format!("{DRAFT}{name}"));
        std::fs::rename(path, &draft).map_err(failed("remove", path))?;
        std::fs::remove_dir_all(&draft).map_err(failed("remove", &draft))?;
    }
    files::sync_directory(to).map_err(failed("write", to))?;
    Ok(all)
}

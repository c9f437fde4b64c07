//! Bringing a backup back into an empty data directory.

use super::files::{self, failed};
use super::manifest::Manifest;
use super::{DATABASE, DRAFT, SECRET_KEY, blocking, enough_room, examine};
use crate::app::StartError;
use crate::app::schema::SchemaState;
use crate::config::Configuration;
use migration::PROGRAM_LEVEL;
use std::io::ErrorKind;
use std::path::Path;

/// Brings a backup into the configured data directory, which must be empty but for a secret key.
///
/// The database appears there whole and checked, or not at all.
///
/// # Errors
/// PostgreSQL; no backup; one of a newer program; one that was changed or damaged; a directory with something in it; no
/// room.
pub async fn restore(configuration: &Configuration, from: &Path) -> Result<Manifest, StartError> {
    let database = &configuration.settings.database;
    if database.url.is_some() {
        return Err(StartError::Refused(
            "PostgreSQL is restored by its own tools: pg_restore --dbname=ADDRESS regulars.dump; the rest is in \
             docs/operations.md. To restore a backup of the embedded engine, unset DATABASE_URL"
                .to_owned(),
        ));
    }
    let manifest = Manifest::read(from)?;
    fit(manifest.schema.oldest_program, &manifest.schema.changes)?;
    let data = database.data.as_path();
    files::create_directory(data).map_err(failed("make", data))?;
    let Some(_held) = files::hold(data).map_err(failed("lock", data))? else {
        return Err(StartError::Refused(format!(
            "another restore is at work in {}: wait for it",
            data.display()
        )));
    };
    require_empty(data)?;
    enough_room(data, manifest.database.bytes)?;
    let draft = data.join(format!("{DRAFT}{DATABASE}"));
    let outcome = bring(configuration, from, data, &draft, &manifest).await;
    // Either it has its name by now, or it is of no use.
    let _ = std::fs::remove_file(&draft);
    outcome?;
    files::sync_directory(data).map_err(failed("write", data))?;
    Ok(manifest)
}

async fn bring(
    configuration: &Configuration,
    from: &Path,
    data: &Path,
    draft: &Path,
    manifest: &Manifest,
) -> Result<(), StartError> {
    let source = from.join(&manifest.database.file);
    let (read, written) = (source.clone(), draft.to_owned());
    let told = blocking(move || files::copy(&read, &written))
        .await?
        .map_err(failed("copy", &source))?;
    if told != (manifest.database.sha256.clone(), manifest.database.bytes) {
        return Err(StartError::Refused(format!(
            "{} is not the file that the manifest tells of: it was changed or is damaged; take another backup",
            source.display()
        )));
    }
    let (schema, counts) = examine(draft, "the backup").await?;
    fit(schema.oldest_program, &schema.applied)?;
    if counts != manifest.counts {
        return Err(StartError::Refused(format!(
            "{} does not have the rows that the manifest tells of: take another backup",
            source.display()
        )));
    }
    if manifest.secret_key {
        bring_secret_key(configuration, from, data)?;
    }
    // A link fails when the name is taken, where a rename would replace what is there.
    let file = data.join(DATABASE);
    std::fs::hard_link(draft, &file).map_err(failed("make", &file))
}

/// The key that is configured, or lies there already, goes before the one in the backup.
fn bring_secret_key(
    configuration: &Configuration,
    from: &Path,
    data: &Path,
) -> Result<(), StartError> {
    let security = &configuration.settings.security;
    let key = data.join(SECRET_KEY);
    if security.secret_key.is_some() || security.secret_key_file.is_some() || key.exists() {
        return Ok(());
    }
    let source = from.join(SECRET_KEY);
    files::copy(&source, &key).map_err(failed("copy", &source))?;
    Ok(())
}

/// May this program run on what the backup holds? As at the start of the server; older ones are brought up there.
fn fit(oldest_program: i32, changes: &[String]) -> Result<(), StartError> {
    if oldest_program > PROGRAM_LEVEL {
        let newest = changes.last().map_or("none", String::as_str);
        return Err(StartError::Refused(format!(
            "the backup is of a newer program (its last change of the schema is {newest}, it needs level \
             {oldest_program}, and this program has {PROGRAM_LEVEL}): restore it with the newer program"
        )));
    }
    if oldest_program < 1 || !changes.iter().any(|change| SchemaState::knows(change)) {
        return Err(StartError::Refused(
            "the backup has no table of regulars: take another backup".to_owned(),
        ));
    }
    Ok(())
}

/// Whatever is in the directory may be in use, or may be what is left of a database that somebody still wants. A log of
/// another database beside the restored one would even damage it.
fn require_empty(data: &Path) -> Result<(), StartError> {
    for entry in std::fs::read_dir(data).map_err(failed("read", data))? {
        let entry = entry.map_err(failed("read", data))?;
        let name = entry.file_name();
        match name.to_str() {
            // Put there before, or made with the file system.
            Some(SECRET_KEY | "lost+found") => {}
            // Left by a restore that was cut off; nobody is at work here while the directory is held.
            Some(name) if name.starts_with(DRAFT) => match std::fs::remove_file(entry.path()) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(failed("remove", &entry.path())(error));
                }
                _ => {}
            },
            _ => {
                return Err(StartError::Refused(format!(
                    "{} is not empty: there is {} in it. Stop the server that uses it and move the directory away, or \
                     name another one with --data",
                    data.display(),
                    name.to_string_lossy()
                )));
            }
        }
    }
    Ok(())
}

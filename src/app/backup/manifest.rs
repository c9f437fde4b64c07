//! What a backup says about itself: `manifest.json` beside the file.

use crate::app::StartError;
use crate::app::schema::SchemaState;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The name of the manifest in a backup.
pub(super) const FILE: &str = "manifest.json";
/// The form of backups that this program writes, and the newest that it reads.
pub(super) const FORMAT: u32 = 1;

/// What a backup says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the backup.
    pub format: u32,
    /// The version of the program that made it.
    pub program: String,
    /// When it was begun: everything acknowledged before is in it.
    pub made_at: DateTime<Utc>,
    /// The state of the schema.
    pub schema: Schema,
    /// The database's file.
    pub database: Database,
    /// Rows by table.
    pub counts: BTreeMap<String, i64>,
    /// Is the secret key beside it?
    pub secret_key: bool,
}

/// The state of the schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// Changes that are made.
    pub changes: Vec<String>,
    /// The lowest level of a program that runs on it.
    pub oldest_program: i32,
}

/// The database's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Its name in the backup.
    pub file: String,
    /// Its length.
    pub bytes: u64,
    /// Its hash, in hexadecimal.
    pub sha256: String,
}

impl From<SchemaState> for Schema {
    fn from(state: SchemaState) -> Self {
        Self {
            changes: state.applied,
            oldest_program: state.oldest_program,
        }
    }
}

/// What can be told of the form before the rest is read, whose shape depends on it.
#[derive(Deserialize)]
struct Form {
    format: u32,
}

impl Manifest {
    /// Reads the manifest of a backup.
    ///
    /// # Errors
    /// A directory that is no backup, one of a newer form, a manifest that was changed.
    pub fn read(backup: &Path) -> Result<Self, StartError> {
        let path = backup.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            if error.kind() == std::io::ErrorKind::NotFound {
                no_backup(backup)
            } else {
                StartError::Io(format!("cannot read {}", path.display()), error)
            }
        })?;
        let wrong = |error: serde_json::Error| {
            StartError::Refused(format!(
                "{} is no manifest of a backup ({error}): take another backup",
                path.display()
            ))
        };
        let form: Form = serde_json::from_str(&text).map_err(wrong)?;
        if form.format == 0 || form.format > FORMAT {
            return Err(StartError::Refused(format!(
                "{} has the form {}, and this program reads forms up to {FORMAT}: restore it with the newer program \
                 that made it",
                backup.display(),
                form.format
            )));
        }
        let manifest: Self = serde_json::from_str(&text).map_err(wrong)?;
        // A name from a file that may come from anywhere is not followed out of the backup.
        if Path::new(&manifest.database.file).components().count() != 1
            || manifest.database.file.starts_with('.')
        {
            return Err(StartError::Refused(format!(
                "{} names a file outside of the backup: take another backup",
                path.display()
            )));
        }
        Ok(manifest)
    }
}

/// Whoever names the directory with all backups in it is told the newest.
fn no_backup(directory: &Path) -> StartError {
    let hint = super::complete(directory)
        .ok()
        .and_then(|mut all| all.pop())
        .map(|newest| format!("; did you mean {}?", newest.display()))
        .unwrap_or_default();
    StartError::Refused(format!(
        "{} is no backup: there is no {FILE} in it{hint}",
        directory.display()
    ))
}

//! The one secret: read from the configuration, or made at the first start on the embedded engine.

use super::load::{ConfigError, Configuration};
use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretBox};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The generated key's file in the data directory.
const KEY_FILE: &str = "secret.key";

/// The secret and where it came from.
#[derive(Debug)]
pub struct SecretKey {
    /// 32 random bytes.
    pub bytes: SecretBox<[u8; 32]>,
    /// Where it came from, fit to show.
    pub origin: String,
}

/// The configured secret; on the embedded engine, the one in the data directory, which is made with `random`
/// when there is none yet.
///
/// # Errors
/// No secret for PostgreSQL, a secret that is none, a file that cannot be read or written.
pub fn secret_key(
    configuration: &Configuration,
    random: impl FnOnce() -> [u8; 32],
) -> Result<SecretKey, ConfigError> {
    let security = &configuration.settings.security;
    let database = &configuration.settings.database;
    match (&security.secret_key, &security.secret_key_file) {
        (Some(_), Some(_)) => Err(ConfigError::one(
            "set either security.secret_key or security.secret_key_file, not both",
        )),
        (Some(text), None) => {
            let origin = configuration.source("security.secret_key").to_owned();
            parse(text.expose_secret(), &origin)
        }
        (None, Some(file)) => read(file),
        (None, None) if database.url.is_some() => Err(ConfigError::one(
            "PostgreSQL needs a secret key that all nodes share: set REGULARS_SECRET_KEY or \
             REGULARS_SECRET_KEY_FILE to the output of `openssl rand -base64 32` and keep it safe",
        )),
        (None, None) => {
            let file = database.data.join(KEY_FILE);
            make(&database.data, &file, random())?;
            read(&file)
        }
    }
}

/// The file in which the secret is to be made, when none is configured and there is none yet.
#[must_use]
pub fn secret_to_be_made(configuration: &Configuration) -> Option<PathBuf> {
    let security = &configuration.settings.security;
    let database = &configuration.settings.database;
    let is_configured = security.secret_key.is_some() || security.secret_key_file.is_some();
    let file = database.data.join(KEY_FILE);
    // What cannot even be looked at is told when it is read.
    (!is_configured && database.url.is_none() && file.try_exists().is_ok_and(|there| !there))
        .then_some(file)
}

/// Writes the secret into a new file that only its owner reads, as a copy to be kept.
///
/// # Errors
/// No secret that could be written, a file that is there already or cannot be made.
pub fn write_secret_key(configuration: &Configuration, file: &Path) -> Result<(), ConfigError> {
    if let Some(lost) = secret_to_be_made(configuration) {
        return Err(ConfigError::one(format!(
            "there is no secret key to copy: {} is not there, and none is configured",
            lost.display()
        )));
    }
    // The key is there: the generator is never asked.
    let key = secret_key(configuration, || [0; 32])?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    put(&mut options, file, key.bytes.expose_secret())
        .map_err(|error| ConfigError::one(format!("cannot make {}: {error}", file.display())))
}

fn put(options: &mut OpenOptions, file: &Path, key: &[u8; 32]) -> std::io::Result<()> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    let mut out = options.open(file)?;
    out.write_all(format!("{}\n", STANDARD.encode(key)).as_bytes())?;
    out.sync_all()
}

fn read(file: &Path) -> Result<SecretKey, ConfigError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| ConfigError::one(format!("cannot read {}: {error}", file.display())))?;
    private(file)?;
    parse(&text, &format!("the file {}", file.display()))
}

/// Whoever may read the file may forge tokens.
#[cfg(unix)]
fn private(file: &Path) -> Result<(), ConfigError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(file)
        .map(|metadata| metadata.permissions().mode())
        .map_err(|error| ConfigError::one(format!("cannot read {}: {error}", file.display())))?;
    // Mounted secrets often belong to a group of their own: reading by the group is borne, by everybody is not.
    if mode & 0o007 == 0 {
        Ok(())
    } else {
        Err(ConfigError::one(format!(
            "{} can be used by everybody on this machine: run `chmod 600` on it",
            file.display()
        )))
    }
}

#[cfg(not(unix))]
fn private(_: &Path) -> Result<(), ConfigError> {
    Ok(())
}

fn parse(text: &str, origin: &str) -> Result<SecretKey, ConfigError> {
    let wrong = |what: &str| {
        ConfigError::one(format!(
            "the secret key from {origin} {what}: it must be 32 random bytes in base64, the output of \
             `openssl rand -base64 32`"
        ))
    };
    let bytes = STANDARD
        .decode(text.trim())
        .map_err(|_| wrong("is not base64"))?;
    let bytes: [u8; 32] = bytes
        .try_into()
        .map_err(|bytes: Vec<u8>| wrong(&format!("has {} bytes", bytes.len())))?;
    // 32 random bytes have about 30 different ones; fewer than 16 come of a hand, not of a generator.
    let mut different = bytes.to_vec();
    different.sort_unstable();
    different.dedup();
    if different.len() < 16 {
        return Err(wrong("is not random"));
    }
    Ok(SecretKey {
        bytes: SecretBox::new(Box::new(bytes)),
        origin: origin.to_owned(),
    })
}

/// Puts a fresh key into the file unless there is one. The file appears whole or not at all, also when two
/// programs start at once or this one is killed.
fn make(data: &Path, file: &Path, key: [u8; 32]) -> Result<(), ConfigError> {
    let failed = |error: std::io::Error| {
        ConfigError::one(format!("cannot make {}: {error}", file.display()))
    };
    if file.try_exists().map_err(failed)? {
        return Ok(());
    }
    std::fs::create_dir_all(data).map_err(failed)?;
    let draft = data.join(format!(".{KEY_FILE}.{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let written = put(&mut options, &draft, &key);
    // A link fails when the name is taken, where a rename would replace a key that is in use already.
    let linked = written.and_then(|()| std::fs::hard_link(&draft, file));
    // The draft is of no use either way; one that cannot be removed does no harm.
    let _ = std::fs::remove_file(&draft);
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(failed(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::SecretString;

    const GOOD: [u8; 32] = [
        9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
        26, 27, 28, 29, 30, 31, 32,
    ];

    fn configuration(data: &Path) -> Configuration {
        let mut configuration = Configuration::default();
        configuration.settings.database.data = data.to_owned();
        configuration
    }

    #[test]
    fn the_embedded_engine_makes_its_key_once() {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("new");
        let configuration = configuration(&data);
        let first = secret_key(&configuration, || GOOD).unwrap();
        let second = secret_key(&configuration, || [7; 32]).unwrap();
        assert_eq!(first.bytes.expose_secret(), &GOOD);
        assert_eq!(second.bytes.expose_secret(), &GOOD);
        assert_eq!(std::fs::read_dir(&data).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let file = data.join(KEY_FILE);
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
            let error = secret_key(&configuration, || GOOD).unwrap_err().to_string();
            assert!(error.contains("chmod 600"), "{error}");
        }
    }

    #[test]
    fn postgres_needs_a_configured_key() {
        let directory = tempfile::tempdir().unwrap();
        let mut configuration = configuration(directory.path());
        configuration.settings.database.url = Some(SecretString::from("postgres://x"));
        let error = secret_key(&configuration, || GOOD).unwrap_err().to_string();
        assert!(error.contains("REGULARS_SECRET_KEY"), "{error}");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_key_that_is_none_is_refused_without_being_shown() {
        let directory = tempfile::tempdir().unwrap();
        let mut configuration = configuration(directory.path());
        for (text, what) in [
            ("hunter2 is no key", "is not base64"),
            ("aHVudGVyMg==", "has 7 bytes"),
            (
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                "is not random",
            ),
        ] {
            configuration.settings.security.secret_key = Some(SecretString::from(text));
            let error = secret_key(&configuration, || GOOD).unwrap_err().to_string();
            assert!(error.contains(what) && !error.contains(text), "{error}");
        }
    }
}

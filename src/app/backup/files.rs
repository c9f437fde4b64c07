//! Files that are there whole or not at all, also after a power cut, and that only their owner reads.

use crate::app::StartError;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;

/// Read and written at once: large enough to keep a disk busy, small enough not to be felt in memory.
const PIECE: usize = 1 << 20;

/// Says what could not be done with which file.
pub(super) fn failed(what: &str, path: &Path) -> impl FnOnce(io::Error) -> StartError {
    let text = format!("cannot {what} {}", path.display());
    move |error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StartError::Refused(format!(
            "{text}: the disk is full; make room, or choose another one"
        )),
        _ => StartError::Io(text, error),
    }
}

/// A new file for its owner only; it must not be there yet.
pub(super) fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A directory for its owner only, with those on the way to it.
pub(super) fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes a small file and waits until it is on the disk.
pub(super) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = create(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Waits until what was created, renamed or removed in a directory is on the disk.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    // Elsewhere a directory cannot be opened.
    if cfg!(unix) {
        File::open(path)?.sync_all()?;
    }
    Ok(())
}

/// Holds a directory for as long as the handle lives; none when another program holds it. Leaves no file behind.
pub(super) fn hold(directory: &Path) -> io::Result<Option<File>> {
    let handle = File::open(directory)?;
    match handle.try_lock() {
        Ok(()) => Ok(Some(handle)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The SHA-256 of a file in hexadecimal, and its length.
pub(super) fn digest(path: &Path) -> io::Result<(String, u64)> {
    pour(&mut File::open(path)?, &mut io::sink())
}

/// Copies a file into a new one and waits until it is on the disk; gives the SHA-256 of what was read, and its length.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<(String, u64)> {
    let mut out = create(to)?;
    let told = pour(&mut File::open(from)?, &mut out)?;
    out.sync_all()?;
    Ok(told)
}

fn pour(from: &mut impl Read, to: &mut impl Write) -> io::Result<(String, u64)> {
    let mut piece = vec![0; PIECE];
    let mut hash = Sha256::new();
    let mut length: u64 = 0;
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let part = piece.get(..read).unwrap_or_default();
        hash.update(part);
        to.write_all(part)?;
        length = length.saturating_add(read as u64);
    }
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok((text, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_is_told_by_its_hash_and_only_its_owner_reads_it() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("from"), directory.path().join("to"));
        std::fs::write(&from, b"abc").unwrap();
        let told = copy(&from, &to).unwrap();
        assert_eq!(
            told,
            (
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned(),
                3
            )
        );
        assert_eq!(digest(&to).unwrap(), told);
        assert!(copy(&from, &to).is_err(), "nothing is written over");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&to).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn one_at_a_time_holds_a_directory() {
        let directory = tempfile::tempdir().unwrap();
        let held = hold(directory.path()).unwrap();
        assert!(held.is_some() && hold(directory.path()).unwrap().is_none());
        drop(held);
        assert!(hold(directory.path()).unwrap().is_some());
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}

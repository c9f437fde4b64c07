//! A disk small enough to be filled: a file system in memory, mounted for one proof.

use crate::failure::{During, Result};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Set in the second run of this program, in which it may mount.
const INSIDE: &str = "XTASK_INSIDE_NAMESPACE";

/// A small disk; gone when it is dropped.
#[derive(Debug)]
pub struct SmallDisk {
    directory: TempDir,
}

/// What came of asking for one.
#[derive(Debug)]
pub enum Mounted {
    /// Here it is.
    Here(SmallDisk),
    /// This program ran once more in a namespace of its own, where it may mount; it ended well or not.
    Elsewhere(bool),
    /// Neither is possible.
    Impossible(String),
}

impl SmallDisk {
    /// Mounts one of this many bytes.
    pub fn mount(bytes: u64) -> Result<Mounted> {
        let directory = TempDir::new()?;
        let output = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={bytes},mode=0700"),
                "tmpfs",
            ])
            .arg(directory.path())
            .output()
            .during("mount")?;
        if output.status.success() {
            return Ok(Mounted::Here(Self { directory }));
        }
        let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        if std::env::var_os(INSIDE).is_some() {
            return Ok(Mounted::Impossible(why));
        }
        let possible = Command::new("unshare").args(["-Urm", "true"]).output();
        if !possible.is_ok_and(|output| output.status.success()) {
            return Ok(Mounted::Impossible(format!(
                "no disk can be mounted: {why}; and unshare -Urm is not allowed either"
            )));
        }
        let status = Command::new("unshare")
            .arg("-Urm")
            .arg(std::env::current_exe()?)
            .args(std::env::args_os().skip(1))
            .env(INSIDE, "1")
            .status()
            .during("unshare")?;
        Ok(Mounted::Elsewhere(status.success()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Takes room away: a file of this many bytes.
    pub fn ballast(&self, bytes: usize) -> Result<PathBuf> {
        let path = self.path().join("ballast");
        std::fs::write(&path, vec![0; bytes])?;
        Ok(path)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Even where a process still has a file of it open.
        let done = Command::new("umount").arg("-l").arg(self.path()).status();
        if !done.is_ok_and(|status| status.success()) {
            println!("{} is still mounted", self.path().display());
        }
    }
}

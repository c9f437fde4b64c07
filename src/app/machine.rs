//! What the machine tells: the room on its disks, the owners of files, who runs the program.
//!
//! Where a system does not tell, the answer is none.

use std::path::Path;

/// Room that is free for this account on the disk of a path, in bytes.
#[cfg(unix)]
pub fn free_space(path: &Path) -> Option<u64> {
    let figures = rustix::fs::statvfs(path).ok()?;
    figures.f_bavail.checked_mul(figures.f_frsize)
}

/// Room that is free for this account on the disk of a path, in bytes.
#[cfg(not(unix))]
pub fn free_space(_: &Path) -> Option<u64> {
    None
}

/// Whether the disk of a path has no place for another file, however much room is left.
#[cfg(unix)]
pub fn is_out_of_files(path: &Path) -> bool {
    // Some file systems count no files at all.
    rustix::fs::statvfs(path).is_ok_and(|figures| figures.f_files > 0 && figures.f_favail == 0)
}

/// Whether the disk of a path has no place for another file, however much room is left.
#[cfg(not(unix))]
pub fn is_out_of_files(_: &Path) -> bool {
    false
}

/// The number of the account that a file belongs to.
#[cfg(unix)]
pub fn owner(path: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|metadata| metadata.uid())
}

/// The number of the account that a file belongs to.
#[cfg(not(unix))]
pub fn owner(_: &Path) -> Option<u32> {
    None
}

/// The number of the account that runs this program.
#[cfg(unix)]
pub fn account() -> Option<u32> {
    Some(rustix::process::geteuid().as_raw())
}

/// The number of the account that runs this program.
#[cfg(not(unix))]
pub fn account() -> Option<u32> {
    None
}

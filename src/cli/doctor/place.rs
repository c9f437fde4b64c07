//! The data directory of the embedded engine: may it be written, is there room, whose is it?

use super::report::Report;
use crate::app::machine::{account, free_space, is_out_of_files, owner};
use std::path::Path;

/// Free space below which writes will soon fail.
const SPACE_WARN: u64 = 2 << 30;
const SPACE_FAIL: u64 = 200 << 20;

/// Looks at a data directory with a database in it.
pub(super) fn data_directory(report: &mut Report, data: &Path) {
    let probe = data.join(format!(".doctor.{}", std::process::id()));
    let written = std::fs::write(&probe, b"probe");
    // Whether it was made or not, it has to be gone.
    let _ = std::fs::remove_file(&probe);
    match written {
        Ok(()) => report.ok("data", &format!("{} can be written", data.display())),
        Err(error) => report.fail(
            "data",
            &format!(
                "{} cannot be written ({error}): give it to the account that the program runs under{}",
                data.display(),
                whose(data)
            ),
        ),
    }
    files(report, data);
    space(report, data);
}

/// Looks at the place where a database is to be made.
pub(super) fn to_be_made(report: &mut Report, data: &Path) {
    // Some of the way to it may be missing too: what is there is what has to bear it.
    let Some(ground) = data.ancestors().find(|path| path.is_dir()) else {
        // A relative path without a directory begins where the program is started.
        space(report, Path::new("."));
        return;
    };
    space(report, ground);
}

/// Files that belong to somebody else: a command that was run as root leaves such ones behind.
fn files(report: &mut Report, data: &Path) {
    let Some(me) = account() else { return };
    let names = [
        "regulars.db",
        "regulars.db-wal",
        "regulars.db-shm",
        "regulars.lock",
        "secret.key",
    ];
    for name in names {
        let file = data.join(name);
        let Some(whose) = owner(&file).filter(|whose| *whose != me) else {
            continue;
        };
        let file = file.display();
        if me == 0 {
            report.warn(
                "data",
                &format!(
                    "you are root, and {file} belongs to the account {whose}: run commands as that account, so that they \
                     leave no file that it cannot use"
                ),
            );
        } else {
            report.fail(
                "data",
                &format!(
                    "{file} belongs to the account {whose} and the program runs as {me}: run it as {whose}, or give the \
                     directory to {me} with `chown -R`"
                ),
            );
        }
        return;
    }
}

fn whose(path: &Path) -> String {
    match (owner(path), account()) {
        (Some(owner), Some(me)) if owner != me => {
            format!("; it belongs to the account {owner}, and this one is {me}")
        }
        _ => String::new(),
    }
}

fn space(report: &mut Report, data: &Path) {
    if is_out_of_files(data) {
        report.fail(
            "disk",
            "has no place for another file, however many bytes are free: remove small files",
        );
    }
    match free_space(data) {
        Some(free) if free < SPACE_FAIL => report.fail(
            "disk",
            &format!(
                "only {} MB are free: writes are about to fail; make room",
                free >> 20
            ),
        ),
        Some(free) if free < SPACE_WARN => {
            report.warn(
                "disk",
                &format!("only {} MB are free: make room", free >> 20),
            );
        }
        Some(free) => report.ok("disk", &format!("{} MB are free", free >> 20)),
        None => report.warn("disk", "the free space cannot be told here"),
    }
}

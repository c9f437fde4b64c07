//! Backups made while visits are recorded, brought back elsewhere, and what is refused. `cargo xtask prove backup` does
//! it at size, kills it and fills the disk.

use crate::support::program::{command, command_with_small_files, fail, succeed};
use crate::support::tills::Tills;
use crate::support::{Engine, Place, Program, TestServer, World};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

/// The backups in a directory, the oldest first; there must be nothing else in it.
fn backups(directory: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    all.sort();
    for path in &all {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("regulars-"), "{name} is left there");
    }
    all
}

fn back_up(place: &Place, to: &Path, more: &[&str]) -> String {
    let to = to.display().to_string();
    succeed(place, ["backup", "--to", &to].iter().chain(more))
}

fn manifest(backup: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(backup.join("manifest.json")).unwrap()).unwrap()
}

/// Restores a backup in a fresh place.
async fn restored(backup: &Path) -> Place {
    let place = Place::empty().await;
    succeed(&place, ["restore", &backup.display().to_string()]);
    place
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_made_while_visits_are_recorded_is_whole() {
    if Engine::of_this_run() == Engine::Postgres {
        return;
    }
    let world = World::new().await;
    let place = &world.server.place;
    let folder = TempDir::new().unwrap();
    let to = folder.path().join("not yet/there");
    let tills = Tills::open(&world, &world.server.client).await;
    tills.wait_for(20).await;
    for _ in 0..3 {
        back_up(place, &to, &[]);
        tills.wait_for(1).await;
    }
    let book = tills.close(&world.server.client).await;
    assert!(book.failures.is_empty(), "{:?}", book.failures);
    let all = backups(&to);
    assert_eq!(all.len(), 3);
    let mut before = 0;
    for backup in &all {
        let told = manifest(backup);
        let visits = told["counts"]["visit"].as_i64().unwrap();
        assert!(visits >= before.max(20), "{visits} after {before}");
        before = visits;
        let place = restored(backup).await;
        let said = succeed(&place, ["doctor", "--thorough"]);
        assert!(
            said.contains("ok    totals         agree with visits and purchases")
                && said.contains(&format!("{visits} visits, {visits} purchases")),
            "{said}"
        );
        // The file is as it was told, and serves.
        let server = TestServer::start_in(place, |_| {}).await;
        let (status, _) = server.client.get("/readyz").await;
        assert_eq!(status, 200);
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_its_owner_reads_a_backup_and_the_key_is_in_it_when_asked_for() {
    if Engine::of_this_run() == Engine::Postgres {
        return;
    }
    let place = Place::empty().await;
    let keyless = |command: &mut std::process::Command| {
        command.env_remove("REGULARS_SECRET_KEY");
    };
    drop(Program::serve_with(&place, keyless));
    let key = std::fs::read(place.data.join("secret.key")).unwrap();
    let folder = TempDir::new().unwrap();
    let to = folder.path().join("backups");
    back_up(&place, &to, &[]);
    let plain = backups(&to).pop().unwrap();
    assert!(!plain.join("secret.key").exists());
    let output = command(&place)
        .args(["backup", "--with-secret-key", "--to"])
        .arg(&to)
        .env_remove("REGULARS_SECRET_KEY")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let full = backups(&to).pop().unwrap();
    assert_eq!(std::fs::read(full.join("secret.key")).unwrap(), key);
    #[cfg(unix)]
    for path in [
        &to,
        &full,
        &full.join("regulars.db"),
        &full.join("secret.key"),
    ] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} is {mode:o}", path.display());
    }
    for (backup, has_key) in [(&full, true), (&plain, false)] {
        let place = Place::empty().await;
        let output = command(&place)
            .arg("restore")
            .arg(backup)
            .env_remove("REGULARS_SECRET_KEY")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(place.data.join("secret.key").exists(), has_key);
        // With the key everybody stays signed in; without it the server says what is missing and makes no other.
        let mut serve = command(&place);
        serve.args(["doctor"]).env_remove("REGULARS_SECRET_KEY");
        let output = serve.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let words = if has_key {
            "are opened by the secret key"
        } else {
            "secret.key is gone"
        };
        assert!(said.contains(words), "{said}");
    }
    // A key that lies there already is not replaced.
    let place = Place::empty().await;
    std::fs::create_dir_all(&place.data).unwrap();
    std::fs::write(place.data.join("secret.key"), "mine").unwrap();
    succeed(&place, ["restore", &full.display().to_string()]);
    assert_eq!(
        std::fs::read(place.data.join("secret.key")).unwrap(),
        b"mine"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_backups_are_kept_as_were_asked_for() {
    if Engine::of_this_run() == Engine::Postgres {
        return;
    }
    let place = Place::new().await;
    let folder = TempDir::new().unwrap();
    let to = folder.path();
    for _ in 0..3 {
        back_up(&place, to, &[]);
    }
    let all = backups(to);
    assert_eq!(all.len(), 3);
    // What somebody else keeps there is left alone, and a run that was killed leaves nothing behind.
    std::fs::create_dir(to.join("regulars-of-somebody")).unwrap();
    std::fs::create_dir(to.join(".draft-regulars-20260101T000000.000Z")).unwrap();
    let said = back_up(&place, to, &["--keep", "2"]);
    assert!(
        said.contains(&format!("removed {}", all[0].display()))
            && said.contains(&format!("removed {}", all[1].display())),
        "{said}"
    );
    let kept: Vec<_> = backups(to)
        .into_iter()
        .filter(|path| path.join("manifest.json").exists())
        .collect();
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0], all[2]);
    assert!(to.join("regulars-of-somebody").exists());
    let said = fail(
        &place,
        ["backup", "--to", &to.display().to_string(), "--keep", "0"],
    );
    assert!(said.contains("--keep"), "{said}");
}

fn said(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_leaves_the_backup_before_and_nothing_else() {
    if Engine::of_this_run() == Engine::Postgres {
        return;
    }
    let place = Place::new().await;
    let folder = TempDir::new().unwrap();
    let to = folder.path();
    back_up(&place, to, &[]);
    let first = backups(to);
    let output = command_with_small_files(&place, 64)
        .args(["backup", "--keep", "1", "--to"])
        .arg(to)
        .output()
        .unwrap();
    said(&output);
    assert_eq!(
        backups(to),
        first,
        "the earlier one is there, and no half of another"
    );
    restored(&first[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_must_not_be_restored_is_refused_and_nothing_is_left() {
    if Engine::of_this_run() == Engine::Postgres {
        return;
    }
    let place = Place::new().await;
    let folder = TempDir::new().unwrap();
    let to = folder.path();
    back_up(&place, to, &[]);
    let good = backups(to).pop().unwrap();
    // Not over a database, whether it runs or not.
    let said = fail(&place, ["restore", &good.display().to_string()]);
    assert!(
        said.contains("is not empty") && said.contains("--data"),
        "{said}"
    );
    // Whoever names the directory with all of them is told the newest.
    let empty = Place::empty().await;
    let said = fail(&empty, ["restore", &to.display().to_string()]);
    assert!(
        said.contains(&format!("did you mean {}?", good.display())),
        "{said}"
    );
    type Spoil = fn(&mut Value, &mut Vec<u8>);
    let cases: [(&str, Spoil, &str); 6] = [
        (
            "a byte was changed",
            |_, file| {
                let middle = file.len() / 2;
                file[middle] ^= 1;
            },
            "it was changed or is damaged",
        ),
        (
            "the end is missing",
            |_, file| file.truncate(file.len() - 4096),
            "it was changed or is damaged",
        ),
        (
            "it is of a newer program",
            |manifest, _| manifest["schema"]["oldest_program"] = json!(9999),
            "is of a newer program",
        ),
        (
            "it has a newer form",
            |manifest, _| manifest["format"] = json!(2),
            "has the form 2",
        ),
        (
            "rows are missing",
            |manifest, _| manifest["counts"]["customer"] = json!(1),
            "does not have the rows",
        ),
        (
            "it leads out of the backup",
            |manifest, _| manifest["database"]["file"] = json!("../regulars.db"),
            "outside of the backup",
        ),
    ];
    for (what, spoil, words) in cases {
        let bad = folder.path().join("regulars-bad");
        std::fs::create_dir(&bad).unwrap();
        let mut manifest = manifest(&good);
        let mut file = std::fs::read(good.join("regulars.db")).unwrap();
        spoil(&mut manifest, &mut file);
        std::fs::write(bad.join("manifest.json"), manifest.to_string()).unwrap();
        std::fs::write(bad.join("regulars.db"), file).unwrap();
        let place = Place::empty().await;
        let said = fail(&place, ["restore", &bad.display().to_string()]);
        assert!(said.contains(words), "{what}: {said}");
        let left = std::fs::read_dir(&place.data).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{what}");
        std::fs::remove_dir_all(bad).unwrap();
    }
    // The good one still comes back.
    restored(&good).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_nothing_to_back_up_where_there_is_no_database() {
    let place = Place::empty().await;
    let folder = TempDir::new().unwrap();
    let to = folder.path().display().to_string();
    let said = fail(&place, ["backup", "--to", &to]);
    let words = match Engine::of_this_run() {
        Engine::Sqlite => "there is no database in",
        Engine::Postgres => "pg_dump",
    };
    assert!(said.contains(words), "{said}");
    if Engine::of_this_run() == Engine::Postgres {
        let said = fail(&place, ["restore", &to]);
        assert!(said.contains("pg_restore"), "{said}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// The commands between two marks in docs/operations.md.
fn documented(mark: &str) -> String {
    let text = include_str!("../../docs/operations.md");
    let after = text
        .split_once(&format!("<!-- {mark} -->\n```sh\n"))
        .unwrap_or_else(|| panic!("operations.md has no {mark}"))
        .1;
    after.split_once("```").unwrap().0.to_owned()
}

fn shell(script: &str, folder: &Path, place: &Place, restored: &Place) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_regulars")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    std::process::Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", program.display()))
        .env("DATABASE_URL", place.url.as_deref().unwrap())
        .env("RESTORED_URL", restored.url.as_deref().unwrap())
        .env("REGULARS_SECRET_KEY", crate::support::SECRET_KEY)
        .env("REGULARS_LISTEN", "127.0.0.1:0")
        .output()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documented_commands_copy_a_server_under_load_and_bring_it_back() {
    if Engine::of_this_run() == Engine::Sqlite {
        return;
    }
    let world = World::new().await;
    let place = &world.server.place;
    let copy = Place::empty().await;
    let folder = TempDir::new().unwrap();
    let tills = Tills::open(&world, &world.server.client).await;
    tills.wait_for(20).await;
    let output = shell(&documented("postgres:dump"), folder.path(), place, &copy);
    assert!(output.status.success(), "{output:?}");
    let book = tills.close(&world.server.client).await;
    assert!(book.failures.is_empty(), "{:?}", book.failures);
    let output = shell(&documented("postgres:restore"), folder.path(), place, &copy);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success()
            && text.contains("ok    totals         agree with visits and purchases"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let server = TestServer::start_in(copy, |_| {}).await;
    assert_eq!(server.client.get("/readyz").await.0, 200);
    server.stop().await;
}

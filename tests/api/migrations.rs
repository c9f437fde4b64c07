//! The schema's changes: up, down and up again; two at once; programs older and newer than the schema.

use crate::support::{Engine, Place, Program, program};
use migration::CHANGES;
use std::thread;

fn status(place: &Place) -> (Vec<String>, Vec<String>) {
    let output = program::run(place, ["migrate", "status"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let named = |word: &str| {
        text.lines()
            .filter_map(|line| line.strip_prefix(word))
            .map(|name| name.trim().to_owned())
            .collect::<Vec<_>>()
    };
    let (made, pending) = (named("made "), named("pending "));
    let code = if pending.is_empty() { 0 } else { 2 };
    assert_eq!(
        output.status.code(),
        Some(code),
        "{text}{:?}",
        output.stderr
    );
    (made, pending)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_go_up_down_and_up_again() {
    let place = Place::empty().await;
    let all: Vec<String> = CHANGES
        .iter()
        .map(|change| change.name.to_owned())
        .collect();
    assert_eq!(status(&place), (vec![], all.clone()));
    let said = program::succeed(&place, ["migrate", "up"]);
    assert_eq!(said.lines().count(), all.len(), "{said}");
    assert_eq!(status(&place), (all.clone(), vec![]));
    assert_eq!(
        program::succeed(&place, ["migrate", "up"]),
        "nothing to do\n"
    );
    // One by one, each way back is tried on its own.
    for left in (0..all.len()).rev() {
        let said = program::succeed(&place, ["migrate", "down", "--steps", "1", "--yes"]);
        assert_eq!(said, format!("undid {}\n", all[left]));
    }
    assert_eq!(status(&place), (vec![], all.clone()));
    program::succeed(&place, ["migrate", "up"]);
    let steps = all.len().to_string();
    program::succeed(&place, ["migrate", "down", "--steps", &steps, "--yes"]);
    program::succeed(&place, ["migrate", "up"]);
    assert_eq!(status(&place), (all, vec![]));
    let server = Program::serve(&place);
    assert_eq!(server.client.get("/readyz").await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn undoing_asks_for_a_yes() {
    let place = Place::new().await;
    let said = program::fail(&place, ["migrate", "down", "--steps", "1"]);
    assert!(said.contains("--yes"), "{said}");
    program::fail(&place, ["migrate", "down", "--yes"]);
    assert!(status(&place).1.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_at_once_wait_for_each_other() {
    let place = Place::empty().await;
    let said: Vec<String> = thread::scope(|scope| {
        let runs: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| program::succeed(&place, ["migrate", "up"])))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let made = said.iter().filter(|said| said.starts_with("made ")).count();
    let idle = said
        .iter()
        .filter(|said| *said == "nothing to do\n")
        .count();
    assert_eq!((made, idle), (1, 3), "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_kept_before_is_there_after_the_last_change_is_undone_and_made_again() {
    let place = Place::new().await;
    // Staff are made by the first change and outlive the last one's coming and going.
    drop(Program::serve(&place));
    let before = program::succeed(&place, ["doctor"]);
    program::succeed(&place, ["migrate", "down", "--steps", "1", "--yes"]);
    program::succeed(&place, ["migrate", "up"]);
    let after = program::succeed(&place, ["doctor"]);
    let company =
        |text: &str| text.contains("warn  company") && text.contains("ok    signing keys");
    assert!(company(&before) && company(&after), "{before}{after}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_embedded_engine_changes_its_schema_at_the_start() {
    let place = Place::empty().await;
    match Engine::of_this_run() {
        Engine::Sqlite => {
            drop(Program::serve(&place));
            assert!(status(&place).1.is_empty());
        }
        Engine::Postgres => {
            let said = program::fail(&place, ["serve", "--listen", "127.0.0.1:0"]);
            assert!(said.contains("regulars migrate up"), "{said}");
            assert!(said.contains(CHANGES[0].name), "{said}");
            assert!(status(&place).0.is_empty());
        }
    }
}

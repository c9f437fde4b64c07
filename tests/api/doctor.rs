//! `regulars doctor`: what it finds, what it advises, and that it changes nothing.

use crate::support::program::{self, Program};
use crate::support::{Engine, Place};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_finds_what_is_wrong_and_changes_nothing() {
    let place = Place::empty().await;
    let output = program::run(&place, ["doctor"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match Engine::of_this_run() {
        Engine::Sqlite => {
            assert!(text.contains("warn  database"), "{text}");
            assert!(!place.data.exists());
        }
        Engine::Postgres => {
            assert!(
                text.contains("fail  schema") && text.contains("regulars migrate up"),
                "{text}"
            );
            assert!(!output.status.success());
        }
    }
    program::succeed(&place, ["migrate", "up"]);
    let mut program = Program::serve(&place);
    program.signal("TERM");
    assert!(program.ended(Duration::from_secs(30)));
    let text = program::succeed(&place, ["doctor"]);
    for line in [
        "ok    schema",
        "ok    signing keys",
        "warn  company",
        "warn  staff",
        "ok    demo accounts",
        "ok    documents      none is registered",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    if Engine::of_this_run() == Engine::Sqlite {
        assert!(text.contains("ok    records"), "{text}");
    }
    assert!(!text.contains(crate::support::SECRET_KEY), "{text}");
    if Engine::of_this_run() == Engine::Sqlite {
        // A server does not let this happen.
        place
            .tamper(
                "pragma foreign_keys = off; insert into customer_reference (source, external_id, customer_id)
                     values ('till', '1', x'0196f3a0000070008000000000000001')",
            )
            .await;
        let output = program::run(&place, ["doctor"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            !output.status.success()
                && text
                    .contains("fail  records        rows of customer_reference refer to nothing"),
            "{text}"
        );
        place.tamper("delete from customer_reference").await;
    }
    let mut other = program::command(&place);
    let output = other
        .arg("doctor")
        .env(
            "REGULARS_SECRET_KEY",
            "T6Lx9TyNIReUymznuLajJ9ciolVT72UPFYj62axmje0=",
        )
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        !output.status.success() && text.contains("fail  signing keys"),
        "{text}"
    );
    if Engine::of_this_run() == Engine::Sqlite {
        let file = place.data.join("regulars.db");
        let mut bytes = std::fs::read(&file).unwrap();
        // Where rows stand: without its schema it would be no database at all.
        let (page, schema) = (4096, b"create ");
        let of_rows = |page: &[u8]| {
            !page
                .windows(schema.len())
                .any(|part| part.eq_ignore_ascii_case(schema))
        };
        let middle = (bytes.len() / 2).next_multiple_of(page);
        let mut places = (middle..bytes.len() - 2 * page).step_by(page);
        let at = places.find(|at| of_rows(&bytes[*at..*at + 2 * page]));
        let at = at.unwrap();
        bytes[at..at + 2 * page].fill(0xff);
        std::fs::write(&file, bytes).unwrap();
        let output = program::run(&place, ["doctor"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            !output.status.success() && text.contains("fail  records        the file is damaged"),
            "{text}"
        );
    }
}

/// What the doctor says of this place, and whether all is well. With the tests' secret, or with none.
fn told(place: &Place, has_secret: bool) -> (bool, String) {
    let mut doctor = program::command(place);
    doctor.arg("doctor");
    if !has_secret {
        doctor.env_remove("REGULARS_SECRET_KEY");
    }
    let output = doctor.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_was_never_made_is_not_a_lost_one() {
    if Engine::of_this_run() == Engine::Postgres {
        // There it is never made.
        return;
    }
    let place = Place::empty().await;
    let migrate = program::command(&place)
        .args(["migrate", "up"])
        .env_remove("REGULARS_SECRET_KEY")
        .output()
        .unwrap();
    assert!(migrate.status.success(), "{migrate:?}");
    let key = place.data.join("secret.key");
    // Whether the command made one or not, nothing was sealed by it yet.
    let _ = std::fs::remove_file(&key);
    let (is_well, text) = told(&place, false);
    assert!(
        is_well && text.contains("warn  secret key     there is none yet"),
        "{text}"
    );
    assert!(!key.exists(), "the doctor makes nothing");
    let mut program = Program::serve_with(&place, |command| {
        command.env_remove("REGULARS_SECRET_KEY");
    });
    program.signal("TERM");
    assert!(program.ended(Duration::from_secs(30)));
    std::fs::remove_file(&key).unwrap();
    let (is_well, text) = told(&place, false);
    assert!(
        !is_well && text.contains("fail  secret key") && text.contains("secret.key is gone"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_no_database_is_told_as_such() {
    if Engine::of_this_run() == Engine::Postgres {
        return;
    }
    let place = Place::empty().await;
    std::fs::create_dir_all(&place.data).unwrap();
    let noise: Vec<u8> = (0u32..65_536).map(|n| (n * 31 % 251) as u8).collect();
    let file = place.data.join("regulars.db");
    std::fs::write(&file, &noise).unwrap();
    let (is_well, text) = told(&place, true);
    assert!(
        !is_well
            && text.contains("no database at all: bring it back from a backup")
            && !text.contains("running"),
        "{text}"
    );
    assert_eq!(std::fs::read(&file).unwrap(), noise, "nothing was changed");
}

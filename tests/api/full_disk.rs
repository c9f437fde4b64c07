//! A disk that is full, on the embedded engine: files that cannot grow do for one. `cargo xtask prove full-disk` fills
//! a real one.

use crate::support::program::command_with_small_files;
use crate::support::tills::Tills;
use crate::support::{Engine, Program, World};
use std::process::Command;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_plainly_and_writes_go_on_when_there_is_room() {
    if Engine::of_this_run() == Engine::Postgres {
        // There, the disk is the server's.
        return;
    }
    let world = World::new().await;
    let place = &world.server.place;
    // The log of the database may be the larger one of its files by now; it grows by some 16 MB before it begins anew.
    let size = std::fs::read_dir(&place.data)
        .unwrap()
        .map(|file| file.unwrap().metadata().unwrap().len())
        .max()
        .unwrap();
    let program = Program::serve_by(
        command_with_small_files(place, size / 1024 + 6 * 1024),
        |_| {},
    );
    let tills = Tills::open(&world, &program.client).await;
    tills.wait_for_failure().await;
    for _ in 0..20 {
        tills.read(&program.client).await;
        assert_eq!(program.client.get("/healthz").await.0, 200);
    }
    let room = Command::new("prlimit")
        .args([
            "--pid",
            &program.id().to_string(),
            "--fsize=unlimited:unlimited",
        ])
        .status()
        .unwrap();
    assert!(room.success());
    tills.wait_for(10).await;
    let book = tills.close(&program.client).await;
    let codes: Vec<&str> = book.failures.keys().map(String::as_str).collect();
    assert_eq!(codes, ["UNAVAILABLE"], "{:?}", book.failures);
}

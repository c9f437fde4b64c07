//! A server that is killed while visits are recorded. `cargo xtask prove visits-killed` does it more often.

use crate::support::tills::Tills;
use crate::support::{Program, World};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_loses_and_doubles_no_visit() {
    let world = World::new().await;
    let place = &world.server.place;
    let mut program = Program::serve(place);
    let tills = Tills::open(&world, &program.client).await;
    for wait in [20, 60, 110, 170, 240] {
        tills.wait_for(2).await;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        program.kill();
        program = Program::serve(place);
        tills.turn_to(&program.client);
    }
    tills.wait_for(2).await;
    let book = tills.close(&program.client).await;
    // Whatever else a till is told, it is never that the fault is its own or a defect.
    let codes: Vec<&String> = book.failures.keys().collect();
    assert!(
        codes
            .iter()
            .all(|code| *code == "no answer" || *code == "UNAVAILABLE"),
        "{:?}",
        book.failures
    );
}

//! A database that goes away and comes back: a proxy stands between, and is cut. `cargo xtask prove database-away` does
//! it more often, and lets the line go silent too.

use crate::support::tills::Tills;
use crate::support::{Engine, Program, World};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_comes_back_lost_and_doubled_nothing() {
    if Engine::of_this_run() == Engine::Sqlite {
        // There, the database is a file.
        return;
    }
    let world = World::new().await;
    let url = world.server.place.url.clone().unwrap();
    let host = url.split("://").nth(1).unwrap();
    let host = host.split(['/', '?']).next().unwrap();
    let host = host.rsplit('@').next().unwrap();
    let target = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:5432")
    };
    let (line, address) = proxy(target).await;
    let through = url.replacen(host, &address.to_string(), 1);
    let program = Program::serve_with(&world.server.place, |command| {
        command.env("DATABASE_URL", through);
    });
    let tills = Tills::open(&world, &program.client).await;
    for _ in 0..3 {
        tills.wait_for(5).await;
        let failed = tills.failed();
        line.send_replace(false);
        let mut ready = 200;
        while ready == 200 || tills.failed() == failed {
            tokio::time::sleep(Duration::from_millis(20)).await;
            ready = program.client.get("/readyz").await.0;
        }
        assert_eq!(program.client.get("/healthz").await.0, 200);
        line.send_replace(true);
    }
    tills.wait_for(20).await;
    assert_eq!(program.client.get("/readyz").await.0, 200);
    let book = tills.close(&program.client).await;
    let codes: Vec<&str> = book.failures.keys().map(String::as_str).collect();
    assert_eq!(codes, ["UNAVAILABLE"], "{:?}", book.failures);
}

/// Carries connections to the target while the line is up; cuts them, and refuses others, while it is not.
async fn proxy(target: String) -> (watch::Sender<bool>, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (line, mut up) = watch::channel(true);
    tokio::spawn(async move {
        let mut open = Some(listener);
        while up.has_changed().is_ok() {
            if !*up.borrow_and_update() {
                open = None;
                let _ = up.changed().await;
                continue;
            }
            let listener = match open.take() {
                Some(listener) => listener,
                None => TcpListener::bind(address).await.unwrap(),
            };
            tokio::select! {
                _ = up.changed() => {}
                accepted = listener.accept() => {
                    let (mut from, _) = accepted.unwrap();
                    let (target, mut up) = (target.clone(), up.clone());
                    tokio::spawn(async move {
                        let mut to = TcpStream::connect(target).await.unwrap();
                        tokio::select! {
                            _ = tokio::io::copy_bidirectional(&mut from, &mut to) => {}
                            _ = up.wait_for(|up| !up) => {}
                        }
                    });
                }
            }
            open = Some(listener);
        }
    });
    (line, address)
}

//! What supervisors, load balancers and Prometheus ask; starting and stopping.

use crate::support::{Engine, Place, Program, TestServer, program};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_server_is_alive_and_ready() {
    let server = TestServer::start().await;
    assert_eq!(
        server.client.get("/healthz").await,
        (200, "ok\n".to_owned())
    );
    assert_eq!(
        server.client.get("/readyz").await,
        (200, "ready\n".to_owned())
    );
    let (status, text) = server.client.get("/metrics").await;
    assert_eq!(status, 200);
    assert!(text.contains("regulars_db_statements_total"), "{text}");
    let (status, _) = server.client.get("/nothing-here").await;
    assert_eq!(status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_public_keys_can_be_read_and_hold_no_secret() {
    let server = TestServer::start().await;
    let (status, text) = server.client.get("/.well-known/jwks.json").await;
    assert_eq!(status, 200, "{text}");
    let keys: Value = serde_json::from_str(&text).unwrap();
    let key = &keys["keys"][0];
    assert_eq!(key["kty"], "OKP");
    assert_eq!(key["alg"], "EdDSA");
    assert!(key["kid"].is_string() && key["x"].is_string());
    assert!(key.get("d").is_none(), "{key}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_was_stopped_can_be_started_again() {
    let server = TestServer::start().await;
    let place = server.stop().await;
    let server = TestServer::start_in(place, |_| {}).await;
    assert_eq!(server.client.get("/readyz").await.0, 200);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_stops_the_program_in_good_order() {
    let place = Place::new().await;
    for signal in ["TERM", "INT"] {
        let mut program = Program::serve(&place);
        let answer = program.client.gql(None, "{ __typename }", json!({})).await;
        assert_eq!(answer.data()["__typename"], "Query");
        program.signal(signal);
        assert!(
            program.ended(Duration::from_secs(30)),
            "ended badly on {signal}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_names_requests_and_nothing_personal() {
    let place = Place::new().await;
    let log = place.data.parent().unwrap().join("log");
    let file = std::fs::File::create(&log).unwrap();
    let mut program = Program::serve_with(&place, |command| {
        command
            .env("REGULARS_LOG", "info")
            .env("REGULARS_LOG_FORMAT", "json")
            .stderr(file);
    });
    let query = "query($email: String!) { node(id: $email) { id } }";
    let answer = program
        .client
        .gql(
            Some("not.a.token"),
            query,
            json!({ "email": "somebody@example.com" }),
        )
        .await;
    program.signal("TERM");
    assert!(program.ended(Duration::from_secs(30)));
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.contains(&answer.request_id), "{text}");
    for line in text.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
    for personal in ["somebody@example.com", "not.a.token", "127.0.0.1:"] {
        // Its own address is not personal.
        let said = text
            .lines()
            .filter(|line| !line.contains(&program.address.to_string()));
        assert!(
            !said.collect::<String>().contains(personal),
            "{personal}: {text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unsafe_settings_are_refused() {
    let place = Place::new().await;
    let long = ["serve", "--listen", "127.0.0.1:0"];
    for (name, value, says) in [
        ("REGULARS_CORS_ORIGINS", "*", "cors_origins"),
        ("REGULARS_TRUSTED_PROXIES", "0.0.0.0/0", "trusted_proxies"),
        (
            "REGULARS_SECRET_KEY",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "not random",
        ),
        ("REGULARS_LISTENN", "x", "did you mean REGULARS_LISTEN?"),
    ] {
        let output = program::command(&place)
            .args(long)
            .env(name, value)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && text.contains(says),
            "{name}: {text}"
        );
        assert!(!text.contains("AAAA"), "{text}");
    }
    if Engine::of_this_run() == Engine::Postgres {
        let output = program::command(&place)
            .args(long)
            .env_remove("REGULARS_SECRET_KEY")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && text.contains("REGULARS_SECRET_KEY"),
            "{text}"
        );
    }
}

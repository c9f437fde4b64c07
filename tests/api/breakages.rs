//! Broken set-ups, one after the other: `regulars doctor` finds each, and says what to do.

use crate::support::program::{self, Program, command};
use crate::support::{Engine, Place, TestServer, World};
use std::net::TcpListener;

/// What the doctor says of a place under these variables, and whether all is well.
fn told(place: &Place, variables: &[(&str, &str)]) -> (bool, String) {
    let mut doctor = command(place);
    doctor.arg("doctor").envs(variables.iter().copied());
    let output = doctor.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.success(), text)
}

/// The line is there, with the advice in it.
#[track_caller]
fn found(text: &str, beginning: &str, advice: &str) {
    assert!(
        text.lines()
            .any(|line| line.starts_with(beginning) && line.contains(advice)),
        "{beginning} ... {advice}: {text}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_do_not_fit_are_told_with_what_to_do() {
    let place = Place::new().await;
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = held.local_addr().unwrap().to_string();
    let cases = [
        (
            "REGULARS_LISTEM",
            "127.0.0.1:0",
            "fail  configuration",
            "did you mean REGULARS_LISTEN",
        ),
        (
            "REGULARS_TRUSTED_PROXIES",
            "0.0.0.0/0",
            "fail  configuration",
            "anybody could then pretend",
        ),
        (
            "REGULARS_CORS_ORIGINS",
            "*",
            "fail  configuration",
            "must name each origin",
        ),
        (
            "REGULARS_DATABASE_CONNECTIONS",
            "0",
            "fail  configuration",
            "must be 1 to 1000",
        ),
        (
            "REGULARS_SECRET_KEY",
            "hunter2",
            "fail  secret key",
            "openssl rand -base64 32",
        ),
        // An address that is set aside for documentation.
        (
            "REGULARS_LISTEN",
            "192.0.2.1:8080",
            "fail  address",
            "no address of this machine",
        ),
        (
            "REGULARS_LISTEN",
            "0.0.0.0:0",
            "warn  proxies",
            "REGULARS_TRUSTED_PROXIES",
        ),
    ];
    for (name, value, beginning, advice) in cases {
        let (_, text) = told(&place, &[(name, value)]);
        found(&text, beginning, advice);
        assert!(!text.contains("hunter2"), "{text}");
    }
    // Nobody answers there as a server does.
    std::thread::spawn(move || while held.accept().is_ok() {});
    let (is_well, text) = told(&place, &[("REGULARS_LISTEN", &taken)]);
    assert!(!is_well);
    found(&text, "fail  address", "taken by another program");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_server_is_known_and_asked_for_what_it_has_seen() {
    let place = Place::new().await;
    let program = Program::serve(&place);
    let address = program.address.to_string();
    let listen = [("REGULARS_LISTEN", address.as_str())];
    let (_, text) = told(&place, &listen);
    found(&text, "ok    address", "is answered by a running server");
    found(&text, "ok    server", "is ready");
    found(&text, "ok    proxies", "no request");
    // It takes the lease a moment after it has begun.
    let began = std::time::Instant::now();
    while !told(&place, &listen).1.contains("from a running server") {
        assert!(began.elapsed().as_secs() < 30, "it takes no lease");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let health = |address: &str| {
        let mut health = command(&place);
        let output = health.args(["health", "--listen", address]).output();
        output.unwrap().status.success()
    };
    assert!(health(&address) && !health("127.0.0.1:1"));
    let forwarded = program
        .client
        .http()
        .post(program.client.url("/graphql"))
        .header("x-forwarded-for", "198.51.100.7")
        .json(&serde_json::json!({ "query": "{ __typename }" }));
    assert!(forwarded.send().await.unwrap().status().is_success());
    let (_, text) = told(&place, &listen);
    found(
        &text,
        "warn  proxies",
        "name its network in REGULARS_TRUSTED_PROXIES",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lies_in_the_database_is_told_with_what_to_do() {
    let world = World::new().await;
    let place = world.server.stop().await;
    let (is_well, text) = told(&place, &[]);
    assert!(is_well, "{text}");
    found(&text, "warn  company", "companyUpdate");
    found(&text, "ok    staff", "7 account(s)");
    let id = match Engine::of_this_run() {
        Engine::Sqlite => "randomblob(16)",
        Engine::Postgres => "gen_random_uuid()",
    };
    let job = |state: &str, run_at: &str, claimed: &str| {
        format!(
            "insert into job (id, name, payload, state, run_at, attempts, max_attempts, claimed_until, created_at) values \
             ({id}, 'test.broken', '{{}}', '{state}', '{run_at}', 1, 1, {claimed}, '{run_at}')"
        )
    };
    let (past, future) = ("2020-01-01T00:00:00+00:00", "2099-01-01T00:00:00+00:00");
    let event = |at: &str, position: &str| {
        format!(
            "insert into event (position, kind, subject_id, at, actor_kind, payload) values \
             ({position}, 'test', {id}, '{at}', 'SYSTEM', '{{}}')"
        )
    };
    let cases = [
        (job("DEAD", past, "null"), "warn  jobs", "jobRetry"),
        (job("QUEUED", past, "null"), "warn  jobs", "start a server"),
        (
            job("RUNNING", past, &format!("'{past}'")),
            "warn  jobs",
            "left by a node that is gone",
        ),
        (event(past, "null"), "warn  events", "start a server"),
        (event(future, "999999"), "warn  clock", "has not come yet"),
        (
            "update staff set disabled_at = created_at where email like 'admin@%'".to_owned(),
            "warn  staff",
            "no administrator among them",
        ),
        (
            "update staff set disabled_at = created_at".to_owned(),
            "warn  staff",
            "nobody can sign in",
        ),
        (
            "insert into schema_change (name, oldest_program) values ('m9998_newer', 1)".to_owned(),
            "warn  schema",
            "finish the upgrade",
        ),
        (
            "insert into schema_change (name, oldest_program) values ('m9999_newer', 9999)"
                .to_owned(),
            "fail  schema",
            "start the newer program",
        ),
        (
            "delete from schema_change where name > 'm0003'".to_owned(),
            "fail  schema",
            "regulars migrate up",
        ),
    ];
    for (statement, beginning, advice) in cases {
        place.tamper(&statement).await;
        let (_, text) = told(&place, &[]);
        found(&text, beginning, advice);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_let_us_in_is_told_with_what_to_do() {
    let place = Place::new().await;
    let Some(url) = place.url.clone() else { return };
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let (before, database) = url.rsplit_once('/').unwrap();
    let (database, options) = database.split_once('?').unwrap_or((database, ""));
    let scheme = before.split_once("://").unwrap().0;
    let host = before
        .rsplit_once('@')
        .map_or_else(|| before.split_once("://").unwrap().1, |(_, host)| host);
    let cases = [
        (
            format!("{scheme}://shop:hunter2@{free}/{database}"),
            "nobody listens at",
        ),
        (
            format!("{scheme}://shop:hunter2@no-such-host.invalid/{database}"),
            "is the name right",
        ),
        (
            format!("{before}/regulars_no_such_database?{options}"),
            "createdb",
        ),
        (
            format!("{scheme}://regulars_no_such_account:hunter2@{host}/{database}?{options}"),
            "regulars_no_such_account",
        ),
        (
            // Nobody vouches for the certificate of a server for tests, if it has any.
            format!("{before}/{database}?sslmode=verify-full"),
            "sslrootcert",
        ),
        ("mysql://shop:hunter2@localhost/x".to_owned(), "postgres://"),
    ];
    for (url, advice) in cases {
        let (is_well, text) = told(&place, &[("DATABASE_URL", &url)]);
        assert!(!is_well && !text.contains("hunter2"), "{url}: {text}");
        found(&text, "fail  database", advice);
    }
    // A server that takes no writes, and one that may forget.
    let alter = |setting: &str| format!("alter database {database} set {setting}");
    place
        .tamper(&alter("default_transaction_read_only = on"))
        .await;
    let (is_well, text) = told(&place, &[]);
    assert!(!is_well);
    found(&text, "fail  database", "takes no writes");
    let undo = alter("default_transaction_read_only = off");
    place
        .tamper(&format!("begin read write; {undo}; commit"))
        .await;
    place.tamper(&alter("synchronous_commit = off")).await;
    let (_, text) = told(&place, &[]);
    found(&text, "warn  database", "synchronous_commit is off");
    let (_, text) = told(&place, &[("REGULARS_DATABASE_CONNECTIONS", "1000")]);
    found(&text, "fail  database", "max_connections");
    // An account that may sign in and nothing else.
    let role = format!("regulars_test_guest_{}", std::process::id());
    place
        .tamper(&format!(
            "drop role if exists {role}; create role {role} login password 'hunter2'"
        ))
        .await;
    let url = format!("{scheme}://{role}:hunter2@{host}/{database}?{options}");
    let (is_well, text) = told(&place, &[("DATABASE_URL", &url)]);
    place.tamper(&format!("drop role {role}")).await;
    assert!(!is_well, "{text}");
    found(
        &text,
        "fail  rights",
        "grant select, insert, update, delete",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_the_program_cannot_use_are_told_with_what_to_do() {
    let place = TestServer::start().await.stop().await;
    if place.url.is_some() {
        return;
    }
    use std::os::unix::fs::{PermissionsExt, chown};
    let key = place.data.join("secret.key");
    std::fs::write(&key, crate::support::SECRET_KEY).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = command(&place)
        .arg("doctor")
        .env_remove("REGULARS_SECRET_KEY")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    found(&text, "fail  secret key", "chmod 600");
    let file = place.data.join("regulars.db");
    if chown(&file, Some(12_345), None).is_err() {
        // Only root may give files away.
        return;
    }
    let (_, text) = told(&place, &[]);
    found(&text, "warn  data", "belongs to the account 12345");
    chown(&file, Some(0), None).unwrap();
    // As another account, in a directory that everybody can get to, and with a program that it can run.
    let folder = tempfile::tempdir().unwrap();
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).unwrap();
    let program = folder.path().join("regulars");
    std::fs::copy(env!("CARGO_BIN_EXE_regulars"), &program).unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::copy(&file, data.join("regulars.db")).unwrap();
    let output = std::process::Command::new("setpriv")
        .args(["--reuid=12345", "--regid=12345", "--clear-groups"])
        .arg(&program)
        .arg("doctor")
        .env("REGULARS_DATA", &data)
        .env("REGULARS_LISTEN", "127.0.0.1:0")
        .env("REGULARS_SECRET_KEY", crate::support::SECRET_KEY)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success(), "{text}");
    found(&text, "fail  data", "cannot be written");
    found(
        &text,
        "fail  data",
        "belongs to the account 0 and the program runs as 12345",
    );
    let (is_well, text) = (program::run(&place, ["doctor"]).status.success(), text);
    assert!(is_well, "{text}");
}

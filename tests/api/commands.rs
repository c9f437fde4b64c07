//! Commands that meet something that is not as it should be: they say what to do, and leave everything as it is.

use crate::support::program::{command, fail, succeed};
use crate::support::{Engine, Place, Program, TestServer, World};
use serde_json::json;

/// Another key than that of the tests.
const OTHER_KEY: &str = "b3RoZXIga2V5IG9mIHRlc3RzLCAzMiBieXRlcyBsb24=";

/// Tries to serve with this secret key, or with none; gives what was said on standard error.
#[track_caller]
fn cannot_serve(place: &Place, key: Option<&str>) -> String {
    let mut serve = command(place);
    serve.args(["serve", "--listen", "127.0.0.1:0"]);
    match key {
        Some(key) => serve.env("REGULARS_SECRET_KEY", key),
        None => serve.env_remove("REGULARS_SECRET_KEY"),
    };
    let output = serve.output().unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_key_is_told_with_what_to_do() {
    let place = TestServer::start().await.stop().await;
    let said = cannot_serve(&place, Some(OTHER_KEY));
    assert!(
        said.contains("does not open the signing keys") && said.contains("REGULARS_SECRET_KEY"),
        "{said}"
    );
    assert!(!said.contains(OTHER_KEY), "{said}");
    // Nothing was changed: the right one opens them still.
    TestServer::start_in(place, |_| {}).await.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_secret_key_is_not_replaced_by_a_new_one() {
    let place = Place::new().await;
    if place.url.is_some() {
        // On PostgreSQL none is ever made.
        return;
    }
    let without = |command: &mut std::process::Command| {
        command.env_remove("REGULARS_SECRET_KEY");
    };
    // The first start makes it.
    drop(Program::serve_with(&place, without));
    let key = place.data.join("secret.key");
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let said = cannot_serve(&place, None);
    assert!(
        said.contains("secret.key is gone") && said.contains("backup"),
        "{said}"
    );
    assert!(!key.exists());
    std::fs::write(&key, kept).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    drop(Program::serve_with(&place, without));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_without_its_place_is_told_as_the_command_line_has_it() {
    let place = Place::new().await;
    for (role, hint) in [
        ("ASSOCIATE", "--role ASSOCIATE@STORE-CODE"),
        ("STORE_MANAGER", "--role STORE_MANAGER@STORE-CODE"),
        ("REGION_MANAGER", "--role REGION_MANAGER@REGION-CODE"),
        ("ADMIN@bund", "--role ADMIN"),
        ("ASSOCIATE@nowhere", "there is no store nowhere"),
    ] {
        let create = ["staff", "create", "ann@shop.example", "--name", "Ann"];
        let said = fail(&place, create.iter().chain(&["--role", role, "--generate"]));
        assert!(said.contains(hint), "{said}");
        assert!(!said.contains("storeId"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_writes_nothing_even_where_there_is_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("export.csv");
    std::fs::write(
        &file,
        "customer,date,amount\n1,2026-01-02,5.00\n2,2026-13-01,1.00\n",
    )
    .unwrap();
    let place = match Engine::of_this_run() {
        Engine::Sqlite => Place::empty().await,
        Engine::Postgres => Place::new().await,
    };
    let entries = || std::fs::read_dir(&place.data).map_or(0, Iterator::count);
    let before = entries();
    let file = file.display().to_string();
    let import = [
        "import",
        "purchases",
        &file,
        "--map",
        "customer=customer,date=date,amount=amount",
        "--store",
        "pier",
    ];
    let dry = import.iter().copied().chain(["--dry-run"]);
    let said = succeed(&place, dry.clone());
    for line in [
        "the store pier would be made",
        "2 rows read",
        "1 receipts would be booked",
        "1 rows rejected",
    ] {
        assert!(said.contains(line), "{said}");
    }
    if place.url.is_none() {
        assert_eq!(entries(), before, "no file was made");
    }
    // Where there is a database without a store, none is made in it either.
    let server = TestServer::start_in(place, |_| {}).await;
    succeed(&server.place, dry);
    let world = World::on(server).await;
    let stores = "{ stores { totalCount } regions { code } }";
    let client = &world.server.client;
    let answer = client
        .gql(Some(world.token("ADMIN")), stores, json!({}))
        .await;
    assert_eq!(
        answer.data(),
        &json!({ "stores": { "totalCount": 1 }, "regions": [{ "code": "east" }] }),
        "only what the test made"
    );
    assert_eq!(world.server.client.get("/healthz").await.0, 200);
}

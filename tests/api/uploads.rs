//! Imports by upload: taken, refused, called off, and finished by another node.

use crate::support::files::{CSV, MAP, fetch, packed, send, till, transfer, until, upload};
use crate::support::world::{email, sign_in};
use crate::support::{Program, TestServer, World};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A shop whose server has as many connections as a user's: a large import takes turns with itself.
async fn busy_world() -> World {
    let server = TestServer::start_with(|configuration| {
        configuration.settings.database.connections = 10;
    });
    World::on(server.await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_imported_and_its_rejected_rows_can_be_fetched() {
    let world = World::new().await;
    let (client, token) = (&world.server.client, world.token("ADMIN"));
    let file = till(1000);
    let path = format!("/imports/purchases?{MAP}");
    let key = ("idempotency-key", "night-7");
    let dry = format!("{path}&dryRun=true");
    let (status, told) = send(client, Some(token), &dry, file.clone().into(), &[CSV]).await;
    assert_eq!(status, 202, "{told}");
    let done = until(client, token, told["id"].as_str().unwrap(), "DONE").await;
    assert_eq!(done["report"]["made"], json!(990));
    let sums = "{ customers { totalCount } }";
    let nobody = client.gql(Some(token), sums, json!({})).await;
    assert_eq!(nobody.data()["customers"]["totalCount"], json!(0));
    // Packed or not, the same file under the same key is one import.
    let mut ids = Vec::new();
    for (body, headers) in [
        (file.clone().into_bytes(), vec![CSV, key]),
        (
            packed(file.as_bytes()),
            vec![("content-type", "application/gzip"), key],
        ),
        (
            packed(file.as_bytes()),
            vec![CSV, ("content-encoding", "gzip"), key],
        ),
    ] {
        let (status, told) = send(client, Some(token), &path, body, &headers).await;
        assert_eq!(status, 202, "{told}");
        ids.push(told["id"].as_str().unwrap().to_owned());
    }
    assert!(ids.iter().all(|id| id == &ids[0]), "{ids:?}");
    let (status, told) = send(client, Some(token), &path, till(10).into(), &[CSV, key]).await;
    assert_eq!(status, 409, "{told}");
    let done = until(client, token, &ids[0], "DONE").await;
    assert_eq!(
        done["report"],
        json!({ "rows": 1000, "items": 990, "made": 990, "known": 0, "customers": 693, "rejected": 10 })
    );
    assert_eq!(
        done["result"]["fileName"],
        "purchases-2026-03-02-rejected.csv"
    );
    let (status, rejects) = fetch(client, Some(token), &ids[0]).await;
    assert_eq!(status, 200);
    assert_eq!(rejects.lines().count(), 11, "{rejects}");
    assert!(
        rejects.lines().nth(1).unwrap().starts_with("44,"),
        "{rejects}"
    );
    // Again without a key: another import, which finds everything known.
    let again = upload(client, token, file.into()).await;
    assert_ne!(again, ids[0]);
    let done = until(client, token, &again, "DONE").await;
    assert_eq!(done["report"]["known"], json!(990));
    let list = client
        .gql(Some(token), "{ transfers { totalCount } }", json!({}))
        .await;
    assert_eq!(list.data()["transfers"]["totalCount"], json!(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_upload_is_refused_and_leaves_nothing() {
    let server = TestServer::start_with(|configuration| {
        configuration.settings.transfers.upload_bytes = 4 << 20;
    })
    .await;
    let world = World::on(server).await;
    let (client, admin) = (&world.server.client, world.token("ADMIN"));
    let good = format!("/imports/purchases?{MAP}");
    let gzip = ("content-type", "application/gzip");
    let large = vec![b'a'; (4 << 20) + 1];
    let zeros = packed(&vec![0; 64 << 20]);
    let whole = packed(till(20_000).as_bytes());
    let cut = whole[..whole.len() - 9].to_vec();
    let row = || till(3).into_bytes();
    type Case<'a> = (
        Option<&'a str>,
        String,
        Vec<u8>,
        Vec<(&'a str, &'a str)>,
        u16,
        &'a str,
    );
    let cases: Vec<Case<'_>> = vec![
        (None, good.clone(), row(), vec![CSV], 401, "sign in"),
        (
            Some(world.token("STORE_MANAGER")),
            good.clone(),
            row(),
            vec![CSV],
            403,
            "role",
        ),
        (
            Some(admin),
            format!("/imports/dragons?{MAP}"),
            row(),
            vec![CSV],
            404,
            "no import of this kind",
        ),
        (
            Some(admin),
            good.clone(),
            row(),
            vec![("content-type", "application/json")],
            415,
            "text/csv",
        ),
        (Some(admin), good.clone(), row(), vec![], 415, "text/csv"),
        (
            Some(admin),
            "/imports/purchases?store=bund".to_owned(),
            row(),
            vec![CSV],
            400,
            "map",
        ),
        (
            Some(admin),
            format!("{good}&colour=red"),
            row(),
            vec![CSV],
            400,
            "no parameter colour",
        ),
        (
            Some(admin),
            format!("{good}&encoding=klingon"),
            row(),
            vec![CSV],
            400,
            "encoding",
        ),
        (
            Some(admin),
            format!("{good}&dateFormat=%25Q"),
            row(),
            vec![CSV],
            400,
            "dateFormat",
        ),
        (
            Some(admin),
            good.replace("bund", "nowhere"),
            row(),
            vec![CSV],
            400,
            "nowhere",
        ),
        (
            Some(admin),
            good.clone(),
            row(),
            vec![CSV, ("idempotency-key", "")],
            400,
            "idempotency key",
        ),
        (
            Some(admin),
            good.clone(),
            Vec::new(),
            vec![CSV],
            400,
            "empty",
        ),
        (
            Some(admin),
            good.clone(),
            large,
            vec![CSV],
            413,
            "4194304 bytes",
        ),
        (
            Some(admin),
            good.clone(),
            packed(&till(300_000).into_bytes()),
            vec![gzip],
            413,
            "4194304 bytes",
        ),
        (
            Some(admin),
            good.clone(),
            zeros,
            vec![gzip],
            400,
            "200 times",
        ),
        (Some(admin), good.clone(), cut, vec![gzip], 400, "cut off"),
        (
            Some(admin),
            good.clone(),
            row(),
            vec![gzip],
            400,
            "not packed by gzip",
        ),
    ];
    for (token, path, body, headers, status, words) in cases {
        let (got, told) = send(client, token, &path, body, &headers).await;
        let message = told["errors"][0]["message"].as_str().unwrap_or_default();
        assert_eq!(got, status, "{path}: {told}");
        assert!(message.contains(words), "{path}: {told}");
        assert!(told["errors"][0]["extensions"]["code"].is_string());
    }
    let answer = client.http().put(client.url(&good)).send().await.unwrap();
    assert_eq!(answer.status(), 405);
    breaks_off(&world, &good).await;
    let began = Instant::now();
    loop {
        let list = client
            .gql(Some(admin), "{ transfers { totalCount } }", json!({}))
            .await;
        if list.data()["transfers"]["totalCount"] == json!(0) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{:#}", list.body);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // What can be read only when it is there fails with what to do.
    let other = upload(
        client,
        admin,
        b"kunde,datum,betrag\n1,2025-01-01,1\n".to_vec(),
    )
    .await;
    let failed = until(client, admin, &other, "FAILED").await;
    let why = failed["error"].as_str().unwrap();
    assert!(why.contains("member") && why.contains("kunde"), "{why}");
    assert_eq!(fetch(client, Some(admin), &other).await.0, 404);
}

/// A client that promises more than it sends.
async fn breaks_off(world: &World, path: &str) {
    use tokio::io::AsyncWriteExt as _;
    let address = world.server.client.url("");
    let address = address.trim_start_matches("http://").to_owned();
    let mut socket = tokio::net::TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nContent-Type: text/csv\r\nContent-Length: 2000000\r\n\r\n",
        world.token("ADMIN")
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let body = till(40_000);
    socket
        .write_all(&body.as_bytes()[..1_500_000.min(body.len())])
        .await
        .unwrap();
    socket.flush().await.unwrap();
    // It is being received by now.
    let began = Instant::now();
    loop {
        let list = world
            .server
            .client
            .gql(
                Some(world.token("ADMIN")),
                "{ transfers { nodes { state } } }",
                json!({}),
            )
            .await;
        if list.data()["transfers"]["nodes"] == json!([{ "state": "RECEIVING" }]) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{:#}", list.body);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(socket);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_is_called_off_while_it_runs() {
    let world = busy_world().await;
    let (client, token) = (&world.server.client, world.token("ADMIN"));
    let id = upload(client, token, till(150_000).into()).await;
    until(client, token, &id, "RUNNING").await;
    let cancel = "mutation($id: ID!) { transferCancel(input: { id: $id }) { transfer { state } userErrors { code field message } } }";
    let off = client.gql(Some(token), cancel, json!({ "id": id })).await;
    assert_eq!(off.payload()["transfer"]["state"], "CANCELLED");
    let again = client.gql(Some(token), cancel, json!({ "id": id })).await;
    assert_eq!(again.user_errors(), ["WRONG_STATE id"]);
    assert_eq!(fetch(client, Some(token), &id).await.0, 404);
    // Soon nothing is booked any more, and whole receipts are what was.
    let receipts = async || {
        let list = client
            .gql(Some(token), "{ visits { totalCount } }", json!({}))
            .await;
        list.data()["visits"]["totalCount"].as_i64().unwrap()
    };
    let (began, mut before) = (Instant::now(), -1);
    loop {
        let now = receipts().await;
        if now == before {
            assert!(now < 148_500, "it was called off in time");
            break;
        }
        before = now;
        assert!(began.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(2500)).await;
    }
    let job = "{ jobs(filter: { name: \"transfer.run\" }) { nodes { state lastError } } }";
    let job = client.gql(Some(token), job, json!({})).await;
    assert_eq!(
        job.data()["jobs"]["nodes"],
        json!([{ "state": "DONE", "lastError": null }])
    );
    assert_eq!(transfer(client, token, &id).await["state"], "CANCELLED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_node_finishes_what_a_killed_one_has_begun() {
    let mut world = busy_world().await;
    // Its clock is the machine's: what it asks for is not due yet by the clock of the first server.
    let node = Program::serve(&world.server.place);
    let token = sign_in(&node.client, &email("ADMIN")).await;
    let id = upload(&node.client, &token, till(120_000).into()).await;
    let began = Instant::now();
    loop {
        let now = transfer(&node.client, &token, &id).await;
        if now["rowsDone"].as_i64().unwrap() > 0 {
            break;
        }
        assert_ne!(now["state"], "DONE", "it was too quick for this test");
        assert!(began.elapsed() < Duration::from_secs(60), "{now:#}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    node.kill();
    // The claim of the dead node passes.
    world
        .server
        .clock
        .set(entity::values::clock::truncate_to_micros(chrono::Utc::now()) + TimeDelta::minutes(2));
    let client = world.server.client.clone();
    let token = sign_in(&client, &email("ADMIN")).await;
    let done = until(&client, &token, &id, "DONE").await;
    let report = &done["report"];
    assert_eq!(report["rows"], json!(120_000));
    assert_eq!(report["rejected"], json!(1200));
    assert_eq!(
        report["made"].as_i64().unwrap() + report["known"].as_i64().unwrap(),
        118_800
    );
    assert!(
        report["known"].as_i64().unwrap() > 0,
        "the first one had booked some"
    );
    let visits = client
        .gql(Some(&token), "{ visits { totalCount } }", json!({}))
        .await;
    assert_eq!(visits.data()["visits"]["totalCount"], json!(118_800));
    let (status, rejects) = fetch(&client, Some(&token), &id).await;
    assert_eq!(
        (status, rejects.lines().count()),
        (200, 1201),
        "each row once"
    );
    // A week later it is forgotten.
    world.server.clock.advance(TimeDelta::days(8));
    world
        .tokens
        .insert("ADMIN", sign_in(&client, &email("ADMIN")).await);
    let began = Instant::now();
    while transfer(&client, world.token("ADMIN"), &id).await != Value::Null {
        assert!(began.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(fetch(&client, Some(world.token("ADMIN")), &id).await.0, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customers_products_and_staff_come_in_too_by_those_who_may() {
    let world = World::new().await;
    let (client, admin) = (&world.server.client, world.token("ADMIN"));
    let kinds = [
        (
            "customers",
            "map=customer%3Dno%2Cname%3Dname%2Cconsent_marketing%3Doffers%2Cmobile%3Dphone%2Creferred_by%3Dby",
            "no,name,offers,phone,by\n1,Ann,yes,+8613812345678,\n2,Bo,,,9\n3,Cy,,123,\n",
            json!({ "rows": 3, "items": 2, "made": 2, "rejected": 1, "leftOut": 1, "open": 1 }),
        ),
        (
            "products",
            "map=sku%3Dsku%2Cname%3Dname%2Clist_price%3Dprice",
            "sku,name,price\nTEA-1,Tea,12.50\nTEA-1,Tea,12.50\n,Cup,1.00\n",
            json!({ "rows": 3, "items": 2, "made": 1, "rejected": 1, "leftOut": 0, "open": 1 }),
        ),
        (
            "staff",
            "map=email%3Dmail%2Cname%3Dname%2Croles%3Droles",
            "mail,name,roles\nnew@shop.example,New,ASSOCIATE@bund\n",
            json!({ "rows": 1, "items": 1, "made": 1, "rejected": 0, "leftOut": 0, "open": 1 }),
        ),
    ];
    for (kind, map, file, expected) in kinds {
        let path = format!("/imports/{kind}?{map}");
        let (status, told) = send(client, Some(admin), &path, file.into(), &[CSV]).await;
        assert_eq!(status, 202, "{kind}: {told}");
        let id = told["id"].as_str().unwrap();
        until(client, admin, id, "DONE").await;
        let query = "query($id: ID!) { transfer(id: $id) { report { rows items made rejected leftOut open } } }";
        let answer = client.gql(Some(admin), query, json!({ "id": id })).await;
        assert_eq!(answer.data()["transfer"]["report"], expected, "{kind}");
        let (status, rejects) = fetch(client, Some(admin), id).await;
        assert_eq!(status, 200);
        assert_eq!(
            rejects.contains("NO_EVIDENCE"),
            kind == "customers",
            "{rejects}"
        );
    }
    // Headquarters makes no accounts, neither one by one nor by the file.
    let headquarters = world.token("HEADQUARTERS");
    let staff = "/imports/staff?map=email%3Dmail%2Cname%3Dname%2Croles%3Droles";
    let (status, told) = send(
        client,
        Some(headquarters),
        staff,
        "mail,name,roles\n".into(),
        &[CSV],
    )
    .await;
    assert_eq!(status, 403, "{told}");
    let wrong = "/imports/customers?map=customr%3Dno";
    let (status, told) = send(client, Some(admin), wrong, "no\n1\n".into(), &[CSV]).await;
    assert_eq!(status, 400, "{told}");
    let visits = "/imports/visits?map=customer%3Dno";
    assert_eq!(
        send(client, Some(admin), visits, "no\n1\n".into(), &[CSV])
            .await
            .0,
        404
    );
    let products = json!({ "input": { "kind": "PRODUCTS", "format": "CSV" } });
    let export = "mutation($input: ExportCreateInput!) { exportCreate(input: $input) { transfer { id } userErrors { code field message } } }";
    let answer = client.gql(Some(admin), export, products).await;
    assert_eq!(answer.user_errors(), ["NOT_ALLOWED kind"]);
}

//! Files in and out, as a client sends and fetches them, and transfers as it follows them.

use super::Client;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// What the columns of [`till`] hold.
pub const MAP: &str =
    "map=customer%3Dmember%2Cdate%3Dday%2Camount%3Dtotal%2Creceipt%3Dreceipt&store=bund";
/// What is asked about a transfer.
pub const FIELDS: &str = "id state direction kind rowsDone rowsTotal rowsRejected error startedAt finishedAt requestedBy { name } \
    report { rows items made known customers rejected } result { fileName sizeBytes mediaType path }";

/// A file of purchases, every hundredth row of which is spoiled.
pub fn till(rows: u32) -> String {
    let mut text = String::from("member,day,total,receipt\n");
    for n in 0..rows {
        let day = if n % 100 == 42 { 45 } else { n % 28 + 1 };
        writeln!(
            text,
            "{},2025-{:02}-{day:02},{}.50,{n}",
            n % 700,
            n % 12 + 1,
            n % 90
        )
        .unwrap();
    }
    text
}

/// Packed by gzip.
pub fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Sends a file; gives status and body.
pub async fn send(
    client: &Client,
    token: Option<&str>,
    path: &str,
    body: Vec<u8>,
    headers: &[(&str, &str)],
) -> (u16, Value) {
    let mut request = client.http().post(client.url(path)).body(body);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap())
}

/// The content type of a file.
pub const CSV: (&str, &str) = ("content-type", "text/csv");

/// Sends a file that is taken; gives the id of its transfer.
pub async fn upload(client: &Client, token: &str, body: Vec<u8>) -> String {
    let path = format!("/imports/purchases?{MAP}");
    let (status, told) = send(client, Some(token), &path, body, &[CSV]).await;
    assert_eq!(status, 202, "{told}");
    assert_eq!(told["state"], "QUEUED");
    told["id"].as_str().unwrap().to_owned()
}

/// A transfer as it is now; null when it is out of sight.
pub async fn transfer(client: &Client, token: &str, id: &str) -> Value {
    let query = format!("query($id: ID!) {{ transfer(id: $id) {{ {FIELDS} }} }}");
    let answer = client.gql(Some(token), &query, json!({ "id": id })).await;
    answer.data()["transfer"].clone()
}

/// Waits until it stands somewhere.
pub async fn until(client: &Client, token: &str, id: &str, state: &str) -> Value {
    let began = Instant::now();
    loop {
        let now = transfer(client, token, id).await;
        if now["state"] == state {
            return now;
        }
        let is_over = matches!(now["state"].as_str(), Some("DONE" | "FAILED" | "CANCELLED"));
        assert!(!is_over, "it is not {state}: {now:#}");
        assert!(began.elapsed() < Duration::from_secs(120), "{now:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Asks for an export; gives the id of its transfer.
pub async fn export(client: &Client, token: &str, input: Value) -> String {
    let query = "mutation($input: ExportCreateInput!) { exportCreate(input: $input) { transfer { id state } userErrors { code field message } } }";
    let answer = client
        .gql(Some(token), query, json!({ "input": input }))
        .await;
    let transfer = &answer.payload()["transfer"];
    transfer["id"].as_str().unwrap().to_owned()
}

/// Fetches a result; gives status and text.
pub async fn fetch(client: &Client, token: Option<&str>, id: &str) -> (u16, String) {
    let mut request = client
        .http()
        .get(client.url(&format!("/transfers/{id}/result")));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

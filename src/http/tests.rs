//! The endpoint as a client sees it, over real sockets, with a toy schema behind it.

use std::time::{Duration, Instant};

use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{ExplorerPage, HttpSettings, RunningServer, toy::start_on};

mod explorer;
mod persisted;
mod websocket;

const GRAPHQL: &str = "application/graphql-response+json";

/// The program's library wants to know how TLS is done even where it is not.
fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

struct Served {
    server: RunningServer,
    client: Client,
}

impl Served {
    fn start(settings: HttpSettings) -> Self {
        Self {
            server: start_on(0, settings),
            client: client(),
        }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.address())
    }

    async fn post(&self, body: Value) -> Response {
        self.post_with(body, &[("accept", GRAPHQL)]).await
    }

    async fn post_with(&self, body: Value, headers: &[(&str, &str)]) -> Response {
        let mut request = self
            .client
            .post(self.url("/graphql"))
            .header("content-type", "application/json")
            .body(body.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    async fn ask(&self, query: &str) -> Value {
        self.post(json!({ "query": query }))
            .await
            .json()
            .await
            .unwrap()
    }
}

fn one_worker() -> HttpSettings {
    HttpSettings {
        workers: 1,
        ..HttpSettings::default()
    }
}

#[tokio::test]
async fn objects_without_fields_are_objects_and_lists_keep_their_types() {
    let served = Served::start(one_worker());
    for (query, data) in [
        ("{hello @skip(if:true)}", json!({})),
        ("query($a:Boolean=true){hello @skip(if:$a)}", json!({})),
        (
            "{...F @include(if:false)} fragment F on Query{hello}",
            json!({}),
        ),
        ("{things{...on Item{id}}}", json!({"things":[{"id":1},{}]})),
        (
            "{items(first:1){...C}} fragment C on ItemConnection{edges{node{id @skip(if:true)}}}",
            json!({"items":{"edges":[{"node":{}}]}}),
        ),
        (
            "query($b:Boolean=false){a:hello b:hello @include(if:$b)}",
            json!({"a":"hello you"}),
        ),
    ] {
        let answer = served.ask(query).await;
        assert_eq!(answer["data"], data, "{query}: {answer}");
        assert_eq!(answer.get("errors"), None, "{query}: {answer}");
    }
}

#[tokio::test]
async fn fields_stand_in_the_order_of_the_document() {
    let served = Served::start(one_worker());
    let query = "{slow(milliseconds:50) hello ...F json a:hello} fragment F on Query{z:hello things{...on Other{note} __typename ...on Item{name id}}}";
    let text = served
        .post(json!({"query":query}))
        .await
        .text()
        .await
        .unwrap();
    let data = r#"{"slow":true,"hello":"hello you","z":"hello you","things":[{"__typename":"Item","name":"one","id":1},{"note":"two","__typename":"Other"}],"json":{"a":null,"b":[{"a":1}]},"a":"hello you"}"#;
    assert!(text.starts_with(&format!("{{\"data\":{data},")), "{text}");
}

#[tokio::test]
async fn variables_that_are_not_given_are_absent_not_null() {
    let served = Served::start(one_worker());
    let query = "query($n:String $v:Int $m:Int){hello(name:$n) given(value:$v) filtered(filter:{least:$v most:$m})}";
    let absent: Value = served
        .post(json!({"query": query}))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(
        absent["data"],
        json!({"hello":"hello you","given":"undefined","filtered":"7 None"}),
        "{absent}"
    );
    let null: Value = served
        .post(json!({"query":"query($v:Int){given(value:$v)}","variables":{"v":null}}))
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(null["data"]["given"], "null");
}

#[tokio::test]
async fn internal_errors_show_an_id_and_nothing_else() {
    let served = Served::start(one_worker());
    let response = served
        .post(json!({"query":"{secretFailure plainFailure}"}))
        .await;
    assert_eq!(response.status(), 200);
    let id = response.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    let answer: Value = response.json().await.unwrap();
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 2);
    let internal = errors
        .iter()
        .find(|e| e["path"] == json!(["secretFailure"]))
        .unwrap();
    assert_eq!(internal["message"], "internal error");
    assert_eq!(internal["extensions"], json!({"code":"INTERNAL","id":id}));
    let plain = errors
        .iter()
        .find(|e| e["path"] == json!(["plainFailure"]))
        .unwrap();
    assert_eq!(plain["message"], "not for you");
    assert_eq!(plain["extensions"]["code"], "FORBIDDEN");
    assert!(!answer.to_string().contains("1234"));
    let panicked = served.ask("{panics}").await;
    assert_eq!(panicked["errors"][0]["message"], "internal error");
    assert_eq!(served.ask("{hello}").await["data"]["hello"], "hello you");
}

#[tokio::test]
async fn tokens() {
    let served = Served::start(one_worker());
    let ask = |token: &'static str| {
        let served = &served;
        async move {
            let headers = [("accept", GRAPHQL), ("authorization", token)];
            served
                .post_with(json!({"query":"{viewer}"}), &headers)
                .await
        }
    };
    assert_eq!(served.ask("{viewer}").await["data"]["viewer"], Value::Null);
    let good: Value = ask("Bearer good").await.json().await.unwrap();
    assert_eq!(good["data"]["viewer"], "good");
    for (token, status, challenge) in [
        ("Bearer bad", 401, "Bearer error=\"invalid_token\""),
        ("Basic YTpi", 401, "Bearer error=\"invalid_request\""),
    ] {
        let response = ask(token).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["www-authenticate"], challenge);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        assert_eq!(body.get("data"), None);
    }
    let busy = ask("Bearer busy").await;
    assert_eq!(
        (busy.status(), busy.headers()["retry-after"].as_bytes()),
        (StatusCode::TOO_MANY_REQUESTS, &b"2"[..])
    );
    assert_eq!(ask("Bearer away").await.status(), 503);
    let headers = [("accept", GRAPHQL), ("authorization", "Bearer good")];
    let spent = served
        .post_with(json!({"query":"query Spent{viewer}"}), &headers)
        .await;
    assert_eq!(spent.status(), 429);
    let spent: Value = spent.json().await.unwrap();
    assert_eq!(spent.get("data"), None);
}

#[tokio::test]
async fn costs_and_headers_are_told() {
    let served = Served::start(one_worker());
    let response = served
        .post(json!({"query":"{items(first:50){edges{node{id}}}}"}))
        .await;
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        (
            "content-type",
            "application/graphql-response+json; charset=utf-8",
        ),
    ] {
        assert_eq!(response.headers()[name], value);
    }
    assert!(
        response
            .headers()
            .get("access-control-allow-origin")
            .is_none()
    );
    let answer: Value = response.json().await.unwrap();
    assert_eq!(
        answer["extensions"]["cost"],
        json!({"requested":51,"actual":51,"limit":10000})
    );
    let refused = served
        .post(json!({"query":"{items(first:101){totalCount}}"}))
        .await;
    assert_eq!(refused.status(), 400);
    let refused: Value = refused.json().await.unwrap();
    assert_eq!(refused["errors"][0]["extensions"]["code"], "TOO_COSTLY");
}

#[tokio::test]
async fn operations_end_in_time() {
    let served = Served::start(HttpSettings {
        operation_timeout: Duration::from_millis(100),
        ..one_worker()
    });
    let started = Instant::now();
    let answer = served.ask("{slow(milliseconds:60000)}").await;
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "TIMEOUT");
    assert_eq!(answer["data"], Value::Null);
}

#[tokio::test]
async fn browsers_get_a_page_and_may_not_embed() {
    let served = Served::start(HttpSettings {
        explorer: ExplorerPage::Off,
        ..one_worker()
    });
    let get = |headers: &'static [(&'static str, &'static str)], query: &'static str| {
        let mut request = served.client.get(served.url(&format!("/graphql{query}")));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        async move { request.send().await.unwrap() }
    };
    let page = get(
        &[
            ("accept", "text/html,*/*;q=0.8"),
            ("sec-fetch-dest", "document"),
        ],
        "",
    )
    .await;
    assert_eq!(page.status(), 200);
    assert!(
        page.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .starts_with("default-src 'none'")
    );
    assert!(page.text().await.unwrap().contains("POST /graphql"));
    let picture = get(&[("sec-fetch-dest", "image")], "?query={hello}").await;
    assert_eq!(picture.status(), 403);
    let script = get(&[("sec-fetch-dest", "empty")], "?query={hello}").await;
    assert_eq!(script.status(), 200);
}

#[tokio::test]
async fn cors_is_for_listed_origins_only() {
    let served = Served::start(HttpSettings {
        cors_origins: vec!["https://admin.example".to_owned()],
        ..one_worker()
    });
    for (origin, allowed) in [
        ("https://admin.example", true),
        ("https://evil.example", false),
    ] {
        let response = served
            .client
            .request(reqwest::Method::OPTIONS, served.url("/graphql"))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "content-type,authorization",
            )
            .send()
            .await
            .unwrap();
        let told = response.headers().get("access-control-allow-origin");
        assert_eq!(
            told.is_some_and(|told| told == origin),
            allowed,
            "{response:?}"
        );
        assert!(
            response
                .headers()
                .get("access-control-allow-credentials")
                .is_none()
        );
    }
}

#[tokio::test]
async fn health_metrics_and_unknown_paths() {
    let served = Served::start(one_worker());
    let get = |path: &'static str| served.client.get(served.url(path)).send();
    assert_eq!(get("/healthz").await.unwrap().status(), 200);
    assert_eq!(get("/readyz").await.unwrap().status(), 200);
    assert_eq!(get("/metrics").await.unwrap().status(), 200);
    assert_eq!(get("/nothing").await.unwrap().status(), 404);
    let forwarded = served
        .client
        .get(served.url("/metrics"))
        .header("x-forwarded-for", "203.0.113.9");
    assert_eq!(forwarded.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn addresses_come_from_trusted_proxies_only() {
    let query = json!({"query":"{address}"});
    let headers = [
        ("accept", GRAPHQL),
        ("x-forwarded-for", "6.6.6.6, 203.0.113.9"),
    ];
    let direct = Served::start(one_worker());
    let told: Value = direct
        .post_with(query.clone(), &headers)
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(told["data"]["address"], "127.0.0.1");
    let behind = Served::start(HttpSettings {
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        ..one_worker()
    });
    let told: Value = behind
        .post_with(query, &headers)
        .await
        .json()
        .await
        .unwrap();
    assert_eq!(told["data"]["address"], "203.0.113.9");
}

/// Sends raw bytes, returns everything until the server closes or two seconds have passed.
async fn raw(served: &Served, head: &str, body: Vec<u8>) -> String {
    let mut stream = TcpStream::connect(served.server.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut read, mut write) = stream.split();
    let sending = async {
        let _ = write.write_all(&body).await;
        std::future::pending::<()>().await;
    };
    let mut answer = Vec::new();
    tokio::select! {
        _ = read.read_to_end(&mut answer) => {}
        () = sending => {}
        () = tokio::time::sleep(Duration::from_secs(2)) => {}
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn large_bodies_are_refused_without_reading_them() {
    let served = Served::start(one_worker());
    let head = "POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
    let declared = format!("{head}content-length: 67108864\r\n\r\n");
    let answer = raw(&served, &declared, Vec::new()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let mut chunks = Vec::new();
    for _ in 0..64 {
        chunks.extend_from_slice(b"100000\r\n");
        chunks.extend(std::iter::repeat_n(b' ', 1024 * 1024));
        chunks.extend_from_slice(b"\r\n");
    }
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n");
    let answer = raw(&served, &chunked, chunks).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 413 "),
        "{answer}"
    );
    assert_eq!(served.ask("{hello}").await["data"]["hello"], "hello you");
}

#[tokio::test]
async fn slow_bodies_and_slow_heads_end() {
    let served = Served::start(HttpSettings {
        body_timeout: Duration::from_millis(200),
        header_timeout: Duration::from_millis(200),
        ..one_worker()
    });
    let head = "POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    let answer = raw(&served, head, Vec::new()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    let started = Instant::now();
    let answer = raw(&served, "POST /graphql HTTP/1.1\r\nhost: a\r\n", Vec::new()).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
        "{answer}"
    );
    assert!(started.elapsed() < Duration::from_millis(1900));
}

/// A connection that has served a request may not be held open by half of the next one.
#[tokio::test]
async fn slow_heads_end_on_used_connections_too() {
    let served = Served::start(HttpSettings {
        header_timeout: Duration::from_millis(200),
        keep_alive: Duration::from_millis(600),
        ..one_worker()
    });
    let mut stream = TcpStream::connect(served.server.address()).await.unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\nGET /hea")
        .await
        .unwrap();
    let started = Instant::now();
    let mut answer = Vec::new();
    let dripping = async {
        let (mut read, mut write) = stream.split();
        let drip = async {
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                let _ = write.write_all(b"l").await;
            }
        };
        tokio::select! {
            _ = read.read_to_end(&mut answer) => {}
            () = drip => {}
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(5), dripping).await;
    assert!(ended.is_ok(), "still open after {:?}", started.elapsed());
}

#[tokio::test]
async fn stopping_finishes_what_runs() {
    let served = Served::start(one_worker());
    let url = served.url("/graphql");
    let client = served.client.clone();
    let running = tokio::spawn(async move {
        client
            .get(url)
            .query(&[("query", "{slow(milliseconds:600)}")])
            .send()
            .await
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    let health = served.url("/healthz");
    served.server.stop().await.unwrap();
    let answer: Value = running.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(answer["data"]["slow"], true);
    assert!(self::client().get(health).send().await.is_err());
}

//! The explorer as a browser asks for it.

use super::{Served, one_worker};
use crate::http::{ExplorerPage, HttpSettings};

#[tokio::test]
async fn browsers_get_the_explorer_and_its_files() {
    let served = Served::start(HttpSettings {
        explorer: ExplorerPage::Plain,
        demo: true,
        ..one_worker()
    });
    let get = |path: &str, accept: &'static str| {
        let request = served.client.get(served.url(path)).header("accept", accept);
        async move { request.send().await.unwrap() }
    };
    let page = get("/graphql", "text/html,*/*;q=0.8").await;
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self' "));
    assert_eq!(page.headers()["cache-control"], "no-cache");
    assert_eq!(page.headers()["x-content-type-options"], "nosniff");
    let text = page.text().await.unwrap();
    assert!(text.contains("./explorer/plain.js") && text.contains("regulars-demo"));
    let script = get("/explorer/plain.js", "*/*").await;
    assert_eq!(script.status(), 200);
    assert_eq!(
        script.headers()["content-type"],
        "text/javascript; charset=utf-8"
    );
    assert_eq!(script.headers()["x-content-type-options"], "nosniff");
    let tag = script.headers()["etag"].to_str().unwrap().to_owned();
    let again = served
        .client
        .get(served.url("/explorer/plain.js"))
        .header("if-none-match", tag);
    let again = again.send().await.unwrap();
    assert_eq!(again.status(), 304);
    assert_eq!(again.text().await.unwrap(), "");
    let head = served.client.head(served.url("/explorer/plain.js"));
    assert_eq!(head.send().await.unwrap().status(), 200);
    for missing in [
        "/explorer/nothing.js",
        "/explorer/",
        "/explorer/%2e%2e%2fCargo.toml",
    ] {
        assert_eq!(get(missing, "*/*").await.status(), 404, "{missing}");
    }
    // Programs are answered as ever.
    let program = get("/graphql?query={hello}", "application/json").await;
    assert_eq!(program.status(), 200);
}

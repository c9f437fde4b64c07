//! Trusted documents: registered and removed by the real command while the server runs.

use crate::support::program::{command, fail, succeed};
use crate::support::{Place, Program, TestServer, World};
use entity::values::DocumentHash;
use reqwest::Method;
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// Nodes learn of a change within this time: two seconds, and some for a busy machine.
const SOON: Duration = Duration::from_secs(10);

const QUERY: &str = "query Hello { __typename }";
const MUTATION: &str = "mutation SignIn { sessionCreate(input: { email: \"nobody@shop.example\", \
     password: \"no password at all\" }) { userErrors { code } } }";

fn only_registered(place: &Place) -> Program {
    Program::serve_with(place, |command| {
        command.env("REGULARS_DOCUMENTS", "registered");
    })
}

fn hash_of(text: &str) -> String {
    DocumentHash::of(text).to_string()
}

fn by_hash(text: &str) -> Value {
    json!({ "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash_of(text) } } })
}

fn by_id(text: &str) -> Value {
    json!({ "documentId": format!("sha256:{}", hash_of(text)) })
}

/// Asks by POST, or by GET with the members as parameters; gives the status and the code of the first error, or `ran`.
async fn asked(node: &Program, method: Method, body: &Value) -> (u16, String) {
    let mut url = reqwest::Url::parse(&node.client.url("/graphql")).unwrap();
    let request = if method == Method::GET {
        for (name, value) in body.as_object().unwrap() {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            url.query_pairs_mut().append_pair(name, &text);
        }
        node.client.http().get(url)
    } else {
        node.client.http().post(url).json(body)
    };
    let answer = request
        .header("accept", "application/graphql-response+json")
        .send()
        .await
        .unwrap();
    let status = answer.status().as_u16();
    let answer: Value = answer.json().await.unwrap();
    let code = answer["errors"][0]["extensions"]["code"].as_str();
    (status, code.unwrap_or("ran").to_owned())
}

async fn posted(node: &Program, body: &Value) -> String {
    asked(node, Method::POST, body).await.1
}

/// Waits until a request is answered so.
async fn soon(node: &Program, body: &Value, wanted: &str) {
    let began = Instant::now();
    loop {
        let told = posted(node, body).await;
        if told == wanted {
            return;
        }
        assert!(began.elapsed() < SOON, "{body}: {told}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn write(folder: &Path, name: &str, content: &str) -> String {
    let file = folder.join(name);
    std::fs::write(&file, content).unwrap();
    file.display().to_string()
}

/// A manifest as Apollo's generator writes it: name, type, body.
fn apollo(operations: &[(&str, &str, &str)]) -> String {
    let operations: Vec<_> = operations
        .iter()
        .map(|(name, kind, body)| {
            json!({ "id": hash_of(body), "name": name, "type": kind, "body": body })
        })
        .collect();
    json!({
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": operations
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_registered_while_the_server_runs_is_all_that_runs() {
    let place = Place::new().await;
    let mut nodes = vec![only_registered(&place)];
    if place.url.is_some() {
        nodes.push(only_registered(&place));
    }
    for node in &nodes {
        assert_eq!(
            asked(node, Method::POST, &by_hash(QUERY)).await,
            (400, "PERSISTED_QUERY_NOT_IN_LIST".to_owned())
        );
        assert_eq!(
            posted(node, &json!({ "query": QUERY })).await,
            "QUERY_NOT_IN_SAFELIST"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "hello.graphql", QUERY);
    write(folder.path(), "sign-in.graphql", MUTATION);
    let files = folder.path().display().to_string();
    let register = ["documents", "register", &files, "--client", "pos"];
    let said = succeed(&place, register);
    for text in [QUERY, MUTATION] {
        assert!(
            said.contains(&format!("new    {}", hash_of(text))),
            "{said}"
        );
    }
    assert!(
        said.contains("2 new document(s) of the client pos"),
        "{said}"
    );
    let said = succeed(&place, register);
    assert!(
        said.contains(&format!("known  {}", hash_of(QUERY))),
        "{said}"
    );
    assert!(said.contains("0 new document(s)"), "{said}");

    for node in &nodes {
        soon(node, &by_hash(QUERY), "ran").await;
        soon(node, &by_id(MUTATION), "ran").await;
        for method in [Method::POST, Method::GET] {
            for body in [by_hash(QUERY), by_id(QUERY), json!({ "query": QUERY })] {
                let told = asked(node, method.clone(), &body).await;
                assert_eq!(told, (200, "ran".to_owned()), "{method} {body}");
            }
        }
        assert_eq!(posted(node, &json!({ "query": MUTATION })).await, "ran");
        assert_eq!(
            asked(node, Method::GET, &by_id(MUTATION)).await,
            (405, "BAD_REQUEST".to_owned())
        );
        for other in [
            format!("{QUERY} "),
            "{ __schema { types { name } } }".to_owned(),
        ] {
            // Sent with its hash it is not taken up either.
            let mut body = by_hash(&other);
            body["query"] = json!(other);
            assert_eq!(posted(node, &body).await, "QUERY_NOT_IN_SAFELIST");
            assert_eq!(
                posted(node, &by_hash(&other)).await,
                "PERSISTED_QUERY_NOT_IN_LIST"
            );
        }
    }
    let hash = hash_of(QUERY);
    succeed(&place, ["documents", "remove", &hash]);
    for node in &nodes {
        soon(node, &by_hash(QUERY), "PERSISTED_QUERY_NOT_IN_LIST").await;
        soon(node, &json!({ "query": QUERY }), "QUERY_NOT_IN_SAFELIST").await;
        assert_eq!(posted(node, &by_id(MUTATION)).await, "ran");
    }
    let said = fail(&place, ["documents", "remove", &hash]);
    assert!(said.contains(&format!("no document {hash}")), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_documents_of_a_client_go_at_once_and_what_another_has_stays() {
    let place = Place::new().await;
    let folder = tempfile::tempdir().unwrap();
    let (one, shared) = (
        "query One { one: __typename }",
        "query Both { both: __typename }",
    );
    let (third, fourth) = (
        "query Third { c: __typename }",
        "query Fourth { d: __typename }",
    );
    let pos = write(
        folder.path(),
        "pos.json",
        &apollo(&[("One", "query", one), ("Both", "query", shared)]),
    );
    let app = write(
        folder.path(),
        "app.json",
        &json!({ hash_of(shared): shared, format!("sha256:{}", hash_of(third)): third })
            .to_string(),
    );
    let several = write(
        folder.path(),
        "more.graphql",
        &format!("{fourth}\n\n{QUERY}\n"),
    );
    succeed(&place, ["documents", "register", &pos, "--client", "pos"]);
    succeed(
        &place,
        ["documents", "register", &app, &several, "--client", "app"],
    );
    let listed = succeed(&place, ["documents", "list"]);
    let rows: Vec<Vec<&str>> = listed
        .lines()
        .map(|line| line.split_whitespace().take(3).collect())
        .collect();
    let (one_hash, shared_hash) = (hash_of(one), hash_of(shared));
    assert_eq!(rows[0], ["CLIENT", "HASH", "OPERATIONS"]);
    assert_eq!(rows.len(), 7, "{listed}");
    assert!(rows.contains(&vec!["pos", &one_hash, "One"]), "{listed}");
    assert!(
        rows.contains(&vec!["pos", &shared_hash, "Both"]),
        "{listed}"
    );
    assert!(
        rows.contains(&vec!["app", &shared_hash, "Both"]),
        "{listed}"
    );

    let node = only_registered(&place);
    for text in [one, shared, third, fourth, QUERY] {
        assert_eq!(posted(&node, &by_hash(text)).await, "ran", "{text}");
    }
    let said = succeed(&place, ["documents", "remove", "--client", "pos"]);
    assert!(said.contains("removed 2 document(s)"), "{said}");
    soon(&node, &by_hash(one), "PERSISTED_QUERY_NOT_IN_LIST").await;
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    assert_eq!(posted(&node, &by_hash(shared)).await, "ran");
    succeed(&place, ["documents", "remove", "--client", "app"]);
    for text in [shared, third, fourth, QUERY] {
        soon(&node, &by_hash(text), "PERSISTED_QUERY_NOT_IN_LIST").await;
    }
    let said = fail(&place, ["documents", "remove", "--client", "app"]);
    assert!(said.contains("the client app has no documents"), "{said}");
    fail(&place, ["documents", "remove"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_one_document_is_wrong_none_is_registered() {
    let place = Place::new().await;
    let folder = tempfile::tempdir().unwrap();
    let wrong = "query Wrong { nothingOfTheKind }";
    let costly =
        "query Costly { customers(first: 100) { nodes { visits(first: 100) { nodes { id } } } } }";
    let mut stale: Value = serde_json::from_str(&apollo(&[("Hello", "query", QUERY)])).unwrap();
    stale["operations"][0]["id"] = json!(hash_of("{ older }"));
    let manifest = |operations| write(folder.path(), "manifest.json", &apollo(operations));
    for (file, hints) in [
        (
            manifest(&[("Hello", "query", QUERY), ("Wrong", "query", wrong)]),
            ["operation Wrong", "nothingOfTheKind"],
        ),
        (
            write(folder.path(), "stale.json", &stale.to_string()),
            ["operation Hello", "is not the SHA-256"],
        ),
        (
            write(folder.path(), "costly.graphql", costly),
            ["document", "cost"],
        ),
        (
            write(folder.path(), "two.graphql", &format!("{QUERY} {wrong}")),
            ["operation 2", "nothingOfTheKind"],
        ),
        (
            write(
                folder.path(),
                "named.json",
                &apollo(&[("Other", "query", QUERY)]),
            ),
            ["operation Other", "no operation of the name Other"],
        ),
        (
            write(
                folder.path(),
                "kind.json",
                &apollo(&[("Hello", "mutation", QUERY)]),
            ),
            ["calls it a mutation", "is a query"],
        ),
        (
            write(
                folder.path(),
                "none.graphql",
                "fragment F on Query { __typename }",
            ),
            ["document", "fragment"],
        ),
        (
            folder.path().join("missing.json").display().to_string(),
            ["missing.json", "No such file"],
        ),
    ] {
        let said = fail(&place, ["documents", "register", &file]);
        for hint in hints
            .iter()
            .chain(&["nothing was registered", file.as_str()])
        {
            assert!(said.contains(hint), "{hint}: {said}");
        }
    }
    let listed = succeed(&place, ["documents", "list"]);
    assert_eq!(listed.lines().count(), 1, "{listed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_anything_runs_registered_documents_need_not_be_sent_first() {
    let place = Place::new().await;
    let node = Program::serve(&place);
    assert_eq!(
        posted(&node, &by_hash(QUERY)).await,
        "PERSISTED_QUERY_NOT_FOUND"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "hello.gql", QUERY);
    succeed(&place, ["documents", "register", &file]);
    soon(&node, &by_hash(QUERY), "ran").await;
    assert_eq!(
        posted(&node, &json!({ "query": "{ other: __typename }" })).await,
        "ran"
    );
    succeed(&place, ["documents", "remove", "--client", "default"]);
    soon(&node, &by_hash(QUERY), "PERSISTED_QUERY_NOT_FOUND").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_tells_of_documents_that_no_longer_fit() {
    let place = Place::new().await;
    let doctor = |depth: &str| {
        let mut doctor = command(&place);
        doctor
            .arg("doctor")
            .env("REGULARS_DOCUMENTS", "registered")
            .env("REGULARS_LIMIT_DEPTH", depth);
        String::from_utf8_lossy(&doctor.output().unwrap().stdout).into_owned()
    };
    let said = doctor("20");
    assert!(
        said.contains("warn  documents      only registered ones run, and none is registered"),
        "{said}"
    );
    let folder = tempfile::tempdir().unwrap();
    let deep = "query Deep { company { currencyCode } }";
    write(folder.path(), "deep.graphql", deep);
    // More than are read at once.
    for n in 0..150 {
        let text = format!("query Flat{n} {{ __typename }}");
        write(folder.path(), &format!("{n}.graphql"), &text);
    }
    let files = folder.path().display().to_string();
    succeed(&place, ["documents", "register", &files]);
    let said = doctor("20");
    assert!(
        said.contains("ok    documents      151 registered"),
        "{said}"
    );
    let said = doctor("1");
    let wanted = format!(
        "warn  documents      1 of 151 registered document(s), such as {}",
        hash_of(deep)
    );
    assert!(said.contains(&wanted), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_leave_an_entry_in_the_audit_log_that_names_no_person() {
    let place = Place::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "hello.graphql", QUERY);
    let mut register = command(&place);
    register
        .args(["documents", "register", &file, "--client", "pos"])
        .env("USER", "ann");
    assert!(register.status().unwrap().success());
    let listed = succeed(&place, ["documents", "list"]);
    assert!(listed.contains("ann"), "{listed}");
    // What is known already is no change.
    succeed(&place, ["documents", "register", &file, "--client", "pos"]);
    succeed(&place, ["documents", "remove", "--client", "pos"]);

    let world = World::on(TestServer::start_in(place, |_| {}).await).await;
    for action in ["document.register", "document.remove"] {
        let audit = format!(
            "{{ auditEntries(filter: {{ action: \"{action}\" }}) {{ nodes {{ detail }} }} }}"
        );
        let client = &world.server.client;
        let answer = client
            .gql(Some(world.token("ADMIN")), &audit, json!({}))
            .await;
        assert_eq!(
            answer.data()["auditEntries"]["nodes"],
            json!([{ "detail": { "client": "pos", "documents": [hash_of(QUERY)] } }]),
            "{action}"
        );
    }
}

//! Registered documents: what two clients share, and how long a node believes what it has read.

use super::*;
use crate::domain::organization::documents::{self, NewDocument};
use entity::values::DocumentHash;
use std::time::Duration;

/// Longer than a node believes what it has read.
const LATER: Duration = Duration::from_millis(2_200);

fn document(text: &str) -> NewDocument {
    NewDocument {
        text: text.to_owned(),
        operations: vec!["A".to_owned()],
    }
}

async fn runs(ctx: &Ctx, text: &str) -> bool {
    let hash = DocumentHash::of(text);
    let found = documents::text(ctx, hash).await.unwrap();
    assert!(found.as_deref().is_none_or(|found| found == text));
    found.is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_learns_of_what_is_registered_and_removed() {
    for test in TestDb::all().await {
        // Two nodes, each with a memory of its own.
        let nodes = [test.system(), test.system()];
        let text = "query A { a }";
        let hash = DocumentHash::of(text);
        for node in &nodes {
            assert!(!runs(node, text).await);
        }
        let command = test.system();
        let fresh = documents::register(&command, "pos", "ann", &[document(text)])
            .await
            .unwrap();
        assert!(fresh.contains(&hash));
        // That there was none is believed for a moment.
        assert!(!runs(&nodes[0], text).await);
        tokio::time::sleep(LATER).await;
        for node in &nodes {
            assert!(runs(node, text).await);
        }
        documents::remove(&command, &[hash], None).await.unwrap();
        assert!(runs(&nodes[0], text).await, "believed for a moment");
        tokio::time::sleep(LATER).await;
        for node in &nodes {
            assert!(!runs(node, text).await);
        }
        test.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_of_two_clients_stays_until_both_have_let_go() {
    for test in TestDb::all().await {
        let ctx = test.system();
        let (shared, own) = (document("query A { shared }"), document("query A { own }"));
        let hash = DocumentHash::of(&shared.text);
        let both = [shared.clone(), own.clone(), shared.clone()];
        let fresh = documents::register(&ctx, "pos", "ann", &both)
            .await
            .unwrap();
        assert_eq!(fresh.len(), 2);
        let fresh = documents::register(&ctx, "pos", "bob", &both)
            .await
            .unwrap();
        assert!(fresh.is_empty());
        documents::register(&ctx, "app", "bob", std::slice::from_ref(&shared))
            .await
            .unwrap();
        let all = documents::all(&ctx).await.unwrap();
        let clients: Vec<&str> = all.iter().map(|found| found.client.as_str()).collect();
        assert_eq!(clients, ["app", "pos", "pos"]);
        assert_eq!(all[1].registered_by, "ann");
        assert_eq!(all[1].operations, ["A"]);

        let removed = documents::remove_client(&ctx, "pos").await.unwrap();
        assert_eq!(removed.len(), 2);
        assert!(runs(&test.system(), &shared.text).await);
        assert!(!runs(&test.system(), &own.text).await);
        assert_eq!(
            code(documents::remove_client(&ctx, "pos").await),
            Code::NotFound
        );
        assert_eq!(
            code(documents::remove(&ctx, &[hash], Some("pos")).await),
            Code::NotFound
        );
        // One that is unknown keeps all others from being removed.
        let unknown = DocumentHash::of("query A { unknown }");
        let named = [hash, unknown];
        assert_eq!(
            code(documents::remove(&ctx, &named, None).await),
            Code::NotFound
        );
        assert!(runs(&test.system(), &shared.text).await);
        documents::remove(&ctx, &[hash], Some("app")).await.unwrap();
        assert!(!runs(&test.system(), &shared.text).await);
        assert_eq!(
            code(documents::register(&ctx, "no such name", "ann", &[own]).await),
            Code::Invalid
        );
        test.done().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_documents_are_registered_and_removed_at_once() {
    for test in TestDb::all().await {
        let ctx = test.system();
        let many: Vec<_> = (0..1_234)
            .map(|n| document(&format!("query A {{ a{n} }}")))
            .collect();
        let fresh = documents::register(&ctx, "pos", "ann", &many)
            .await
            .unwrap();
        assert_eq!(fresh.len(), many.len());
        let hashes: Vec<_> = fresh.into_iter().collect();
        let removed = documents::remove(&ctx, &hashes, Some("pos")).await.unwrap();
        assert_eq!(removed.len(), many.len());
        assert!(documents::all(&ctx).await.unwrap().is_empty());
        test.done().await;
    }
}

#[tokio::test]
async fn only_who_manages_the_company_registers_and_anybody_may_ask() {
    let test = TestDb::sqlite().await;
    let anonymous = test
        .system()
        .for_request(Viewer::Anonymous, Origin::internal());
    let own = [document("query A { own }")];
    let refused = documents::register(&anonymous, "pos", "ann", &own).await;
    assert!(matches!(refused, Err(Error::Unauthenticated)));
    assert!(matches!(
        documents::remove_client(&anonymous, "pos").await,
        Err(Error::Unauthenticated)
    ));
    assert!(!runs(&anonymous, &own[0].text).await);
    test.done().await;
}

//! What clients may use: for each field the scopes that open it, tried with a client of none, of all, of those alone and
//! of all but those. A field without a row here is closed to clients.

use crate::access::calls;
use crate::support::World;
use regulars::access::CLIENT_SCOPES;
use serde_json::json;
use std::collections::BTreeMap;

/// Open to every client, whatever its scopes.
const EVERY_CLIENT: &[&str] = &["viewer", "node", "nodes", "eventPosition"];
/// Open to everybody.
const ANYBODY: &[&str] = &["sessionCreate", "sessionCreateFromTicket", "sessionRefresh"];

/// The scopes and the fields that each opens; several with a space between them where it takes all of them.
const OPENS: &[(&str, &[&str])] = &[
    (
        "organization:read",
        &["company", "regions", "stores", "store", "completenessRules"],
    ),
    (
        "catalog:read",
        &["categories", "category", "products", "product"],
    ),
    (
        "catalog:write",
        &[
            "categories",
            "category",
            "products",
            "product",
            "categoryCreate",
            "categoryUpdate",
            "categoryArchive",
            "productCreate",
            "productUpdate",
            "productArchive",
            "productPriceSet",
            "productPriceCancel",
        ],
    ),
    ("programmes:read", &["programmes"]),
    (
        "customers:read",
        &[
            "card",
            "customer",
            "customers",
            "attributes",
            "attribute",
            "groups",
            "group",
            // For keepers, who need no more to change their own; no client is one.
            "groupUpdate",
        ],
    ),
    (
        "customers:write",
        &[
            "customerCreate",
            "customerUpdate",
            "customerConfirm",
            "customerNoteAdd",
            "contactPointAdd",
            "tasteAdd",
            "tasteRemove",
            "specialDayAdd",
            "specialDayRemove",
            "customerAttributeSet",
            "customerAttributeClear",
            "groupJoin",
            "groupLeave",
        ],
    ),
    // What is changed is found by reading it.
    (
        "customers:read customers:write",
        &[
            "contactPointUpdate",
            "contactPointRemove",
            "contactPointVerify",
            "consentRecord",
        ],
    ),
    (
        "cards:write",
        &[
            "membershipEnroll",
            "cardIssue",
            "cardFreeze",
            "cardUnfreeze",
            "cardReportLost",
            "cardReplace",
        ],
    ),
    (
        "visits:read",
        &["visits", "visit", "arrivals", "announcedVisits"],
    ),
    (
        "visits:record",
        &[
            "visitRecord",
            "customerArrive",
            "visitAnnounce",
            "announcedVisitUpdate",
            "announcedVisitCancel",
            "enquiryContinue",
        ],
    ),
];

fn openers(field: &str) -> Vec<&'static str> {
    OPENS
        .iter()
        .filter(|(_, fields)| fields.contains(&field))
        .map(|(scope, _)| *scope)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_may_use_what_its_scopes_open_and_nothing_else() {
    let world = World::new().await;
    let server = &world.server.client;
    // In the API the same words, as enums are written.
    let names: Vec<String> = CLIENT_SCOPES
        .iter()
        .map(|(_, word, _)| word.replace(':', "_").to_uppercase())
        .collect();
    let company = json!({ "wholeCompany": true });
    let able = world.third_party(json!(names), company.clone()).await;
    let bare = world.third_party(json!([]), company).await;
    let mut tokens = BTreeMap::from([
        ("none".to_owned(), bare.token(server, None).await),
        ("all".to_owned(), able.token(server, None).await),
    ]);
    let words: Vec<&str> = CLIENT_SCOPES.iter().map(|(_, word, _)| *word).collect();
    let mut wrong = Vec::new();
    for (field, call) in calls() {
        let openers = openers(field);
        let others: Vec<&str> = words
            .iter()
            .copied()
            .filter(|word| !openers.iter().any(|scopes| scopes.contains(word)))
            .collect();
        let always = EVERY_CLIENT.contains(&field) || ANYBODY.contains(&field);
        let mut tries = vec![
            ("none".to_owned(), always),
            ("all".to_owned(), always || !openers.is_empty()),
        ];
        tries.extend(openers.iter().map(|scope| ((*scope).to_owned(), true)));
        if !openers.is_empty() {
            tries.push((others.join(" "), false));
        }
        let parts = openers.iter().filter(|scopes| scopes.contains(' '));
        tries.extend(
            parts
                .flat_map(|scopes| scopes.split(' '))
                .map(|scope| (scope.to_owned(), false)),
        );
        for (scopes, may) in tries {
            if !tokens.contains_key(&scopes) {
                let token = able.token(server, Some(&scopes)).await;
                tokens.insert(scopes.clone(), token);
            }
            let answer = server.gql(Some(&tokens[&scopes]), &call, json!({})).await;
            let expected: &[&str] = if may { &[] } else { &["FORBIDDEN"] };
            if answer.codes() != expected {
                wrong.push(format!("{field} by {scopes}: {}", answer.body));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

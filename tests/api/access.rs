//! Who may use what: a row for every query and mutation field, tried as every role and as nobody.
//!
//! A call that may be made meets nothing it could change: what comes of it is null or a user error. What counts is
//! that it is refused with FORBIDDEN, or UNAUTHENTICATED for nobody, exactly where the row says so.

use crate::support::World;
use crate::support::socket::{EventStream, codes};
use crate::support::world::ROLES;
use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use regulars::graphql::root;
use serde_json::json;
use std::collections::BTreeSet;

/// Who may.
#[derive(Clone, Copy)]
enum Who {
    /// Everybody, signed in or not.
    Anyone,
    /// Signed-in staff with one of these roles.
    Staff(&'static [&'static str]),
}

use Who::{Anyone, Staff};

const ALL: Who = Staff(&ROLES);
const ADMIN: Who = Staff(&["ADMIN"]);
const OFFICE: Who = Staff(&["ADMIN", "HEADQUARTERS"]);
const CATALOG: Who = Staff(&["ADMIN", "HEADQUARTERS"]);
const MANAGERS: Who = Staff(&["ADMIN", "HEADQUARTERS", "REGION_MANAGER", "STORE_MANAGER"]);
const SHOP: Who = Staff(&[
    "ADMIN",
    "HEADQUARTERS",
    "REGION_MANAGER",
    "STORE_MANAGER",
    "ASSOCIATE",
]);
const EXPORTERS: Who = Staff(&[
    "ADMIN",
    "HEADQUARTERS",
    "REGION_MANAGER",
    "STORE_MANAGER",
    "MARKETER",
]);
/// Those who run members' clubs.
const CLUBS: Who = EXPORTERS;
const READERS: Who = Staff(&[
    "ADMIN",
    "HEADQUARTERS",
    "REGION_MANAGER",
    "STORE_MANAGER",
    "ASSOCIATE",
    "MARKETER",
]);

/// The queries: field, the call, who may.
const QUERIES: &[(&str, &str, Who)] = &[
    ("viewer", "viewer { __typename }", ALL),
    ("node", "node(id: \"x\") { id }", ALL),
    ("nodes", "nodes(ids: [\"x\"]) { id }", ALL),
    ("company", "company { id name }", ALL),
    ("regions", "regions { id }", ALL),
    ("stores", "stores { nodes { id } totalCount }", ALL),
    ("store", "store(id: \"x\") { id }", ALL),
    ("staff", "staff { nodes { id } totalCount }", MANAGERS),
    ("staffMember", "staffMember(id: \"x\") { id }", MANAGERS),
    ("categories", "categories { id }", ALL),
    ("category", "category(id: \"x\") { id }", ALL),
    ("products", "products { nodes { id } totalCount }", ALL),
    ("product", "product(id: \"x\") { id }", ALL),
    ("programmes", "programmes { id }", ALL),
    ("card", "card(id: \"x\") { id }", READERS),
    ("visits", "visits { nodes { id } totalCount }", READERS),
    ("visit", "visit(id: \"x\") { id }", READERS),
    ("arrivals", "arrivals { nodes { id } totalCount }", READERS),
    (
        "announcedVisits",
        "announcedVisits { nodes { id } totalCount }",
        READERS,
    ),
    ("customer", "customer(id: \"x\") { id }", READERS),
    (
        "customers",
        "customers { nodes { id } totalCount }",
        READERS,
    ),
    ("attributes", "attributes { id }", READERS),
    ("attribute", "attribute(id: \"x\") { id }", READERS),
    (
        "groups",
        "groups { nodes { id memberCount } totalCount }",
        READERS,
    ),
    ("group", "group(id: \"x\") { id }", READERS),
    (
        "auditEntries",
        "auditEntries { nodes { id } totalCount }",
        ADMIN,
    ),
    (
        "customerDuplicates",
        "customerDuplicates { nodes { reasons } totalCount }",
        MANAGERS,
    ),
    (
        "customerDataExport",
        "customerDataExport(id: \"x\") { content }",
        MANAGERS,
    ),
    ("completenessRules", "completenessRules { version }", ALL),
    ("jobs", "jobs { nodes { id } totalCount }", ADMIN),
    ("clients", "clients { nodes { id } totalCount }", ADMIN),
    ("client", "client(id: \"x\") { id }", ADMIN),
    ("webhooks", "webhooks { nodes { id } totalCount }", ADMIN),
    (
        "webhook",
        "webhook(id: \"x\") { id deliveries { nodes { id attempts { status } } totalCount } }",
        ADMIN,
    ),
    (
        "transfers",
        "transfers { nodes { id } totalCount }",
        EXPORTERS,
    ),
    ("transfer", "transfer(id: \"x\") { id }", EXPORTERS),
    ("eventPosition", "eventPosition", ALL),
];

/// The subscriptions: field, the call, who may. Whoever may meets nothing that could be followed.
const SUBSCRIPTIONS: &[(&str, &str, Who)] = &[
    (
        "customerArrived",
        "customerArrived(storeId: \"x\") { position }",
        SHOP,
    ),
    (
        "visitRecorded",
        "visitRecorded(storeId: \"x\") { position }",
        SHOP,
    ),
    (
        "cardChanged",
        "cardChanged(customerId: \"x\") { position }",
        READERS,
    ),
    (
        "jobProgressed",
        "jobProgressed(id: \"x\") { position }",
        EXPORTERS,
    ),
];

/// The mutations: field, its input, who may.
const MUTATIONS: &[(&str, &str, Who)] = &[
    (
        "sessionCreate",
        "{ email: \"nobody@shop.example\", password: \"wrong\" }",
        Anyone,
    ),
    ("sessionCreateFromTicket", "{ ticket: \"x\" }", Anyone),
    ("sessionRefresh", "{ refreshToken: \"x\" }", Anyone),
    ("sessionEnd", "{ id: \"x\" }", ALL),
    ("sessionEndAll", "{ keepPresent: true }", ALL),
    (
        "passwordChange",
        "{ currentPassword: \"wrong\", newPassword: \"another long password\" }",
        ALL,
    ),
    ("companyUpdate", "{ version: 0 }", ADMIN),
    ("regionCreate", "{ code: \"\", name: \"\" }", ADMIN),
    ("regionUpdate", "{ id: \"x\", version: 0 }", ADMIN),
    (
        "storeCreate",
        "{ regionId: \"x\", code: \"\", name: \"\" }",
        ADMIN,
    ),
    ("storeUpdate", "{ id: \"x\", version: 0 }", ADMIN),
    (
        "storeArchive",
        "{ id: \"x\", version: 0, archived: true }",
        ADMIN,
    ),
    (
        "staffCreate",
        "{ email: \"\", name: \"\", grants: [] }",
        ADMIN,
    ),
    ("staffUpdate", "{ id: \"x\", version: 0 }", ADMIN),
    ("staffDisable", "{ id: \"x\" }", ADMIN),
    ("staffEnable", "{ id: \"x\" }", ADMIN),
    ("staffPasswordReset", "{ id: \"x\" }", ADMIN),
    ("customerCreate", "{ fullName: \"\" }", SHOP),
    ("customerUpdate", "{ id: \"x\", version: 0 }", SHOP),
    ("customerArchive", "{ id: \"x\", version: 0 }", MANAGERS),
    ("customerUnarchive", "{ id: \"x\", version: 0 }", MANAGERS),
    (
        "customerKeeperAssign",
        "{ customerId: \"x\", version: 0 }",
        MANAGERS,
    ),
    (
        "customerMerge",
        "{ keepId: \"x\", mergeId: \"y\", keepVersion: 0, mergeVersion: 0 }",
        MANAGERS,
    ),
    ("customerMergeUndo", "{ mergeId: \"x\" }", MANAGERS),
    (
        "customerDuplicateDismiss",
        "{ customerId: \"x\", otherId: \"y\" }",
        MANAGERS,
    ),
    (
        "customerErase",
        "{ id: \"x\", version: 0, reason: REQUESTED }",
        OFFICE,
    ),
    (
        "customerConfirm",
        "{ customerId: \"x\", fields: [PHONE] }",
        SHOP,
    ),
    ("completenessRulesUpdate", "{ version: 0 }", ADMIN),
    ("customerNoteAdd", "{ customerId: \"x\", text: \"\" }", SHOP),
    (
        "contactPointAdd",
        "{ customerId: \"x\", kind: EMAIL, value: \"\" }",
        SHOP,
    ),
    ("contactPointUpdate", "{ id: \"x\" }", SHOP),
    ("contactPointRemove", "{ id: \"x\" }", SHOP),
    ("contactPointVerify", "{ id: \"x\" }", SHOP),
    (
        "consentRecord",
        "{ contactPointId: \"x\", purpose: MARKETING, granted: true, method: IN_STORE }",
        SHOP,
    ),
    (
        "tasteAdd",
        "{ customerId: \"x\", aspect: BRAND, attitude: LIKES, value: \"\", provenance: STATED }",
        SHOP,
    ),
    ("tasteRemove", "{ id: \"x\" }", SHOP),
    (
        "specialDayAdd",
        "{ customerId: \"x\", label: \"\", date: \"\" }",
        SHOP,
    ),
    ("specialDayRemove", "{ id: \"x\" }", SHOP),
    (
        "attributeCreate",
        "{ key: \"\", name: \"\", kind: TEXT }",
        OFFICE,
    ),
    ("attributeUpdate", "{ id: \"x\", version: 0 }", OFFICE),
    ("attributeArchive", "{ id: \"x\", version: 0 }", OFFICE),
    ("attributeUnarchive", "{ id: \"x\", version: 0 }", OFFICE),
    (
        "customerAttributeSet",
        "{ customerId: \"x\", attributeId: \"x\", value: { text: \"\" }, provenance: STATED }",
        SHOP,
    ),
    (
        "customerAttributeClear",
        "{ customerId: \"x\", attributeId: \"x\", provenance: STATED }",
        SHOP,
    ),
    ("groupCreate", "{ name: \"\" }", CLUBS),
    ("groupUpdate", "{ id: \"x\", version: 0 }", READERS),
    ("groupArchive", "{ id: \"x\", version: 0 }", CLUBS),
    ("groupUnarchive", "{ id: \"x\", version: 0 }", CLUBS),
    ("groupJoin", "{ customerId: \"x\", groupId: \"x\" }", SHOP),
    ("groupLeave", "{ customerId: \"x\", groupId: \"x\" }", SHOP),
    ("categoryCreate", "{ code: \"\", names: [] }", CATALOG),
    ("categoryUpdate", "{ id: \"x\", version: 0 }", CATALOG),
    ("categoryArchive", "{ id: \"x\", version: 0 }", CATALOG),
    (
        "productCreate",
        "{ sku: \"\", names: [], listPrice: { amount: \"1\", currencyCode: \"USD\" } }",
        CATALOG,
    ),
    ("productUpdate", "{ id: \"x\", version: 0 }", CATALOG),
    ("productArchive", "{ id: \"x\", version: 0 }", CATALOG),
    (
        "productPriceSet",
        "{ productId: \"x\", listPrice: { amount: \"1\", currencyCode: \"USD\" } }",
        CATALOG,
    ),
    ("productPriceCancel", "{ id: \"x\" }", CATALOG),
    (
        "programmeCreate",
        "{ code: \"\", name: \"\", tiers: [] }",
        ADMIN,
    ),
    ("programmeUpdate", "{ id: \"x\", version: 0 }", ADMIN),
    ("membershipEnroll", "{ customerId: \"x\" }", SHOP),
    (
        "membershipTierGrant",
        "{ membershipId: \"x\", version: 0 }",
        MANAGERS,
    ),
    ("cardIssue", "{ customerId: \"x\" }", SHOP),
    ("cardFreeze", "{ cardId: \"x\", version: 0 }", SHOP),
    ("cardUnfreeze", "{ cardId: \"x\", version: 0 }", SHOP),
    ("cardReportLost", "{ cardId: \"x\", version: 0 }", SHOP),
    ("cardReplace", "{ cardId: \"x\", version: 0 }", SHOP),
    ("visitRecord", "{ customerId: \"x\" }", SHOP),
    ("customerArrive", "{ customerId: \"x\" }", SHOP),
    (
        "visitAnnounce",
        "{ customerId: \"x\", expectedAt: \"2000-01-01T00:00:00Z\" }",
        SHOP,
    ),
    ("announcedVisitUpdate", "{ id: \"x\", version: 0 }", SHOP),
    ("announcedVisitCancel", "{ id: \"x\", version: 0 }", SHOP),
    ("enquiryContinue", "{ visitId: \"x\", entries: [] }", SHOP),
    ("jobRetry", "{ id: \"x\" }", ADMIN),
    ("clientCreate", "{ name: \"\", scopes: [] }", ADMIN),
    ("clientUpdate", "{ id: \"x\", version: 0 }", ADMIN),
    ("clientDisable", "{ id: \"x\" }", ADMIN),
    ("clientEnable", "{ id: \"x\" }", ADMIN),
    ("clientSecretRotate", "{ id: \"x\" }", ADMIN),
    ("clientSecretRevoke", "{ id: \"x\" }", ADMIN),
    (
        "webhookCreate",
        "{ clientId: \"x\", url: \"\", kinds: [] }",
        ADMIN,
    ),
    ("webhookUpdate", "{ id: \"x\", version: 0 }", ADMIN),
    ("webhookDisable", "{ id: \"x\" }", ADMIN),
    ("webhookEnable", "{ id: \"x\" }", ADMIN),
    ("webhookSecretRotate", "{ id: \"x\" }", ADMIN),
    ("webhookTest", "{ id: \"x\" }", ADMIN),
    ("webhookReplay", "{ deliveryId: \"x\" }", ADMIN),
    (
        "exportCreate",
        "{ kind: CUSTOMERS, idempotencyKey: \"\" }",
        EXPORTERS,
    ),
    ("transferCancel", "{ id: \"x\" }", EXPORTERS),
];

/// The fields of a root.
fn fields(of_root: &str) -> BTreeSet<String> {
    let document = async_graphql::parser::parse_schema(root::sdl()).unwrap();
    document
        .definitions
        .iter()
        .filter_map(|definition| match definition {
            TypeSystemDefinition::Type(of_type) if of_type.node.name.node == of_root => {
                match &of_type.node.kind {
                    TypeKind::Object(object) => Some(&object.fields),
                    _ => None,
                }
            }
            _ => None,
        })
        .flatten()
        .map(|field| field.node.name.node.to_string())
        .collect()
}

#[test]
fn every_field_has_its_row() {
    for (of_root, rows) in [
        ("Query", QUERIES),
        ("Mutation", MUTATIONS),
        ("Subscription", SUBSCRIPTIONS),
    ] {
        let rows: BTreeSet<String> = rows.iter().map(|row| row.0.to_owned()).collect();
        let fields = fields(of_root);
        let missing: Vec<_> = fields.difference(&rows).collect();
        let stale: Vec<_> = rows.difference(&fields).collect();
        assert!(
            missing.is_empty(),
            "{of_root} fields without a row in the access test: {missing:?}"
        );
        assert!(
            stale.is_empty(),
            "rows for {of_root} fields that there are not: {stale:?}"
        );
    }
}

/// The fields with their calls as documents, and who may.
fn rows() -> impl Iterator<Item = (&'static str, String, Who)> {
    QUERIES
        .iter()
        .map(|(field, call, who)| (*field, format!("{{ {call} }}"), *who))
        .chain(MUTATIONS.iter().map(|(field, input, who)| {
            let call =
                format!("mutation {{ {field}(input: {input}) {{ userErrors {{ code }} }} }}");
            (*field, call, *who)
        }))
}

/// The fields with their calls as documents, for others than staff.
pub fn calls() -> impl Iterator<Item = (&'static str, String)> {
    rows().map(|(field, call, _)| (field, call))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_may_use_what_their_role_allows_and_nothing_else() {
    let world = World::new().await;
    let mut wrong = Vec::new();
    for (field, call, who) in rows() {
        let everybody = ROLES.iter().map(|role| Some(*role)).chain([None]);
        for role in everybody {
            let expected = match (who, role) {
                (Anyone, _) => None,
                (Staff(_), None) => Some("UNAUTHENTICATED"),
                (Staff(roles), Some(role)) => (!roles.contains(&role)).then_some("FORBIDDEN"),
            };
            let token = role.map(|role| world.token(role));
            let answer = world.server.client.gql(token, &call, json!({})).await;
            let codes = answer.codes();
            let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
            if codes != expected {
                let who = role.unwrap_or("nobody");
                wrong.push(format!(
                    "{field} as {who}: {codes:?}, not {expected:?}: {}",
                    answer.body
                ));
            }
        }
    }
    for (field, call, who) in SUBSCRIPTIONS {
        for role in ROLES.iter().map(|role| Some(*role)).chain([None]) {
            let expected = match (who, role) {
                (Staff(_), None) => "UNAUTHENTICATED",
                (Staff(roles), Some(role)) if !roles.contains(&role) => "FORBIDDEN",
                _ => "BAD_USER_INPUT",
            };
            let token = role.map(|role| world.token(role));
            let query = format!("subscription {{ {call} }}");
            let mut stream = EventStream::open(&world.server.client, token, &query).await;
            let (_, told) = stream.next().await.unwrap();
            if codes(&told["errors"]) != [expected] {
                let who = role.unwrap_or("nobody");
                wrong.push(format!("{field} as {who}: not {expected}: {told}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

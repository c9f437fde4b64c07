//! Which account somebody comes in with, and what their groups make of it.

use super::{Shop, error};
use crate::support::program;
use crate::support::world::{email, sign_in};
use entity::values::GroupRole;
use serde_json::{Value, json};

fn groups(texts: &[&str]) -> Vec<GroupRole> {
    let read = |text: &&str| GroupRole::parse(text).unwrap();
    texts.iter().map(read).collect()
}

/// A shop that makes accounts for whoever is in one of its groups.
async fn with_groups() -> Shop {
    Shop::with(|configuration| {
        let oidc = &mut configuration.settings.oidc;
        oidc.create_staff = true;
        oidc.groups = groups(&[
            "office=HEADQUARTERS",
            "bosses=ADMIN",
            "bund=STORE_MANAGER@store:bund",
            "east=REGION_MANAGER@region:east",
            "lost=ASSOCIATE@store:nowhere",
        ]);
    })
    .await
}

/// Somebody whom the shop does not know.
fn stranger(subject: &str, groups: &[&str]) -> Value {
    json!({
        "sub": subject, "email": format!("{subject}@new.example"), "name": "Han Yue", "groups": groups,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_linked_by_a_verified_address_and_known_for_good() {
    let shop = Shop::new().await;
    let refused = shop.sign_in_as(json!({ "email_verified": false })).await;
    assert_eq!(refused, error("email_not_verified"));
    let refused = shop.sign_in_as(json!({ "email_verified": null })).await;
    assert_eq!(refused, error("email_not_verified"));
    let token = shop
        .token(json!({ "email": "Associate@Shop.Example" }))
        .await;
    let who = shop.who(&token).await;
    assert_eq!(who["staff"]["id"], shop.world.staff["ASSOCIATE"].as_str());
    // The roles were given by hand and stay, whatever groups there are.
    assert_eq!(who["roles"][0]["role"], "ASSOCIATE");
    // From now on the address is of no importance.
    let later =
        json!({ "email": "another@shop.example", "email_verified": false, "groups": ["office"] });
    let token = shop.token(later).await;
    assert_eq!(shop.who(&token).await["staff"], who["staff"]);
    // Whoever has got the address at the provider since does not get the account.
    let heir = shop.sign_in_as(json!({ "sub": "person-2" })).await;
    assert_eq!(heir, error("no_account"));
    let nobody = shop.sign_in_as(stranger("person-3", &["office"])).await;
    assert_eq!(nobody, error("no_account"));
    // Unless the operator says so.
    let unlink = ["staff", "unlink", &email("ASSOCIATE")];
    let said = program::succeed(&shop.world.server.place, unlink);
    assert!(said.contains("is linked to nobody any more"), "{said}");
    let token = shop.token(json!({ "sub": "person-2" })).await;
    assert_eq!(shop.who(&token).await["staff"], who["staff"]);
    let reasons: Vec<Value> = shop
        .audited("session.sign_in_failed")
        .await
        .iter()
        .map(|detail| detail["reason"].clone())
        .collect();
    assert_eq!(
        reasons,
        [
            "NO_ACCOUNT",
            "OTHER_IDENTITY",
            "EMAIL_NOT_VERIFIED",
            "EMAIL_NOT_VERIFIED"
        ]
    );
    let ways = shop.audited("session.sign_in").await;
    assert_eq!(ways[0]["way"], "COMPANY");
    assert_eq!(ways.last().unwrap()["way"], "PASSWORD");
    let links = shop.audited("staff.identity_link").await;
    assert_eq!(
        (links.len(), &links[0]["groups_decide"]),
        (2, &json!(false))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_account_stays_out() {
    let shop = Shop::new().await;
    let admin = shop.world.token("ADMIN");
    let set = async |field: &str| {
        let query = format!(
            "mutation($id: ID!) {{ {field}(input: {{ id: $id }}) {{ userErrors {{ code }} }} }}"
        );
        let variables = json!({ "id": shop.world.staff["ASSOCIATE"] });
        shop.client()
            .gql(Some(admin), &query, variables)
            .await
            .payload();
    };
    set("staffDisable").await;
    assert_eq!(shop.sign_in().await, error("no_account"));
    set("staffEnable").await;
    shop.sign_in().await.ticket();
    set("staffDisable").await;
    assert_eq!(shop.sign_in().await, error("no_account"));
    let reasons = shop.audited("session.sign_in_failed").await;
    assert!(reasons.iter().all(|detail| detail["reason"] == "DISABLED"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_made_with_the_roles_of_its_groups_and_follows_them() {
    let shop = with_groups().await;
    let nobody = shop
        .sign_in_as(stranger("new-1", &["another", "lost"]))
        .await;
    assert_eq!(nobody, error("no_account"));
    let unverified = json!({ "email_verified": false });
    let mut claims = stranger("new-1", &["office"]);
    claims["email_verified"] = unverified["email_verified"].clone();
    assert_eq!(shop.sign_in_as(claims).await, error("email_not_verified"));

    let first = shop
        .token(stranger("new-1", &["bund", "east", "lost"]))
        .await;
    let who = shop.who(&first).await;
    assert_eq!(who["staff"]["email"], "new-1@new.example");
    assert_eq!(who["staff"]["name"], "Han Yue");
    assert_eq!(
        shop.roles(&first).await,
        ["REGION_MANAGER", "STORE_MANAGER"]
    );
    // Other groups at the next sign-in: the first session has the new roles too.
    shop.token(stranger("new-1", &["office"])).await;
    assert_eq!(shop.roles(&first).await, ["HEADQUARTERS"]);
    let changes = shop.audited("staff.update").await;
    assert_eq!(changes[0]["roles"], json!(["HEADQUARTERS"]));
    assert_eq!(changes[0]["way"], "COMPANY");
    // The same groups change nothing.
    shop.token(stranger("new-1", &["office"])).await;
    assert_eq!(shop.audited("staff.update").await.len(), 1);
    // No group is left: nobody comes in, and what was open is of no more use.
    assert_eq!(
        shop.sign_in_as(stranger("new-1", &[])).await,
        error("no_account")
    );
    assert_eq!(shop.roles(&first).await, [""; 0]);
    shop.token(stranger("new-1", &["office"])).await;

    // Somebody gives a role by hand: groups no longer decide.
    let who = shop.who(&first).await;
    let update = "mutation($input: StaffUpdateInput!) { staffUpdate(input: $input) { userErrors { code field } } }";
    let input = json!({
        "id": who["staff"]["id"], "version": who["staff"]["version"], "grants": [{ "role": "MARKETER" }],
    });
    shop.client()
        .gql(
            Some(shop.world.token("ADMIN")),
            update,
            json!({ "input": input }),
        )
        .await
        .payload();
    for groups in [&["office"][..], &[]] {
        let token = shop.token(stranger("new-1", groups)).await;
        assert_eq!(shop.roles(&token).await, ["MARKETER"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_first_sign_ins_at_once_make_one_account() {
    let shop = with_groups().await;
    shop.provider.claims(stranger("new-9", &["office"]));
    let ends = futures_util::future::join_all((0..6).map(|_| shop.sign_in())).await;
    for end in ends {
        end.ticket();
    }
    assert_eq!(shop.audited("staff.identity_link").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_never_take_the_last_administrator_away() {
    let shop = with_groups().await;
    let boss = shop.token(stranger("boss-1", &["bosses"])).await;
    let disable = "mutation($id: ID!) { staffDisable(input: { id: $id }) { userErrors { code } } }";
    let admin = sign_in(shop.client(), &email("ADMIN")).await;
    let own = "{ viewer { staff { id } } }";
    let own = shop.client().gql(Some(&admin), own, json!({})).await;
    let variables = json!({ "id": own.data()["viewer"]["staff"]["id"] });
    shop.client()
        .gql(Some(&boss), disable, variables)
        .await
        .payload();
    let end = shop.sign_in_as(stranger("boss-1", &["office"])).await;
    assert_eq!(end, error("no_account"));
    assert_eq!(shop.who(&boss).await["roles"][0]["role"], "ADMIN");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_token_does_not_say_the_userinfo_endpoint_is_asked() {
    let shop = with_groups().await;
    let short = json!({ "email": null, "email_verified": null, "name": null, "sub": "new-5" });
    let userinfo = |subject: &str| {
        Some(json!({
            "sub": subject, "email": "five@new.example", "email_verified": true, "name": "Five",
            "groups": "office",
        }))
    };
    shop.provider
        .with(|behaviour| behaviour.userinfo = userinfo("somebody else"));
    // What is said of somebody else is not taken for this person's.
    assert_eq!(
        shop.sign_in_as(short.clone()).await,
        error("provider_answer_invalid")
    );
    shop.provider
        .with(|behaviour| behaviour.userinfo = userinfo("new-5"));
    let token = shop.token(short).await;
    let who = shop.who(&token).await;
    assert_eq!(who["staff"]["email"], "five@new.example");
    assert_eq!(who["roles"][0]["role"], "HEADQUARTERS");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_claim_may_say_that_the_address_is_verified() {
    let shop = Shop::with(|configuration| {
        configuration.settings.oidc.verified_claim = "xms_edov".to_owned();
    })
    .await;
    for unverified in [
        json!({}),
        json!({ "xms_edov": false }),
        json!({ "xms_edov": "0" }),
    ] {
        assert_eq!(
            shop.sign_in_as(unverified).await,
            error("email_not_verified")
        );
    }
    shop.token(json!({ "xms_edov": 1, "email_verified": null }))
        .await;
}

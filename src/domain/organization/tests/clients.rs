//! Tokens of clients that are signed rightly and say what no token of ours says; and what a node remembers of a client.

use super::super::client_secrets;
use super::super::client_tokens::{self, Refusal, Request};
use super::super::clients::{self, ClientChange, NewClient, NewPlaces};
use super::super::{AuthError, keys};
use super::*;
use crate::access::{ClientScope, Scopes};
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, Header};
use serde_json::{Value, json};
use uuid::Uuid;

async fn client(ctx: &Ctx) -> (super::super::client_list::Client, SecretString) {
    let new = NewClient {
        name: "Till".to_owned(),
        scopes: vec![ClientScope::CatalogRead, ClientScope::VisitsRecord],
        places: NewPlaces {
            whole_company: true,
            ..NewPlaces::default()
        },
        budget: None,
        key: None,
    };
    let (client, secret) = clients::create(ctx, &new).await.unwrap();
    (client, secret.unwrap())
}

fn request(client: &super::super::client_list::Client, secret: &SecretString) -> Request {
    Request {
        client: client.row.id.to_string(),
        secret: secret.clone(),
        scope: None,
    }
}

#[tokio::test]
async fn no_token_is_both_of_staff_and_of_a_client() {
    for test in TestDb::all().await {
        let node = Node::first(&test).await;
        account(&node.ctx, "admin@shop.example", Role::Admin, Place::Company).await;
        let signed_in = node.sign_in("admin@shop.example").await;
        let (client, _) = client(&node.ctx).await;
        let secret = client.secrets[0].id;
        let key = keys::signer(&node.ctx).await.unwrap();
        let now = node.ctx.now().timestamp();
        let claims = json!({
            "iss": "regulars", "aud": "regulars-api", "sub": client.row.id, "client_id": client.row.id,
            "secret_id": secret, "scope": "catalog:read", "iat": now, "exp": now + 600, "jti": "x",
        });
        let sign = |claims: &Value| {
            let mut header = Header::new(Algorithm::EdDSA);
            header.typ = Some("at+jwt".to_owned());
            header.kid = Some(key.id.clone());
            jsonwebtoken::encode(&header, claims, &key.encoding).unwrap()
        };
        let with = |changes: Value| {
            let mut claims = claims.clone();
            for (name, value) in changes.as_object().unwrap() {
                match value {
                    Value::Null => claims.as_object_mut().unwrap().remove(name),
                    value => claims
                        .as_object_mut()
                        .unwrap()
                        .insert(name.clone(), value.clone()),
                };
            }
            sign(&claims)
        };
        assert!(
            matches!(
                node.door.authenticate(Some(&sign(&claims))).await,
                Ok(Viewer::Client(viewer)) if viewer.scopes.to_string() == "catalog:read"
            ),
            "the table's own base"
        );
        for changes in [
            // A sign-in that goes on, of somebody who may do everything.
            json!({ "sid": signed_in.session }),
            json!({ "sid": signed_in.session, "sub": signed_in.staff }),
            json!({ "sid": signed_in.session, "scope": null }),
            json!({ "sid": signed_in.session, "client_id": null, "secret_id": null, "scope": null }),
            json!({ "sub": signed_in.staff }),
            json!({ "sub": signed_in.staff, "client_id": signed_in.staff }),
            json!({ "client_id": Uuid::now_v7() }),
            json!({ "client_id": null }),
            json!({ "secret_id": null }),
            json!({ "secret_id": Uuid::now_v7() }),
            json!({ "scope": null }),
            json!({ "aud": "storefront" }),
            json!({ "aud": null }),
            json!({ "iss": "somebody" }),
            json!({ "nbf": now + 60 }),
        ] {
            let answer = node.door.authenticate(Some(&with(changes.clone()))).await;
            assert_eq!(answer.err(), Some(AuthError::Invalid), "{changes}");
        }
        // What a token asks for is never more than is granted.
        let greedy = with(json!({ "scope": "catalog:read catalog:write everything" }));
        let viewer = node.door.authenticate(Some(&greedy)).await.unwrap();
        assert!(
            matches!(&viewer, Viewer::Client(viewer) if viewer.scopes.to_string() == "catalog:read")
        );
        let expired = with(json!({ "exp": now - 6 }));
        assert_eq!(
            node.door.authenticate(Some(&expired)).await.err(),
            Some(AuthError::Expired)
        );
        assert!(node.lets_in(&signed_in).await);
        node.door.stop().await;
        test.done().await;
    }
}

#[tokio::test]
async fn what_changes_of_a_client_changes_what_its_tokens_are_worth() {
    for test in TestDb::all().await {
        let node = Node::first(&test).await;
        let (client, secret) = client(&node.ctx).await;
        let granted = client_tokens::grant(&node.anonymous(), &request(&client, &secret))
            .await
            .unwrap();
        let scopes = async || {
            let token = granted.token.expose_secret();
            match node.door.authenticate(Some(token)).await {
                Ok(Viewer::Client(viewer)) => Some(viewer.scopes),
                _ => None,
            }
        };
        assert_eq!(scopes().await, Scopes::parse("catalog:read visits:record"));
        // Scopes that are given later are none of the token's.
        let more = ClientChange {
            version: 1,
            scopes: Some(vec![ClientScope::CatalogRead, ClientScope::CustomersRead]),
            ..ClientChange::default()
        };
        clients::update(&node.ctx, client.row.id, &more)
            .await
            .unwrap();
        assert_eq!(scopes().await, Scopes::parse("catalog:read"));
        clients::disable(&node.ctx, client.row.id).await.unwrap();
        assert_eq!(scopes().await, None);
        let refused = client_tokens::grant(&node.anonymous(), &request(&client, &secret)).await;
        assert!(matches!(refused, Err(Refusal::Credentials)));
        clients::enable(&node.ctx, client.row.id).await.unwrap();
        assert_eq!(scopes().await, Scopes::parse("catalog:read"));
        client_secrets::rotate(&node.ctx, client.row.id, TimeDelta::minutes(5))
            .await
            .unwrap();
        assert!(scopes().await.is_some());
        test.clock.advance(TimeDelta::minutes(5));
        assert_eq!(scopes().await, None, "the token ends with its secret");
        assert_eq!(
            test.number("select count(*) from client_secret where expires_at is not null")
                .await,
            1
        );
        tidy::forget(&node.ctx).await.unwrap();
        assert_eq!(test.number("select count(*) from client_secret").await, 1);
        test.clock.advance(TimeDelta::days(1));
        tidy::forget(&node.ctx).await.unwrap();
        assert_eq!(test.number("select count(*) from client_change").await, 0);
        node.door.stop().await;
        test.done().await;
    }
}

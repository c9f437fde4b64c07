//! Signing in and the organization, on both engines.

mod access;
mod clients;
mod documents;
mod fixed;
mod names;
mod tokens;

use super::authenticator::Authenticator;
use super::company::{self, CompanyChange, CompanyDefaults};
use super::regions::{self, NewRegion};
use super::sessions::{self, SignedIn};
use super::staff::{self, NewStaff};
use super::staff_list::StaffMember;
use super::stores::{self, NewStore, StoreFilter, StoreOrder};
use super::tidy;
use crate::access::{Ctx, Grant, Origin, Place, Viewer};
use crate::db::{Bounds, PageRequest, Sort};
use crate::error::{Code, Error, Result};
use crate::testing::TestDb;
use entity::enums::Role;
use entity::ids::StoreId;
use secrecy::{ExposeSecret, SecretString};

const PASSWORD: &str = "tall green kettles sing";

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

/// The code of the first user error, or what else came.
fn code<T>(result: Result<T>) -> Code {
    match result {
        Err(Error::User(errors)) => errors.first().unwrap().code,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("no error"),
    }
}

/// A program on a test's database: its own memory, requests from an address.
struct Node {
    ctx: Ctx,
    door: Authenticator,
}

impl Node {
    async fn start(ctx: Ctx) -> Self {
        let door = Authenticator::start(ctx.clone()).await.unwrap();
        Self { ctx, door }
    }

    async fn first(test: &TestDb) -> Self {
        let ctx = test.system();
        let defaults = CompanyDefaults {
            name: "Tea & Sons".to_owned(),
            currency: "CNY".to_owned(),
            country: "CN".to_owned(),
            locale: "zh".to_owned(),
            time_zone: "Asia/Shanghai".to_owned(),
        };
        company::ensure(&ctx, &defaults).await.unwrap();
        Self::start(ctx).await
    }

    fn anonymous(&self) -> Ctx {
        let origin = Origin {
            address: Some([192, 0, 2, 7].into()),
            ..Origin::internal()
        };
        self.ctx.for_request(Viewer::Anonymous, origin)
    }

    async fn sign_in(&self, email: &str) -> SignedIn {
        sessions::sign_in(&self.anonymous(), email, &secret(PASSWORD))
            .await
            .unwrap()
    }

    async fn as_viewer(&self, signed_in: &SignedIn) -> Ctx {
        let token = signed_in.access_token.expose_secret();
        let viewer = self.door.authenticate(Some(token)).await.unwrap();
        self.ctx.for_request(viewer, self.anonymous().origin)
    }

    async fn lets_in(&self, signed_in: &SignedIn) -> bool {
        let token = signed_in.access_token.expose_secret();
        self.door.authenticate(Some(token)).await.is_ok()
    }
}

async fn account(ctx: &Ctx, email: &str, role: Role, place: Place) -> StaffMember {
    let new = NewStaff {
        email: email.to_owned(),
        name: email.split('@').next().unwrap().to_owned(),
        grants: vec![Grant { role, place }],
        password: Some(secret(PASSWORD)),
        demo: false,
    };
    staff::create(ctx, &new).await.unwrap()
}

async fn store(ctx: &Ctx, code: &str) -> StoreId {
    let region = match regions::all(ctx).await.unwrap().first() {
        Some(region) => region.id,
        None => {
            let new = NewRegion {
                code: "R1".to_owned(),
                name: "East".to_owned(),
            };
            regions::create(ctx, &new).await.unwrap().id
        }
    };
    let new = NewStore {
        region,
        code: code.to_owned(),
        name: format!("Store {code}"),
        time_zone: None,
        opening_hours: Vec::new(),
    };
    stores::create(ctx, &new).await.unwrap().id
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_its_family_and_no_other() {
    for test in TestDb::all().await {
        let node = Node::first(&test).await;
        account(&node.ctx, "admin@shop.example", Role::Admin, Place::Company).await;
        let first = node.sign_in("Admin@Shop.example").await;
        let other = node.sign_in("admin@shop.example").await;
        let ctx = node.anonymous();
        let second = sessions::refresh(&ctx, &first.refresh_token).await.unwrap();
        assert_eq!(second.session, first.session);
        assert!(node.lets_in(&second).await);
        let again = sessions::refresh(&ctx, &first.refresh_token).await;
        assert_eq!(code(again), Code::InvalidCredentials);
        assert!(
            !node.lets_in(&second).await,
            "the thief and the owner are out"
        );
        let third = sessions::refresh(&ctx, &second.refresh_token).await;
        assert_eq!(code(third), Code::InvalidCredentials);
        assert!(node.lets_in(&other).await, "another sign-in goes on");
        let audited = "select count(*) from audit_entry where action = 'session.refresh_reused'";
        assert_eq!(test.number(audited).await, 1);

        // Of 8 uses at once, one wins, and the family has ended.
        let race = (0..8).map(|_| sessions::refresh(&ctx, &other.refresh_token));
        let won = futures_util::future::join_all(race).await;
        assert_eq!(won.iter().filter(|result| result.is_ok()).count(), 1);
        assert!(!node.lets_in(&other).await);
        assert_eq!(test.number(audited).await, 2);
        node.door.stop().await;
        test.done().await;
    }
}

#[tokio::test]
async fn sessions_end_when_idle_and_at_last() {
    for test in TestDb::all().await {
        let node = Node::first(&test).await;
        account(&node.ctx, "admin@shop.example", Role::Admin, Place::Company).await;
        let ctx = node.anonymous();
        let idle = node.sign_in("admin@shop.example").await;
        let mut kept = node.sign_in("admin@shop.example").await;
        for day in [29, 58, 87] {
            test.clock.advance(chrono::TimeDelta::days(29));
            kept = sessions::refresh(&ctx, &kept.refresh_token).await.unwrap();
            assert!(
                kept.refresh_expires_at <= crate::testing::noon() + chrono::TimeDelta::days(90)
            );
            assert!(node.lets_in(&kept).await, "day {day}");
        }
        let late = sessions::refresh(&ctx, &idle.refresh_token).await;
        assert_eq!(code(late), Code::InvalidCredentials);
        test.clock.advance(chrono::TimeDelta::days(4));
        let late = sessions::refresh(&ctx, &kept.refresh_token).await;
        assert_eq!(code(late), Code::InvalidCredentials);
        tidy::forget(&node.ctx).await.unwrap();
        assert_eq!(test.number("select count(*) from refresh_token").await, 0);
        node.door.stop().await;
        test.done().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_guesses_never_pass_the_limit() {
    for test in TestDb::all().await {
        let node = Node::first(&test).await;
        account(&node.ctx, "admin@shop.example", Role::Admin, Place::Company).await;
        let ctx = node.anonymous();
        for email in ["admin@shop.example", "nobody@shop.example"] {
            let wrong = secret("not the password at all");
            let guesses = (0..64).map(|_| sessions::sign_in(&ctx, email, &wrong));
            let answers = futures_util::future::join_all(guesses).await;
            let limited = answers
                .iter()
                .filter(|answer| matches!(answer, Err(Error::RateLimited)))
                .count();
            let hashed = answers.len() - limited;
            // 10 by account; for the second one the address's 100 are nearly used up.
            assert!((1..=10).contains(&hashed), "{email}: {hashed}");
            for answer in answers {
                if !matches!(answer, Err(Error::RateLimited)) {
                    assert_eq!(code(answer), Code::InvalidCredentials);
                }
            }
        }
        let right = sessions::sign_in(&ctx, "admin@shop.example", &secret(PASSWORD)).await;
        assert!(matches!(right, Err(Error::RateLimited)), "{right:?}");
        test.clock.advance(chrono::TimeDelta::minutes(16));
        node.sign_in("admin@shop.example").await;
        let trail = "select count(*) from audit_entry where action = 'session.sign_in_failed' and detail like '%shop%'";
        if test.db.engine() == crate::db::Engine::Sqlite {
            assert_eq!(test.number(trail).await, 0, "no address in the log");
        }
        node.door.stop().await;
        test.done().await;
    }
}

#[tokio::test]
async fn success_gives_the_account_its_attempts_back() {
    for test in TestDb::all().await {
        let node = Node::first(&test).await;
        account(&node.ctx, "admin@shop.example", Role::Admin, Place::Company).await;
        for _ in 0..2 {
            for _ in 0..9 {
                let wrong =
                    sessions::sign_in(&node.anonymous(), "admin@shop.example", &secret("x")).await;
                assert_eq!(code(wrong), Code::InvalidCredentials);
            }
            node.sign_in("admin@shop.example").await;
        }
        node.door.stop().await;
        test.done().await;
    }
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    for test in TestDb::all().await {
        let node = Node::first(&test).await;
        account(&node.ctx, "admin@shop.example", Role::Admin, Place::Company).await;
        let (here, there) = (
            node.sign_in("admin@shop.example").await,
            node.sign_in("admin@shop.example").await,
        );
        assert!(node.lets_in(&there).await);
        let me = node.as_viewer(&here).await;
        let new = secret("seven slow red bicycles");
        let wrong = sessions::change_password(&me, &secret("guess"), &new).await;
        assert_eq!(code(wrong), Code::InvalidCredentials);
        let weak = sessions::change_password(&me, &secret(PASSWORD), &secret("short")).await;
        assert_eq!(code(weak), Code::WeakPassword);
        sessions::change_password(&me, &secret(PASSWORD), &new)
            .await
            .unwrap();
        assert!(node.lets_in(&here).await);
        assert!(!node.lets_in(&there).await);
        let old =
            sessions::sign_in(&node.anonymous(), "admin@shop.example", &secret(PASSWORD)).await;
        assert_eq!(code(old), Code::InvalidCredentials);
        sessions::sign_in(&node.anonymous(), "admin@shop.example", &new)
            .await
            .unwrap();
        assert_eq!(sessions::own(&me).await.unwrap().len(), 2);
        assert_eq!(sessions::sign_out_everywhere(&me, false).await.unwrap(), 2);
        assert!(!node.lets_in(&here).await);
        node.door.stop().await;
        test.done().await;
    }
}

#[tokio::test]
async fn the_company_changes_within_its_bounds() {
    for test in TestDb::all().await {
        let node = Node::first(&test).await;
        let before = company::settings(&node.ctx).await.unwrap();
        let other_node = test.system_on(test.another_node().await);
        assert_eq!(company::settings(&other_node).await.unwrap().version, 1);
        let change = CompanyChange {
            version: before.version,
            locale: Some("ko".to_owned()),
            currency: Some("KRW".to_owned()),
            ..CompanyChange::default()
        };
        company::update(&node.ctx, &change).await.unwrap();
        let after = company::settings(&node.ctx).await.unwrap();
        assert_eq!(
            (after.locale.as_str(), after.currency.code(), after.version),
            ("ko", "KRW", 2)
        );
        assert_eq!(
            code(company::update(&node.ctx, &change).await),
            Code::StaleVersion
        );
        tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
        assert_eq!(company::settings(&other_node).await.unwrap().version, 2);
        for (change, field) in [
            (
                CompanyChange {
                    time_zone: Some("Mars/Base".to_owned()),
                    ..Default::default()
                },
                "timeZone",
            ),
            (
                CompanyChange {
                    country: Some("XX".to_owned()),
                    ..Default::default()
                },
                "country",
            ),
            (
                CompanyChange {
                    locale: Some("!".to_owned()),
                    ..Default::default()
                },
                "locale",
            ),
            (
                CompanyChange {
                    currency: Some("XXX".to_owned()),
                    ..Default::default()
                },
                "currencyCode",
            ),
            (
                CompanyChange {
                    name: Some("a\u{0}b".to_owned()),
                    ..Default::default()
                },
                "name",
            ),
        ] {
            match company::update(&node.ctx, &change).await {
                Err(Error::User(errors)) => assert_eq!(errors[0].field, [field]),
                other => panic!("{other:?}"),
            }
        }
        node.door.stop().await;
        test.done().await;
    }
}

#[tokio::test]
async fn stores_are_paged_and_their_codes_unique() {
    for test in TestDb::all().await {
        let node = Node::first(&test).await;
        for code in ["S3", "S1", "s0", "S2"] {
            store(&node.ctx, code).await;
        }
        let region = regions::all(&node.ctx).await.unwrap()[0].id;
        let twin = NewStore {
            region,
            code: "S1".to_owned(),
            name: "Twin".to_owned(),
            time_zone: None,
            opening_hours: Vec::new(),
        };
        assert_eq!(code(stores::create(&node.ctx, &twin).await), Code::Taken);
        let page = |bounds| PageRequest {
            size: 3,
            backward: false,
            bounds,
        };
        let codes = |page: crate::db::Page<entity::store::Model>| {
            let codes: Vec<String> = page.items.into_iter().map(|store| store.code).collect();
            codes.join(" ")
        };
        let all = StoreFilter::default();
        let list = |filter: StoreFilter, bounds| {
            let (ctx, page) = (node.ctx.clone(), page(bounds));
            async move {
                stores::list(&ctx, &filter, StoreOrder::Code, Sort::Ascending, &page)
                    .await
                    .unwrap()
            }
        };
        let first = list(all.clone(), Bounds::default()).await;
        assert!(first.has_next);
        let last = first.items.last().unwrap();
        let after = Bounds {
            after: Some(crate::db::SortKey {
                value: last.code.clone().into(),
                id: last.id.0.into(),
            }),
            before: None,
        };
        assert_eq!(codes(first), "S1 S2 S3", "bytewise on both engines");
        assert_eq!(codes(list(all, after).await), "s0");
        let found = StoreFilter {
            query: Some("STORE s1".to_owned()),
            ..Default::default()
        };
        assert_eq!(codes(list(found, Bounds::default()).await), "S1");
        let wild = StoreFilter {
            query: Some("%".to_owned()),
            ..Default::default()
        };
        assert_eq!(codes(list(wild.clone(), Bounds::default()).await), "");
        assert_eq!(stores::count(&node.ctx, &wild).await.unwrap(), 0);
        let closed = stores::by_code(&node.ctx, "S2").await.unwrap().unwrap();
        stores::archive(&node.ctx, closed.id, 1, true)
            .await
            .unwrap();
        let stale = stores::archive(&node.ctx, closed.id, 1, false).await;
        assert_eq!(code(stale), Code::StaleVersion);
        let gone = StoreFilter {
            archived: Some(true),
            ..Default::default()
        };
        assert_eq!(codes(list(gone, Bounds::default()).await), "S2");
        node.door.stop().await;
        test.done().await;
    }
}

//! Currency and locale stay once something is kept by them, also when it is being written at that moment.

use super::Node;
use crate::access::Ctx;
use crate::domain::cards::ladder::Rung;
use crate::domain::cards::programmes::{self, NewProgramme};
use crate::domain::customers;
use crate::domain::customers::input::{CreateInput, FileInput};
use crate::domain::organization::company::{self, CompanyChange};
use crate::domain::organization::fixed;
use crate::error::{Code, Error, Result};
use crate::testing::TestDb;
use entity::ids::{ProgrammeId, TierId};
use entity::{programme, tier};
use iso_currency::Currency;
use sea_orm::ActiveModelTrait;
use sea_orm::ActiveValue::Set;
use std::time::Duration;
use tokio::sync::Notify;

async fn change(ctx: &Ctx, currency: Option<&str>, locale: Option<&str>) -> Result<()> {
    let change = CompanyChange {
        version: company::reread(ctx).await?.version,
        currency: currency.map(str::to_owned),
        locale: locale.map(str::to_owned),
        ..CompanyChange::default()
    };
    company::update(ctx, &change).await.map(|_| ())
}

/// The code and the field of the only user error.
#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T>) -> (Code, String) {
    match result.unwrap_err() {
        Error::User(errors) if errors.len() == 1 => (errors[0].code, errors[0].field.join(".")),
        other => panic!("{other:?}"),
    }
}

async fn make_programme(ctx: &Ctx, code: &str) -> Result<()> {
    let new = NewProgramme {
        code: code.to_owned(),
        name: "Club".to_owned(),
        card_prefix: None,
        card_valid_months: None,
        tiers: vec![Rung {
            id: None,
            name: "Member".to_owned(),
            spend_threshold_minor: 0,
            discount_basis_points: 0,
        }],
    };
    programmes::create(ctx, new).await.map(|_| ())
}

async fn make_customer(ctx: &Ctx) -> Result<()> {
    let input = CreateInput {
        file: FileInput {
            full_name: Some(Some("王小明".to_owned())),
            ..FileInput::default()
        },
        ..CreateInput::default()
    };
    customers::create(ctx, &input, None).await.map(|_| ())
}

#[tokio::test]
async fn what_is_kept_by_currency_and_locale_fixes_them() {
    for test in TestDb::all().await {
        let node = Node::first(&test).await;
        let ctx = &node.ctx;
        change(ctx, Some("USD"), Some("en")).await.unwrap();
        make_programme(ctx, "club").await.unwrap();
        assert_eq!(
            refused(change(ctx, Some("CNY"), None).await),
            (Code::WrongState, "currencyCode".to_owned())
        );
        change(ctx, Some("USD"), Some("zh")).await.unwrap();
        make_customer(ctx).await.unwrap();
        assert_eq!(
            refused(change(ctx, None, Some("en")).await),
            (Code::WrongState, "locale".to_owned())
        );
        change(ctx, Some("USD"), Some("zh")).await.unwrap();
        node.door.stop().await;
        test.done().await;
    }
}

/// Another node has changed them less than two seconds ago: what was computed by the old ones is not written.
#[tokio::test]
async fn nothing_is_written_by_settings_that_have_changed() {
    for test in TestDb::all().await {
        let node = Node::first(&test).await;
        let other = test.system_on(test.another_node().await);
        assert_eq!(
            company::settings(&other).await.unwrap().currency,
            Currency::CNY
        );
        change(&node.ctx, Some("USD"), Some("en")).await.unwrap();
        let stale = (Code::WrongState, String::new());
        assert_eq!(refused(make_programme(&other, "club").await), stale);
        make_programme(&other, "club").await.unwrap();
        company::settings(&other).await.unwrap();
        change(&node.ctx, None, Some("ko")).await.unwrap();
        assert_eq!(refused(make_customer(&other).await), stale);
        make_customer(&other).await.unwrap();
        node.door.stop().await;
        test.done().await;
    }
}

/// A change that comes while the first amount is being written waits for it, and is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_waits_for_the_first_amount() {
    for test in TestDb::all().await {
        let node = Node::first(&test).await;
        let ctx = &node.ctx;
        let held = &Notify::new();
        let writing = ctx.db.write(|tx| async move {
            fixed::hold_currency(&*tx, ctx, Currency::CNY).await?;
            held.notify_one();
            tokio::time::sleep(Duration::from_millis(300)).await;
            let made = programme::ActiveModel {
                id: Set(ProgrammeId::new()),
                code: Set("club".to_owned()),
                name: Set("Club".to_owned()),
                card_prefix: Set("88".to_owned()),
                card_valid_months: Set(None),
                version: Set(1),
                created_at: Set(ctx.now()),
                updated_at: Set(ctx.now()),
            }
            .insert(&*tx)
            .await?;
            tier::ActiveModel {
                id: Set(TierId::new()),
                programme_id: Set(made.id),
                level: Set(1),
                name: Set("Member".to_owned()),
                spend_threshold_minor: Set(0),
                discount_basis_points: Set(0),
                retired_at: Set(None),
            }
            .insert(&*tx)
            .await?;
            Ok(())
        });
        let changing = async {
            held.notified().await;
            change(ctx, Some("USD"), None).await
        };
        let (written, changed) = tokio::join!(writing, changing);
        written.unwrap();
        assert_eq!(
            refused(changed),
            (Code::WrongState, "currencyCode".to_owned())
        );
        node.door.stop().await;
        test.done().await;
    }
}

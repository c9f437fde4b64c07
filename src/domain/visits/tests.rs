//! Recording under concurrency, repeats, returns. What comes from files is in [`bringing_in`].

mod bringing_in;

use super::lookup;
use super::receipt::{Amount, NewLine, NewPurchase, NewReturn};
use super::record::{NewVisit, record};
use super::who::Who;
use crate::access::{Ctx, Viewer};
use crate::db::Batch;
use crate::domain::cards::issue::{self, NewCard};
use crate::domain::cards::ladder::Rung;
use crate::domain::cards::lookup as cards;
use crate::domain::cards::programmes::{self, NewProgramme};
use crate::domain::customers;
use crate::domain::customers::bulk::{self, NewCustomer};
use crate::domain::organization::{company, regions, stores};
use crate::error::{Code, Error};
use crate::testing::TestDb;
use entity::enums::{Role, TierChangeReason, VisitChannel};
use entity::ids::{CustomerId, PurchaseLineId, StoreId};
use futures_util::future::join_all;

/// A shop with one store, a ladder of two tiers, and one customer with a card.
struct Shop {
    ctx: Ctx,
    store: StoreId,
    customer: CustomerId,
}

async fn company_and_store(ctx: &Ctx) -> StoreId {
    let defaults = company::CompanyDefaults {
        name: "Tea House".into(),
        currency: "USD".into(),
        country: "US".into(),
        locale: "en".into(),
        time_zone: "UTC".into(),
    };
    company::ensure(ctx, &defaults).await.unwrap();
    let region = regions::NewRegion {
        code: "r".into(),
        name: "Region".into(),
    };
    let region = regions::create(ctx, &region).await.unwrap();
    let store = stores::NewStore {
        region: region.id,
        code: "main".into(),
        name: "Main".into(),
        time_zone: None,
        opening_hours: Vec::new(),
    };
    stores::create(ctx, &store).await.unwrap().id
}

async fn shop(db: &TestDb) -> Shop {
    let ctx = db.system();
    let store = company_and_store(&ctx).await;
    let rung = |name: &str, threshold: i64, discount: i32| Rung {
        id: None,
        name: name.into(),
        spend_threshold_minor: threshold,
        discount_basis_points: discount,
    };
    let programme = NewProgramme {
        code: "club".into(),
        name: "Club".into(),
        card_prefix: None,
        card_valid_months: Some(12),
        tiers: vec![rung("Member", 0, 0), rung("Silver", 100_000, 500)],
    };
    programmes::create(&ctx, programme).await.unwrap();
    let new = NewCustomer {
        home_store_id: Some(store),
        ..NewCustomer::named("Wang Fang".into(), ctx.now())
    };
    let (customer, new, settings) = (new.id, &[new], &*company::settings(&ctx).await.unwrap());
    let made = ctx
        .db
        .write(|tx| async move {
            let mut batch = Batch::new();
            bulk::gather(&mut batch, settings, new);
            batch.write(&*tx).await
        })
        .await;
    made.unwrap();
    let card = NewCard {
        customer,
        programme: None,
        store: None,
        key: None,
    };
    issue::issue(&ctx, card).await.unwrap();
    Shop {
        ctx,
        store,
        customer,
    }
}

fn usd(amount: &str) -> Amount {
    Amount {
        amount: amount.into(),
        currency: "USD".into(),
    }
}

fn line(amount: &str, quantity: &str) -> NewLine {
    NewLine {
        sku: None,
        name: Some("Oolong".into()),
        category: None,
        brand: None,
        quantity: Some(quantity.into()),
        list_price: None,
        amount: usd(amount),
        unit_cost: None,
        discount_reason: None,
    }
}

fn visit(shop: &Shop, number: &str, lines: Vec<NewLine>, returns: Vec<NewReturn>) -> NewVisit {
    NewVisit {
        who: Who::Customer(shop.customer),
        store: Some(shop.store),
        channel: VisitChannel::InStore,
        at: None,
        served_by: None,
        no_purchase_reason: None,
        note: None,
        transcript: Vec::new(),
        purchase: Some(NewPurchase {
            receipt: Some(("till".into(), number.into())),
            lines,
            returns,
        }),
        key: None,
    }
}

fn code(error: Error) -> Code {
    match error {
        Error::User(errors) => errors.first().map(|error| error.code).unwrap(),
        other => panic!("{other:?}"),
    }
}

async fn first_line(shop: &Shop, number: &str) -> PurchaseLineId {
    let repeated = record(
        &shop.ctx,
        visit(shop, number, vec![line("10.00", "3")], vec![]),
    )
    .await
    .unwrap();
    let receipts = lookup::purchases_of(&shop.ctx, &[repeated.id])
        .await
        .unwrap();
    lookup::lines_of(&shop.ctx, &[receipts[0].id])
        .await
        .unwrap()[0]
        .id
}

/// 64 writers, 2,000 recordings of 1,600 receipts of one customer: each repeat gives the visit recorded first,
/// nobody is shown an error, and sums, count and tier are exact.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_on_one_customer_add_up() {
    for db in TestDb::all().await {
        let shop = &shop(&db).await;
        let writers = (0..64).map(|writer| async move {
            for n in (writer..2000).step_by(64) {
                let number = format!("{}", n % 1600);
                record(
                    &shop.ctx,
                    visit(shop, &number, vec![line("1.25", "1")], vec![]),
                )
                .await
                .unwrap();
            }
        });
        join_all(writers).await;
        let totals = customers::totals(&shop.ctx, &[shop.customer])
            .await
            .unwrap()
            .remove(0);
        assert_eq!((totals.visits, totals.receipts), (1600, 1600));
        assert_eq!((totals.bought_minor, totals.returned_minor), (200_000, 0));
        let membership = cards::memberships_of(&shop.ctx, &[shop.customer])
            .await
            .unwrap()
            .remove(0);
        let changes = cards::tier_changes_of(&shop.ctx, &[membership.id])
            .await
            .unwrap();
        let reasons: Vec<_> = changes.iter().map(|change| change.reason).collect();
        assert_eq!(
            reasons,
            [TierChangeReason::Enrolled, TierChangeReason::SpendReached]
        );
        assert_eq!(
            changes[1].net_spend_minor, 100_000,
            "the upgrade comes with the very receipt that reaches it"
        );
        assert_eq!(
            db.number("select count(*) from event where kind = 'visit.recorded'")
                .await,
            1600
        );
        assert_eq!(
            db.number("select count(*) from audit_entry where action = 'visit.record'")
                .await,
            1600
        );
        db.done().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_recorded_once_and_never_changed() {
    for db in TestDb::all().await {
        let shop = shop(&db).await;
        let first = record(
            &shop.ctx,
            visit(&shop, "1", vec![line("5.00", "1")], vec![]),
        )
        .await
        .unwrap();
        let again = record(
            &shop.ctx,
            visit(&shop, "1", vec![line("5.00", "1")], vec![]),
        )
        .await
        .unwrap();
        assert_eq!(first.id, again.id);
        let other = record(
            &shop.ctx,
            visit(&shop, "1", vec![line("6.00", "1")], vec![]),
        )
        .await
        .unwrap_err();
        assert_eq!(code(other), Code::ReceiptConflict);
        db.done().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn returns_in_parts_add_up_and_undo_the_upgrade() {
    for db in TestDb::all().await {
        let shop = shop(&db).await;
        let bought = first_line(&shop, "a").await;
        let big = record(
            &shop.ctx,
            visit(&shop, "b", vec![line("995.00", "1")], vec![]),
        )
        .await
        .unwrap();
        assert_eq!(big.customer_id, shop.customer);
        let membership = || async {
            cards::memberships_of(&shop.ctx, &[shop.customer])
                .await
                .unwrap()
                .remove(0)
        };
        let silver = membership().await.tier_id;
        let back = |quantity: Option<&str>| NewReturn {
            line: bought,
            quantity: quantity.map(str::to_owned),
            amount: None,
        };
        let too_many = record(
            &shop.ctx,
            visit(&shop, "c", vec![], vec![back(Some("3.001"))]),
        )
        .await
        .unwrap_err();
        assert_eq!(code(too_many), Code::ReturnExceeds);
        // 10.00 over three pieces: 3.33, 3.33 and the rest.
        for (number, quantity) in [("d", Some("1")), ("e", Some("1")), ("f", None)] {
            record(
                &shop.ctx,
                visit(&shop, number, vec![], vec![back(quantity)]),
            )
            .await
            .unwrap();
            // The network repeats.
            record(
                &shop.ctx,
                visit(&shop, number, vec![], vec![back(quantity)]),
            )
            .await
            .unwrap();
        }
        let totals = customers::totals(&shop.ctx, &[shop.customer])
            .await
            .unwrap()
            .remove(0);
        assert_eq!(
            (totals.bought_minor, totals.returned_minor),
            (100_500, 1_000)
        );
        let after = membership().await;
        assert_ne!(after.tier_id, silver);
        let changes = cards::tier_changes_of(&shop.ctx, &[after.id])
            .await
            .unwrap();
        assert_eq!(
            changes.last().unwrap().reason,
            TierChangeReason::ReturnUndid
        );
        assert_eq!(
            changes.last().unwrap().net_spend_minor,
            99_834,
            "undone by the return that goes below"
        );
        let nothing_left = record(&shop.ctx, visit(&shop, "g", vec![], vec![back(None)]))
            .await
            .unwrap_err();
        assert_eq!(code(nothing_left), Code::ReturnExceeds);
        db.done().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_and_nothing_is_written() {
    for db in TestDb::all().await {
        let shop = shop(&db).await;
        let cases: Vec<(NewVisit, Code)> = vec![
            (
                visit(&shop, "1", vec![line("1.00", "-1")], vec![]),
                Code::OutOfRange,
            ),
            (
                visit(&shop, "1", vec![line("1.00", "0")], vec![]),
                Code::OutOfRange,
            ),
            (
                visit(&shop, "1", vec![line("-1.00", "1")], vec![]),
                Code::OutOfRange,
            ),
            (
                visit(&shop, "1", vec![line("1.001", "1")], vec![]),
                Code::Invalid,
            ),
            (
                visit(&shop, "1", vec![line("99999999999999", "1")], vec![]),
                Code::OutOfRange,
            ),
            (visit(&shop, "1", vec![], vec![]), Code::Required),
            (
                visit(&shop, "a\u{0}b", vec![line("1.00", "1")], vec![]),
                Code::Invalid,
            ),
            (
                visit(&shop, &"9".repeat(65), vec![line("1.00", "1")], vec![]),
                Code::TooLong,
            ),
            (
                visit(
                    &shop,
                    "1",
                    (0..201).map(|_| line("1.00", "1")).collect(),
                    vec![],
                ),
                Code::TooMany,
            ),
            (
                NewVisit {
                    who: Who::Customer(CustomerId::new()),
                    ..visit(&shop, "1", vec![line("1.00", "1")], vec![])
                },
                Code::NotFound,
            ),
            (
                NewVisit {
                    store: Some(StoreId::new()),
                    ..visit(&shop, "1", vec![line("1.00", "1")], vec![])
                },
                Code::NotFound,
            ),
            (
                NewVisit {
                    at: Some(shop.ctx.now() + chrono::TimeDelta::hours(1)),
                    ..visit(&shop, "1", vec![line("1.00", "1")], vec![])
                },
                Code::OutOfRange,
            ),
        ];
        for (n, (new, expected)) in cases.into_iter().enumerate() {
            assert_eq!(
                code(record(&shop.ctx, new).await.unwrap_err()),
                expected,
                "case {n}"
            );
        }
        let euro = NewLine {
            amount: Amount {
                amount: "1.00".into(),
                currency: "EUR".into(),
            },
            ..line("1.00", "1")
        };
        let refused = record(&shop.ctx, visit(&shop, "1", vec![euro], vec![]))
            .await
            .unwrap_err();
        assert_eq!(code(refused), Code::CurrencyMismatch);
        assert_eq!(db.number("select count(*) from visit").await, 0);
        assert_eq!(
            db.number("select count(*) from event where kind = 'visit.recorded'")
                .await,
            0
        );
        db.done().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_records_without_the_right() {
    for db in TestDb::all().await {
        let shop = shop(&db).await;
        for role in [Role::Analyst, Role::Marketer] {
            let ctx = db.staff(role);
            let refused = record(&ctx, visit(&shop, "1", vec![line("1.00", "1")], vec![]))
                .await
                .unwrap_err();
            assert!(matches!(refused, Error::Forbidden), "{role}");
        }
        let anonymous = Ctx {
            viewer: Viewer::Anonymous,
            ..db.system()
        };
        let refused = record(
            &anonymous,
            visit(&shop, "1", vec![line("1.00", "1")], vec![]),
        )
        .await
        .unwrap_err();
        assert!(matches!(refused, Error::Unauthenticated));
        db.done().await;
    }
}

//! The shop that is filled is the same each time, adds up, and has what a demonstration is to show.

use super::*;
use crate::testing::TestDb;

const SMALL: Scale = Scale {
    customers: 300,
    visits: 3_600,
    stores: 4,
    days: 730,
    seed: 7,
};

/// Everything that does not depend on keys, as text.
async fn picture(test: &TestDb) -> Vec<String> {
    let mut picture = Vec::new();
    for sql in [
        "select r.external_id || ' ' || c.full_name || ' ' || coalesce(c.birth_date, '') || ' ' || s.code || ' ' || c.importance
            || ' ' || t.visits || ' ' || t.receipts || ' ' || t.bought_minor || ' ' || t.returned_minor || ' ' || coalesce(t.last_visit_on, t.first_visit_on)
            || ' ' || coalesce((select number from card where card.customer_id = c.id), '-')
            || ' ' || coalesce((select tier.name from membership join tier on tier.id = tier_id where membership.customer_id = c.id), '-')
            from customer c join customer_reference r on r.customer_id = c.id join customer_total t on t.customer_id = c.id
            join store s on s.id = c.home_store_id order by r.external_id",
        "select value from contact_point order by value",
        "select p.sku || ' ' || c.code || ' ' || list_price_minor from product p join category c on c.id = p.category_id
            join product_price on product_id = p.id order by p.sku",
        "select p.receipt_number || ' ' || v.channel || ' ' || v.outcome || ' ' || v.business_date || ' ' || l.line || ' ' || l.sku
            || ' ' || l.quantity_milli || ' ' || l.amount_minor || ' ' || coalesce(l.discount_reason, '-')
            || ' ' || coalesce((select email from staff where staff.id = v.served_by_id), '-')
            from purchase_line l join purchase p on p.id = l.purchase_id join visit v on v.id = p.visit_id
            order by p.receipt_number, l.line",
        "select email from staff order by email",
    ] {
        let mut statement = test.db.sql();
        statement.push(sql);
        for row in test.db.read().query_all_raw(statement.build()).await.unwrap() {
            picture.push(row.try_get_by_index::<String>(0).unwrap());
        }
    }
    picture
}

#[tokio::test]
async fn a_seed_gives_one_shop_on_every_engine_and_adds_up() {
    let mut pictures = Vec::new();
    let mut databases = TestDb::all().await;
    databases.extend(TestDb::all().await);
    for test in databases {
        let ctx = test.system();
        let made = fill(&ctx, &SMALL, |_| ()).await.unwrap();
        assert_eq!((made.customers, made.known), (300, 0));
        assert!(
            (3_200..=4_000).contains(&made.visits),
            "{} visits",
            made.visits
        );
        adds_up(&test).await;
        shows_what_it_should(&test).await;
        pictures.push(picture(&test).await);
        let before = test.number("select count(*) from event").await;
        // Another day, on which everybody would be told differently: nothing changes.
        test.clock.advance(TimeDelta::days(3));
        let again = fill(&ctx, &SMALL, |_| ()).await.unwrap();
        assert_eq!((again.customers, again.known, again.visits), (0, 300, 0));
        assert_eq!(again.sample_card, made.sample_card);
        assert!(entity::values::CardNumber::parse(&made.sample_card).is_ok());
        assert_eq!(test.number("select count(*) from event").await, before);
        assert_eq!(pictures.last(), Some(&picture(&test).await));
        test.done().await;
    }
    for (n, picture) in pictures.iter().enumerate() {
        assert!(picture == &pictures[0], "filling {n} made another shop");
    }
}

async fn adds_up(test: &TestDb) {
    for (what, sql) in [
        (
            "receipts are not their lines",
            "select count(*) from purchase p where bought_minor - returned_minor <>
                (select coalesce(sum(amount_minor), 0) from purchase_line l where l.purchase_id = p.id)",
        ),
        (
            "totals are not their receipts",
            "select count(*) from customer_total t where bought_minor <> (select coalesce(sum(p.bought_minor), 0)
                from purchase p where p.customer_id = t.customer_id) or visits <> (select count(*) from visit v
                where v.customer_id = t.customer_id)",
        ),
        (
            "more was given back than bought",
            "select count(*) from customer_total where returned_minor > bought_minor",
        ),
        (
            "tiers are not what is earned",
            "select count(*) from membership m join tier on tier.id = m.tier_id join customer_total t on
                t.customer_id = m.customer_id where spend_threshold_minor > bought_minor - returned_minor",
        ),
        (
            "discounts that the tier does not give",
            "select count(*) from purchase_line where amount_minor > 0 and
                amount_minor * 1000 < list_price_minor * quantity_milli and discount_reason is null",
        ),
        (
            "lines of no product",
            "select count(*) from purchase_line l where not exists (select 1 from product p where p.sku = l.sku)",
        ),
        (
            "visits before they were known",
            "select count(*) from visit v join customer c on c.id = v.customer_id where v.at < c.created_at",
        ),
        (
            "visits without purchase and reason",
            "select count(*) from visit where (outcome = 'NO_PURCHASE') <> (no_purchase_reason is not null)",
        ),
    ] {
        assert_eq!(test.number(sql).await, 0, "{what}");
    }
    let now = test.clock.clone();
    let mut late = test.db.sql();
    late.push("select count(*) from visit where at >= ")
        .bind(entity::values::Clock::now(&now));
    let row = test
        .db
        .read()
        .query_one_raw(late.build())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        row.try_get_by_index::<i64>(0).unwrap(),
        0,
        "visits that lie ahead"
    );
}

async fn shows_what_it_should(test: &TestDb) {
    for (what, sql, least) in [
        (
            "tiers in use",
            "select count(distinct tier_id) from membership",
            4,
        ),
        (
            "visits without purchase",
            "select count(*) from visit where outcome = 'NO_PURCHASE'",
            100,
        ),
        (
            "returns",
            "select count(*) from visit where outcome = 'RETURN'",
            50,
        ),
        (
            "lunar birthdays",
            "select count(*) from customer where birth_date not like '____-__-__'",
            1,
        ),
        (
            "key customers",
            "select count(*) from customer where importance = 'KEY'",
            1,
        ),
        (
            "customers with a keeper",
            "select count(*) from customer where keeper_id is not null",
            40,
        ),
        ("tastes", "select count(*) from taste", 200),
        (
            "consents with evidence",
            "select count(*) from consent where evidence <> ''",
            900,
        ),
        (
            "referrals",
            "select count(*) from customer where referred_by_id is not null",
            10,
        ),
        (
            "regulars",
            "select count(*) from customer_total where visits >= 25",
            20,
        ),
        (
            "one-time buyers",
            "select count(*) from customer_total where visits = 1",
            20,
        ),
        ("stores", "select count(distinct time_zone) from store", 4),
        ("roles", "select count(distinct role) from staff_grant", 7),
    ] {
        let number = test.number(sql).await;
        assert!(number >= least, "{what}: {number}");
    }
    let mut sql = test.db.sql();
    sql.push("select full_name from customer");
    let (mut hanzi, mut hangul, mut latin) = (0, 0, 0);
    for row in test.db.read().query_all_raw(sql.build()).await.unwrap() {
        let name: String = row.try_get_by_index(0).unwrap();
        match name.chars().next() {
            Some('\u{4e00}'..='\u{9fff}') => hanzi += 1,
            Some('\u{ac00}'..='\u{d7a3}') => hangul += 1,
            Some(c) if c.is_alphabetic() => latin += 1,
            _ => panic!("{name}"),
        }
    }
    assert!(
        hanzi > 60 && hangul > 40 && latin > 40,
        "{hanzi} {hangul} {latin}"
    );
}

#[tokio::test]
async fn regions_and_staff_grow_with_the_stores() {
    for test in TestDb::all().await {
        let scale = Scale {
            customers: 60,
            visits: 300,
            stores: 104,
            ..SMALL
        };
        fill(&test.system(), &scale, |_| ()).await.unwrap();
        for (what, sql, wanted) in [
            ("stores", "select count(*) from store", 104),
            ("regions", "select count(*) from region", 6),
            (
                "stores of the largest region",
                "select count(*) from store group by region_id order by 1 desc limit 1",
                30,
            ),
            (
                "stores without four associates",
                "select count(*) from store s where (select count(*) from staff_grant g join staff a on a.id = g.staff_id
                    where g.store_id = s.id and not a.demo) <> 4",
                0,
            ),
            (
                "stores whose region is on another continent",
                "select count(*) from store s join region r on r.id = s.region_id
                    where (s.time_zone like 'Asia/%') <> (r.code like 'asia%')",
                0,
            ),
        ] {
            assert_eq!(test.number(sql).await, wanted, "{what}");
        }
        test.done().await;
    }
}

#[test]
fn a_scale_that_makes_no_shop_is_refused_with_what_is_possible() {
    assert!(Scale::default().check().is_ok());
    let large = Scale {
        customers: 200_000,
        visits: 2_000_000,
        stores: 1_000,
        ..SMALL
    };
    assert!(large.check().is_ok());
    for (scale, hint) in [
        (
            Scale { stores: 0, ..SMALL },
            "the number of stores must be 1 to 10000, and 0 is not",
        ),
        (
            Scale {
                stores: 10_001,
                ..SMALL
            },
            "stores must be 1 to 10000",
        ),
        (
            Scale {
                customers: 0,
                ..SMALL
            },
            "the number of customers must be 1 to 2000000",
        ),
        (
            Scale {
                customers: u32::MAX,
                ..SMALL
            },
            "customers must be 1 to 2000000",
        ),
        (
            Scale { visits: 0, ..SMALL },
            "300 customers make 300 to 30000 visits, and 0 is not",
        ),
        (
            Scale {
                visits: 30_001,
                ..SMALL
            },
            "and 30001 is not",
        ),
        (Scale { days: 0, ..SMALL }, "the number of days"),
    ] {
        let said = scale.check().unwrap_err().to_string();
        assert!(said.contains(hint), "{said}");
    }
}

#[tokio::test]
async fn visits_are_about_as_many_as_asked_for() {
    let mut databases = TestDb::all().await;
    let test = databases.remove(0);
    for other in databases {
        other.done().await;
    }
    let mut made = 0;
    for (n, each) in [(1, 2), (2, 10), (3, 40)] {
        let scale = Scale {
            // Those of before stay.
            customers: 150 * n,
            visits: 150 * n * each,
            ..SMALL
        };
        let summary = fill(&test.system(), &scale, |_| ()).await.unwrap();
        let wanted = u64::from(150 * each);
        made += summary.customers;
        assert!(
            (wanted * 7 / 10..=wanted * 13 / 10).contains(&summary.visits),
            "{} of {wanted} visits",
            summary.visits
        );
    }
    assert_eq!(made, 450);
    test.done().await;
}

#[tokio::test]
async fn a_filling_that_was_cut_off_is_completed() {
    for test in TestDb::all().await {
        let ctx = test.system();
        let part = Scale {
            customers: 40,
            ..SMALL
        };
        fill(&ctx, &part, |_| ()).await.unwrap();
        let rest = fill(
            &ctx,
            &Scale {
                customers: 90,
                ..SMALL
            },
            |_| (),
        )
        .await
        .unwrap();
        assert_eq!((rest.customers, rest.known), (50, 40));
        adds_up(&test).await;
        test.done().await;
    }
}

#[tokio::test]
async fn a_database_with_other_data_is_refused() {
    let mut databases = TestDb::all().await;
    let test = databases.remove(0);
    for other in databases {
        other.done().await;
    }
    let ctx = test.system();
    test.run(
        "insert into staff (id, email, name, demo, version, created_at, updated_at)
            values (x'0190a0a0a0a070008000000000000001', 'owner@shop.example', 'Owner', 0, 1, '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00')",
    )
    .await;
    let refused = fill(&ctx, &SMALL, |_| ()).await;
    assert!(matches!(refused, Err(Error::BadRequest(_))), "{refused:?}");
    assert_eq!(test.number("select count(*) from store").await, 0);
}

#[test]
fn every_number_passes_its_parser_and_is_nobodys() {
    let region = entity::values::PhoneRegion::parse("CN").unwrap();
    let mut lots = draw::lots(1, 1);
    for number in (0..6_000_000).step_by(1_999) {
        for script in [
            names::Script::Chinese,
            names::Script::Korean,
            names::Script::Latin,
        ] {
            let text = contacts::mobile(&mut lots, script, number);
            let phone = entity::values::Phone::parse(&text, region);
            assert_eq!(phone.unwrap().as_str(), text, "{script:?}");
        }
    }
}

//! The computation, and the stored score held to a recount, on both engines.

use super::fields::FIELDS;
use super::{FieldSet, Rules, RulesChange, State, WeightChange, count, fields, of_customers};
use crate::access::Ctx;
use crate::db::Batch;
use crate::domain::customers::bulk::{self, NewConsent, NewCustomer};
use crate::domain::customers::consents::{self, ConsentInput};
use crate::domain::customers::input::{
    AddressInput, ContactInput, CreateInput, DayInput, FileInput, IncomeInput, Patch, TasteInput,
};
use crate::domain::customers::{self, ChangeInput, contacts, days, tastes};
use crate::domain::organization::company;
use crate::testing::{TestDb, noon};
use chrono::TimeDelta;
use entity::enums::{
    Attitude, ConsentMethod, ContactKind, CustomerKind, FileField, Gender, IncomeBand,
    IncomeProvenance, Purpose, TasteAspect, TasteProvenance,
};
use entity::ids::{ContactPointId, CustomerId, SpecialDayId, TasteId};
use entity::values::ContactValue;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sea_orm::Iterable;
use std::collections::BTreeSet;

async fn shop(db: &TestDb) -> Ctx {
    let ctx = db.system();
    let defaults = company::CompanyDefaults {
        name: "Tea House".into(),
        currency: "CNY".into(),
        country: "CN".into(),
        locale: "zh".into(),
        time_zone: "UTC".into(),
    };
    company::ensure(&ctx, &defaults).await.unwrap();
    ctx
}

#[test]
fn every_field_is_asked_for_once_and_the_weights_of_a_kind_make_a_hundred() {
    let listed: BTreeSet<FileField> = FIELDS.iter().map(|asked| asked.field).collect();
    assert_eq!(listed.len(), FIELDS.len());
    assert_eq!(listed, FileField::iter().collect());
    let rules = Rules::default();
    for kind in [CustomerKind::Person, CustomerKind::Trade] {
        assert_eq!(rules.total(kind), 100);
    }
    // Each has a bit of its own.
    let bits: BTreeSet<i32> = FileField::iter().map(|field| 1 << field as i32).collect();
    assert_eq!((bits.len(), bits.iter().all(|bit| *bit > 0)), (17, true));
    // What they are is told to whoever runs a shop: these are version 1, and no other.
    let told: Vec<(i32, i32)> = rules
        .weights()
        .map(|(_, of)| (of.person, of.trade))
        .collect();
    let version_1 = [
        (15, 20),
        (3, 0),
        (3, 0),
        (12, 0),
        (18, 22),
        (8, 14),
        (8, 16),
        (3, 5),
        (3, 4),
        (4, 0),
        (2, 0),
        (6, 5),
        (3, 0),
        (3, 0),
        (2, 5),
        (2, 3),
        (5, 6),
    ];
    assert_eq!(told, version_1);
}

#[test]
fn only_a_file_that_lacks_nothing_has_a_hundred() {
    let rules = Rules::default();
    let all = FieldSet::told((1 << FIELDS.len()) - 1);
    assert_eq!(rules.score(CustomerKind::Person, FieldSet::default()), 0);
    for kind in [CustomerKind::Person, CustomerKind::Trade] {
        assert_eq!(rules.score(kind, all), 100);
        for field in FileField::iter().filter(|field| rules.weight(kind, *field) > 0) {
            let lacks_one = FieldSet::told(((1 << FIELDS.len()) - 1) & !(1 << field as i32));
            assert!(!lacks_one.has(field));
            assert_eq!(
                rules.score(kind, lacks_one),
                100 - rules.weight(kind, field)
            );
        }
    }
}

#[test]
fn a_confirmation_is_stale_when_its_days_have_passed_and_not_before() {
    let rules = Rules::default();
    let year = TimeDelta::days(365);
    assert!(rules.holds(noon(), noon() + year - TimeDelta::microseconds(1)));
    assert!(!rules.holds(noon(), noon() + year));
    // The clocks of two nodes may be apart.
    assert!(rules.holds(noon() + TimeDelta::seconds(1), noon()));
}

/// What a file holds, kept beside it by the test.
#[derive(Default)]
struct Twin {
    trade: bool,
    simple: BTreeSet<FileField>,
    points: Vec<(ContactPointId, ContactKind, bool)>,
    tastes: Vec<(TasteId, bool)>,
    days: Vec<SpecialDayId>,
}

impl Twin {
    /// Written by hand, from the table in the documentation.
    fn score(&self) -> i32 {
        use ContactKind::{Email, Landline, Mobile, Qq, WeChat};
        let reached =
            |kinds: &[ContactKind]| self.points.iter().any(|point| kinds.contains(&point.1));
        let has = |field| self.simple.contains(&field);
        let parts = [
            (true, 15, 20),
            (has(FileField::Salutation), 3, 0),
            (has(FileField::Gender), 3, 0),
            (has(FileField::BirthDate), 12, 0),
            (reached(&[Mobile, Landline]), 18, 22),
            (reached(&[Email, WeChat, Qq]), 8, 14),
            (has(FileField::Address), 8, 16),
            (has(FileField::Region), 3, 5),
            (has(FileField::Language), 3, 4),
            (has(FileField::Occupation), 4, 0),
            (has(FileField::Income), 2, 0),
            (self.tastes.iter().any(|taste| !taste.1), 6, 5),
            (self.tastes.iter().any(|taste| taste.1), 3, 0),
            (!self.days.is_empty(), 3, 0),
            (self.points.iter().any(|point| point.2), 5, 6),
        ];
        let known = parts.iter().filter(|part| part.0);
        known
            .map(|part| if self.trade { part.2 } else { part.1 })
            .sum()
    }
}

/// A value or nothing, for a field of the file.
fn maybe<T>(lots: &mut StdRng, value: T) -> Patch<T> {
    Some(lots.random_bool(0.6).then_some(value))
}

/// Writes something at random to the file, and the same to its twin.
async fn write(ctx: &Ctx, lots: &mut StdRng, id: CustomerId, n: usize, twin: &mut Twin) {
    match lots.random_range(0..10) {
        0..=2 => change(ctx, lots, id, twin).await,
        3..=4 => {
            let kinds = [
                (ContactKind::Mobile, format!("138{n:08}")),
                (ContactKind::Email, format!("a{n}@example.com")),
                (ContactKind::Qq, format!("1234{n:04}")),
                (ContactKind::Other, format!("beside the well {n}")),
            ];
            let (kind, value) = kinds[lots.random_range(0..kinds.len())].clone();
            let input = ContactInput {
                kind,
                value,
                label: None,
                preferred: None,
            };
            let made = contacts::add(ctx, id, &input).await.unwrap();
            twin.points.push((made.row().id, kind, false));
        }
        5 if !twin.points.is_empty() => {
            let (point, ..) = twin.points.remove(lots.random_range(0..twin.points.len()));
            contacts::remove(ctx, point).await.unwrap();
        }
        6 if !twin.points.is_empty() => {
            let at = lots.random_range(0..twin.points.len());
            let input = ConsentInput {
                contact_point_id: twin.points[at].0,
                purpose: Purpose::Care,
                granted: lots.random_bool(0.5),
                method: ConsentMethod::Phone,
                evidence: None,
                at: None,
            };
            consents::record(ctx, &input).await.unwrap();
            twin.points[at].2 = true;
        }
        7 => {
            let is_size = lots.random_bool(0.4);
            let input = TasteInput {
                aspect: if is_size {
                    TasteAspect::Size
                } else {
                    TasteAspect::Brand
                },
                value: format!("thing {n}"),
                attitude: Attitude::Likes,
                provenance: TasteProvenance::Stated,
            };
            let made = tastes::add(ctx, id, &input).await.unwrap();
            twin.tastes.push((made.id, is_size));
        }
        8 if !twin.tastes.is_empty() => {
            let (taste, _) = twin.tastes.remove(lots.random_range(0..twin.tastes.len()));
            tastes::remove(ctx, taste).await.unwrap();
        }
        _ if twin.days.is_empty() => {
            let input = DayInput {
                label: "Wedding".into(),
                person: None,
                date: "2015-05-20".into(),
                remind_before_days: 7,
            };
            twin.days.push(days::add(ctx, id, &input).await.unwrap().id);
        }
        _ => {
            days::remove(ctx, twin.days.remove(0)).await.unwrap();
        }
    }
}

async fn change(ctx: &Ctx, lots: &mut StdRng, id: CustomerId, twin: &mut Twin) {
    let row = customers::by_id(ctx, id).await.unwrap().unwrap();
    let kind = if lots.random_bool(0.2) {
        CustomerKind::Trade
    } else {
        CustomerKind::Person
    };
    let income = IncomeInput {
        band: IncomeBand::Middle,
        provenance: IncomeProvenance::Stated,
        reason: None,
    };
    let address = AddressInput {
        city: Some("Suzhou".into()),
        ..AddressInput::default()
    };
    let file = FileInput {
        kind: Some(Some(kind)),
        salutation: maybe(lots, "Ms Wang".into()),
        gender: maybe(lots, Gender::Female),
        birth_date: maybe(lots, "1990-06-15".into()),
        address: maybe(lots, address),
        region_name: maybe(lots, "Jiangsu".into()),
        language: maybe(lots, "zh".into()),
        occupation: maybe(lots, "teacher".into()),
        employer: maybe(lots, "School".into()),
        income: maybe(lots, income),
        ..FileInput::default()
    };
    twin.trade = kind == CustomerKind::Trade;
    let said = |is_said: bool| is_said;
    twin.simple = [
        (
            FileField::Salutation,
            said(file.salutation.iter().flatten().next().is_some()),
        ),
        (
            FileField::Gender,
            said(file.gender.iter().flatten().next().is_some()),
        ),
        (
            FileField::BirthDate,
            said(file.birth_date.iter().flatten().next().is_some()),
        ),
        (
            FileField::Address,
            said(file.address.iter().flatten().next().is_some()),
        ),
        (
            FileField::Region,
            said(file.region_name.iter().flatten().next().is_some()),
        ),
        (
            FileField::Language,
            said(file.language.iter().flatten().next().is_some()),
        ),
        (
            FileField::Occupation,
            file.occupation.iter().flatten().next().is_some()
                || file.employer.iter().flatten().next().is_some(),
        ),
        (
            FileField::Income,
            said(file.income.iter().flatten().next().is_some()),
        ),
    ]
    .into_iter()
    .filter_map(|(field, is_said)| is_said.then_some(field))
    .collect();
    let input = ChangeInput {
        id,
        version: row.version,
        file,
    };
    customers::change(ctx, &input).await.unwrap();
}

/// How many files have another stored score than a recount gives.
async fn disagreeing(db: &TestDb) -> i64 {
    let statement = count::disagreeing(&db.db).await.unwrap();
    db.number(&format!("select count(*) from ({statement}) as found"))
        .await
}

#[tokio::test]
async fn the_stored_score_is_what_a_recount_gives_after_whatever_was_written() {
    for db in TestDb::all().await {
        let ctx = shop(&db).await;
        for seed in 1..=6 {
            let mut lots = StdRng::seed_from_u64(seed);
            let input = CreateInput {
                file: FileInput {
                    full_name: Some(Some("Wang Fang".into())),
                    ..FileInput::default()
                },
                ..CreateInput::default()
            };
            let id = customers::create(&ctx, &input, None).await.unwrap().id;
            let mut twin = Twin::default();
            for n in 0..40 {
                write(&ctx, &mut lots, id, n, &mut twin).await;
                let stored = customers::by_id(&ctx, id).await.unwrap().unwrap();
                assert_eq!(
                    stored.completeness,
                    Some(twin.score()),
                    "seed {seed}, write {n}"
                );
            }
            let read = of_customers(&ctx, &[id]).await.unwrap().remove(0);
            assert_eq!((read.score, read.is_counted), (Some(twin.score()), true));
            // Everything there was written a moment ago; nothing else has a confirmation.
            let there = read
                .fields
                .iter()
                .filter(|field| field.state != State::Missing);
            assert!(
                there
                    .clone()
                    .all(|field| field.confirmed_at == Some(ctx.now()))
            );
            assert_eq!(there.map(|field| field.weight).sum::<i32>(), twin.score());
            let gone = read
                .fields
                .iter()
                .filter(|field| field.state == State::Missing);
            assert!(gone.clone().all(|field| field.confirmed_at.is_none()));
        }
        assert_eq!(disagreeing(&db).await, 0);
        // The recount of many says the same as the count of one.
        db.run("update customer set completeness_rules = 0, completeness = null")
            .await;
        count::all(&ctx).await.unwrap();
        assert_eq!(disagreeing(&db).await, 0);
        assert_eq!(
            db.number("select count(*) from customer where completeness is null")
                .await,
            0
        );
        db.run("update customer set completeness = completeness - 1")
            .await;
        assert_eq!(disagreeing(&db).await, 6);
        db.done().await;
    }
}

/// Makes this many customers at once, as an import or the demonstration does.
async fn bring(ctx: &Ctx, names: impl Iterator<Item = (String, Option<String>)>) {
    let company = &*company::settings(ctx).await.unwrap();
    let new: Vec<NewCustomer> = names
        .map(|(name, number)| NewCustomer {
            reference: number.map(|number| ("till".to_owned(), number)),
            contact_points: vec![
                ContactValue::parse(ContactKind::Mobile, "13800138000", company.country).unwrap(),
            ],
            consents: vec![NewConsent {
                purpose: Purpose::Care,
                granted: false,
                method: ConsentMethod::Import,
                evidence: "list 7".into(),
                at: ctx.now(),
            }],
            ..NewCustomer::named(name, ctx.now())
        })
        .collect();
    let new = &new;
    ctx.db
        .write(|tx| async move {
            let mut batch = Batch::new();
            bulk::gather(&mut batch, company, new);
            batch.write(&*tx).await
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn whoever_was_brought_by_many_is_counted_afterwards_and_confirmed_by_nothing() {
    for db in TestDb::all().await {
        let ctx = shop(&db).await;
        let number = |n: usize| Some(format!("{n}"));
        // More than one batch; every third is known by their number only.
        let names = (0..1203).map(|n| match n % 3 {
            0 => (bulk::placeholder(&n.to_string()), number(n)),
            1 => ("Li Na".to_owned(), number(n)),
            // A name like one that was made up, of somebody who has another number.
            _ => ("Customer 7".to_owned(), number(n)),
        });
        bring(&ctx, names).await;
        assert_eq!(
            db.number("select count(*) from customer where completeness is not null")
                .await,
            0
        );
        let rules = super::read(&ctx).await.unwrap();
        assert_eq!(count::left(&ctx, &rules).await.unwrap(), 1203);
        count::all(&ctx).await.unwrap();
        assert_eq!(count::left(&ctx, &rules).await.unwrap(), 0);
        // A telephone number and a refusal, which is known as well; with a name or without.
        let scores = "select count(*) from customer where completeness = ";
        assert_eq!(db.number(&format!("{scores} {}", 18 + 5)).await, 401);
        assert_eq!(db.number(&format!("{scores} {}", 15 + 18 + 5)).await, 802);
        assert_eq!(
            db.number("select count(*) from field_confirmation").await,
            0
        );
        assert_eq!(disagreeing(&db).await, 0);
        db.done().await;
    }
}

#[tokio::test]
async fn changed_rules_are_followed_by_a_recount_and_the_old_scores_stand_meanwhile() {
    for db in TestDb::all().await {
        let ctx = shop(&db).await;
        bring(&ctx, (0..3).map(|_| ("Li Na".to_owned(), None))).await;
        count::all(&ctx).await.unwrap();
        let weight = |field, person| WeightChange {
            field,
            person: Some(person),
            trade: None,
        };
        let input = RulesChange {
            version: 1,
            stale_after_days: Some(30),
            weights: vec![weight(FileField::Phone, 0), weight(FileField::FullName, 43)],
        };
        let rules = super::change(&ctx, &input).await.unwrap();
        assert_eq!((rules.version, rules.stale_after_days), (2, 30));
        assert_eq!(super::read(&ctx).await.unwrap(), rules);
        assert!(super::change(&ctx, &input).await.unwrap_err().is_stale());
        assert_eq!(
            db.number("select count(*) from job where name = 'completeness.count'")
                .await,
            1
        );
        let one = "select count(*) from customer where completeness = ";
        assert_eq!(db.number(&format!("{one} 38")).await, 3);
        count::all(&ctx).await.unwrap();
        // 43 + 5 of 110, for a number that is not asked for any more.
        assert_eq!(
            db.number(&format!("{one} 43 and completeness_rules = 2"))
                .await,
            3
        );
        assert_eq!(fields::score(&rules).matches("'MOBILE'").count(), 1);
        assert_eq!(disagreeing(&db).await, 0);
        // The same once more is no change; what asks for nothing is none.
        let again = RulesChange {
            version: 2,
            ..input
        };
        assert_eq!(super::change(&ctx, &again).await.unwrap().version, 2);
        let nothing = RulesChange {
            version: 2,
            stale_after_days: None,
            weights: FileField::iter().map(|field| weight(field, 0)).collect(),
        };
        super::change(&ctx, &nothing).await.unwrap_err();
        // Days alone change no score, but the version: the job, which waits already, gives everybody the new one.
        let days = RulesChange {
            version: 2,
            stale_after_days: Some(60),
            weights: Vec::new(),
        };
        let rules = super::change(&ctx, &days).await.unwrap();
        assert_eq!(count::left(&ctx, &rules).await.unwrap(), 3);
        db.done().await;
    }
}

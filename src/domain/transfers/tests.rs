//! What happens between asking for a transfer and its job: roles that go, attempts that are overtaken, limits, nodes
//! that die.

use super::*;
use crate::access::{Ctx, Grant, Place, Viewer};
use crate::domain::organization::{company, sessions, staff, staff_list};
use crate::error::{Code, Error};
use crate::jobs::{JobSettings, Registry, Schedule, Worker};
use crate::testing::TestDb;
use chrono::TimeDelta;
use entity::enums::{FileFormat, Role, TransferKind, TransferState};
use entity::ids::{StaffId, TransferId};
use entity::transfer;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

async fn shop(test: &TestDb) -> Ctx {
    let ctx = test.system();
    let defaults = company::CompanyDefaults {
        name: "Shop".to_owned(),
        currency: "USD".to_owned(),
        country: "US".to_owned(),
        locale: "en".to_owned(),
        time_zone: "UTC".to_owned(),
    };
    company::ensure(&ctx, &defaults).await.unwrap();
    ctx
}

fn grants(role: Role) -> Vec<Grant> {
    vec![Grant {
        role,
        place: Place::Company,
    }]
}

/// Somebody with an account and a role everywhere.
async fn somebody(ctx: &Ctx, role: Role) -> Ctx {
    let new = staff::NewStaff {
        email: format!("{}@shop.example", Uuid::now_v7().simple()),
        name: "Somebody".to_owned(),
        grants: grants(role),
        password: None,
        demo: false,
    };
    let id = staff::create(ctx, &new).await.unwrap().row.id;
    as_they_are_now(ctx, id).await
}

async fn as_they_are_now(ctx: &Ctx, id: StaffId) -> Ctx {
    let viewer = sessions::present(ctx, id).await.unwrap().unwrap();
    ctx.for_request(Viewer::Staff(Arc::new(viewer)), ctx.origin.clone())
}

/// Gives somebody another role in place of those that they have.
async fn give(ctx: &Ctx, id: StaffId, role: Role) {
    let member = staff_list::by_id(ctx, id).await.unwrap().unwrap();
    let change = staff::StaffChange {
        version: member.row.version,
        grants: Some(grants(role)),
        ..staff::StaffChange::default()
    };
    staff::update(ctx, id, &change).await.unwrap();
}

fn cards() -> ExportRequest {
    ExportRequest {
        kind: TransferKind::Cards,
        format: FileFormat::Csv,
        since: None,
        source: None,
        for_spreadsheet: false,
    }
}

/// Runs what is due, to its end.
async fn work(ctx: &Ctx) {
    let mut registry = Registry::new();
    registry
        .add::<RunTransfer>()
        .add::<ClearTransfer>()
        .add::<ForgetTransfers>();
    let settings = JobSettings {
        grace: Duration::from_millis(50),
        ..JobSettings::new(Arc::new(|| 0.5))
    };
    let schedule = Arc::new(Schedule::new());
    let mut worker = Worker::new(ctx.clone(), registry, schedule, settings, Uuid::now_v7());
    while worker.tick().await.unwrap() > 0 {
        worker.settle().await;
    }
}

async fn find(me: &Ctx, id: TransferId) -> transfer::Model {
    by_ids(me, &[id]).await.unwrap().remove(0)
}

async fn upload(me: &Ctx, bytes: &[u8]) -> Result<transfer::Model, ReceiveError> {
    let parameters = [("map", "customer=c,date=d,amount=a"), ("store", "main")];
    let request = UploadRequest {
        kind: "purchases".to_owned(),
        parameters: parameters
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        ..UploadRequest::default()
    };
    let mut reception = Reception::begin(me, request).await?;
    for part in bytes.chunks(100_000) {
        if let Err(error) = reception.push(part).await {
            reception.abandon().await;
            return Err(error);
        }
    }
    reception.finish().await
}

async fn open_store(ctx: &Ctx) {
    use crate::domain::organization::{regions, stores};
    let new = regions::NewRegion {
        code: "main".to_owned(),
        name: "Main".to_owned(),
    };
    let region = regions::create(ctx, &new).await.unwrap();
    let new = stores::NewStore {
        region: region.id,
        code: "main".to_owned(),
        name: "Main".to_owned(),
        time_zone: None,
        opening_hours: Vec::new(),
    };
    stores::create(ctx, &new).await.unwrap();
}

#[tokio::test]
async fn a_job_runs_by_the_roles_of_its_moment() {
    for test in TestDb::all().await {
        let ctx = &shop(&test).await;
        let me = somebody(ctx, Role::Headquarters).await;
        let id = me.viewer.staff_id().unwrap();
        let row = request_export(&me, cards(), None).await.unwrap();
        assert_eq!(row.state, TransferState::Queued);
        give(ctx, id, Role::Analyst).await;
        work(ctx).await;
        let failed = find(&me, row.id).await;
        assert_eq!(failed.state, TransferState::Failed);
        assert_eq!(
            failed.error.as_deref(),
            Some("your roles do not allow this any more")
        );
        assert!(open(&me, row.id).await.unwrap().is_none());
        // The same for whoever is switched off.
        let other = somebody(ctx, Role::Headquarters).await;
        let row = request_export(&other, cards(), None).await.unwrap();
        staff::disable(ctx, other.viewer.staff_id().unwrap())
            .await
            .unwrap();
        work(ctx).await;
        let failed = find(&other, row.id).await;
        assert!(failed.error.unwrap().contains("switched off"));
        assert_eq!(
            test.number("select count(*) from job where state = 'DONE'")
                .await,
            2
        );
        test.done().await;
    }
}

#[tokio::test]
async fn what_was_made_under_other_roles_is_not_handed_out() {
    for test in TestDb::all().await {
        let ctx = &shop(&test).await;
        let me = somebody(ctx, Role::Headquarters).await;
        let row = request_export(&me, cards(), None).await.unwrap();
        work(ctx).await;
        let file = open(&me, row.id).await.unwrap().unwrap();
        let text = piece(&me, &file, 0).await.unwrap().unwrap();
        assert_eq!(text.len() as u64, file.bytes);
        assert!(text.starts_with(b"number,customer,programme,"));
        assert!(piece(&me, &file, 1).await.unwrap().is_none());
        let id = me.viewer.staff_id().unwrap();
        give(ctx, id, Role::Marketer).await;
        let me = as_they_are_now(ctx, id).await;
        let refused = open(&me, row.id).await;
        assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
        let admin = somebody(ctx, Role::Admin).await;
        assert!(open(&admin, row.id).await.unwrap().is_some());
        test.done().await;
    }
}

#[tokio::test]
async fn an_attempt_that_was_overtaken_writes_nothing_any_more() {
    for test in TestDb::all().await {
        let ctx = &shop(&test).await;
        let me = somebody(ctx, Role::Admin).await;
        let id = request_export(&me, cards(), None).await.unwrap().id;
        let first = attempt::begin(ctx, id).await.unwrap().unwrap();
        let beside = || attempt::Beside {
            pieces: vec![(0, b"of the dead".to_vec())],
            ..attempt::Beside::default()
        };
        let figures = attempt::Figures::default();
        assert!(
            attempt::progress(ctx, &first, &figures, &beside())
                .await
                .unwrap()
        );
        let second = attempt::begin(ctx, id).await.unwrap().unwrap();
        assert_eq!((first.attempt, second.attempt), (1, 2));
        let pieces = "select count(*) from transfer_chunk";
        assert_eq!(
            test.number(pieces).await,
            0,
            "the first one's are cleared away"
        );
        assert!(
            !attempt::progress(ctx, &first, &figures, &beside())
                .await
                .unwrap()
        );
        let end = attempt::End::Failed("too late".to_owned());
        assert!(
            !attempt::end(ctx, &first, &figures, &beside(), &end)
                .await
                .unwrap()
        );
        assert_eq!(test.number(pieces).await, 0);
        assert_eq!(find(&me, id).await.state, TransferState::Running);
        // The job does it as a third one.
        work(ctx).await;
        let done = find(&me, id).await;
        assert_eq!(
            (done.state, done.result_part),
            (TransferState::Done, Some(3))
        );
        test.done().await;
    }
}

#[tokio::test]
async fn there_is_room_for_so_much_and_no_more() {
    for test in TestDb::all().await {
        let ctx = &shop(&test).await;
        open_store(ctx).await;
        ctx.memory.put(TransferSettings {
            upload_bytes: 2 << 20,
            total_bytes: 3 << 20,
            open_by_person: 2,
        });
        let me = somebody(ctx, Role::Admin).await;
        let large = vec![b'x'; 2 << 20];
        upload(&me, &large).await.unwrap();
        let refused = upload(&me, &large).await;
        assert!(
            matches!(refused, Err(ReceiveError::NoRoom(_))),
            "{refused:?}"
        );
        let refused = upload(&me, &vec![b'x'; (2 << 20) + 1]).await;
        assert!(matches!(
            refused,
            Err(ReceiveError::NoRoom(_) | ReceiveError::TooLarge(_))
        ));
        assert_eq!(test.number("select count(*) from transfer").await, 1);
        let pieces = "select count(*) from transfer_chunk";
        assert_eq!(test.number(pieces).await, 8);
        // Two may be open, whatever they are.
        request_export(&me, cards(), None).await.unwrap();
        let refused = request_export(&me, cards(), None).await;
        assert!(
            matches!(&refused, Err(Error::User(errors)) if errors[0].code == Code::TooMany),
            "{refused:?}"
        );
        // The upload is no file of purchases: it fails, and gives its room back.
        work(ctx).await;
        assert_eq!(
            test.number("select cast(sum(stored_bytes) as bigint) from transfer")
                .await,
            164
        );
        assert_eq!(test.number(pieces).await, 1);
        upload(&me, &large).await.unwrap();
        test.done().await;
    }
}

#[tokio::test]
async fn what_nobody_ends_any_more_is_ended_and_forgotten() {
    for test in TestDb::all().await {
        let ctx = &shop(&test).await;
        open_store(ctx).await;
        let me = somebody(ctx, Role::Admin).await;
        let lost = request_export(&me, cards(), None).await.unwrap();
        attempt::begin(ctx, lost.id).await.unwrap();
        test.run("update job set state = 'DEAD'").await;
        let parameters = vec![
            ("map".to_owned(), "customer=c,date=d,amount=a".to_owned()),
            ("store".to_owned(), "main".to_owned()),
        ];
        let request = UploadRequest {
            kind: "purchases".to_owned(),
            parameters,
            ..UploadRequest::default()
        };
        let mut broken = Reception::begin(&me, request).await.unwrap();
        broken.push(&vec![b'x'; 2 << 20]).await.unwrap();
        // Its node dies: nobody abandons it.
        drop(broken);
        let forget = async || {
            let job = ForgetTransfers { days: 7 };
            let job = &job;
            ctx.db
                .write(|tx| async move { crate::jobs::enqueue(&*tx, ctx, job, ctx.now()).await })
                .await
                .unwrap();
            work(ctx).await;
        };
        forget().await;
        assert_eq!(find(&me, lost.id).await.state, TransferState::Failed);
        assert_eq!(test.number("select count(*) from transfer").await, 2);
        test.clock.advance(TimeDelta::hours(25));
        forget().await;
        assert_eq!(test.number("select count(*) from transfer").await, 1);
        assert_eq!(test.number("select count(*) from transfer_chunk").await, 0);
        let kept = request_export(&me, cards(), None).await.unwrap();
        work(ctx).await;
        test.clock.advance(TimeDelta::days(6));
        forget().await;
        assert_eq!(find(&me, kept.id).await.state, TransferState::Done);
        assert_eq!(test.number("select count(*) from transfer").await, 1);
        test.clock.advance(TimeDelta::days(2));
        forget().await;
        assert_eq!(test.number("select count(*) from transfer").await, 0);
        assert_eq!(test.number("select count(*) from transfer_chunk").await, 0);
        test.done().await;
    }
}

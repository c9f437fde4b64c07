//! History in bulk: a till system's export comes in whole, and once.

use super::company_and_store;
use crate::access::Ctx;
use crate::db::{Bounds, PageRequest, Sort};
use crate::domain::organization::company;
use crate::domain::visits::import::{self, Target};
use crate::domain::visits::lookup::{self, VisitFilter};
use crate::error::Result;
use crate::intake::{Mapping, Progress, PurchaseOptions, PurchaseRows, Report};
use crate::testing::TestDb;
use std::io::{Read, Write};

async fn import_text(ctx: &Ctx, file: impl Read + Send + 'static) -> (Report, Vec<u64>) {
    let (report, rejected) = try_import(ctx, MAP, file).await;
    (report.unwrap(), rejected)
}

const MAP: &str = "customer=customer_id,date=date,quantity=quantity,amount=amount";

async fn try_import(
    ctx: &Ctx,
    map: &str,
    file: impl Read + Send + 'static,
) -> (Result<Report>, Vec<u64>) {
    let settings = company::settings(ctx).await.unwrap();
    let mapping = Mapping::parse(map).unwrap();
    let options = PurchaseOptions::new(
        mapping,
        settings.currency,
        settings.country,
        ctx.now().date_naive(),
    );
    let target = Target {
        source: "pos".into(),
        store: "main".into(),
        currency: settings.currency,
        phone_region: settings.country,
        dry_run: false,
    };
    let mut rejected = Vec::new();
    let rows = PurchaseRows::open(file, options).unwrap();
    let report = import::run(ctx, target, rows, |progress| {
        if let Progress::Rejected(reject) = progress {
            rejected.push(reject.line);
        }
        Ok(())
    });
    (report.await, rejected)
}

/// Rows alike to the letter are purchases of their own, zero amounts are purchases too, spoiled rows are reported
/// by line, and a second import changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn history_is_imported_once() {
    let text = "customer_id,date,quantity,amount\n1,2026-01-02,1,5.00\n1,2026-01-02,1,5.00\n2,2026-01-03,2,0.00\n\
                3,2026-13-01,1,1.00\n1,2026-02-01,-1,-5.00\n";
    for db in TestDb::all().await {
        let ctx = db.system();
        company_and_store(&ctx).await;
        let (first, rejected) = import_text(&ctx, std::io::Cursor::new(text)).await;
        assert_eq!(
            (
                first.rows,
                first.made,
                first.known,
                first.customers,
                first.rejected
            ),
            (5, 4, 0, 2, 1)
        );
        assert_eq!(rejected, [5]);
        let (again, _) = import_text(&ctx, std::io::Cursor::new(text)).await;
        assert_eq!(
            (again.made, again.known, again.customers, again.rejected),
            (0, 4, 0, 1)
        );
        let sums = lookup::sums(&ctx).await.unwrap();
        assert_eq!(
            (
                sums.customers,
                sums.receipts,
                sums.bought_minor,
                sums.returned_minor
            ),
            (2, 4, 1000, 500)
        );
        let page = PageRequest {
            size: 10,
            backward: false,
            bounds: Bounds::default(),
        };
        let visits = lookup::page(&ctx, &VisitFilter::default(), Sort::Ascending, &page)
            .await
            .unwrap();
        assert_eq!(visits.items.len(), 4);
        assert!(visits.items.iter().all(|visit| visit.history));
        db.done().await;
    }
}

/// A receipt that stands twice in a batch is one receipt when it says the same, and a rejected row when it does not.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_receipt_twice_in_a_file_is_booked_once() {
    let text = "customer_id,date,quantity,amount,receipt\n1,2026-01-02,1,5.00,r1\n2,2026-01-02,1,7.00,r2\n\
                1,2026-01-02,1,5.00,r1\n2,2026-01-03,1,8.00,r3\n1,2026-01-02,1,6.00,r1\n";
    for db in TestDb::all().await {
        let ctx = db.system();
        company_and_store(&ctx).await;
        let map = format!("{MAP},receipt=receipt");
        let (report, rejected) = try_import(&ctx, &map, std::io::Cursor::new(text)).await;
        let report = report.unwrap();
        assert_eq!(
            (report.made, report.known, report.rejected, report.settled),
            (3, 1, 1, 5)
        );
        assert_eq!(rejected, [6]);
        assert_eq!(lookup::sums(&ctx).await.unwrap().bought_minor, 2000);
        db.done().await;
    }
}

/// A disk that fails in the middle of the file: more receipts than one batch were read by then.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_breaks_off_leaves_nothing_behind() {
    struct Broken(std::io::Cursor<String>);
    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(std::io::Error::other("the disk is gone")),
                read => Ok(read),
            }
        }
    }
    let mut text = "customer_id,date,quantity,amount\n".to_owned();
    for n in 0..9000 {
        text.push_str(&format!("{n},2026-01-02,1,5.00\n"));
    }
    for db in TestDb::all().await {
        let ctx = db.system();
        company_and_store(&ctx).await;
        let (report, _) = try_import(&ctx, MAP, Broken(std::io::Cursor::new(text.clone()))).await;
        assert!(report.is_err());
        assert_eq!(lookup::sums(&ctx).await.unwrap().customers, 0);
        let (whole, _) = import_text(&ctx, std::io::Cursor::new(text.clone())).await;
        assert_eq!((whole.made, whole.settled, whole.items), (9000, 9000, 9000));
        db.done().await;
    }
}

/// The reference purchases: counts and sum as published, and the speed of the import on each engine.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the reference data beside the project"]
async fn the_reference_purchases_come_in_whole() {
    let folder = std::env::var("REGULARS_REFERENCE_DATA").unwrap();
    let path = std::path::Path::new(&folder).join("cdnow.csv");
    for db in TestDb::all().await {
        let ctx = db.system();
        company_and_store(&ctx).await;
        let started = std::time::Instant::now();
        let (report, _) = import_text(&ctx, std::fs::File::open(&path).unwrap()).await;
        let rate = 69_659.0 / started.elapsed().as_secs_f64();
        writeln!(std::io::stderr(), "{:?}: {rate:.0} rows/s", db.db.engine()).unwrap();
        assert_eq!(
            (report.made, report.customers, report.rejected),
            (69_659, 23_570, 0)
        );
        let (again, _) = import_text(&ctx, std::fs::File::open(&path).unwrap()).await;
        assert_eq!((again.made, again.known, again.customers), (0, 69_659, 0));
        let sums = lookup::sums(&ctx).await.unwrap();
        assert_eq!(
            (sums.receipts, sums.customers, sums.bought_minor),
            (69_659, 23_570, 250_031_563)
        );
        db.done().await;
    }
}

//! Stores and staff in the order of names, which is the company's and the same on both engines.

use super::Node;
use crate::access::Ctx;
use crate::db::{Bounds, PageRequest, Sort, SortKey};
use crate::domain::organization::company;
use crate::domain::organization::regions::{self, NewRegion};
use crate::domain::organization::staff::{self, NewStaff};
use crate::domain::organization::staff_list::{self, StaffFilter};
use crate::domain::organization::stores::{self, NewStore, StoreFilter, StoreOrder};
use crate::testing::TestDb;
use uuid::Uuid;

/// In pinyin: Ān, Chén, Lǐ, Wáng, Zhào; bytewise they would stand otherwise. Names in other scripts come behind.
const NAMES: [&str; 6] = ["赵一", "王小明", "安娜", "李四", "陈晨", "bob"];
const IN_ORDER: [&str; 6] = ["安娜", "陈晨", "李四", "王小明", "赵一", "bob"];

fn request(size: u64, backward: bool, bounds: Bounds) -> PageRequest {
    PageRequest {
        size,
        backward,
        bounds,
    }
}

/// Reads a list page by page in both directions; gives the names in the list's order each time.
async fn walk<F>(ctx: &Ctx, list: impl Fn(PageRequest) -> F) -> [Vec<String>; 2]
where
    F: Future<Output = (Vec<(Uuid, String)>, bool, bool)>,
{
    let collation = company::settings(ctx).await.unwrap().collation.clone();
    let key = |(id, name): &(Uuid, String)| SortKey {
        value: collation.key(name).into_bytes().into(),
        id: (*id).into(),
    };
    let (mut forward, mut backward) = (Vec::new(), Vec::new());
    let mut bounds = Bounds::default();
    loop {
        let (rows, more, _) = list(request(2, false, bounds)).await;
        bounds = Bounds {
            after: rows.last().map(key),
            before: None,
        };
        forward.extend(rows.into_iter().map(|(_, name)| name));
        if !more {
            break;
        }
    }
    let mut bounds = Bounds::default();
    loop {
        let (rows, _, more) = list(request(4, true, bounds)).await;
        bounds = Bounds {
            after: None,
            before: rows.first().map(key),
        };
        backward.splice(0..0, rows.into_iter().map(|(_, name)| name));
        if !more {
            break;
        }
    }
    [forward, backward]
}

#[tokio::test]
async fn stores_and_staff_are_listed_as_the_locale_orders_names() {
    for test in TestDb::all().await {
        let node = Node::first(&test).await;
        let ctx = &node.ctx;
        let region = NewRegion {
            code: "R".to_owned(),
            name: "Region".to_owned(),
        };
        let region = regions::create(ctx, &region).await.unwrap().id;
        for (n, name) in NAMES.iter().enumerate() {
            let new = NewStore {
                region,
                code: format!("S{n}"),
                name: (*name).to_owned(),
                time_zone: None,
                opening_hours: Vec::new(),
            };
            stores::create(ctx, &new).await.unwrap();
            let new = NewStaff {
                email: format!("staff{n}@tea.example"),
                name: (*name).to_owned(),
                grants: Vec::new(),
                password: None,
                demo: false,
            };
            staff::create(ctx, &new).await.unwrap();
        }
        for sort in [Sort::Ascending, Sort::Descending] {
            let mut expected = IN_ORDER.map(str::to_owned);
            if sort == Sort::Descending {
                expected.reverse();
            }
            let of_stores = walk(ctx, |page| async move {
                let all = StoreFilter::default();
                let page = stores::list(ctx, &all, StoreOrder::Name, sort, &page)
                    .await
                    .unwrap();
                let rows = page.items.into_iter().map(|row| (row.id.0, row.name));
                (rows.collect(), page.has_next, page.has_previous)
            });
            assert_eq!(of_stores.await, [expected.to_vec(), expected.to_vec()]);
            let of_staff = walk(ctx, |page| async move {
                let all = StaffFilter::default();
                let page = staff_list::list(ctx, &all, sort, &page).await.unwrap();
                let rows = page
                    .items
                    .into_iter()
                    .map(|one| (one.row.id.0, one.row.name));
                (rows.collect(), page.has_next, page.has_previous)
            });
            assert_eq!(of_staff.await, [expected.to_vec(), expected.to_vec()]);
        }
        let all = staff_list::all(ctx).await.unwrap();
        let names: Vec<_> = all.iter().map(|one| one.row.name.as_str()).collect();
        assert_eq!(names, IN_ORDER);
        node.door.stop().await;
        test.done().await;
    }
}

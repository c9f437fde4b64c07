//! Who is let in, on one node and on two, and who administers.

use super::super::staff::{self, StaffChange};
use super::super::staff_list::{self, StaffFilter};
use super::*;
use std::time::{Duration, Instant};

/// Asks until the answer is no; gives how long that took.
async fn out_after(node: &Node, signed_in: &SignedIn) -> Duration {
    let started = Instant::now();
    while node.lets_in(signed_in).await {
        assert!(started.elapsed() < Duration::from_secs(10), "still in");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    started.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn switched_off_on_one_node_is_out_on_the_other() {
    for test in TestDb::all().await {
        let one = Node::first(&test).await;
        let two = Node::start(test.system_on(test.another_node().await)).await;
        account(&one.ctx, "admin@shop.example", Role::Admin, Place::Company).await;
        let member = account(
            &one.ctx,
            "mei@shop.example",
            Role::Headquarters,
            Place::Company,
        )
        .await;
        let (first, second) = (
            one.sign_in("mei@shop.example").await,
            two.sign_in("mei@shop.example").await,
        );
        for signed_in in [&first, &second] {
            // Each node takes the other's tokens, and remembers both.
            assert!(one.lets_in(signed_in).await && two.lets_in(signed_in).await);
        }
        staff::disable(&one.ctx, member.row.id).await.unwrap();
        assert!(
            !one.lets_in(&first).await && !one.lets_in(&second).await,
            "here at once"
        );
        assert!(out_after(&two, &first).await < Duration::from_secs(2));
        assert!(!two.lets_in(&second).await);
        let dead = sessions::refresh(&two.anonymous(), &second.refresh_token).await;
        assert_eq!(code(dead), Code::InvalidCredentials);
        let shut = sessions::sign_in(&two.anonymous(), "mei@shop.example", &secret(PASSWORD)).await;
        assert_eq!(code(shut), Code::InvalidCredentials);
        staff::enable(&one.ctx, member.row.id).await.unwrap();
        assert!(!two.lets_in(&first).await, "an ended session stays ended");
        let again = two.sign_in("mei@shop.example").await;
        assert!(two.lets_in(&again).await && one.lets_in(&again).await);

        // New roles and sign-outs travel the same way.
        let me = two.as_viewer(&again).await;
        assert!(me.viewer.may(crate::access::Action::StaffRead));
        let change = StaffChange {
            version: 3,
            grants: Some(vec![Grant {
                role: Role::Analyst,
                place: Place::Company,
            }]),
            ..StaffChange::default()
        };
        staff::update(&one.ctx, member.row.id, &change)
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(1800)).await;
        let me = two.as_viewer(&again).await;
        assert!(!me.viewer.may(crate::access::Action::StaffRead));
        sessions::sign_out(&me, None).await.unwrap();
        assert!(!two.lets_in(&again).await);
        assert!(out_after(&one, &again).await < Duration::from_secs(2));
        one.door.stop().await;
        two.door.stop().await;
        two.ctx.db.close().await.unwrap();
        test.done().await;
    }
}

#[tokio::test]
async fn nobody_is_let_in_when_revocations_cannot_be_read() {
    for test in TestDb::all().await {
        let node = Node::first(&test).await;
        account(&node.ctx, "admin@shop.example", Role::Admin, Place::Company).await;
        let signed_in = node.sign_in("admin@shop.example").await;
        assert!(node.lets_in(&signed_in).await);
        test.run("alter table access_change rename to away").await;
        tokio::time::sleep(Duration::from_millis(4500)).await;
        let token = Some(signed_in.access_token.expose_secret());
        let refused = node.door.authenticate(token).await;
        assert_eq!(refused.err(), Some(super::super::AuthError::Unavailable));
        assert!(matches!(
            node.door.authenticate(None).await,
            Ok(Viewer::Anonymous)
        ));
        test.run("alter table away rename to access_change").await;
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(node.lets_in(&signed_in).await);
        node.door.stop().await;
        test.done().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_always_administers() {
    for test in TestDb::all().await {
        let node = Node::first(&test).await;
        let one = account(&node.ctx, "one@shop.example", Role::Admin, Place::Company).await;
        let alone = staff::disable(&node.ctx, one.row.id).await;
        assert_eq!(code(alone), Code::WrongState);
        let two = account(&node.ctx, "two@shop.example", Role::Admin, Place::Company).await;
        let fewer = StaffChange {
            version: 1,
            grants: Some(Vec::new()),
            ..StaffChange::default()
        };
        let (off, demoted) = tokio::join!(
            staff::disable(&node.ctx, one.row.id),
            staff::update(&node.ctx, two.row.id, &fewer),
        );
        assert_eq!(
            u8::from(off.is_ok()) + u8::from(demoted.is_ok()),
            1,
            "{off:?} {demoted:?}"
        );
        node.door.stop().await;
        test.done().await;
    }
}

#[tokio::test]
async fn managers_see_those_of_their_own_stores() {
    for test in TestDb::all().await {
        let node = Node::first(&test).await;
        let (mine, theirs) = (store(&node.ctx, "S1").await, store(&node.ctx, "S2").await);
        let region = regions::all(&node.ctx).await.unwrap()[0].id;
        let admin = account(&node.ctx, "admin@shop.example", Role::Admin, Place::Company).await;
        account(
            &node.ctx,
            "region@shop.example",
            Role::RegionManager,
            Place::Region(region),
        )
        .await;
        account(
            &node.ctx,
            "manager@shop.example",
            Role::StoreManager,
            Place::Store(mine),
        )
        .await;
        account(
            &node.ctx,
            "guide@shop.example",
            Role::Associate,
            Place::Store(mine),
        )
        .await;
        account(
            &node.ctx,
            "other@shop.example",
            Role::Associate,
            Place::Store(theirs),
        )
        .await;
        for (email, sees) in [
            ("manager@shop.example", "guide manager"),
            ("region@shop.example", "guide manager other region"),
            ("admin@shop.example", "admin guide manager other region"),
        ] {
            let me = node.as_viewer(&node.sign_in(email).await).await;
            let page = PageRequest {
                size: 10,
                backward: false,
                bounds: Bounds::default(),
            };
            let filter = StaffFilter::default();
            let list = staff_list::list(&me, &filter, Sort::Ascending, &page)
                .await
                .unwrap();
            let names: Vec<_> = list
                .items
                .iter()
                .map(|member| member.row.name.as_str())
                .collect();
            assert_eq!(names.join(" "), sees, "{email}");
            assert_eq!(
                staff_list::count(&me, &filter).await.unwrap(),
                names.len() as u64
            );
        }
        let guide = node
            .as_viewer(&node.sign_in("guide@shop.example").await)
            .await;
        assert!(matches!(
            staff_list::count(&guide, &StaffFilter::default()).await,
            Err(Error::Forbidden)
        ));
        assert!(
            staff_list::by_id(&guide, admin.row.id)
                .await
                .unwrap()
                .is_none()
        );
        let known = staff_list::colleagues(&guide, &[admin.row.id])
            .await
            .unwrap();
        assert!(!known[&admin.row.id].in_full, "the name, and no more");
        let misplaced = NewStaff {
            email: "x@shop.example".to_owned(),
            name: "X".to_owned(),
            grants: vec![Grant {
                role: Role::Admin,
                place: Place::Store(mine),
            }],
            password: None,
            demo: false,
        };
        assert_eq!(
            code(staff::create(&node.ctx, &misplaced).await),
            Code::Invalid
        );
        node.door.stop().await;
        test.done().await;
    }
}

//! Groups: clubs that customers join and leave, with a keeper.

use crate::sql::{
    Change,
    Step::{self, Both},
};

pub(crate) const CHANGE: Change = Change {
    name: "m0011_groups",
    // An older program would neither carry memberships along in a merge nor end them with an erasure.
    oldest_program: 11,
    up: UP,
    down: DOWN,
};

const UP: &[Step] = &[
    Both(
        "create table customer_group (
            id {uuid} primary key,
            name text not null,
            name_key {bytes} not null,
            description text,
            keeper_id {uuid} references staff (id),
            store_id {uuid} references store (id),
            archived_at {time},
            version {long} not null,
            created_at {time} not null,
            updated_at {time} not null
        ) {strict}",
    ),
    Both("create index customer_group_by_name on customer_group (name_key, id)"),
    Both(
        "create table group_member (
            id {uuid} primary key,
            group_id {uuid} not null references customer_group (id),
            customer_id {uuid} not null references customer (id),
            joined_at {time} not null,
            joined_by {uuid} references staff (id),
            left_at {time},
            left_by {uuid} references staff (id)
        ) {strict}",
    ),
    // Nobody is in a group twice; how often they have left it is history.
    Both(
        "create unique index group_member_once on group_member (group_id, customer_id) where left_at is null",
    ),
    Both(
        "create index group_member_current on group_member (group_id, joined_at, id) where left_at is null",
    ),
    Both(
        "create index group_member_former on group_member (group_id, joined_at, id) where left_at is not null",
    ),
    Both("create index group_member_customer on group_member (customer_id, joined_at)"),
];

const DOWN: &[Step] = &[
    Both("drop table group_member"),
    Both("drop table customer_group"),
];

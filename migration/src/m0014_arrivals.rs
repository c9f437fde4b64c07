//! Customers who are here, visits that were announced, and what was said in enquiries.

use crate::sql::{
    Change,
    Step::{self, Both},
};

pub(crate) const CHANGE: Change = Change {
    name: "m0014_arrivals",
    // An older program would leave a person's appointments and chats behind when it erases them.
    oldest_program: 14,
    up: UP,
    down: DOWN,
};

const UP: &[Step] = &[
    Both(
        "create table announced_visit (
            id {uuid} primary key,
            customer_id {uuid} not null references customer (id),
            store_id {uuid} not null references store (id),
            expected_at {time} not null,
            day_from {time} not null,
            day_until {time} not null,
            attended_by_id {uuid} references staff (id),
            note text,
            state text not null,
            cancel_reason text,
            announced_by_id {uuid} references staff (id),
            announced_at {time} not null,
            version {long} not null
        ) {by_key}",
    ),
    Both("create index announced_visit_store on announced_visit (store_id, expected_at, id)"),
    Both("create index announced_visit_customer on announced_visit (customer_id, expected_at, id)"),
    Both("create index announced_visit_expected on announced_visit (expected_at, id)"),
    Both(
        "create index announced_visit_attended on announced_visit (attended_by_id, expected_at, id)
            where attended_by_id is not null",
    ),
    Both(
        "create table arrival (
            id {uuid} primary key,
            customer_id {uuid} not null references customer (id),
            store_id {uuid} not null references store (id),
            at {time} not null,
            business_date {date} not null,
            received_by_id {uuid} references staff (id),
            announced_visit_id {uuid} references announced_visit (id),
            visit_id {uuid} references visit (id)
        ) {by_key}",
    ),
    Both("create index arrival_store on arrival (store_id, at, id)"),
    Both("create index arrival_customer on arrival (customer_id, at, id)"),
    Both("create index arrival_at on arrival (at, id)"),
    Both("create index arrival_visit on arrival (visit_id) where visit_id is not null"),
    Both(
        "create index arrival_announced on arrival (announced_visit_id) where announced_visit_id is not null",
    ),
    Both(
        "create table enquiry_entry (
            id {uuid} primary key,
            visit_id {uuid} not null references visit (id),
            place {long} not null,
            at {time} not null,
            author text not null,
            staff_id {uuid} references staff (id),
            text text not null,
            unique (visit_id, place)
        ) {by_key}",
    ),
];

const DOWN: &[Step] = &[
    Both("drop table enquiry_entry"),
    Both("drop table arrival"),
    Both("drop table announced_visit"),
];

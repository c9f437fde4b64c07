//! Who has seen and changed what, and what somebody sees beyond role and store.

use crate::sql::{
    Change,
    Step::{self, Both},
};

pub(crate) const CHANGE: Change = Change {
    name: "m0002_access",
    oldest_program: 2,
    up: UP,
    down: DOWN,
};

const UP: &[Step] = &[
    Both(
        "create table audit_entry (
            id {uuid} primary key,
            at {time} not null,
            actor_kind text not null,
            actor_id {uuid},
            action text not null,
            address text,
            request_id {uuid} not null,
            customer_count {int} not null,
            detail {json} not null
        ) {strict}",
    ),
    Both("create index audit_entry_at on audit_entry (at, id)"),
    Both("create index audit_entry_actor on audit_entry (actor_id, at, id)"),
    Both("create index audit_entry_action on audit_entry (action, at, id)"),
    Both(
        "create table audit_customer (
            customer_id {uuid} not null,
            entry_id {uuid} not null references audit_entry (id),
            primary key (customer_id, entry_id)
        ) {by_key}",
    ),
    Both("create index audit_customer_entry on audit_customer (entry_id)"),
    Both(
        "create table sight (
            customer_id {uuid} not null,
            scope_id {uuid} not null,
            cause text not null,
            until {time} not null,
            primary key (customer_id, scope_id, cause)
        ) {by_key}",
    ),
    Both("create index sight_scope on sight (scope_id, customer_id)"),
    Both("create index sight_until on sight (until)"),
];

const DOWN: &[Step] = &[
    Both("drop table sight"),
    Both("drop table audit_customer"),
    Both("drop table audit_entry"),
];

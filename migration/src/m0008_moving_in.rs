//! Moving in: references that another system's files make and that cannot be resolved yet, and how far a customer's file
//! was filled in from there.

use crate::sql::{
    Change,
    Step::{self, Both},
};

pub(crate) const CHANGE: Change = Change {
    name: "m0008_moving_in",
    oldest_program: 6,
    up: UP,
    down: DOWN,
};

const UP: &[Step] = &[
    // Numbers, codes and ids only: a card that waits for its holder is described in `detail`.
    Both(
        "create table open_reference (
            id {uuid} primary key,
            kind text not null,
            source {key} not null,
            subject {key} not null,
            wanted {key} not null,
            instead_of {uuid},
            detail {json},
            reason text not null,
            file text not null,
            line {long} not null,
            created_at {time} not null,
            unique (kind, subject)
        ) {strict}",
    ),
    Both("create index open_reference_wanted on open_reference (kind, source, wanted)"),
    // None: nothing but receipts has brought the customer.
    Both("alter table customer_reference add column version {long}"),
];

const DOWN: &[Step] = &[
    Both("alter table customer_reference drop column version"),
    Both("drop table open_reference"),
];

//! How complete a customer's file is: its score, the rules by which it is counted, and when each field was confirmed.

use crate::sql::{
    Change,
    Step::{self, Both},
};

pub(crate) const CHANGE: Change = Change {
    name: "m0013_completeness",
    // An older program would change files and leave the scores behind them as they were, for good, since nothing tells
    // that they need counting; and it would erase a person and leave when their fields were confirmed.
    oldest_program: 13,
    up: UP,
    down: DOWN,
};

const UP: &[Step] = &[
    // From 0 to 100; null where it was not counted yet, and for a file that is nobody's any more.
    Both("alter table customer add column completeness {int}"),
    // The version of the rules by which it was counted; 0 where it has to be counted anew by whatever rules there are.
    Both("alter table customer add column completeness_rules {long} not null default 0"),
    // Whoever was not counted comes first, as one of whom nothing is known; the words are those of the list. Files that
    // were put away are not called, and would be many among the least complete.
    Both(
        "create index customer_by_completeness on customer ((coalesce(completeness, -1)), id)
            where archived_at is null and merged_into_id is null and erased_at is null",
    ),
    Both(
        "create index customer_by_store_completeness on customer (home_store_id, (coalesce(completeness, -1)), id)
            where archived_at is null and merged_into_id is null and erased_at is null",
    ),
    Both("create index customer_uncounted on customer (completeness_rules, id)"),
    // Each change of the rules is a row, the latest holds; without any, those of the program do.
    Both(
        "create table completeness_rules (
            version {long} primary key,
            weights {json} not null,
            stale_after_days {int} not null,
            made_by {uuid} references staff (id),
            made_at {time} not null
        ) {strict}",
    ),
    Both(
        "create table field_confirmation (
            customer_id {uuid} not null references customer (id) on delete cascade,
            field {key} not null,
            confirmed_at {time} not null,
            confirmed_by {uuid} references staff (id),
            primary key (customer_id, field)
        ) {by_key}",
    ),
];

const DOWN: &[Step] = &[
    Both("drop table field_confirmation"),
    Both("drop table completeness_rules"),
    Both("drop index customer_uncounted"),
    Both("drop index customer_by_store_completeness"),
    Both("drop index customer_by_completeness"),
    Both("alter table customer drop column completeness_rules"),
    Both("alter table customer drop column completeness"),
];

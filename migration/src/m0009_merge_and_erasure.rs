//! One file for each person: merges with the journal that undoes them, dismissed duplicates, erased files.

use crate::sql::{
    Change,
    Step::{self, Both, Sqlite},
};

pub(crate) const CHANGE: Change = Change {
    name: "m0009_merge_and_erasure",
    // An older program would book visits on a file that was merged away, and show one that was erased.
    oldest_program: 9,
    up: UP,
    down: DOWN,
};

const UP: &[Step] = &[
    // Whose file this one has become a part of: never the id of one that is itself merged away.
    Both("alter table customer add column merged_into_id {uuid}"),
    Both("alter table customer add column erased_at {time}"),
    // What two files of one person have in common: the words of the name and the birth date.
    Both("alter table customer add column match_key text"),
    Both(
        "update customer set match_key = (select substr(s.name, 1, 300) from customer_search s where s.customer_id = customer.id)
            || '|' || birth_date where birth_date is not null",
    ),
    Both("create index customer_match on customer (match_key, id) where match_key is not null"),
    Both("create index customer_alias on customer (merged_into_id) where merged_into_id is not null"),
    Both("create index customer_giver on customer (gift_from_id) where gift_from_id is not null"),
    Both(
        "create table customer_merge (
            id {uuid} primary key,
            kept_id {uuid} not null references customer (id),
            merged_id {uuid} not null references customer (id),
            place {long} not null,
            at {time} not null,
            merged_by {uuid} references staff (id),
            kept_net_minor {long} not null,
            merged_net_minor {long} not null,
            filled {json} not null,
            undone_at {time},
            undone_by {uuid} references staff (id),
            unique (kept_id, place)
        ) {strict}",
    ),
    Both("create index customer_merge_merged on customer_merge (merged_id)"),
    Both(
        "create table customer_merge_move (
            merge_id {uuid} not null references customer_merge (id) on delete cascade,
            of_table {key} not null,
            row_id {uuid} not null,
            before {json},
            primary key (merge_id, of_table, row_id)
        ) {by_key}",
    ),
    // Which merge a card went with, to know a number that still leads to the kept customer.
    Both("create index customer_merge_move_row on customer_merge_move (row_id) where of_table = 'card'"),
    Both(
        "create table duplicate_dismissal (
            first_id {uuid} not null references customer (id),
            second_id {uuid} not null references customer (id),
            dismissed_by {uuid} references staff (id),
            dismissed_at {time} not null,
            primary key (first_id, second_id),
            check (first_id < second_id)
        ) {by_key}",
    ),
    Both("create index duplicate_dismissal_second on duplicate_dismissal (second_id)"),
    // Words that are removed from the index leave no trace in its file; what earlier removals left goes once.
    Sqlite("insert into customer_search_index (customer_search_index, rank) values ('secure-delete', 1)"),
    Sqlite("insert into customer_search_index (customer_search_index) values ('optimize')"),
];

const DOWN: &[Step] = &[
    Sqlite(
        "insert into customer_search_index (customer_search_index, rank) values ('secure-delete', 0)",
    ),
    Both("drop table duplicate_dismissal"),
    Both("drop table customer_merge_move"),
    Both("drop table customer_merge"),
    Both("drop index customer_giver"),
    Both("drop index customer_alias"),
    Both("drop index customer_match"),
    Both("alter table customer drop column match_key"),
    Both("alter table customer drop column erased_at"),
    Both("alter table customer drop column merged_into_id"),
];

//! Attributes that a shop defines for itself, and what they say of its customers.

use crate::sql::{
    Change,
    Step::{self, Both},
};

pub(crate) const CHANGE: Change = Change {
    name: "m0012_attributes",
    // An older program would neither carry them along in a merge nor erase them.
    oldest_program: 12,
    up: UP,
    down: DOWN,
};

const UP: &[Step] = &[
    Both(
        "create table attribute (
            id {uuid} primary key,
            key {key} not null unique,
            name text not null,
            description text,
            kind text not null,
            choices {json} not null,
            unit text,
            minimum text,
            maximum text,
            archived_at {time},
            version {long} not null,
            created_at {time} not null,
            updated_at {time} not null
        ) {strict}",
    ),
    Both(
        "create table customer_attribute (
            id {uuid} primary key,
            customer_id {uuid} not null references customer (id),
            attribute_id {uuid} not null references attribute (id),
            provenance {key} not null,
            value {key} not null,
            number {long},
            noted_by {uuid} references staff (id),
            noted_at {time} not null,
            unique (customer_id, attribute_id, provenance)
        ) {strict}",
    ),
    Both("create index customer_attribute_value on customer_attribute (attribute_id, value)"),
    // Numbers and days in their order, which the text has not.
    Both(
        "create index customer_attribute_number on customer_attribute (attribute_id, number) where number is not null",
    ),
];

const DOWN: &[Step] = &[
    Both("drop table customer_attribute"),
    Both("drop table attribute"),
];

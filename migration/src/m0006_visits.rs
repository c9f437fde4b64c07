//! Visits, and the purchases made on them.

use crate::sql::{
    Change,
    Step::{self, Both},
};

pub(crate) const CHANGE: Change = Change {
    name: "m0006_visits",
    oldest_program: 6,
    up: UP,
    down: DOWN,
};

const UP: &[Step] = &[
    Both(
        "create table visit (
            id {uuid} primary key,
            customer_id {uuid} not null references customer (id),
            store_id {uuid} not null references store (id),
            channel text not null,
            at {time} not null,
            business_date {date} not null,
            served_by_id {uuid} references staff (id),
            outcome text not null,
            no_purchase_reason text,
            note text,
            history {bool} not null,
            recorded_at {time} not null
        ) {by_key}",
    ),
    Both("create index visit_customer on visit (customer_id, at, id)"),
    Both("create index visit_store on visit (store_id, at, id)"),
    Both("create index visit_at on visit (at, id)"),
    // The customer is the visit's, which refers to them.
    Both(
        "create table purchase (
            id {uuid} primary key,
            visit_id {uuid} not null references visit (id),
            customer_id {uuid} not null,
            source {key} not null,
            receipt_number {key} not null,
            content_hash {bytes} not null,
            bought_minor {long} not null,
            returned_minor {long} not null,
            unique (source, receipt_number)
        ) {by_key}",
    ),
    Both("create index purchase_visit on purchase (visit_id)"),
    Both(
        "create table purchase_line (
            id {uuid} primary key,
            purchase_id {uuid} not null references purchase (id),
            line {int} not null,
            sku text,
            name text,
            category text,
            brand text,
            quantity_milli {long} not null,
            list_price_minor {long},
            amount_minor {long} not null,
            unit_cost_minor {long},
            discount_reason text,
            returns_line_id {uuid} references purchase_line (id),
            unique (purchase_id, line)
        ) {by_key}",
    ),
    Both(
        "create index purchase_line_returns on purchase_line (returns_line_id) where returns_line_id is not null",
    ),
];

const DOWN: &[Step] = &[
    Both("drop table purchase_line"),
    Both("drop table purchase"),
    Both("drop table visit"),
];

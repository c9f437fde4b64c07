//! Webhooks: what clients are told of events, where to, signed by which secrets, and what came of each try.

use crate::sql::{
    Change,
    Step::{self, Both},
};

pub(crate) const CHANGE: Change = Change {
    name: "m0019_webhooks",
    oldest_program: 14,
    up: UP,
    down: DOWN,
};

const UP: &[Step] = &[
    Both(
        "create table webhook (
            id {uuid} primary key,
            client_id {uuid} not null references client (id),
            url text not null,
            kinds text not null,
            store_ids {json} not null,
            disabled_at {time},
            disabled_reason text,
            version {long} not null,
            created_at {time} not null,
            updated_at {time} not null
        ) {strict}",
    ),
    Both("create index webhook_client on webhook (client_id)"),
    Both("create index webhook_created on webhook (created_at, id)"),
    Both(
        "create table webhook_secret (
            id {uuid} primary key,
            webhook_id {uuid} not null references webhook (id),
            sealed {bytes} not null,
            hint text not null,
            created_at {time} not null,
            expires_at {time}
        ) {strict}",
    ),
    Both("create index webhook_secret_webhook on webhook_secret (webhook_id)"),
    Both(
        "create index webhook_secret_expires on webhook_secret (expires_at) where expires_at is not null",
    ),
    Both(
        "create table webhook_delivery (
            id {uuid} primary key,
            webhook_id {uuid} not null references webhook (id),
            event_position {long},
            kind text not null,
            customer_id {uuid},
            store_id {uuid},
            subject_id {uuid} not null,
            occurred_at {time} not null,
            state text not null,
            attempts {int} not null,
            next_attempt_at {time} not null,
            claimed_by {uuid},
            claimed_until {time},
            created_at {time} not null,
            finished_at {time}
        ) {strict}",
    ),
    // An event that is handed over twice is delivered once.
    Both(
        "create unique index webhook_delivery_event on webhook_delivery (webhook_id, event_position) where event_position is not null",
    ),
    Both(
        "create index webhook_delivery_due on webhook_delivery (webhook_id, next_attempt_at, id) where state = 'PENDING'",
    ),
    // What is told of one customer goes out in order.
    Both(
        "create index webhook_delivery_order on webhook_delivery (webhook_id, customer_id, event_position) where state = 'PENDING' and customer_id is not null",
    ),
    Both("create index webhook_delivery_list on webhook_delivery (webhook_id, created_at, id)"),
    Both(
        "create index webhook_delivery_finished on webhook_delivery (finished_at) where finished_at is not null",
    ),
    Both(
        "create table webhook_attempt (
            id {uuid} primary key,
            delivery_id {uuid} not null references webhook_delivery (id) on delete cascade,
            at {time} not null,
            status {int},
            error text,
            millis {int} not null,
            answer text
        ) {strict}",
    ),
    Both("create index webhook_attempt_delivery on webhook_attempt (delivery_id)"),
];

const DOWN: &[Step] = &[
    Both("drop table webhook_attempt"),
    Both("drop table webhook_delivery"),
    Both("drop table webhook_secret"),
    Both("drop table webhook"),
];

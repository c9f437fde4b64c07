//! Programmes with their ladders of tiers, memberships, cards.

use crate::sql::{
    Change,
    Step::{self, Both},
};

pub(crate) const CHANGE: Change = Change {
    name: "m0005_cards",
    oldest_program: 5,
    up: UP,
    down: DOWN,
};

const UP: &[Step] = &[
    Both(
        "create table programme (
            id {uuid} primary key,
            code text not null unique,
            name text not null,
            card_prefix text not null,
            card_valid_months {int},
            version {long} not null,
            created_at {time} not null,
            updated_at {time} not null
        ) {strict}",
    ),
    Both(
        "create table tier (
            id {uuid} primary key,
            programme_id {uuid} not null references programme (id),
            level {int} not null,
            name text not null,
            spend_threshold_minor {long} not null,
            discount_basis_points {int} not null,
            retired_at {time}
        ) {strict}",
    ),
    Both("create unique index tier_level on tier (programme_id, level) where retired_at is null"),
    Both(
        "create table membership (
            id {uuid} primary key,
            customer_id {uuid} not null references customer (id),
            programme_id {uuid} not null references programme (id),
            tier_id {uuid} not null references tier (id),
            granted_tier_id {uuid} references tier (id),
            store_id {uuid} references store (id),
            enrolled_at {time} not null,
            version {long} not null,
            unique (customer_id, programme_id)
        ) {by_key}",
    ),
    Both("create index membership_tier on membership (tier_id)"),
    Both(
        "create table card (
            id {uuid} primary key,
            membership_id {uuid} not null references membership (id),
            customer_id {uuid} not null references customer (id),
            number text not null unique,
            status text not null,
            issued_at {time} not null,
            valid_until {date},
            status_reason text,
            status_changed_at {time} not null,
            replaces_id {uuid} references card (id),
            version {long} not null
        ) {strict}",
    ),
    Both("create unique index card_one_active on card (membership_id) where status = 'ACTIVE'"),
    Both("create index card_membership on card (membership_id, id)"),
    Both("create index card_customer on card (customer_id, id)"),
    Both("create index card_expiry on card (valid_until) where status in ('ACTIVE', 'FROZEN')"),
    Both(
        "create table tier_change (
            id {uuid} primary key,
            membership_id {uuid} not null references membership (id) on delete cascade,
            customer_id {uuid} not null,
            from_tier_id {uuid} references tier (id),
            to_tier_id {uuid} not null references tier (id),
            reason text not null,
            at {time} not null,
            net_spend_minor {long} not null,
            threshold_minor {long} not null,
            purchase_id {uuid}
        ) {by_key}",
    ),
    Both("create index tier_change_membership on tier_change (membership_id, id)"),
];

const DOWN: &[Step] = &[
    Both("drop table tier_change"),
    Both("drop table card"),
    Both("drop table membership"),
    Both("drop table tier"),
    Both("drop table programme"),
];

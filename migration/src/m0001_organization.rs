//! The shop: company, regions, stores, staff with their roles, sign-in.

use crate::sql::{
    Change,
    Step::{self, Both},
};

pub(crate) const CHANGE: Change = Change {
    name: "m0001_organization",
    oldest_program: 1,
    up: UP,
    down: DOWN,
};

const UP: &[Step] = &[
    Both(
        "create table schema_change (name text primary key, oldest_program {int} not null) {strict}",
    ),
    Both(
        "create table company (
            id {uuid} primary key,
            singleton {bool} not null unique default true check (singleton),
            name text not null,
            currency text not null,
            country text not null,
            locale text not null,
            time_zone text not null,
            version {long} not null,
            created_at {time} not null,
            updated_at {time} not null
        ) {strict}",
    ),
    Both(
        "create table region (
            id {uuid} primary key,
            code text not null unique,
            name text not null,
            version {long} not null,
            created_at {time} not null,
            updated_at {time} not null
        ) {strict}",
    ),
    Both(
        "create table store (
            id {uuid} primary key,
            region_id {uuid} not null references region (id),
            code text not null unique,
            name text not null,
            time_zone text not null,
            opening_hours {json} not null,
            archived_at {time},
            version {long} not null,
            created_at {time} not null,
            updated_at {time} not null
        ) {strict}",
    ),
    Both("create index store_region on store (region_id, id)"),
    Both(
        "create table staff (
            id {uuid} primary key,
            email text not null unique,
            name text not null,
            password_hash text,
            password_changed_at {time},
            demo {bool} not null default false,
            disabled_at {time},
            version {long} not null,
            created_at {time} not null,
            updated_at {time} not null
        ) {strict}",
    ),
    Both("create index staff_by_name on staff (name, id)"),
    Both(
        "create table staff_grant (
            id {uuid} primary key,
            staff_id {uuid} not null references staff (id) on delete cascade,
            role text not null,
            region_id {uuid} references region (id),
            store_id {uuid} references store (id),
            created_at {time} not null,
            check (region_id is null or store_id is null)
        ) {strict}",
    ),
    Both("create index staff_grant_staff on staff_grant (staff_id)"),
    Both("create index staff_grant_store on staff_grant (store_id) where store_id is not null"),
    Both(
        "create table session (
            id {uuid} primary key,
            staff_id {uuid} not null references staff (id) on delete cascade,
            created_at {time} not null,
            last_used_at {time} not null,
            expires_at {time} not null,
            ended_at {time},
            ended_reason text,
            address text,
            user_agent text
        ) {strict}",
    ),
    Both("create index session_staff on session (staff_id, created_at)"),
    Both("create index session_expiry on session (expires_at)"),
    Both(
        "create table refresh_token (
            hash {bytes} primary key,
            session_id {uuid} not null references session (id) on delete cascade,
            issued_at {time} not null,
            expires_at {time} not null,
            used_at {time}
        ) {strict}",
    ),
    Both("create index refresh_token_session on refresh_token (session_id)"),
    Both(
        "create table signing_key (
            id text primary key,
            public_key {bytes} not null,
            sealed_secret {bytes} not null,
            created_at {time} not null,
            active_from {time} not null,
            retired_at {time}
        ) {strict}",
    ),
    Both(
        "create table attempt (
            bucket {bytes} primary key,
            window_start {time} not null,
            expires_at {time} not null,
            count {int} not null
        ) {strict}",
    ),
    Both("create index attempt_expiry on attempt (expires_at)"),
    Both(
        "create table access_change (
            id {sequence},
            staff_id {uuid} not null,
            session_id {uuid},
            kind text not null,
            at {time} not null,
            expires_at {time} not null
        ) {strict}",
    ),
    Both("create index access_change_expiry on access_change (expires_at)"),
];

const DOWN: &[Step] = &[
    Both("drop table access_change"),
    Both("drop table attempt"),
    Both("drop table signing_key"),
    Both("drop table refresh_token"),
    Both("drop table session"),
    Both("drop table staff_grant"),
    Both("drop table staff"),
    Both("drop table store"),
    Both("drop table region"),
    Both("drop table company"),
    Both("drop table schema_change"),
];

//! Third-party programs that sign in with a secret of their own: what they may do, where, and by which secrets.

use crate::sql::{
    Change,
    Step::{self, Both},
};

pub(crate) const CHANGE: Change = Change {
    name: "m0016_clients",
    // Tables of their own: an older program knows no client, and refuses their tokens, which name no sign-in. The one
    // thing it cannot read is a page of the audit log that has an entry of a client, so the first client is made when
    // all nodes have been upgraded.
    oldest_program: 14,
    up: UP,
    down: DOWN,
};

const UP: &[Step] = &[
    Both(
        "create table client (
            id {uuid} primary key,
            name text not null,
            scopes text not null,
            points_per_second {int},
            bucket_points {int},
            disabled_at {time},
            last_used_at {time},
            version {long} not null,
            created_by {uuid} references staff (id),
            created_at {time} not null,
            updated_at {time} not null
        ) {strict}",
    ),
    // As the grants of staff: with neither region nor store it is the whole company.
    Both(
        "create table client_place (
            id {uuid} primary key,
            client_id {uuid} not null references client (id),
            region_id {uuid} references region (id),
            store_id {uuid} references store (id)
        ) {strict}",
    ),
    Both("create index client_place_client on client_place (client_id)"),
    Both(
        "create table client_secret (
            id {uuid} primary key,
            client_id {uuid} not null references client (id),
            hash {bytes} not null unique,
            hint text not null,
            created_at {time} not null,
            expires_at {time},
            last_used_at {time}
        ) {strict}",
    ),
    Both("create index client_secret_client on client_secret (client_id)"),
    Both(
        "create index client_secret_expires on client_secret (expires_at) where expires_at is not null",
    ),
    // What `access_change` is for staff. A row without a person there would stop older nodes from reading any.
    Both(
        "create table client_change (
            id {sequence},
            client_id {uuid} not null,
            at {time} not null,
            expires_at {time} not null
        ) {strict}",
    ),
    Both("create index client_change_expires on client_change (expires_at)"),
];

const DOWN: &[Step] = &[
    Both("drop table client_change"),
    Both("drop table client_secret"),
    Both("drop table client_place"),
    Both("drop table client"),
];

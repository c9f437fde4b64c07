//! Documents that clients have registered: what may run where only known documents may.

use crate::sql::{
    Change,
    Step::{self, Both},
};

pub(crate) const CHANGE: Change = Change {
    name: "m0015_documents",
    oldest_program: 14,
    up: UP,
    down: DOWN,
};

const UP: &[Step] = &[
    // Two clients may have the same document, and it runs until both have let go of it.
    Both(
        "create table document (
            hash {bytes} not null,
            client {key} not null,
            operations {json} not null,
            text text not null,
            registered_at {time} not null,
            registered_by text not null,
            primary key (hash, client)
        ) {strict}",
    ),
    Both("create index document_client on document (client, hash)"),
];

const DOWN: &[Step] = &[Both("drop table document")];

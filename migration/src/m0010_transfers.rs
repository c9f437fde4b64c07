//! Exports and imports as jobs: what was asked for, and the files, in pieces that any node can serve.

use crate::sql::{
    Change,
    Step::{self, Both, Postgres},
};

pub(crate) const CHANGE: Change = Change {
    name: "m0010_transfers",
    oldest_program: 6,
    up: UP,
    down: DOWN,
};

const UP: &[Step] = &[
    Both(
        "create table transfer (
            id {uuid} primary key,
            direction text not null,
            kind text not null,
            format text not null,
            state text not null,
            options {json} not null,
            requested_by {uuid} not null references staff (id),
            job_id {uuid},
            attempt {int} not null,
            rows_done {long} not null,
            rows_total {long},
            rows_rejected {long} not null,
            report {json},
            error text,
            stored_bytes {long} not null,
            result_part {int},
            result_bytes {long},
            made_under {bytes},
            created_at {time} not null,
            started_at {time},
            finished_at {time}
        ) {strict}",
    ),
    Both("create index transfer_requested on transfer (requested_by, id)"),
    Both(
        "create index transfer_open on transfer (state, id) where state in ('RECEIVING', 'QUEUED', 'RUNNING')",
    ),
    Both("create index transfer_finished on transfer (finished_at) where finished_at is not null"),
    Both(
        "create table transfer_chunk (
            transfer_id {uuid} not null references transfer (id),
            part {int} not null,
            seq {int} not null,
            body {bytes} not null,
            primary key (transfer_id, part, seq)
        ) {strict}",
    ),
    // Uploads and results are written once and read once: to compress them costs more than it saves.
    Postgres("alter table transfer_chunk alter column body set storage external"),
];

const DOWN: &[Step] = &[
    Both("drop table transfer_chunk"),
    Both("drop table transfer"),
];

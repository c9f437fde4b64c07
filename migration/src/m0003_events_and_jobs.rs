//! The outbox with its sequencer, the job queue, the memory of idempotency keys.

use crate::sql::{
    Change,
    Step::{self, Both},
};

pub(crate) const CHANGE: Change = Change {
    name: "m0003_events_and_jobs",
    oldest_program: 3,
    up: UP,
    down: DOWN,
};

const UP: &[Step] = &[
    Both(
        "create table event (
            id {sequence},
            position {long} unique,
            kind text not null,
            customer_id {uuid},
            store_id {uuid},
            subject_id {uuid} not null,
            at {time} not null,
            actor_kind text not null,
            actor_id {uuid},
            payload {json} not null
        ) {strict}",
    ),
    Both("create index event_waiting on event (id) where position is null"),
    Both("create index event_at on event (at)"),
    Both(
        "create table lease (
            name text primary key,
            holder {uuid},
            until {time} not null,
            position {long} not null
        ) {strict}",
    ),
    Both(
        "create table job (
            id {uuid} primary key,
            name text not null,
            dedup_key text,
            payload {json} not null,
            state text not null,
            run_at {time} not null,
            attempts {int} not null,
            max_attempts {int} not null,
            claimed_by {uuid},
            claimed_until {time},
            last_error text,
            created_at {time} not null,
            finished_at {time}
        ) {strict}",
    ),
    Both("create index job_due on job (run_at, id) where state = 'QUEUED'"),
    Both("create index job_claimed on job (claimed_until) where state = 'RUNNING'"),
    Both(
        "create unique index job_dedup on job (name, dedup_key) where state in ('QUEUED', 'RUNNING') and dedup_key is not null",
    ),
    Both("create index job_state on job (state, id)"),
    Both("create index job_name on job (name, id)"),
    Both("create index job_finished on job (finished_at) where finished_at is not null"),
    Both("create table job_schedule (name text primary key, fired_at {time} not null) {strict}"),
    Both(
        "create table idempotency (
            caller text not null,
            mutation text not null,
            key text not null,
            input_hash {bytes} not null,
            result_id {uuid} not null,
            created_at {time} not null,
            primary key (caller, mutation, key)
        ) {strict}",
    ),
    Both("create index idempotency_age on idempotency (created_at)"),
];

const DOWN: &[Step] = &[
    Both("drop table idempotency"),
    Both("drop table job_schedule"),
    Both("drop table job"),
    Both("drop table lease"),
    Both("drop table event"),
];

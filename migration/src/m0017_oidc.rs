//! Signing in through the company's provider: who staff are there, sign-ins on their way, tickets for sessions.

use crate::sql::{
    Change,
    Step::{self, Both},
};

pub(crate) const CHANGE: Change = Change {
    name: "m0017_oidc",
    // Tables that an older program does not know of and that nothing of its own depends on.
    oldest_program: 14,
    up: UP,
    down: DOWN,
};

const UP: &[Step] = &[
    Both(
        "create table staff_identity (
            issuer {key} not null,
            subject {key} not null,
            staff_id {uuid} not null references staff (id),
            groups_decide {bool} not null,
            created_at {time} not null,
            last_used_at {time} not null,
            primary key (issuer, subject),
            unique (staff_id, issuer)
        ) {by_key}",
    ),
    Both(
        "create table company_sign_in (
            state_hash {bytes} primary key,
            browser_hash {bytes} not null,
            nonce text not null,
            verifier text not null,
            return_to text not null,
            created_at {time} not null,
            expires_at {time} not null
        ) {by_key}",
    ),
    Both("create index company_sign_in_expires on company_sign_in (expires_at)"),
    Both(
        "create table sign_in_ticket (
            hash {bytes} primary key,
            staff_id {uuid} not null references staff (id),
            created_at {time} not null,
            expires_at {time} not null
        ) {by_key}",
    ),
    Both("create index sign_in_ticket_expires on sign_in_ticket (expires_at)"),
];

const DOWN: &[Step] = &[
    Both("drop table sign_in_ticket"),
    Both("drop table company_sign_in"),
    Both("drop table staff_identity"),
];
